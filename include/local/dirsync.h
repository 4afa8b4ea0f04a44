/*
 * local/dirsync.h - one sync of a directory for all uploads that wait for it.
 *
 *	link, link, link -> join -> [ sync that runs ] [ those for the next ]
 *
 * A new name is on stable storage when its directory was synced after it was
 * linked.  So an upload that joins while a sync runs waits for the next one, which
 * begins as soon as that has ended, and is shared by all that joined meanwhile:
 * none waits for more than two.
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

/* One upload's wait; its memory stays until on_done. */
struct dirsync_wait {
	struct list_node node;
	int dir;       /* the directory */
	bool keep_dir; /* it stays open; else the sync closes it */
	int disk;      /* an open file of its file system, which is synced as a
			  whole if `dir` is open for searching only */
	ino_t inode;   /* its number */
	void (*on_done)(struct dirsync_wait *w, int err);
};

/* For the directories of one device; NULL when out of memory. */
NODISCARD struct dirsync *dirsync_new(struct engine *e, struct device *d);

/*
 * dirsync_join(s, w):
 * w->on_done is called from the loop when a sync that begins after this has
 * ended: 0 or its negative errno.  Until then w->dir belongs to the
 * sync; after it it is closed, unless keep_dir.  -ENOMEM:
 * not joined, and on_done is not called.
 */
NODISCARD int dirsync_join(struct dirsync *s, struct dirsync_wait *w);

/* Free it, which nothing may wait for, and clear the caller's pointer. */
void dirsync_free(struct dirsync **local);

#endif
