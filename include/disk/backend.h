/*
 * disk/backend.h - what carries operations out: threads.c and uring.c.
 *
 * A backend takes operations (start), may collect them until the loop is about
 * to sleep (flush), and raises the engine's wake-up when some are done; the
 * engine then asks for those (reap).  It knows nothing of the engine: which
 * backend an operation goes to, how many are in flight, and whom to tell is
 * decided there.
 */
#ifndef DISK_BACKEND_H
#define DISK_BACKEND_H

#include "base/check.h"
#include "base/list.h"
#include "disk/op.h"

struct fd_wake;

struct backend {
	const struct backend_ops *ops;
};

struct backend_ops {
	const char *name;

	/* Take `op`, which stays the backend's until it is reaped.  Cannot
	 * fail: what cannot be started is done, with an errno. */
	void (*start)(struct backend *b, struct op *op);

	/* The loop is about to sleep: what was collected has to go now. */
	void (*flush)(struct backend *b);

	/* Append the operations that are done to `done`, linked by their
	 * `node` and with op->res set. */
	void (*reap)(struct backend *b, struct list *done);

	/* End it; operations it still has are a bug in the caller. */
	void (*free)(struct backend *b);
};

/*
 * threads_new(wake, ret), uring_new(wake, ret):
 * Make one that raises `wake`, which stays the caller's and outlives it.
 * 0, -ENOMEM, or for the ring -ENOSYS, -EPERM or another errno of
 * io_uring_setup(2).
 */
NODISCARD int threads_new(const struct fd_wake *wake, struct backend **ret);
NODISCARD int uring_new(const struct fd_wake *wake, struct backend **ret);

#endif
