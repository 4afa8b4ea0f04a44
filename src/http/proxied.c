#include "http/proxied.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "http/real_ip.h"
#include "loop/deadline.h"
#include "net/proxy_protocol.h"
#include "shared/shm.h"
#include "conn_internal.h"

/* A connection whose line has not come yet. */
struct proxied {
	struct list_node node; /* in connections.proxied */
	struct connections *group;
	int fd;
	const struct connections_door *door;
	struct addr peer; /* the proxy */
	ev_io readable;
	struct deadline patience;
	struct proxy_protocol line;
};

/* It is none of ours any more; returns its socket, for the caller. */
static int
proxied_end(struct proxied *p)
{
	struct connections *g = p->group;
	int fd = p->fd;

	ev_io_stop(g->loop, &p->readable);
	deadline_fini(&p->patience);
	list_remove(&p->node);
	atomic_fetch_sub(&g->slot->connections, 1);
	free(p);
	return fd;
}

static void
proxied_close(struct proxied *p)
{
	struct connections *g = p->group;
	int fd = proxied_end(p);

	fd_close(&fd);
	g->on_closed(g->arg);
}

static void
log_closed(const struct addr *peer, const char *why, struct log_limit *limit)
{
	char text[ADDR_TEXT_MAX];

	if (!log_allowed(limit))
		return;
	addr_format(peer, text);
	log_warn(
	    "proxy_protocol: a connection of %s was closed: %s", text, why);
}

/* The line is here. */
static void
hand_on(struct proxied *p)
{
	struct connections *g = p->group;
	const struct connections_door *door = p->door;
	struct addr client = p->peer;
	int fd;

	(void)proxy_protocol_client(&p->line, &client);
	fd = proxied_end(p);
	connections_open(g, fd, &client, door);
	g->on_closed(g->arg); /* it may not have been taken */
}

static void
on_line(struct ev_loop *loop, ev_io *w, int revents)
{
	static struct log_limit limit;
	struct proxied *p = w->data;

	(void)loop;
	(void)revents;
	switch (proxy_protocol_read(&p->line, p->fd)) {
	case PROXY_PROTOCOL_PART:
		return;
	case PROXY_PROTOCOL_DONE:
		hand_on(p);
		return;
	case PROXY_PROTOCOL_BAD:
		if (p->line.len > 0) /* else it only has looked at the port */
			log_closed(&p->peer,
			    "what it sent is no PROXY line: have the proxy "
			    "send one (HAProxy: send-proxy-v2), or leave out "
			    "proxy_protocol",
			    &limit);
		proxied_close(p);
		return;
	}
}

static void
on_late(struct deadline *d)
{
	static struct log_limit limit;
	struct proxied *p = container_of(d, struct proxied, patience);

	log_closed(
	    &p->peer, "its PROXY line did not come in header_timeout", &limit);
	proxied_close(p);
}

void
proxied_open(struct connections *g, int fd, const struct addr *peer,
    const struct connections_door *door)
{
	static struct log_limit limit;
	struct proxied *p = NULL;

	if (!real_ip_is_proxy(g->conf, peer))
		log_closed(peer,
		    "it is none of trusted_proxies, which alone may tell whose "
		    "connections they pass on",
		    &limit);
	else
		p = calloc(1, sizeof(*p));
	if (p == NULL) {
		fd_close(&fd);
		return;
	}
	p->group = g;
	p->fd = fd;
	p->door = door;
	p->peer = *peer;
	list_append(&g->proxied, &p->node);
	atomic_fetch_add(&g->slot->connections, 1);
	ev_io_init(&p->readable, on_line, fd, EV_READ);
	p->readable.data = p;
	ev_io_start(g->loop, &p->readable);
	deadline_init(&p->patience, g->loop, on_late);
	deadline_set(&p->patience, g->conf->header_timeout_s);
}

void
proxied_stop(struct connections *g)
{
	LIST_FOREACH(struct proxied, p, &g->proxied, node)
		deadline_set(&p->patience, CONN_STOP_GRACE_S);
}

void
proxied_drop(struct connections *g)
{
	LIST_FOREACH(struct proxied, p, &g->proxied, node)
		proxied_close(p);
}
