#include "proc/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/permit.h"
#include "base/str.h"
#include "config/lexer.h"
#include "proc/identity.h"
#include "proc/owners.h"
#include "proc/refusal.h"

/* One that listens there, and that clients reach. */
static const struct bound *
sockets_find(const struct sockets *s, const struct addr *a)
{
	for (size_t i = 0; s != NULL && i < s->count; i++)
		if (addr_equal(&s->bound[i].listener.addr, a) &&
		    listener_is_reachable(&s->bound[i].listener))
			return &s->bound[i];
	return NULL;
}

/* Another server block has it, too: they share one socket. */
static bool
sockets_is_bound(const struct sockets *s, const struct addr *a)
{
	for (size_t i = 0; i < s->count; i++)
		if (addr_equal(&s->bound[i].listener.addr, a))
			return true;
	return false;
}

static bool
sockets_has(const struct sockets *s, int fd)
{
	for (size_t i = 0; s != NULL && i < s->count; i++)
		if (s->bound[i].listener.fd == fd)
			return true;
	return false;
}

/* As a mistake of the configuration is told. */
static void
log_trouble(enum log_level level, const struct conf_server *s,
    const struct conf_listen *l, const char *what, const char *then)
{
	bool given = l->place.line != s->place.line ||
		     l->place.column != s->place.column;
	char text[ADDR_TEXT_MAX];
	struct str line = {0};

	addr_format(&l->addr, text);
	lexer_place(&line, &l->place);
	str_printf(&line, ": listen: %s%s: %s%s", text,
	    given ? "" : " (by default)", what, then);
	log_line(level, "%s", str_failed(&line) ? "out of memory" : line.s);
	str_fini(&line);
}

/* It cannot be opened; and what to do about it. */
static void
sockets_log_refusal(
    const struct conf_server *s, const struct conf_listen *l, int err)
{
	char then[REFUSAL_WHY_MAX] = "", name[IDENTITY_NAME_MAX];

	if (err == -EACCES) {
		identity_name(name);
		snprintf(then, sizeof(then), ", as user %s: %s", name,
		    addr_unix_path(&l->addr) != NULL
			? "a UNIX socket needs a directory that this user can "
			  "write"
			: "a port below 1024 needs root or "
			  "CAP_NET_BIND_SERVICE (AmbientCapabilities= of a "
			  "systemd unit); or choose one above");
	}
	log_trouble(LEVEL_ERROR, s, l, strerror(-err),
	    err == -EADDRINUSE ? ": somebody else listens there; stop that or "
				 "choose another address"
	    : err == -EADDRNOTAVAIL
		? ": this machine does not have that address"
	    : err == -EEXIST ? ": the path exists and is no socket"
	    : err == -EPERM  ? ": this process may not give it that owner or "
			       "group"
			     : then);
}

/* ipv6only of a bound socket stays: a second socket cannot be bound beside it, and
 * in between clients could not connect. */
static int
take_over(const struct conf_server *s, const struct conf_listen *l,
    const struct bound *was, struct bound *b)
{
	if (was->listener.ipv6only != l->ipv6only &&
	    l->addr.ss.ss_family == AF_INET6) {
		log_trouble(LEVEL_ERROR, s, l,
		    "ipv6only cannot be changed while it listens",
		    was->listener.given[0] == '\0' ? ": restart penstock"
		    : was->listener.ipv6only
			? ": it was handed over with ipv6only on "
			  "(BindIPv6Only= of the .socket unit)"
			: ": it was handed over with ipv6only off, which is "
			  "what a .socket unit does without "
			  "BindIPv6Only=ipv6-only");
		return -EINVAL;
	}
	b->listener = was->listener;
	b->ours = false;
	return 0;
}

