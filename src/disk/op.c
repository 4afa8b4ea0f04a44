#include "disk/op.h"

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pipe.h"

bool
op_advance(struct op *op, size_t n)
{
	if (op->align > 0 && n < op->len - op->done)
		n -= n % op->align;
	if (n == 0)
		return false;
	op->done += n;
	while (op->iovs > 0 && n >= op->iov->iov_len) {
		n -= op->iov->iov_len;
		op->iov++;
		op->iovs--;
	}
	if (op->iovs > 0) {
		op->iov->iov_base = (char *)op->iov->iov_base + n;
		op->iov->iov_len -= n;
	}
	return true;
}

static ssize_t
op_move(const struct op *op)
{
	off_t offset = (off_t)(op->offset + op->done);

	if (op->kind == OP_SPLICE)
		return pipe_drain(op->from, op->fd, offset, op->len - op->done);
	if (op->iovs > 0)
		return fd_write_pieces(op->fd, op->iov, (int)op->iovs, offset);
	if (op->kind == OP_WRITE)
		return pwrite(
		    op->fd, op->buf + op->done, op->len - op->done, offset);
	return pread(op->fd, op->buf + op->done, op->len - op->done, offset);
}

int
op_run(struct op *op)
{
	if (op->kind == OP_CALL)
		return op->call(op->arg);
	while (op->done < op->len) {
		ssize_t n = op_move(op);

		if (n == -1 && (errno == EINTR || errno == EAGAIN) &&
		    op->tries++ < OP_TRIES)
			continue;
		if (n == -1)
			return -errno;
		if (n == 0 && op->kind == OP_READ)
			return (int)op->done; /* the file's end */
		if (!op_advance(op, (size_t)n))
			return -EIO;
		op->tries = 0;
	}
	return (int)op->done;
}
