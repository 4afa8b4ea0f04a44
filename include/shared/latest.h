/*
 * shared/latest.h - which upload of a directory is the newest, for all workers.
 *
 * One record per output directory in shared memory, replaced by the worker that
 * has just published.  A name is written into a buffer that the worker owns,
 * and then becomes the record in one atomic exchange.  A worker that dies
 * before that leaves a buffer behind, never half a name, and blocks no other
 * worker.  The master frees such buffers.
 *
 * Directories come and go while the server runs: a record that no worker uses
 * may be reused for another directory (shared/registry.h).
 */
#ifndef SHARED_LATEST_H
#define SHARED_LATEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/name_limits.h"
#include "shared/shm.h"

struct latest;	     /* one directory's record */
struct latest_table; /* all of them */

struct latest_entry {
	uint64_t ticket;     /* latest_ticket(); 0: it was found by a scan */
	uint64_t version[2]; /* a digest of what tells the file from other
				versions of it, when it got its name */
	bool is_sure;	     /* equal versions mean the same file */
	bool published;	     /* by this server since its start; else found by a
			   scan */
	char name[FILE_NAME_SIZE]; /* below the output directory */
};

/* Bytes of shared memory for `directories` directories in use at once. */
size_t latest_table_size(size_t directories);

/* Make the table in shared memory, before the first fork. */
struct latest_table *latest_table_new(struct shm *s, size_t directories);

/*
 * latest_of(t, slot, dev, inode, identity):
 * The record of a directory, made on first use; the worker of `slot` uses it
 * until its latest_leave().  NULL, with errno ENOSPC: all records are in use;
 * or EBUSY, see registry_take().  `identity` (path_identity(); 0: unknown)
 * tells whether this is the directory that had that inode before; if it is
 * another one, the record is reset.
 */
struct latest *latest_of(struct latest_table *t, unsigned slot, dev_t dev,
    ino_t inode, uint64_t identity);

/*
 * latest_leave(t, slot, np):
 * The worker no longer uses the record.  Clears the caller's pointer, which may
 * be NULL.  The record keeps its contents for the next user, until it is needed
 * for another directory; then a scan has to find them again.
 */
void latest_leave(struct latest_table *t, unsigned slot, struct latest **np);

/*
 * latest_claim_scan(n):
 * True for exactly one caller while nothing is known of the directory yet: that
 * caller has to find the newest file and call latest_scanned().
 */
bool latest_claim_scan(struct latest *n);

/* The scan failed; another caller may claim it. */
void latest_unclaim_scan(struct latest *n);

/* The scan is over.  `found` (NULL: no file) is ignored when an upload was
 * published meanwhile. */
void latest_scanned(struct latest *n, const struct latest_entry *found);

/* False until the scan is over or an upload was published. */
bool latest_is_known(const struct latest *n);

/*
 * latest_ticket(n):
 * Uploads are ordered by their tickets, not by when they become durable.  Take
 * one right before a file gets its name (and, to replace a file, after looking
 * at that file), so that of two uploads to one name the one that keeps it has
 * the later ticket.  From any thread.
 */
uint64_t latest_ticket(struct latest *n);

/*
 * latest_set(n, fresh, ret_gone):
 * `fresh` was published.  True when an upload is no longer the newest because
 * of this, which is then in *ret_gone: the previous record, or `fresh` itself
 * if the record has a later ticket.  Each upload is returned to exactly one
 * caller.
 */
bool latest_set(struct latest *n, const struct latest_entry *fresh,
    struct latest_entry *ret_gone);

/* The newest upload; false when there is none. */
bool latest_get(struct latest *n, struct latest_entry *ret);

/*
 * latest_drop(n, ticket, name):
 * Another program has removed the newest upload, which had this ticket and
 * name.  Unless there is a newer one by now, the record is reset and the
 * directory has to be scanned.
 */
void latest_drop(struct latest *n, uint64_t ticket, const char *name);

/* For the master: the worker `pid` of this slot has ended; free what it used
 * and claimed. */
void latest_forget(struct latest_table *t, unsigned slot, pid_t pid);

#endif
