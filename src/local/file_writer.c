/*
 * Chunks on their way into a file: a `sink`.
 *
 *	write() -> pending -> [joined: about 1 MiB] -> engine -> given back
 *
 * Neighbours are joined while a write is in flight, as far as write_depth lets
 * them come: so a disk that is slower than the network gets large writes, and
 * one that is faster gets each chunk at once.
 *
 *	collecting   small: chunks stay here until commit
 *	buffered     one write in flight; at most write_behind bytes are not yet
 *	             written back
 *	direct       O_DIRECT: whole chunks only, several writes in flight, space
 *	             allocated ahead
 *
 * A file goes direct when it is large enough, and buffered for good with the
 * first chunk that is not whole: its tail, or a client that was silent.
 */
#include <errno.h>

#include "base/log.h"
#include "flow/writer.h"
#include "internal.h"
#include "local/space.h"
#include "local_error.h"

enum {
	JOIN_BYTES = 1024 * 1024,
	AHEAD_MIN = 1024 * 1024,      /* room is asked for in steps: as much */
	AHEAD_MAX = 64 * 1024 * 1024, /* as there is, within these */
};

static struct incoming_file *
file_of_sink(struct sink *s)
{
	struct incoming_file *f =
	    container_of(s, struct incoming_file, base.sink);

	check_magic(f, INCOMING_MAGIC);
	return f;
}

static bool
is_memory(const struct incoming_file *f)
{
	return f->at->device->kind == DEVICE_MEMORY;
}

static void pump(struct incoming_file *f);

/* ---- writing past the page cache, or not ---- */

static void
refuse_direct(struct incoming_file *f, int err)
{
	f->direct_wanted = false;
	f->base.sink.whole_chunks = false;
	if (!f->local->direct_refused)
		log_warn("%s: direct I/O is refused here (errno %d): writing "
			 "through the page cache",
		    f->local->base.dir, -err);
	f->local->direct_refused = true;
}

/* What is written is on its way to the disk at once.  Some take O_DIRECT and
 * write through the page cache all the same. */
static bool
bypasses(const struct incoming_file *f)
{
	return f->direct &&
	       (f->at->device->direct || f->says_direct == SPACE_DIRECT_YES);
}

/* The chunk can be written past the page cache. */
static bool
wants_direct(const struct incoming_file *f, const struct chunk *c)
{
	return f->direct_wanted && c->len == f->local->to.chunk_size &&
	       c->offset >= f->direct_from && c->offset % SPACE_ALIGN == 0;
}

/* Be in the mode that the next chunk needs; false: not with writes in flight. */
static bool
choose_mode(struct incoming_file *f, const struct chunk *c)
{
	bool direct = wants_direct(f, c);
	int err;

	/* Whole chunks would never be aligned again. */
	if (!direct && c->len < f->local->to.chunk_size)
		f->direct_wanted = f->base.sink.whole_chunks = false;
	if (direct == f->direct)
		return true;
	if (f->in_flight > 0)
		return false;
	err = space_set_direct(f->u.fd, direct);
	if (err < 0) {
		refuse_direct(f, err);
		direct = false;
	}
	f->direct = direct;
	f->base.sink.whole_chunks = direct;
	if (!direct) { /* what went past the cache is written back */
		f->behind_from = c->offset;
	} else if (f->length == STORE_LENGTH_UNKNOWN &&
		   f->at->traits.allocates) {
		f->room.allocates = true;
		f->room.allocated = c->offset;
	}
	return true;
}

/* ---- room ahead, and what is not written back yet ---- */

