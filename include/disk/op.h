/*
 * disk/op.h - one operation that may wait for a disk.
 *
 * An op is embedded in what it works for (a chunk, an open file) and is in
 * the engine's hands from engine_submit() until `on_done` is called, on the
 * worker's loop.  Until then its memory, its buffer and its descriptor belong
 * to the kernel: whoever loses interest clears `owner` and waits all the
 * same.  It completes whole (res: the bytes, or what the call returned) or
 * with a negative errno; a read may also end short, at the end of the file.
 */
#ifndef DISK_OP_H
#define DISK_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct device;

enum op_kind {
	OP_WRITE, /* `len` bytes of `buf` to `fd` at `offset` */
	OP_READ,  /* up to `len` bytes into `buf` */
	OP_CALL,  /* call(arg), on a thread that may wait */
};

struct op {
	enum op_kind kind;
	int fd;
	unsigned char *buf;
	size_t len;
	uint64_t offset;
	int (*call)(void *arg);
	void *arg;
	bool lengthy; /* a call that takes its time even where nothing waits
			 for a disk: freeing or scanning much */

	void *owner; /* whose on_done this is; NULL: nobody waits any more */
	void (*on_done)(struct op *op, int res);

	/* the engine's */
	struct list_node node;
	struct device *device;
	size_t done; /* bytes moved so far */
	int res;
	bool in_flight; /* between engine_submit() and on_done */
};

/* Do it here and now, waiting as long as it takes; what on_done is told. */
int op_run(struct op *op);

#endif
