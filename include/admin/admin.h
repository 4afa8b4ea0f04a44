/*
 * admin/admin.h - answers those who watch the server: the handler of a block `admin`.
 *
 *	/metrics   what was counted, and how things are, for Prometheus
 *	/healthz   200: the process is alive
 *	/readyz    200: uploads are taken; 503: not now, and why
 *	/status    all of it, for people: JSON
 *	/uploads   those that run; /uploads/ID: one of them, which may have ended;
 *	           DELETE of it, where admin_write is on, cuts it
 *
 * Any worker answers, with the numbers of all (shared/metrics.h).  Nothing here waits for a
 * disk or takes a chunk: it answers while disks hang and while all memory for uploads is in
 * use.  So what is told of a disk is what was known of it.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "http/exchange.h"
#include "web/context.h"
#include "web/readiness.h"

struct shared;

/* How long a certificate is good; of_list: until when a revocation list is. */
struct admin_term {
	const char *file;
	bool of_list;
	int64_t ends_s; /* since 1970 */
};

/* What it tells about: the caller's, which outlives it. */
struct admin_subject {
	const struct shared *shared;
	const struct readiness *readiness; /* and the stores of this worker */
	/* Gauges of this worker are to be set now. */
	void (*renew)(void *arg);
	void *arg;
	const struct admin_term *terms;
	size_t term_count;
};

struct admin {
	struct handler handler; /* what connections are given */
	struct context *context;
	const struct admin_subject *subject;
};

/* Make it ready; `c` is the context of its own block, for the rights. */
void admin_init(
    struct admin *a, struct context *c, const struct admin_subject *subject);

#endif
