/*
 * proc/children.h - the workers, as their master sees them.
 *
 *	generation 1: [0] [1]      being retired by a reload
 *	generation 2: [0] [1]      those of now
 */
#ifndef PROC_CHILDREN_H
#define PROC_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/list.h"
#include "proc/worker.h"

struct child {
	struct list_node node;
	pid_t pid; /* 0: dead, to be forked again at `due_ns` */
	unsigned index, generation;
	struct slot *slot; /* NULL while dead */
	bool retired;	   /* told to finish; not restarted */
	uint64_t born_ns, due_ns;
	unsigned backoff_ms;
};

struct children {
	struct list list;
	struct shared *shared; /* what all workers share; the caller's */
	int alive[2]; /* a pipe: workers read it, its end is the master's */
	/* Called in a fresh child: close what is the master's alone. */
	void (*in_child)(void *arg);
	void *arg;
};

/* No workers yet; `shared` outlives it.  0 or a negative errno. */
NODISCARD int children_init(struct children *c, struct shared *shared);
void children_fini(struct children *c);

/* Add `count` workers of a generation; they are forked by children_tend(). */
NODISCARD int children_add(
    struct children *c, unsigned generation, size_t count);

/* How many can be added beside those that there are. */
size_t children_slots_left(const struct children *c);

/*
 * children_tend(c, setup):
 * Fork those that are due.  In a child it does not return.  Milliseconds
 * until the next is due, -1: none.
 */
int children_tend(struct children *c, const struct worker_setup *setup);

/*
 * children_reap(c, stopping):
 * Take note of those that ended; unless retired or `stopping` they will be
 * forked again.
 */
void children_reap(struct children *c, bool stopping);

/* Send `sig` to all, or to those of generations before `generation` only,
 * which are then retired. */
void children_signal(struct children *c, int sig);
void children_retire(struct children *c, unsigned generation);

/* All of this generation accept connections. */
bool children_are_ready(const struct children *c, unsigned generation);

/* Some of this generation have ended soon after they had started. */
bool children_die_early(const struct children *c, unsigned generation);

/* Some still accept connections. */
bool children_accept(const struct children *c);

bool children_are_gone(const struct children *c);

/* All there are have ended but for operations that wait for a disk. */
bool children_are_stuck(const struct children *c);

/* Say which ones cannot end, and what they wait for. */
void children_log_stuck(const struct children *c);

#endif
