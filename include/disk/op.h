/*
 * disk/op.h - one operation that may wait for a disk.
 *
 * An op is embedded in what it works for (a chunk, an open file) and is in
 * the engine's hands from engine_submit() until `on_done` is called, on the
 * worker's loop.  Until then its memory, its buffer and its descriptor belong
 * to the kernel, even when its owner has no use for it any more.  It completes
 * whole (res: the bytes, or what the call returned) or with a negative errno; a
 * read may also end short, at the end of the file.
 *
 * A direct write (O_DIRECT) says so by `align`: its memory, length and offset
 * are multiples of that, and what is left of a short one begins at one.
 */
#ifndef DISK_OP_H
#define DISK_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/check.h"
#include "base/list.h"

struct device;

enum op_kind {
	OP_WRITE, /* `len` bytes of `buf`, or of `iov`, to `fd` at `offset` */
	OP_READ,  /* up to `len` bytes into `buf` */
	OP_CALL,  /* call(arg), on a thread that may wait */
};

enum {
	/* How often in a row an interrupted op, or one that got EAGAIN, is
	 * tried: a FUSE server may answer so for ever. */
	OP_TRIES = 100,
};

struct op {
	enum op_kind kind;
	int fd;
	union {
		unsigned char *buf;
		int (*call)(void *arg);
	};
	union {
		struct iovec *iov; /* a write's, used up on the way */
		void *arg;
	};
	size_t len;
	uint64_t offset;
	unsigned iovs;	/* of a write; 0: it has `buf` */
	unsigned align; /* of a direct write; else 0 */
	bool slow;	/* a call that takes long even on tmpfs, so that it
			   needs a thread there too: it frees or scans much,
			   or waits for a lock */
	bool no_stall;	/* its disk is not called stalled however long it takes:
			   no client waits for it, or it waits for something
			   else than the disk */

	void *owner; /* whose on_done this is */
	void (*on_done)(struct op *op, int res);

	/* the engine's */
	struct list_node node;
	struct list_node age; /* in device.ages, unless no_stall */
	double since;	      /* when it was started, by clock_mono_s() */
	struct device *device;
	size_t done;	/* bytes moved so far */
	unsigned tries; /* how often in a row it moved nothing */
	int res;
	bool in_flight; /* between engine_submit() and on_done */
	bool started;	/* and not waiting for its place any more */
	bool called_off;
};

/*
 * op_advance(op, n):
 * `n` more bytes were moved, perhaps not all that are left.  False when none
 * of them counts, and it would be endless to go on.
 */
NODISCARD bool op_advance(struct op *op, size_t n);

/* Do it in this thread, waiting as long as it takes; returns what on_done is
 * given as `res`. */
int op_run(struct op *op);

#endif
