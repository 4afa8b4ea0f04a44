/*
 * proc/worker_internal.h - the worker's state, which its own files share:
 * worker.c starts it, entrances.c lets clients in, worker_watch.c counts, worker_stop.c
 * ends it.  Other files do not include it.
 */
#ifndef PROC_WORKER_INTERNAL_H
#define PROC_WORKER_INTERNAL_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/request_ids.h"
#include "log/trace.h"
#include "net/tls.h"
#include "http/access_log.h"
#include "http/connections.h"
#include "http/counter.h"
#include "web/dispatch.h"
#include "web/readiness.h"
#include "admin/admin.h"
#include "proc/worker.h"

enum {
	WORKER_SIGNALS = 6,
};

struct roll;

/* One server block of the configuration. */
struct server {
	struct worker *worker;
	const struct conf_server *conf;
	struct context context;
	struct dispatch dispatch;
	struct admin admin; /* used by a block `admin` instead */
	struct counter counter;
	struct connections conns;
	struct location_rights *rights; /* NULL: none */
	struct access_log access_log;
};

/* For those who watch. */
struct worker_watch {
	struct metrics_share *share;
	struct roll *roll; /* the uploads that run */
	struct readiness readiness;
	const struct context **contexts; /* of all server blocks */
	unsigned *directories;		 /* numbers, of all their locations */
	struct admin_subject subject;
	struct admin_term *terms; /* of it */
	ev_prepare idle;
	ev_timer levels;	/* of free room: the next look */
	ev_timer due;		/* gauges are to be set then */
	uint64_t ids;		/* when they were set: worker.ids */
	size_t held, in_flight; /* chunks, and operations */
};

/* A socket that connections come in by. */
struct entrance {
	struct server *server; /* the first of those that share it */
	struct connections_door door;
	bool proxied;	      /* they begin with a PROXY line */
	struct tls_port port; /* of `door`, if it has TLS */
	struct tls_site *sites;
};

/* A log that the master has handed over, until all journals have it. */
struct worker_reopen {
	ev_io control;
	uint32_t round;
	unsigned waits; /* journals */
	int err;
};

struct worker {
	const struct worker_setup *to;
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct device_set *devices;
	struct device *compute;
	struct engine *engine;
	struct basic *basic;
	struct spent *spent;
	struct takeover *takeover;
	struct worker_watch watch;
	struct journal *trace;
	struct journal *errors; /* of the error log */
	/* Those of to->logs->access, in the same order. */
	struct journal **access;
	struct trace_group traces;
	struct acceptor *acceptor;
	struct server *servers;
	size_t server_count;
	struct entrance *entrances; /* one for each socket */
	struct request_ids_block ids;
	ev_signal signals[WORKER_SIGNALS];
	ev_io master;
	struct worker_reopen reopen;
	ev_timer opening; /* at the start: until all stores are open, or late */
	size_t unsettled; /* stores that have not opened themselves yet */
	ev_timer turning; /* on_turn of worker_setup */
	ev_prepare rest;  /* when stopping: is there anything left to do? */
	ev_timer patience; /* when stopping: enough is enough */
	ev_timer delay;	   /* alone, before it stops: shutdown_delay */
	int delayed;	   /* by which signal; 0: it was not */
	bool stopping, fast;
	bool dropped;	   /* all connections: the logs are written, no more */
	double leaving_in; /* seconds; there are no connections any more, and
			      the disks have this time; 0: there are */
};

/* entrances.c: watch all sockets; 0 or -ENOMEM.  And free what that took. */
NODISCARD int entrances_begin(struct worker *w);
void entrances_end(struct worker *w);

/* worker_watch.c: begin to watch, when all but the server blocks is there; then watch one, in
 * which connections and context are set up next; 0 or -ENOMEM.  And free what that took. */
NODISCARD int worker_watch_begin(struct worker *w);
NODISCARD int worker_watch_server(struct worker *w, struct server *s);
void worker_watch_end(struct worker *w);

/* worker_reopen.c: take the logs that the master hands over; without a master: open them again
 * now. */
void worker_reopen_begin(struct worker *w);
void worker_reopen_alone(struct worker *w);

/* worker_logs.c: open the journals, and have the error log go to its own; 0 or -ENOMEM.
 * Free them. */
NODISCARD int worker_logs_begin(struct worker *w);
void worker_logs_end(struct worker *w);

/* The access log of a server; 0 or -ENOMEM. */
NODISCARD int worker_logs_of(
    struct worker *w, const struct conf_server *s, struct access_log *ret);

/* When stopping: have all lines written.  True when all are. */
bool worker_logs_are_idle(struct worker *w);

/* The error log is written to directly from here on, and is told which of the others did
 * not take their last lines in time. */
void worker_logs_report(const struct worker *w);

/* worker_stop.c */
void worker_stop_init(struct worker *w);

/* QUIT or TERM has come: stop gracefully, or fast; a server of one process when shutdown_delay
 * is over, or by the next signal. */
void worker_stop_on(struct worker *w, int signal);

/* Take no more connections, and end when those there are have got their answers;
 * when shutdown_timeout is over (0: never), fast. */
void worker_stop_gracefully(struct worker *w);

/* Answer what is in hand with 503, unless it is being committed, and end. */
void worker_stop_fast(struct worker *w);

#endif
