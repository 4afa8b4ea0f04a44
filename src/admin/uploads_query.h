/*
 * admin/uploads_query.h - which uploads are asked for: the query of /uploads.
 *
 *	location=/file & user=alice & client=192.0.2.1 & verdict=write-bound & worker=4711
 *	& limit=20
 *
 * Each at most once, and all of those that are given have to be so.
 */
#ifndef ADMIN_UPLOADS_QUERY_H
#define ADMIN_UPLOADS_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/span.h"
#include "shared/live.h"

enum {
	UPLOADS_VALUE_MAX = 256, /* bytes of a value, with the NUL */
};

/* "" or 0: any. */
struct uploads_query {
	char location[UPLOADS_VALUE_MAX], user[UPLOADS_VALUE_MAX];
	char client[UPLOADS_VALUE_MAX]; /* its address, without a port */
	unsigned verdict;		/* and one; 0: any */
	uint64_t worker;		/* its process */
	uint64_t limit;			/* UINT64_MAX: none */
};

/* Read it; absent: nothing is asked.  NULL; or why it cannot be read, which is valid until
 * the next call. */
NODISCARD const char *uploads_query_read(
    struct span query, struct uploads_query *ret);

/* Is it one of those?  `location`: its prefix, or NULL; `worker`: the process that has
 * it. */
bool uploads_query_wants(const struct uploads_query *q,
    const struct live_record *r, const char *location, uint64_t worker);

#endif
