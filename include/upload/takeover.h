/*
 * upload/takeover.h - partials go from older requests to newer ones, over all workers.
 *
 *	holder     takeover_hold -------------------> on_wanted -> lets go ...
 *	                                              ^                    |
 *	newcomer   store_resume: HELD -> takeover_wait (a wish, the bell)  |
 *	                 ^----------------- on_try <-----------------------/
 *
 * The lock itself is the store's.  There is one takeover in each worker, which knows what
 * is held here and what waits here; the wishes are in shared memory (shared/wanted.h), and
 * the bell tells the others to look.  It is heard only while something is held or waits.
 *
 * Who waits tries again when it was let go, and from time to time: soon at first, then
 * every TAKEOVER_TRY_MS.
 */
#ifndef UPLOAD_TAKEOVER_H
#define UPLOAD_TAKEOVER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "shared/wanted.h"

struct bell;
struct takeover;

enum {
	TAKEOVER_FIRST_MS = 5,
	TAKEOVER_TRY_MS = 50,
	TAKEOVER_WAIT_MS = 5000, /* so long somebody waits */
};

/* Of a partial that somebody here has open. */
struct takeover_hold {
	struct list_node node; /* unlinked: none is held */
	struct wanted_key key;
	uint64_t since_ns;
	/* A newer request wants it: called from the loop, again and again, as long
	 * as it does.  May release it from within. */
	void (*on_wanted)(struct takeover_hold *h);
};

/* Of a partial that somebody here waits for. */
struct takeover_wait {
	struct list_node node; /* unlinked: it does not wait */
	struct takeover *takeover;
	struct wanted_key key;
	uint64_t since_ns, until_ns;
	uint64_t turns; /* wanted_turns() at the last try */
	double pause_s; /* before the next try */
	bool asks;	/* the holder, to let go */
	ev_timer timer;
	/* It may have been let go: try.  May end the wait from within. */
	void (*on_try)(struct takeover_wait *w);
};

/* `wanted` and `bell` outlive it.  NULL: no memory. */
NODISCARD struct takeover *takeover_new(
    struct ev_loop *loop, struct wanted *wanted, const struct bell *bell);

/* Nothing is held, and nobody waits.  Clears the caller's pointer, which may be NULL. */
void takeover_free(struct takeover **tp);

/*
 * takeover_hold(t, h, id, since_ns):
 * The partial is held here, for a request that came at `since_ns` (clock_mono_ns()).
 * h->on_wanted is set.
 */
void takeover_hold(struct takeover *t, struct takeover_hold *h, const char *id,
    uint64_t since_ns);

/* It was let go: those who wait are told.  Does nothing if it is not held. */
void takeover_release(struct takeover *t, struct takeover_hold *h);

/*
 * takeover_wait(t, w, id, since_ns):
 * It is held by another one, which is asked to let go.  w->on_try is called again and
 * again, until takeover_end().
 */
void takeover_wait(struct takeover *t, struct takeover_wait *w, const char *id,
    uint64_t since_ns);

/* The same, and nobody is asked: it is tried from time to time. */
void takeover_look(struct takeover *t, struct takeover_wait *w, const char *id,
    uint64_t since_ns);

/* Has it waited for TAKEOVER_WAIT_MS? */
bool takeover_is_over(const struct takeover_wait *w);

/* It does not wait any more.  Does nothing if it does not wait. */
void takeover_end(struct takeover_wait *w);

#endif
