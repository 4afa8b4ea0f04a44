/*
 * Which sockets lead to which server blocks of a worker.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"
#include "net/acceptor.h"
#include "worker_internal.h"

/* All server blocks that share the address, in their order. */
static int
begin_port(struct worker *w, struct entrance *e, const struct addr *addr)
{
	const struct config *conf = w->to->conf;

	e->sites = calloc(conf->server_count, sizeof(*e->sites));
	if (e->sites == NULL)
		return -ENOMEM;
	e->port.sites = e->sites;
	e->door.tls = &e->port;
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];
		struct tls_context *c = w->to->certificates->of[i];

		for (size_t k = 0; k < s->listen_count; k++) {
			if (!addr_equal(&s->listens[k].addr, addr))
				continue;
			tls_context_set_owner(c,
			    shm_slot_number(w->to->shared->shm, w->to->slot));
			e->sites[e->port.count++] = (struct tls_site){
			    .context = c,
			    .names = s->server_name.values,
			    .name_count = s->server_name.count,
			    .owner = &w->servers[i].conns,
			};
		}
	}
	return 0;
}

/* Times matter to all that share a socket, if they do to one. */
static void
share_stamps(const struct entrance *e)
{
	bool stamped = e->server->conns.stamped;

	for (size_t i = 0; i < e->port.count; i++) {
		const struct connections *g = e->sites[i].owner;

		check(g != NULL);
		stamped |= g->stamped;
	}
	e->server->conns.stamped = stamped;
	for (size_t i = 0; i < e->port.count; i++) {
		struct connections *g = e->sites[i].owner;

		check(g != NULL);
		g->stamped = stamped;
	}
}

static int
begin_entrance(struct worker *w, const struct bound *b, struct entrance *e)
{
	int err = 0;

	e->server = &w->servers[b->server];
	e->proxied = e->server->conf->listens[b->listen].proxy_protocol;
	e->door.on_loopback = addr_is_loopback(&b->listener.addr);
	if (b->tls)
		err = begin_port(w, e, &b->listener.addr);
	if (err < 0)
		return err;
	share_stamps(e);
	(void)fd_stamp(b->listener.fd, e->server->conns.stamped);
	return acceptor_watch(w->acceptor, &b->listener, e);
}

int
entrances_begin(struct worker *w)
{
	const struct sockets *s = w->to->sockets;
	int err = 0;

	w->entrances = calloc(s->count + 1, sizeof(*w->entrances));
	if (w->entrances == NULL)
		return -ENOMEM;
	for (size_t i = 0; err == 0 && i < s->count; i++)
		err = begin_entrance(w, &s->bound[i], &w->entrances[i]);
	return err;
}

void
entrances_end(struct worker *w)
{
	for (size_t i = 0; i < w->to->sockets->count; i++)
		free(w->entrances[i].sites);
	free(w->entrances);
}
