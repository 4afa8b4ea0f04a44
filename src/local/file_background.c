#include "file_background.h"

#include <errno.h>
#include <stdlib.h>

#include "local/space.h"
#include "local_error.h"

/* On an engine thread. */
static int
extend_room_job(void *arg)
{
	struct file_background *b = arg;

	return room_extend(b->room, b->fd, b->to, b->need);
}

/* On an engine thread. */
static int
write_back_job(void *arg)
{
	const struct file_background *b = arg;
	int err = space_write_back(b->fd, b->from, b->to - b->from,
	    b->room->dir->traits.writes_ranges);

	/* That would say that this job was never begun. */
	return err == -EAGAIN ? -EIO : err;
}

/* On an engine thread.  A sync of the file's data ends with a flush. */
static int
flush_job(void *arg)
{
	const struct file_background *b = arg;
	int err = space_write_back(b->fd, 0, 0, false);

	return err == -EAGAIN ? -EIO : err; /* as above */
}

static void
file_background_on_done(struct op *op, int res)
{
	struct file_background *b = op->owner;
	int cause = 0;

	if (!b->extends_room && res == -EAGAIN) {
		b->to = b->from; /* there was no thread: later, then */
		res = 0;
	} else if (!b->extends_room && res < 0) {
		/* A sync would not tell again: the upload is lost. */
		cause = -res;
		if (res != -ENOSPC && res != -EDQUOT)
			res = LOCAL_SYNC_FAILED;
	}
	b->on_done(b, res, cause); /* frees `b` */
}

static bool
writes_back(const struct file_background *b)
{
	return !b->extends_room && !b->flushes;
}

struct file_background *
file_background_begin(const struct file_background *what, struct engine *e)
{
	struct file_background *b = malloc(sizeof(*b));

	if (b == NULL)
		return NULL;
	*b = *what;
	b->op = (struct op){
	    .kind = OP_CALL,
	    .call = b->extends_room ? extend_room_job
		    : b->flushes    ? flush_job
				    : write_back_job,
	    .arg = b,
	    .turn = writes_back(b) ? OP_TURN_BULK : OP_TURN_ANY,
	    .weight = b->to - b->from,
	    .flushes = b->flushes,
	    .owner = b,
	    .on_done = file_background_on_done,
	};
	engine_submit(e, b->room->dir->device, &b->op);
	return b;
}