static void
on_background_done(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	check_magic(f, INCOMING_MAGIC);
	if (f->background == BACKGROUND_ROOM) {
		;
	} else if (res == -EAGAIN) {
		res = 0; /* there was no thread: later, then */
	} else if (res == 0) {
		if (f->behind_from < f->background_to)
			f->behind_from = f->background_to;
	} else {
		/* A sync would not tell again: the upload is lost. */
		f->base.cause = -res;
		if (res != -ENOSPC && res != -EDQUOT)
			res = STORE_SYNC_FAILED;
	}
	f->res = res;
	incoming_on(
	    f, res < 0 ? INCOMING_BACKGROUND_FAILED : INCOMING_BACKGROUND_DONE);
}

/* On an engine thread. */
static int
extend_room_job(void *file)
{
	struct incoming_file *f = file;

	return room_extend(
	    &f->room, f->u.fd, f->background_to, f->background_need);
}

/* On an engine thread. */
static int
write_back_job(void *file)
{
	struct incoming_file *f = file;

	int err = space_write_back(f->u.fd, f->background_from,
	    f->background_to - f->background_from, f->at->traits.writes_ranges);

	/* That would say that this job was never begun. */
	return err == -EAGAIN ? -EIO : err;
}

static void
begin_background(
    struct incoming_file *f, enum background which, uint64_t from, uint64_t to)
{
	f->background = which;
	f->background_from = from;
	f->background_to = to;
	engine_call(f->local->to.engine, f->at->device, &f->job,
	    which == BACKGROUND_ROOM ? extend_room_job : write_back_job, f, 0,
	    on_background_done);
}

/* There is room on the disk for all up to `end`; else it is asked for. */
static bool
has_room(struct incoming_file *f, uint64_t end)
{
	uint64_t step;

	/* The job changes what we would look at. */
	if (f->job.in_flight && f->background == BACKGROUND_ROOM)
		return false;
	if (end <= f->room.granted)
		return true;
	if (f->job.in_flight || f->in_flight > 0)
		return false;
	step = f->room.granted;
	if (step < AHEAD_MIN)
		step = AHEAD_MIN;
	if (step > AHEAD_MAX)
		step = AHEAD_MAX;
	f->background_need = end;
	begin_background(f, BACKGROUND_ROOM, f->room.granted, end + step);
	return false;
}

/* Start writing back when half of what may wait is there. */
static void
write_behind(struct incoming_file *f)
{
	uint64_t most = f->local->to.policy->write_behind;

	if (most == 0 || bypasses(f) || is_memory(f) || f->job.in_flight ||
	    f->written < f->behind_from + most / 2)
		return;
	begin_background(f, BACKGROUND_WRITE_BACK, f->behind_from, f->written);
}

/* Not more than write_behind waits when all up to `end` is written. */
static bool
is_not_behind(const struct incoming_file *f, uint64_t end)
{
	uint64_t most = f->local->to.policy->write_behind;

	return most == 0 || bypasses(f) || is_memory(f) || !f->job.in_flight ||
	       f->background != BACKGROUND_WRITE_BACK ||
	       end - f->behind_from <= most;
}

/* ---- writes ---- */

/* Its chunks are to be written once more, before all that wait. */
static void
take_back(struct incoming_file *f, struct file_write *write)
{
	list_append_all(&write->chunks, &f->pending);
	list_append_all(&f->pending, &write->chunks);
}

static void
give_back(struct file_write *write)
{
	struct list_node *n;

	while ((n = list_shift(&write->chunks)) != NULL)
		chunk_give(container_of(n, struct chunk, node));
}

static void
on_written(struct op *op, int res)
{
	struct incoming_file *f = op->owner;
	struct file_write *write = container_of(op, struct file_write, op);
	uint64_t len = op->len, end = op->offset + len;
	struct writer *w = f->writer;
	unsigned chunks = write->count;
	bool again = res == -EINVAL && op->align > 0 && w != NULL;

	check_magic(f, INCOMING_MAGIC);
	list_remove(&write->node);
	f->in_flight--;
	if (again)
		take_back(f, write);
	else
		give_back(write);
	file_write_give(&f->local->writes, write);
	if (again) { /* not this file system: through the page cache */
		refuse_direct(f, res);
		pump(f);
		return;
	}
	if (res >= 0) {
		room_release(&f->room, len);
		if (end > f->written)
			f->written = end;
	}
	if (w == NULL) {
		incoming_on(f, INCOMING_WRITTEN); /* may free `f` */
		return;
	}
	if (res >= 0) {
		write_behind(f);
		pump(f);
	}
	writer_done(w, chunks);
	if (res < 0)
		writer_failed(
		    w, local_error_in_put(res, 0)); /* may abort `f` */
}

