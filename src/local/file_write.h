/*
 * local/file_write.h - one write into a file: chunks that are neighbours there.
 *
 *	spare -> take -> add, add ... -> submit -> [engine] -> give -> spare
 *
 * There is one for each write in flight, and none for a file whose client is
 * silent.  Those of a store are used again, so that no memory is allocated while
 * it is busy.
 */
#ifndef LOCAL_FILE_WRITE_H
#define LOCAL_FILE_WRITE_H

#include <sys/uio.h>

#include "base/list.h"
#include "base/spare.h"
#include "disk/op.h"

struct chunk;
struct engine;

enum {
	FILE_WRITE_CHUNKS_MAX = 16,
	FILE_WRITES_SPARE = 16, /* of a store */
};

struct file_write {
	struct list_node node; /* for its owner */
	struct op op;
	struct list chunks; /* the write's until it is done */
	unsigned count;	    /* of them */
	struct iovec iov[FILE_WRITE_CHUNKS_MAX];
};

/* A write without chunks, of those in `writes`, which the caller owns until file_write_give(); NULL
 * when out of memory. */
NODISCARD struct file_write *file_write_take(struct spare *writes);

/* Add `c`, which follows the chunks before in the file, to at most
 * FILE_WRITE_CHUNKS_MAX; one with a pipe is alone.  It is the write's from here on. */
void file_write_add(struct file_write *w, struct chunk *c);

/*
 * file_write_submit(w, e, d, fd, align):
 * Begin it, at the offset of its first chunk.  w->op.owner and w->op.on_done are
 * the caller's to set before; `align` is that of disk/op.h.
 */
void file_write_submit(struct file_write *w, struct engine *e, struct device *d,
    int fd, unsigned align);

/* Its chunks go back to their pool.  If it was not `written` whole, bytes are left in a
 * pipe. */
void file_write_give_back(struct file_write *w, bool written);

/* It has ended, and its chunks were taken off: it may be used again. */
void file_write_give(struct spare *writes, struct file_write *w);

#endif