static int
open_one(const struct config *conf, const struct sockets *old, struct bound *b)
{
	const struct conf_server *s = &conf->servers[b->server];
	const struct conf_listen *l = &s->listens[b->listen];
	const struct bound *was = sockets_find(old, &l->addr);
	struct listener_options options;
	int err;

	if (was != NULL)
		return take_over(s, l, was, b);
	b->ours = true;
	options = owners_options(conf, l);
	err = listener_open(&l->addr, &options, &b->listener);
	if (err < 0)
		sockets_log_refusal(s, l, err);
	return err;
}

/* A kernel that stamps nothing yet begins some milliseconds after it was asked to: so that
 * the first uploads have their times, that is before there are workers.  (Those end it
 * where no time matters.) */
static void
begin_stamps(const struct bound *b)
{
	(void)fd_stamp(b->listener.fd, true);
}

/* What was handed over has to be used: clients that connect there would wait for
 * ever. */
static bool
all_given_are_taken(const struct sockets *old, const struct sockets *s)
{
	bool all = true;

	for (size_t i = 0; old != NULL && i < old->count; i++) {
		const struct listener *l = &old->bound[i].listener;
		char text[ADDR_TEXT_MAX];

		if (l->given[0] == '\0' || sockets_has(s, l->fd))
			continue;
		addr_format(&l->addr, text);
		log_error("listen %s%s: this socket was handed over to us (as "
			  "%s), and no server listens there: write that into "
			  "a server block, or take it out of the .socket unit",
		    text,
		    l->addr.ss.ss_family == AF_INET6 && !l->ipv6only
			? " ipv6only=off"
			: "",
		    l->given);
		all = false;
	}
	return all;
}

int
sockets_open(
    const struct config *conf, const struct sockets *old, struct sockets *ret)
{
	struct sockets s = {0};
	int err, first = 0;
	size_t count = 0;

	for (size_t i = 0; i < conf->server_count; i++)
		count += conf->servers[i].listen_count;
	s.bound = calloc(count ? count : 1, sizeof(*s.bound));
	if (s.bound == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *srv = &conf->servers[i];

		/* All that fail are told. */
		for (size_t k = 0; k < srv->listen_count; k++) {
			struct bound *b = &s.bound[s.count];

			if (sockets_is_bound(&s, &srv->listens[k].addr))
				continue;
			b->tls = srv->listens[k].ssl;
			b->server = i;
			b->listen = k;
			err = open_one(conf, old, b);
			if (err == 0)
				begin_stamps(&s.bound[s.count++]);
			first = first < 0 ? first : err;
		}
	}
	if (first == 0 && !all_given_are_taken(old, &s))
		first = -EINVAL;
	if (first < 0) {
		for (size_t i = 0; i < s.count; i++)
			if (s.bound[i].ours)
				listener_close(&s.bound[i].listener, true);
		free(s.bound);
		return first;
	}
	*ret = s;
	return 0;
}

static void
log_one(const struct bound *b)
{
	struct str text = {0};

	listener_describe(&b->listener, &text);
	log_notice(
	    "listening on %s%s", text.s ? text.s : "?", b->tls ? " (TLS)" : "");
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
			log_trouble(LEVEL_WARN, &conf->servers[b->server], l,
			    strerror(-err),
			    ": its mode, owner, group and backlog cannot be "
			    "changed");
		if (is_new)
			log_one(b);
	}
}

static int
sockets_look_at(const struct conf_listen *l)
{
	const char *path = addr_unix_path(&l->addr);
	struct stat st;

	if (path == NULL)
		return 0;
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return -EEXIST;
	return permit_name(path);
}

bool
sockets_look(const struct config *conf)
{
	bool good = true;

	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		for (size_t k = 0; k < s->listen_count; k++) {
			int err = sockets_look_at(&s->listens[k]);

			if (err < 0)
				sockets_log_refusal(s, &s->listens[k], err);
			good &= err == 0;
		}
	}
	return good;
}

void
sockets_close(struct sockets *old, const struct sockets *fresh, bool remove)
{
	for (size_t i = 0; i < old->count; i++)
		if (!sockets_has(fresh, old->bound[i].listener.fd))
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
