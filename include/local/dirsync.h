/*
 * local/dirsync.h - one sync of a directory for all uploads that wait for it.
 *
 *	link, link, link -> join -> [ sync that runs ] [ those for the next ]
 *
 * A new name is on stable storage when its directory was synced after the name was
 * linked.  So an upload that joins while a sync runs has to wait for the next one, which
 * begins as soon as that has ended and serves all uploads that have joined meanwhile.
 * One that joins while a sync still waits for its turn, or for its place on the disk, is
 * served by that.  None waits for more than two syncs.
 */
#ifndef LOCAL_DIRSYNC_H
#define LOCAL_DIRSYNC_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/list.h"

struct device;
struct dirsync;
struct engine;

/* One upload that waits; its memory must stay until on_done(). */
struct dirsync_wait {
	struct list_node node;
	int dir;       /* the directory, open */
	bool small;    /* the sync flushes the disk for a small upload, which
			  waits for its turn there (disk/fair.h) */
	bool keep_dir; /* `dir` stays open; else it is closed after the sync */
	int disk;      /* an open file of the same file system, which is synced
			  as a whole when `dir` is open for searching only */
	ino_t inode;   /* of the directory */
	void (*on_done)(struct dirsync_wait *w, int err);
};

/* For the directories of one device; NULL when out of memory. */
NODISCARD struct dirsync *dirsync_new(struct engine *e, struct device *d);

/*
 * dirsync_join(s, w):
 * Have w->dir synced after this call.  When that sync has ended w->on_done is called from
 * the loop, with 0 or a negative errno.  Until then w->dir is the sync's; afterwards it
 * is closed, unless keep_dir is set.  Returns 0; or -ENOMEM, and on_done is not called.
 */
NODISCARD int dirsync_join(struct dirsync *s, struct dirsync_wait *w);

/* Free it and clear the caller's pointer; no upload may wait for it. */
void dirsync_free(struct dirsync **sp);

#endif
