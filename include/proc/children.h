/*
 * proc/children.h - the workers, as their master sees them.
 *
 *	generation 1: [0] [1]      told to finish, since a reload
 *	generation 2: [0] [1]      those that accept connections now
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
	pid_t pid;		  /* 0: not running, to be forked at `due_ns` */
	unsigned index;		  /* within its generation, from 0 */
	unsigned generation;	  /* 1 at the start, one more for each reload */
	struct slot *slot;	  /* of the shared memory; NULL: not running */
	bool retired;		  /* told to finish; not forked again */
	uint64_t born_ns, due_ns; /* by clock_mono_ns() */
	unsigned backoff_ms;	  /* the pause before the next fork */
	int control; /* by which logs are handed over (proc/log_handover); -1: it is
			not running */
	struct child_reopen {
		size_t sent, done; /* of the logs of the present round */
		int err;	   /* the last that one has met, or 0 */
	} reopen;
};

struct children {
	struct list list;
	struct shared *shared; /* what all workers share; the caller's */
	bool stopping;	       /* children_announce_stop() was called */
	/* A pipe whose writing end the master alone has: workers read
	 * end-of-file when the master is gone. */
	int alive[2];
	/* Called in a new child with `arg`: closes what the master alone needs. */
	void (*in_child)(void *arg);
	/* A child has ended that is no worker; with `arg`. */
	void (*on_other)(void *arg, pid_t pid, int status);
	void *arg;
};

/* No workers yet.  `shared` stays the caller's and must outlive `c`.  0 or a negative
 * errno (of pipe(2)). */
NODISCARD int children_init(struct children *c, struct shared *shared);

/* Free the list and close the pipe; processes that still run are left alone. */
void children_fini(struct children *c);

/* Add `count` workers of a generation, which children_tend() will fork.  0 or
 * -ENOMEM; then none is added. */
NODISCARD int children_add(
    struct children *c, unsigned generation, size_t count);

/* Of how many generations there are workers. */
size_t children_generations(const struct children *c);

/* How many more workers have a slot in the shared memory, those to be forked aside. */
size_t children_slots_left(const struct children *c);

/*
 * children_tend(c, setup):
 * Fork the workers that are due; in a child this does not return.  Returns the
 * milliseconds until the next one is due, or -1 when none is.
 */
int children_tend(struct children *c, const struct worker_setup *setup);

/*
 * children_reap(c, stopping):
 * Collect the workers that have ended (waitpid(2)) and free what they had in
 * shared memory.  They are forked again later, unless they were retired or the
 * server is `stopping`.
 */
void children_reap(struct children *c, bool stopping);

/* Tell all workers, those that are forked later, too, that the server is to stop: they go on,
 * but are not ready any more for those who ask. */
void children_announce_stop(struct children *c);

/* Send `sig` to all workers. */
void children_signal(struct children *c, int sig);

/* Tell the workers of generations before `generation` to finish (QUIT); they are not
 * forked again. */
void children_retire(struct children *c, unsigned generation);

/* Is there any worker of this generation, running or due? */
bool children_has_generation(const struct children *c, unsigned generation);

/* Do all workers of this generation accept connections? */
bool children_are_ready(const struct children *c, unsigned generation);

/* Has a worker of this generation ended soon after it was started? */
bool children_die_early(const struct children *c, unsigned generation);

/* Does any worker accept connections? */
bool children_accept(const struct children *c);

/* Is there no worker any more, neither running nor due? */
bool children_are_gone(const struct children *c);

/* Do all workers that still run wait for nothing but a disk? */
bool children_are_stuck(const struct children *c);

/* Log which workers cannot end, and which disks they wait for. */
void children_log_stuck(const struct children *c);

#endif
