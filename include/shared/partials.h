/*
 * shared/partials.h - how many partials wait in each directory, of whom, and the room that
 * they still need: for all workers.
 *
 *	partial made       partials_enter       counted, and its client's count
 *	... let go         partials_wait        its bytes to come: of no worker
 *	... opened again   partials_go_on       they are reserved by its worker now
 *	... stored, gone   partials_leave
 *
 * Partials outlive workers, so what is here is no worker's: one that dies leaves its
 * numbers as they are, which may be too high or too low then.  The sweep of a directory
 * counts what there really is, and sets them right.
 *
 * partials_of() and partials_let_go() are for the loop; any thread may call the others.
 */
#ifndef SHARED_PARTIALS_H
#define SHARED_PARTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"

enum {
	PARTIALS_CLIENTS = 16384,
};

struct partials;
struct partials_dir;
struct shm;

/* Bytes of shared memory for `directories` directories in use at once; and the table, made
 * before the first fork. */
size_t partials_size(size_t directories);
struct partials *partials_new(struct shm *s, size_t directories);

/* The record of a directory, which the worker of `slot` uses until partials_let_go().  NULL:
 * there are too many directories, and nothing is counted in this one. */
struct partials_dir *partials_of(
    struct partials *p, unsigned slot, dev_t dev, ino_t inode);
void partials_let_go(
    struct partials *p, unsigned slot, struct partials_dir **dp);

/* For the master: the worker of this slot has ended. */
void partials_forget(struct partials *p, unsigned slot);

/* One more, of this client; false: there are `max`, or `client_max` of this client (0: any
 * number may be there).  PARTIALS_CLIENTS of all directories can be counted at once, or a few
 * less: one more is refused as if it had client_max, unless that is 0. */
NODISCARD bool partials_enter(struct partials *p, struct partials_dir *d,
    uint64_t client, uint64_t max, uint64_t client_max);
void partials_leave(
    struct partials *p, struct partials_dir *d, uint64_t client);

/* One waits for so many bytes from now on; it does not any more. */
void partials_wait(struct partials_dir *d, uint64_t bytes);
void partials_go_on(struct partials_dir *d, uint64_t bytes);

/* Partials in it; those of a client; and bytes that all on this disk wait for. */
uint64_t partials_count(const struct partials_dir *d);
uint64_t partials_count_of(
    const struct partials *p, const struct partials_dir *d, uint64_t client);
uint64_t partials_awaited(const struct partials *p, dev_t dev);

/* ---- counting anew ---- */

/* What a sweep has found: one for each client, sorted by `client`. */
struct partials_tally {
	uint64_t client, count;
};

/* A number that changes with each change of the record: from before the sweep. */
uint64_t partials_changes(const struct partials_dir *d);

/* The numbers are these, unless they have changed since `changes`: then false, and nothing
 * is done; UINT64_MAX: in any case. */
bool partials_set(struct partials *p, struct partials_dir *d, uint64_t changes,
    const struct partials_tally *tally, size_t clients, uint64_t awaited);

/* Time by clock_mono_ns() of the last sweep of the directory, by any worker; 0: none. */
uint64_t partials_swept_ns(const struct partials_dir *d);
void partials_note_sweep(struct partials_dir *d, uint64_t now_ns);

#endif
