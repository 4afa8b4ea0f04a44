/*
 * local/file_background.h - a job beside the writes of a file: reserving room
 * ahead of them, having written back what they left in the page cache, or
 * flushing the cache of the disk.
 *
 * There is one while it is in flight, and none for a file whose client is silent.
 */
#ifndef LOCAL_FILE_BACKGROUND_H
#define LOCAL_FILE_BACKGROUND_H

#include "disk/op.h"
#include "room.h"

struct file_background {
	/* the caller's to set */
	int fd;
	struct room *room; /* nothing else may use it while it is extended */
	bool flushes;	   /* the disk; `from` and `to` are 0 */
	bool
	    extends_room; /* from `from` to `to`; else these are written back */
	uint64_t from, to; /* bytes of the file */
	uint64_t need;	   /* of room: less than `to` will do */
	void *owner;
	/*
	 * It has ended, and is the owner's to free().  `err`: there is no room
	 * (as room_extend()), or what was written is lost (-ENOSPC, -EDQUOT,
	 * LOCAL_SYNC_FAILED); `cause` is the errno behind that, above 0, or 0.
	 */
	void (*on_done)(struct file_background *b, int err, int cause);

	struct op op;
};

/* A copy of `what` that is in flight, or NULL when out of memory. */
NODISCARD struct file_background *file_background_begin(
    const struct file_background *what, struct engine *e);

#endif