/* How many chunks from the first on can go out in one write. */
static unsigned
count_joined(const struct incoming_file *f, size_t *ret_bytes)
{
	unsigned count = 0;
	uint64_t end = 0;

	*ret_bytes = 0;
	LIST_FOREACH(const struct chunk, c, &f->pending, node) {
		if (count > 0 &&
		    (count == FILE_WRITE_CHUNKS_MAX || is_memory(f) ||
			*ret_bytes + c->len > JOIN_BYTES || c->offset != end ||
			wants_direct(f, c) != f->direct))
			break;
		count++;
		*ret_bytes += c->len;
		end = c->offset + c->len;
	}
	return count;
}

/* Better to wait for more: a write is in flight, and this one would be small
 * or have to wait for it in the kernel. */
static bool
can_wait(const struct incoming_file *f, unsigned chunks, size_t bytes)
{
	if (f->in_flight == 0 || is_memory(f))
		return false;
	return !f->direct ||
	       (bytes < JOIN_BYTES && chunks < FILE_WRITE_CHUNKS_MAX);
}

static struct chunk *
next_pending(struct incoming_file *f)
{
	struct list_node *n = list_shift(&f->pending);

	check(n != NULL);
	return container_of(n, struct chunk, node);
}

/* False when out of memory. */
static bool
submit(struct incoming_file *f, unsigned chunks)
{
	struct file_write *write = file_write_take(&f->local->writes);

	if (write == NULL)
		return false;
	for (unsigned i = 0; i < chunks; i++)
		file_write_add(write, next_pending(f));
	write->op.owner = f;
	write->op.on_done = on_written;
	list_append(&f->writing, &write->node);
	f->in_flight++;
	file_write_submit(write, f->local->to.engine, f->at->device, f->u.fd,
	    f->direct ? SPACE_ALIGN : 0);
	return true;
}

/* Write what may be written now. */
static void
pump(struct incoming_file *f)
{
	struct list_node *n;

	while (f->state == INCOMING_OPEN &&
	       (n = list_first(&f->pending)) != NULL) {
		const struct chunk *c = container_of(n, struct chunk, node);
		unsigned chunks;
		size_t bytes;

		if (!choose_mode(f, c))
			return;
		chunks = count_joined(f, &bytes);
		if (can_wait(f, chunks, bytes) ||
		    !has_room(f, c->offset + bytes) ||
		    !is_not_behind(f, c->offset + bytes))
			return;
		if (!submit(f, chunks)) {
			/* Its writer is not ready to hear it now. */
			if (f->in_flight == 0)
				deferred_post(&f->later);
			return;
		}
	}
}

/* ---- what a writer calls ---- */

/*
 * All of a small file is here.  Its chunks stay until it is committed, when
 * their reader may be gone.  Or its disk was found sick meanwhile: nothing has
 * been begun there, and nothing will be.
 */
static void
on_collected(struct incoming_file *f)
{
	struct writer *w = f->writer;
	unsigned chunks = 0;

	if (f->offset < f->length || !device_accepts_writes(f->at->device)) {
		/* may abort `f` */
		writer_failed(w, local_error_in_put(STORE_SICK, 0));
		return;
	}
	f->writer = NULL;
	LIST_FOREACH(struct chunk, c, &f->pending, node) {
		chunk_disown(c);
		chunks++;
	}
	writer_done(w, chunks);
}

