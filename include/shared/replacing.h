/*
 * shared/replacing.h - who replaces which names right now, across all workers.
 *
 * Uploads that replace files hold the lock of the directory together, and one that
 * has to be alone there (it has preconditions, say) waits for all of them
 * (local/publish.h).  This table has what that lock does not say.
 *
 * Claims.  Of those that hold the lock together, only one at a time may replace a
 * certain name: the one that has the claim on it.  Nobody waits for a claim; an
 * upload that finds it taken takes the lock alone instead, and so waits for the
 * one that has the claim.  A claim is on a hash of directory and name, so that two
 * names may share one, which costs a wait and nothing else.  Claims of a worker
 * that died are given back by the master.
 *
 * Waiters.  The kernel lets others join those who hold a lock together, however long
 * somebody waits to have it alone.  So a waiter leaves a note, and others do not join
 * while there is one: those who cannot wait for that long become waiters, too.  A note
 * is on a hash of the lock; it is there for some seconds at most, and the master clears
 * those of a worker that died.
 *
 * Any thread of a worker may call these functions.
 */
#ifndef SHARED_REPLACING_H
#define SHARED_REPLACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"
#include "shared/shm.h"

enum {
	REPLACING_NOTE_MS = 10000, /* for which a note holds */
	/* In place of a slot: that of a process which leaves notes and is no worker,
	 * as a preflight; of all of them. */
	REPLACING_NO_WORKER = SHM_SLOTS,
};

struct replacing;

/* A claim that is held; 0: none. */
typedef uint32_t replacing_claim;

/* Bytes of shared memory for the table. */
size_t replacing_size(void);

/* A table in shared memory, before the fork. */
struct replacing *replacing_new(struct shm *s);

/* ---- claims ---- */

/* The key of `name`, a single part, in the directory that has this inode. */
uint64_t replacing_key(
    const struct replacing *r, dev_t dev, ino_t dir, const char *name);

/* Claim what has that key, for the caller's own `slot`; 0: it is taken. */
NODISCARD replacing_claim replacing_take(
    struct replacing *r, unsigned slot, uint64_t key);

/* Give it back.  Clears the caller's claim, which may be 0. */
void replacing_give(struct replacing *r, replacing_claim *claim);

/* ---- waiters ---- */

/* Note that a thread of the worker of `slot` waits to have alone the lock that is on
 * this inode.  Returns what replacing_unnote() is to be given when it has it. */
NODISCARD uint64_t replacing_note(
    struct replacing *r, unsigned slot, dev_t dev, ino_t lock);

/* It has it.  Notes of other waiters stay. */
void replacing_unnote(
    struct replacing *r, dev_t dev, ino_t lock, uint64_t note);

/* Does somebody wait for it? */
bool replacing_is_noted(const struct replacing *r, dev_t dev, ino_t lock);

/* For the master: the worker of this slot has ended, with its claims and notes; or those
 * that are none have. */
void replacing_forget(struct replacing *r, unsigned slot);

#endif
