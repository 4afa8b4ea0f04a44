#include "proc/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "proc/owners.h"

/* One that listens there, and that clients reach. */
static const struct bound *
find(const struct sockets *s, const struct addr *a)
{
	for (size_t i = 0; s != NULL && i < s->count; i++)
		if (addr_equal(&s->bound[i].listener.addr, a) &&
		    listener_is_reachable(&s->bound[i].listener))
			return &s->bound[i];
	return NULL;
}

static bool
has(const struct sockets *s, int fd)
{
	for (size_t i = 0; s != NULL && i < s->count; i++)
		if (s->bound[i].listener.fd == fd)
			return true;
	return false;
}

static void
log_trouble(enum log_level level, const struct conf_listen *l, const char *what,
    const char *then)
{
	char text[ADDR_TEXT_MAX];

	addr_format(&l->addr, text);
	log_line(level, "%s:%u:%u: listen: %s: %s%s",
	    l->place.file ? l->place.file : "built-in", l->place.line,
	    l->place.column, text, what, then);
}

/* One that is bound stays as it is in this: to bind another one beside it is not
 * possible, and between the two nobody could connect. */
static int
take_over(const struct conf_listen *l, const struct bound *was, struct bound *b)
{
	if (was->listener.ipv6only != l->ipv6only &&
	    l->addr.ss.ss_family == AF_INET6) {
		log_trouble(LEVEL_ERROR, l,
		    "ipv6only cannot be changed while it listens",
		    ": restart penstock");
		return -EINVAL;
	}
	b->listener = was->listener;
	b->ours = false;
	return 0;
}

static int
open_one(const struct config *conf, const struct conf_listen *l,
    const struct sockets *old, struct bound *b)
{
	const struct bound *was = find(old, &l->addr);
	struct listener_options options;
	int err;

	if (was != NULL)
		return take_over(l, was, b);
	b->ours = true;
	options = owners_options(conf, l);
	err = listener_open(&l->addr, &options, &b->listener);
	if (err == 0)
		return 0;
	log_trouble(LEVEL_ERROR, l, strerror(-err),
	    err == -EADDRINUSE ? ": somebody else listens there; stop that or "
				 "choose another address"
	    : err == -EACCES ? ": a port below 1024 needs root, a UNIX socket "
			       "a directory that can be written"
	    : err == -EADDRNOTAVAIL
		? ": this machine does not have that address"
	    : err == -EEXIST ? ": the path exists and is no socket"
	    : err == -EPERM  ? ": this process may not give it that owner or "
			       "group"
			     : "");
	return err;
}

int
sockets_open(
    const struct config *conf, const struct sockets *old, struct sockets *ret)
{
	struct sockets s = {0};
	size_t count = 0;
	int err = 0;

	for (size_t i = 0; i < conf->server_count; i++)
		count += conf->servers[i].listen_count;
	s.bound = calloc(count ? count : 1, sizeof(*s.bound));
	if (s.bound == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *srv = &conf->servers[i];

		for (size_t k = 0; k < srv->listen_count && err == 0; k++) {
			struct bound *b = &s.bound[s.count];

			b->server = i;
			b->listen = k;
			err = open_one(conf, &srv->listens[k], old, b);
			if (err == 0)
				s.count++;
		}
	}
	if (err < 0) {
		for (size_t i = 0; i < s.count; i++)
			if (s.bound[i].ours)
				listener_close(&s.bound[i].listener, true);
		free(s.bound);
		return err;
	}
	*ret = s;
	return 0;
}

static void
log_one(const struct bound *b)
{
	struct str text = {0};

	listener_describe(&b->listener, &text);
	log_notice("listening on %s", text.s ? text.s : "?");
	str_fini(&text);
}

void
sockets_log(const struct sockets *s)
{
	for (size_t i = 0; i < s->count; i++)
		log_one(&s->bound[i]);
}

void
sockets_adjust(const struct config *conf, const struct sockets *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct bound *b = &s->bound[i];
		const struct conf_listen *l =
		    &conf->servers[b->server].listens[b->listen];
		struct listener_options options = owners_options(conf, l);
		bool is_new = b->ours;
		int err = 0;

		if (!b->ours)
			err = listener_adjust(&b->listener, &options, &is_new);
		if (err < 0)
			log_trouble(LEVEL_WARN, l, strerror(-err),
			    ": its mode, owner, group and backlog cannot be "
			    "changed");
		if (is_new)
			log_one(b);
	}
}

void
sockets_close(struct sockets *old, const struct sockets *fresh, bool remove)
{
	for (size_t i = 0; i < old->count; i++)
		if (!has(fresh, old->bound[i].listener.fd))
			listener_close(&old->bound[i].listener, remove);
	free(old->bound);
	*old = (struct sockets){0};
}

void
sockets_shutdown(const struct sockets *s)
{
	for (size_t i = 0; i < s->count; i++)
		listener_shutdown(&s->bound[i].listener);
}