/* What its writer was not to be told while it gave a chunk. */
static void
on_later(struct deferred *d)
{
	struct incoming_file *f = container_of(d, struct incoming_file, later);

	check_magic(f, INCOMING_MAGIC);
	if (f->state == INCOMING_COLLECTING)
		on_collected(f);
	else
		/* may abort `f` */
		writer_failed(f->writer, local_error_in_put(-ENOMEM, 0));
}

static void
sink_write(struct sink *s, struct chunk *c, struct writer *w)
{
	struct incoming_file *f = file_of_sink(s);

	f->writer = w;
	c->offset = f->offset;
	f->offset += c->len;
	list_append(&f->pending, &c->node);
	if (f->state != INCOMING_COLLECTING) {
		if (is_memory(f)) /* there and then, while it is in cache */
			pump(f);
	} else if (f->offset == f->length || deferred_is_pending(&f->later) ||
		   !device_accepts_writes(f->at->device)) {
		deferred_post(&f->later);
	} else { /* its client is slow: no memory is kept for it */
		s->whole_chunks = false;
		incoming_on(f, INCOMING_LATE);
	}
}

static void
sink_flush(struct sink *s)
{
	pump(file_of_sink(s));
}

static void
sink_abandon(struct sink *s)
{
	struct incoming_file *f = file_of_sink(s);

	f->writer = NULL;
	deferred_cancel(&f->later);
	file_writer_drop(f);
	LIST_FOREACH(struct file_write, write, &f->writing, node) {
		LIST_FOREACH(struct chunk, c, &write->chunks, node)
			chunk_disown(c);
	}
}

const struct sink_ops file_writer_ops = {
    .write = sink_write,
    .flush = sink_flush,
    .abandon = sink_abandon,
};

/* ---- what the rest of the store calls ---- */

void
file_writer_adapt(struct incoming_file *f)
{
	const struct store_setup *to = &f->local->to;
	bool known = f->length != STORE_LENGTH_UNKNOWN;
	bool direct =
	    to->policy->direct_io == DIRECT_ON ||
	    (to->policy->direct_io == DIRECT_AUTO && f->at->device->direct);

	f->direct_wanted = direct && !is_memory(f) &&
			   !f->local->direct_refused &&
			   (!known || f->length >= to->policy->direct_io_min);
	f->says_direct = SPACE_DIRECT_UNKNOWN;
	/* The page cache takes one at a time as fast as several. */
	f->base.write_depth = f->direct_wanted ? 0 : 1;
	f->direct_from = known ? 0 : to->policy->direct_io_min;
	f->room.allocates =
	    f->direct_wanted && known && f->at->traits.allocates;
	f->base.sink.whole_chunks = f->direct_wanted;
}

void
file_writer_init(struct incoming_file *f)
{
	list_init(&f->pending);
	list_init(&f->writing);
	f->base.sink.ops = &file_writer_ops;
	file_writer_adapt(f);
	deferred_init(&f->later, f->local->to.loop, on_later);
}

void
file_writer_created(struct incoming_file *f)
{
	if (f->says_direct != SPACE_DIRECT_NO || !f->direct_wanted)
		return;
	f->direct_wanted = false;
	f->base.sink.whole_chunks = false;
	f->base.write_depth = 1;
}

void
file_writer_go_on(struct incoming_file *f)
{
	if (f->writer != NULL)
		pump(f);
}

bool
file_writer_is_idle(const struct incoming_file *f)
{
	return f->in_flight == 0;
}

void
file_writer_cancel(struct incoming_file *f)
{
	LIST_FOREACH(struct file_write, write, &f->writing, node)
		(void)engine_cancel(f->local->to.engine, &write->op);
}

void
file_writer_drop(struct incoming_file *f)
{
	struct list_node *n;

	while ((n = list_shift(&f->pending)) != NULL) {
		struct chunk *c = container_of(n, struct chunk, node);

		chunk_disown(c);
		chunk_give(c);
	}
}
