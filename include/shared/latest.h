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
#include "base/name_limits.h"
#include "shared/shm.h"

struct latest;	     /* one directory's record */
struct latest_table; /* all of them */

struct latest_entry {
	uint64_t ticket;     /* latest_ticket(); 0: it was found by a scan */
	uint64_t version[2]; /* file_version_digest(), when it got its name */
	bool is_sure;	/* that it is the same one tells that it is the file */
	bool published; /* by us, since the start; else found by a scan */
	char name[FILE_NAME_SIZE]; /* below the output directory */
};

/* An entry's version becomes `v`. */
void latest_note(struct latest_entry *e, const struct file_version *v);

/* Whether what has its name now is the file that had it then, unchanged, and not
 * one that others put there: it may be removed. */
bool latest_is(const struct latest_entry *e, const struct file_version *v);

/* Bytes of shared memory for the records of so many directories in use at
 * once. */
size_t latest_table_size(size_t directories);

/* A table in shared memory; before the fork. */
struct latest_table *latest_table_new(struct shm *s, size_t directories);

/*
 * latest_of(t, slot, dev, inode, identity):
 * The record of a directory, made on first sight, for the worker of `slot`
 * until its latest_leave(); NULL: workers use all that there are; or,
 * with errno EBUSY, see registry_take() of shared/registry.h.
 * `identity` (path_identity()) tells whether it is the directory that had that
 * inode before; if not, nothing is known of it.  0: that cannot be told.
 */
struct latest *latest_of(struct latest_table *t, unsigned slot, dev_t dev,
    ino_t inode, uint64_t identity);

/*
 * latest_leave(t, slot, np):
 * The worker does not use it any more; clears the caller's pointer, which may
 * be NULL.  What is known stays for who comes next, unless the record is
 * needed for another directory first: then it is to be found again by a scan.
 */
void latest_leave(struct latest_table *t, unsigned slot, struct latest **np);

/*
 * latest_claim_scan(n):
 * True for exactly one caller while nothing is known of the directory yet:
 * it has to find the newest file and say latest_scanned().
 */
bool latest_claim_scan(struct latest *n);

/* It could not be done; somebody may try again. */
void latest_unclaim_scan(struct latest *n);

/* The scan is over; `found` (NULL: none) counts only when nothing was
 * published meanwhile. */
void latest_scanned(struct latest *n, const struct latest_entry *found);

/* False while the directory is still being looked through. */
bool latest_is_known(const struct latest *n);

/*
 * latest_ticket(n):
 * Uploads are told apart by when they took a ticket, and not by when they
 * became durable: take one right before a file gets its name (and, to replace
 * a file, after that file was seen), so that of two with the same name the one
 * that has it has the later ticket.  From any thread.
 */
uint64_t latest_ticket(struct latest *n);

/*
 * latest_set(n, fresh, ret_gone):
 * `fresh` was published.  True when something is not the newest for it, which
 * is then in *ret_gone: the record that it replaced, or `fresh` itself, if one
 * with a later ticket was there before.  Exactly one caller is told of each.
 */
bool latest_set(struct latest *n, const struct latest_entry *fresh,
    struct latest_entry *ret_gone);

/* The newest upload; false when there is none. */
bool latest_get(struct latest *n, struct latest_entry *ret);

/*
 * latest_drop(n, ticket, name):
 * Others have removed the newest upload, which had this ticket and name: unless
 * there is a newer one by now, nothing is known of the directory any more, and
 * it has to be scanned.
 */
void latest_drop(struct latest *n, uint64_t ticket, const char *name);

/* The worker `pid`, which had this slot, is gone: give back what it used and
 * had claimed. */
void latest_forget(struct latest_table *t, unsigned slot, pid_t pid);

#endif
