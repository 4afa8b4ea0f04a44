/*
 * shared/arrivals.h - which of two uploads to one name stays, over all workers.
 *
 *	named file --(device, inode, name)--> [head came, got its name]
 *
 * The rule.  Two uploads to one name overlap on this host when each was there
 * whole before the other had its name: only the server's own turns decide which
 * gets it first.  Then the one whose head came later stays.  The other one, if
 * it comes to its turn after that, is superseded: its answer is what it would
 * have been had it got the name just before, and it does not get it.  An upload
 * whose last byte came only after the other one had its name did not lose a
 * race: it counts by when it gets its own, and stays.  From then on it stands
 * for whatever it has outlasted, too, and does not lose to what came before that.
 *
 * When bytes came is what the kernel says, by the clock that never jumps: a
 * worker may be late to read them.  Those that were read together count as having
 * come with the last of them.  A client sends no more while the socket is full:
 * so the time for which bytes lay there unread, up to a second of it, is taken off
 * when the last byte came (net/transport.h).  Where the kernel does not say it
 * (UNIX sockets, PORTABLE), bytes came when they were read.
 *
 * The record is of the file, and is announced before it gets the name: so it is
 * there for whoever finds that file under that name, and says nothing of any
 * other.  Thus a file that somebody else has put there supersedes nobody, and
 * nobody waits for a record.  Some 30,000 are kept, in small groups; a new one
 * takes the place of the one in its group that got its name longest ago.  Where
 * there is no record any more, or no room for one, uploads count by when they
 * get the name.
 *
 * An entry is its worker's while the name is being given.  What a worker that
 * died has left there is settled by the master.
 *
 * Any thread of the worker may call these.
 */
#ifndef SHARED_ARRIVALS_H
#define SHARED_ARRIVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"
#include "shared/shm.h"

struct arrivals;

/* When an upload came, by clock_mono_ns(). */
struct arrival {
	uint64_t head_ns; /* 0: it does not take part in any order */
	uint64_t last_ns; /* its last byte */
};

/* What is known of a file that has a name. */
struct arrival_record {
	uint64_t head_ns;  /* its own, or that of what it has outlasted */
	uint64_t named_ns; /* UINT64_MAX: it is getting it just now */
	bool replaced;	   /* there was a file of that name before */
	bool synced;	   /* its data were on stable storage by then */
};

/* Where a record is while the name is being given; 0: nowhere. */
typedef uint32_t arrivals_entry;

/* Bytes of shared memory for the table. */
size_t arrivals_size(void);

/* A table in shared memory, before the fork. */
struct arrivals *arrivals_new(struct shm *s);

/* What a file is known by: `name` is the last part of it. */
uint64_t arrivals_key(
    const struct arrivals *t, dev_t dev, uint64_t inode, const char *name);

/*
 * arrivals_announce(t, slot, key, r):
 * The file is about to get its name; r->named_ns is not used.  `slot` is the
 * caller's own.  To be ended with arrivals_end().
 */
NODISCARD arrivals_entry arrivals_announce(struct arrivals *t, unsigned slot,
    uint64_t key, const struct arrival_record *r);

/* It got its name by now, or (0) it did not; clears the caller's place, which
 * may be 0. */
void arrivals_end(struct arrivals *t, arrivals_entry *place, uint64_t named_ns);

/* The record of a file; false: there is none. */
bool arrivals_find(
    const struct arrivals *t, uint64_t key, struct arrival_record *ret);

/* The rule: may the upload `a` not replace the file that has the name? */
static inline bool
arrival_is_superseded(
    const struct arrival *a, const struct arrival_record *there)
{
	return a->head_ns != 0 && a->head_ns < there->head_ns &&
	       a->last_ns <= there->named_ns;
}

/* The worker that had this slot is gone; what it was giving a name to has it
 * now or never will. */
void arrivals_forget(struct arrivals *t, unsigned slot, uint64_t now_ns);

#endif
