/*
 * http/access_log.h - the access log of a server block: an observer that writes a line for
 * each exchange, to the log of its location and in the form that was chosen there.
 */
#ifndef HTTP_ACCESS_LOG_H
#define HTTP_ACCESS_LOG_H

#include <stdbool.h>

#include "config/config.h"
#include "http/access_lines.h"
#include "http/observer.h"

struct journal;

/* Where lines go; `journal` NULL: nowhere. */
struct access_target {
	struct journal *journal;
	enum conf_log_format format;
};

struct access_log {
	struct observer observer;
	struct access_worker worker;
	const struct conf_server *server;
	struct access_target outside;	 /* of all locations */
	struct access_target *locations; /* one for each of the server's */
};

/* The journals of `conf`, by `find`; NULL: off. */
struct access_log_setup {
	const struct conf_server *server;
	struct access_worker worker;
	struct journal *(*find)(void *arg, const struct conf_access_log *conf);
	void *arg;
};

/* 0; or -ENOMEM, and nothing is to be ended. */
NODISCARD int access_log_init(
    struct access_log *l, const struct access_log_setup *setup);

/* Is any line written at all?  And does one need struct access_more? */
bool access_log_is_on(const struct access_log *l);
bool access_log_is_detailed(const struct access_log *l);

void access_log_fini(struct access_log *l);

#endif
