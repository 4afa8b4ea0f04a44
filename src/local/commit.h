/*
 * local/commit.h - the end of a file on its way in: its data safe, then its name given.
 *
 * A commit is a job on an engine thread (on a memory file system it may be the loop's):
 * data first, then the name; the directory that holds the name is synced when the job
 * has ended, unless the job has made the name durable itself (btrfs).  A file that was
 * collected is made and written by the same job.
 */
#ifndef LOCAL_COMMIT_H
#define LOCAL_COMMIT_H

#include <stdatomic.h>

#include "local/dirsync.h"
#include "create.h"
#include "open_partial.h"
#include "order.h"
#include "unlinked.h"

/* Whether a name may still be kept from appearing. */
enum link_phase {
	LINK_NOT_BEGUN,
	LINK_BEGUN,	 /* it may appear at any time */
	LINK_CALLED_OFF, /* it never will */
	LINK_DURABLE,	 /* it is there for good */
};

struct commit {
	struct create create; /* of what is still to be made; and the target */
	uint64_t size;	      /* bytes that it has */
	const struct list
	    *chunks; /* of them, collected, that are to be written */
	struct order order;
	struct open_partial *partial; /* that it is; or NULL */
	bool on_loop;		      /* it must not wait */
	bool quick; /* it can be made again, and so may be lost on the way */

	_Atomic int link_phase; /* the loop changes it, too */
	uint64_t ticket;	/* of the newest, from when it got its name */
	struct dirsync_wait synced; /* `inode` is set, for the loop */
	struct unlinked unlinked;
	struct latest_entry *old; /* `keep latest`: to be removed; or NULL */

	/* what came of it, as in struct stored */
	struct file_version version;
	uint64_t written_ns;
	bool replaced, superseded;
	bool name_synced; /* the job has done so: its directory need not be */
};

/* Without a target yet. */
void commit_init(struct commit *c);

/* Jobs, given a struct commit.  The first two close what they cannot commit; when
 * the directory is still to be synced, target.dir is it and stays open.  `on_loop` they
 * may return PUBLISH_BUSY: then the same job is to go on, on a thread. */
int commit_job(void *commit);
int commit_collected_job(void *commit); /* make and write it first */
int commit_remove_before_job(void *commit);
int commit_discard_job(
    void *commit); /* close all, and free what lost its name */

/* On an engine thread: the data of the file, as they are before it gets its name, with
 * `sync on`.  0; LOCAL_SYNC_FAILED; or -ENOSPC, -EDQUOT. */
NODISCARD int commit_sync_data(struct commit *c);

/* Is the disk flushed by the job itself?  False: by the sync of the directory. */
bool commit_flushes(const struct commit *c);

#endif
