/*
 * disk/op.h - one operation that may wait for a disk.
 *
 * An op is a member of the object that it works for (a write, an open file).  It is
 * the engine's from engine_submit() until `on_done` is called on the worker's loop.
 * Until then its memory, its buffer and its descriptor must stay, even when its owner
 * does not need the result any more: the kernel may still use them.
 *
 * It completes whole (res: the bytes, or what the call returned) or with a negative
 * errno; a read also ends short at the end of the file.
 *
 * For a direct write (O_DIRECT) `align` is set: memory, length and offset are multiples
 * of it, and after a short write it goes on at such a multiple.
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
struct pipe;

enum op_kind {
	OP_WRITE,  /* `len` bytes of `buf`, or of `iov`, to `fd` at `offset` */
	OP_SPLICE, /* `len` bytes, which are in the pipe `from`, to `fd` at
		      `offset` */
	OP_READ,   /* up to `len` bytes into `buf` */
	OP_CALL,   /* call(arg), on a thread that may wait */
};

/* Whose turn an operation waits for, while small durable uploads and bulk take turns
 * on a disk (disk/fair.h). */
enum op_turn {
	OP_TURN_ANY,   /* it does not wait */
	OP_TURN_SMALL, /* it flushes the disk for small uploads */
	OP_TURN_BULK,  /* it writes to the disk for a large one: its bytes, or
			  those that a call has as its `weight` */
	OP_TURN_COUNT
};

enum {
	/* How often in a row an op is tried again after EINTR or EAGAIN: a FUSE
	 * server may answer so for ever. */
	OP_TRIES = 100,
};

struct op {
	enum op_kind kind;
	int fd;
	union {
		unsigned char *buf;
		const struct pipe *from;
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
	bool slow;	/* a call that takes long even on tmpfs, and so needs a
			   thread there too: it frees or scans much, or waits
			   for a lock */
	bool brief;	/* a call that in all likelihood is over soon, and keeps
			   others of its kind on its device from going on
			   meanwhile: one thread makes them, one after the
			   other, while that is so */
	bool no_stall;	/* its disk does not count as stalled however long this
			   takes: no client waits for it, or it waits for
			   something other than the disk */

	enum op_turn turn;
	bool joins;	 /* when it has ended its small upload joins a flush */
	bool flushes;	 /* when a call succeeds the disk's cache was flushed */
	uint64_t weight; /* bytes that a call writes to the disk */

	void *owner; /* whose on_done this is */
	void (*on_done)(struct op *op, int res);

	/* the engine's */
	struct list_node node;
	struct list_node age; /* in device.ages, unless no_stall */
	double since;	      /* when it was started, by clock_mono_s() */
	struct device *device;
	size_t done;	  /* bytes moved so far */
	unsigned tries;	  /* how often in a row it moved nothing */
	uint64_t held_ns; /* since when its turn is waited for; 0: it is not */
	uint64_t mark;	  /* disk_share_begin_flush() */
	int res;
	bool is_admitted; /* it has, or had, its turn */
	bool in_flight;	  /* between engine_submit() and on_done */
	bool started;	  /* and not waiting for its place any more */
	bool called_off;
};

/*
 * op_advance(op, n):
 * `n` more bytes were read or written, perhaps not all that are left.  False when that
 * is no progress (0 bytes, or less than `align`), so that going on would never end.
 */
NODISCARD bool op_advance(struct op *op, size_t n);

/* Carry it out in this thread, which may block.  Returns the `res` for on_done. */
int op_run(struct op *op);

#endif
