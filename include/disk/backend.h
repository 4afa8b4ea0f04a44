/*
 * disk/backend.h - a backend carries operations out: threads.c or uring.c.
 *
 * It is given operations (start), which it may collect until the loop is about to
 * sleep (flush).  When some are done it raises the engine's wake-up, and the engine asks
 * for them (reap).  A backend knows nothing of the engine, which decides where an
 * operation goes, how many are in flight, and who is told of its end.
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

/* How often brief calls that wait are looked at, and how long one waits at least before
 * it gets a thread. */
#define BACKEND_HURRY_S 0.010

struct backend_ops {
	const char *name;

	/* Take `op`, which is the backend's until it is reaped.  This cannot
	 * fail: an operation that cannot be started is reaped with an errno. */
	void (*start)(struct backend *b, struct op *op);

	/* The loop is about to sleep: begin what was collected. */
	void (*flush)(struct backend *b);

	/* Have one thread more for brief calls of a device of which one has waited
	 * for too long.  True: some wait; to be called again in BACKEND_HURRY_S.
	 * (NULL: no calls are given to this backend.) */
	bool (*hurry)(struct backend *b);

	/* Append the operations that are done to `done`, linked by their
	 * `node` and with op->res set. */
	void (*reap)(struct backend *b, struct list *done);

	/* End it.  That it still has operations is a bug in the caller. */
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
