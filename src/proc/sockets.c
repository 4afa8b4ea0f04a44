#include "proc/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

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

static int
open_one(
    const struct conf_listen *l, const struct sockets *old, struct bound *b)
{
	const struct bound *was = find(old, &l->addr);
	char text[ADDR_TEXT_MAX];
	int err;

	if (was != NULL) {
		b->listener = was->listener;
		b->ours = false;
		return 0;
	}
	b->ours = true;
	err = listener_open(&l->addr, &b->listener);
	if (err == 0)
		return 0;
	addr_format(&l->addr, text);
	log_error("%s:%u:%u: listen: %s: %s%s",
	    l->place.file ? l->place.file : "built-in", l->place.line,
	    l->place.column, text, strerror(-err),
	    err == -EADDRINUSE ? ": somebody else listens there; stop that or "
				 "choose another address"
	    : err == -EACCES ? ": a port below 1024 needs root, a UNIX socket "
			       "a directory that can be written"
	    : err == -EADDRNOTAVAIL
		? ": this machine does not have that address"
	    : err == -EEXIST ? ": the path exists and is no socket"
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
			err = open_one(&srv->listens[k], old, b);
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
