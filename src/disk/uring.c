/*
 * The io_uring backend: reads and writes only.
 *
 * Operations that are started in one iteration of the loop are submitted
 * together when it is about to sleep.  A completion raises the engine's eventfd.
 * On file systems of which we do not know that the kernel's first, inline
 * attempt cannot wait (FUSE with O_DIRECT does, for good), that attempt is
 * skipped (IOSQE_ASYNC).
 */
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/log.h"
#include "disk/backend.h"
#include "disk/device.h"

enum {
	ENTRIES = 256,
	/* The cap of as many devices as a worker is likely to have: more are
	 * held by the kernel meanwhile, and fetched when there is room. */
	COMPLETIONS = 64 * DEVICE_CAP,
};

struct uring {
	struct backend base;
	struct io_uring ring;
	const struct fd_wake *wake;
	struct list backlog; /* ops that found the submission queue full */
	struct list done;    /* those that the ring has no part in */
	size_t unsubmitted;
	size_t disks; /* for which io-wq has threads */
	bool first_try_waits;
};

/*
 * io-wq's own limit, 4 x cores, would let a few stuck writes on one disk stop
 * those of all others.
 */
static void
allow_threads(struct uring *u, size_t disks)
{
	unsigned n = (unsigned)(disks + 1) * DEVICE_CAP;
	unsigned most[2] = {n, n};

	/* Kernels before 5.15 do not know it; what they do is their limit. */
	(void)io_uring_register_iowq_max_workers(&u->ring, most);
	u->disks = disks;
}

/* Fill an entry for what is left of `op`. */
static void
fill(const struct uring *u, struct io_uring_sqe *sqe, struct op *op)
{
	unsigned left = (unsigned)(op->len - op->done);
	uint64_t offset = op->offset + op->done;

	if (op->iovs > 0)
		io_uring_prep_writev(sqe, op->fd, op->iov, op->iovs, offset);
	else if (op->kind == OP_WRITE)
		io_uring_prep_write(
		    sqe, op->fd, op->buf + op->done, left, offset);
	else
		io_uring_prep_read(
		    sqe, op->fd, op->buf + op->done, left, offset);
	if (op->device->kind != DEVICE_LOCAL || u->first_try_waits)
		io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	io_uring_sqe_set_data(sqe, op);
}

static void
push(struct uring *u, struct op *op)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	if (sqe == NULL) {
		list_append(&u->backlog, &op->node);
		return;
	}
	fill(u, sqe, op);
	u->unsubmitted++;
}

static void
uring_start(struct backend *b, struct op *op)
{
	struct uring *u = container_of(b, struct uring, base);

	size_t disks = device_disks(op->device);

	check(op->kind != OP_CALL);
	if (disks > u->disks)
		allow_threads(u, disks);
	if (op->len == 0) { /* nothing to move: the ring says 0 = end */
		op->res = 0;
		list_append(&u->done, &op->node);
		fd_wake_raise(u->wake);
		return;
	}
	push(u, op);
}

/*
 * Submit what was collected.  The kernel may take fewer than offered (EAGAIN,
 * EBUSY when completions wait to be reaped): the rest stays in the queue and
 * goes with the next turn, which raising the wake-up brings about.
 */
static void
uring_flush(struct backend *b)
{
	struct uring *u = container_of(b, struct uring, base);

	while (u->unsubmitted > 0 || !list_is_empty(&u->backlog)) {
		int got;

		got = io_uring_submit(&u->ring);
		if (got < 0 && got != -EAGAIN && got != -EBUSY && got != -EINTR)
			die("io_uring_enter: errno %d", -got);
		if (got <= 0) {
			fd_wake_raise(u->wake);
			return;
		}
		u->unsubmitted -= (size_t)got;
		LIST_FOREACH(struct op, op, &u->backlog, node) {
			if (io_uring_sq_space_left(&u->ring) == 0)
				break;
			list_remove(&op->node);
			push(u, op);
		}
	}
}

/* One completion: go on with the rest of a short one, or append it to `done`. */
static void
complete(struct uring *u, struct op *op, int res, struct list *done)
{
	if ((res == -EINTR || res == -EAGAIN) && op->tries++ < OP_TRIES) {
		push(u, op);
		return;
	}
	if (res < 0) {
		/* There was no thread for it. */
		op->res = res == -ECANCELED ? -EAGAIN : res;
	} else if (res == 0 && op->kind == OP_READ) {
		op->res = (int)op->done; /* the file's end */
	} else if (!op_advance(op, (size_t)res)) {
		op->res = -EIO;
	} else if (op->done < op->len) {
		op->tries = 0;
		push(u, op);
		return;
	} else {
		op->res = (int)op->done;
	}
	list_append(done, &op->node);
}

static void
uring_reap(struct backend *b, struct list *done)
{
	struct uring *u = container_of(b, struct uring, base);
	struct io_uring_cqe *cqe;

	list_append_all(done, &u->done);
	while (io_uring_peek_cqe(&u->ring, &cqe) == 0) {
		struct op *op = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&u->ring, cqe);
		complete(u, op, res, done);
	}
}

static void
uring_free(struct backend *b)
{
	struct uring *u = container_of(b, struct uring, base);

	io_uring_queue_exit(&u->ring);
	free(u);
}

static const struct backend_ops uring_ops = {
    .name = "io_uring",
    .start = uring_start,
    .flush = uring_flush,
    .reap = uring_reap,
    .free = uring_free,
};

int
uring_new(const struct fd_wake *wake, struct backend **ret)
{
	struct io_uring_params params = {
	    .flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE,
	    .cq_entries = COMPLETIONS,
	};
	struct uring *u = calloc(1, sizeof(*u));
	int err;

	if (u == NULL)
		return -ENOMEM;
	u->base.ops = &uring_ops;
	u->wake = wake;
	list_init(&u->backlog);
	list_init(&u->done);
	err = io_uring_queue_init_params(ENTRIES, &u->ring, &params);
	if (err < 0)
		goto free_uring;
	err = io_uring_ring_dontfork(&u->ring);
	if (err < 0)
		goto exit_ring;
	err = io_uring_register_eventfd(&u->ring, wake->wr);
	if (err < 0)
		goto exit_ring;
	/* Before 6.10 it takes the lock that fsfreeze holds before it looks whether
	 * the attempt may wait: there a write to a frozen disk would stop the
	 * loop within io_uring_enter(). */
	u->first_try_waits = kernel_is_before(6, 10);
	allow_threads(u, 1);
	*ret = &u->base;
	return 0;

exit_ring:
	io_uring_queue_exit(&u->ring);
free_uring:
	free(u);
	return err;
}
