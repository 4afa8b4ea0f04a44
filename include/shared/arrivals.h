/*
 * shared/arrivals.h - which of two overlapping uploads to one name wins, across
 * all workers.
 *
 *	named file --(device, inode, name)--> [head came, got its name]
 *
 * The rule.  Two uploads to one name overlap when each had arrived whole before
 * the other got its name, so that only the server's scheduling decides which
 * gets it first.  The one whose head arrived later wins.  If the other one is
 * ready for its name after that, it is superseded: it does not get the name,
 * but the response is the one it would have had if it had got it just before.
 * An upload whose last byte arrived after the other one got its name was not in
 * a race: it replaces that file.  From then on its record also has the arrival
 * of the file it replaced, if that is later, so that it does not lose to
 * uploads older than that.
 *
 * Arrival times are the kernel's timestamps, converted to the monotonic clock,
 * since a worker may read late.  Bytes that are read together count as arrived
 * with the last of them.  A client stops sending while the socket is full, so of
 * a body that may have filled it the time for which bytes lay unread, at most a
 * second, is subtracted from the arrival of the last byte (net/transport.h).
 * Without timestamps (UNIX sockets, PORTABLE), bytes arrive when they are read.
 *
 * A record belongs to a file (its inode) and is announced before the file gets
 * the name, so it exists for every worker that finds the file under that name,
 * and says nothing about other files.  A file that another program put there
 * therefore supersedes no upload, and no upload ever waits for a record.  Some
 * 30,000 records are kept, in small groups; a new record overwrites the one of
 * its group whose file got its name first.  Without a record, uploads are
 * ordered by when they get the name.
 *
 * A worker owns an entry while it gives the file its name.  The master finishes
 * the entries of a worker that died.
 *
 * Any thread of the worker may call these functions.
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
	uint64_t head_ns; /* 0: it takes no part in the order */
	uint64_t last_ns; /* its last byte */
};

/* What is known of a file that has a name. */
struct arrival_record {
	uint64_t head_ns;  /* its own, or of a file it replaced */
	uint64_t named_ns; /* UINT64_MAX: it is about to get it */
	bool replaced;	   /* it replaced a file */
	bool synced;	   /* its data was on stable storage by then */
};

/* Which entry of the table holds a record that was announced; 0: none. */
typedef uint32_t arrivals_entry;

/* Bytes of shared memory for the table. */
size_t arrivals_size(void);

/* A table in shared memory, before the fork. */
struct arrivals *arrivals_new(struct shm *s);

/* The key of a file; `name` is the last part of its name. */
uint64_t arrivals_key(
    const struct arrivals *t, dev_t dev, uint64_t inode, const char *name);

/*
 * arrivals_announce(t, slot, key, r):
 * The file is about to get its name; r->named_ns is not used.  `slot` is the
 * caller's own.  Returns the entry for arrivals_end(), or 0 when there is no
 * room.
 */
NODISCARD arrivals_entry arrivals_announce(struct arrivals *t, unsigned slot,
    uint64_t key, const struct arrival_record *r);

/* The file got its name at `named_ns`, or (0) it did not.  Clears the caller's
 * entry, which may be 0. */
void arrivals_end(struct arrivals *t, arrivals_entry *place, uint64_t named_ns);

/* The record of a file.  False: there is none. */
bool arrivals_find(
    const struct arrivals *t, uint64_t key, struct arrival_record *ret);

/* The rule: true when the upload `a` must not replace the file that has the
 * name. */
static inline bool
arrival_is_superseded(
    const struct arrival *a, const struct arrival_record *there)
{
	return a->head_ns != 0 && a->head_ns < there->head_ns &&
	       a->last_ns <= there->named_ns;
}

/* For the master: the worker of this slot has ended.  The files it announced
 * have their names by now, or never will. */
void arrivals_forget(struct arrivals *t, unsigned slot, uint64_t now_ns);

#endif
