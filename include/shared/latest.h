/*
 * shared/latest.h - which upload of a directory is the newest, for all workers.
 *
 * One record per output directory in shared memory, replaced by the worker that
 * has just published.  A name is written into a buffer that nobody else uses
 * and then becomes the record in one exchange: a worker that dies on the way
 * leaves a buffer behind, never half a name, and nobody ever waits for it.  The
 * master gives such buffers back.
 *
 * Directories come and go for as long as the server runs: a record that no
 * worker uses may become another directory's (shared/registry.h).
 */
#ifndef SHARED_LATEST_H
#define SHARED_LATEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/file_version.h"
#include "shared/shm.h"

enum {
	NEWEST_NAME_MAX = 1025, /* with its NUL: http names have 1024 bytes */
};

struct newest;	     /* one directory's record */
struct newest_table; /* all of them */

struct newest_entry {
	uint64_t ticket;     /* newest_ticket(); 0: it was found by a scan */
	uint64_t version[2]; /* file_version_digest(), when it got its name */
	bool is_sure;	/* that it is the same one tells that it is the file */
	bool published; /* by us, since the start; else found by a scan */
	char name[NEWEST_NAME_MAX]; /* below the output directory */
};

/* An entry's version becomes `v`. */
void newest_note(struct newest_entry *e, const struct file_version *v);

/* Whether what has its name now is the file that had it then, unchanged, and not
 * one that others put there: it may be removed. */
bool newest_is(const struct newest_entry *e, const struct file_version *v);

/* Bytes of shared memory for the records of so many directories in use at
 * once. */
size_t newest_table_size(size_t directories);

/* A table in shared memory; before the fork. */
struct newest_table *newest_table_new(struct shm *s, size_t directories);

/*
 * newest_of(t, slot, dev, inode, identity):
 * The record of a directory, made on first sight, for the worker of `slot`
 * until its newest_leave(); NULL: workers use all that there are; or,
 * with errno EBUSY, see registry_take() of shared/registry.h.
 * `identity` (path_identity()) tells whether it is the directory that had that
 * inode before; if not, nothing is known of it.  0: that cannot be told.
 */
struct newest *newest_of(struct newest_table *t, unsigned slot, dev_t dev,
    ino_t inode, uint64_t identity);

/*
 * newest_leave(t, slot, np):
 * The worker does not use it any more; clears the caller's pointer, which may
 * be NULL.  What is known stays for who comes next, unless the record is
 * needed for another directory first: then it is to be found again by a scan.
 */
void newest_leave(struct newest_table *t, unsigned slot, struct newest **np);

/*
 * newest_claim_scan(n):
 * True for exactly one caller while nothing is known of the directory yet:
 * it has to find the newest file and say newest_scanned().
 */
bool newest_claim_scan(struct newest *n);

/* It could not be done; somebody may try again. */
void newest_unclaim_scan(struct newest *n);

/* The scan is over; `found` (NULL: none) counts only when nothing was
 * published meanwhile. */
void newest_scanned(struct newest *n, const struct newest_entry *found);

/* False while the directory is still being looked through. */
bool newest_is_known(const struct newest *n);

/*
 * newest_ticket(n):
 * Uploads are told apart by when they took a ticket, and not by when they
 * became durable: take one right before a file gets its name (and, to replace
 * a file, after that file was seen), so that of two with the same name the one
 * that has it has the later ticket.  From any thread.
 */
uint64_t newest_ticket(struct newest *n);

/*
 * newest_set(n, fresh, ret_gone):
 * `fresh` was published.  True when something is not the newest for it, which
 * is then in *ret_gone: the record that it replaced, or `fresh` itself, if one
 * with a later ticket was there before.  Exactly one caller is told of each.
 */
bool newest_set(struct newest *n, const struct newest_entry *fresh,
    struct newest_entry *ret_gone);

/* The newest upload; false when there is none. */
bool newest_get(struct newest *n, struct newest_entry *ret);

/*
 * newest_drop(n, ticket, name):
 * Others have removed the newest upload, which had this ticket and name: unless
 * there is a newer one by now, nothing is known of the directory any more, and
 * it has to be scanned.
 */
void newest_drop(struct newest *n, uint64_t ticket, const char *name);

/* The worker `pid`, which had this slot, is gone: give back what it used and
 * had claimed. */
void newest_forget(struct newest_table *t, unsigned slot, pid_t pid);

#endif
