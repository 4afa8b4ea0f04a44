#include "disk/op.h"

#include <errno.h>
#include <unistd.h>

int
op_run(struct op *op)
{
	if (op->kind == OP_CALL)
		return op->call(op->arg);
	while (op->done < op->len) {
		unsigned char *at = op->buf + op->done;
		size_t left = op->len - op->done;
		off_t offset = (off_t)(op->offset + op->done);
		ssize_t n;

		if (op->kind == OP_WRITE)
			n = pwrite(op->fd, at, left, offset);
		else
			n = pread(op->fd, at, left, offset);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		if (n == 0) /* the file's end, or a write that cannot go on */
			return op->kind == OP_READ ? (int)op->done : -EIO;
		op->done += (size_t)n;
	}
	return (int)op->done;
}
