/*
 * http/access_log.h - the access log of a server block: an observer that writes a line
 * (http/access.h) for each exchange.
 */
#ifndef HTTP_ACCESS_LOG_H
#define HTTP_ACCESS_LOG_H

#include "http/observer.h"

struct journal;

struct access_log {
	struct observer observer;
	struct journal *journal; /* the caller's */
};

void access_log_init(struct access_log *l, struct journal *journal);

#endif
