#include "file_writer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "disk/chunk.h"
#include "flow/writer.h"
#include "file_beside.h"
#include "local_error.h"

#define FILE_WRITER_MAGIC 0x66777274U

enum {
	JOIN_BYTES = 1024 * 1024,
	AHEAD_MIN = 1024 * 1024,      /* room is asked for in steps: as much */
	AHEAD_MAX = 64 * 1024 * 1024, /* as there is, within these */
};

static void pump(struct file_writer *w);

static struct device *
device_of(const struct file_writer *w)
{
	return w->room.dir->device;
}

static bool
is_memory(const struct file_writer *w)
{
	return device_of(w)->kind == DEVICE_MEMORY;
}

/* ---- what the writer is told ---- */

/* It may not be ready to hear it within this call. */
void
file_writer_fail_later(struct file_writer *w)
{
	deferred_post(&w->later);
}

bool
file_writer_fail(struct file_writer *w, struct failure why)
{
	if (w->writer == NULL)
		return false;
	writer_failed(w->writer, why); /* may end `w` */
	return true;
}

/* With its last chunk it may go. */
static void
tell_done(struct file_writer *w, unsigned chunks)
{
	struct writer *writer = w->writer;

	if (w->in_flight == 0 && list_is_empty(&w->pending))
		w->writer = NULL;
	writer_done(writer, chunks);
}

/* ---- writing past the page cache, or not ---- */

static void
set_direct_wanted(struct file_writer *w, bool wanted)
{
	w->direct_wanted = wanted;
	w->sink.whole_chunks = wanted;
}

static void
refuse_direct(struct file_writer *w, int err)
{
	set_direct_wanted(w, false);
	if (!w->all->direct_refused)
		log_warn("%s: direct I/O is refused here (errno %d): writing "
			 "through the page cache",
		    w->all->to->policy->output_dir, -err);
	w->all->direct_refused = true;
}

/* The chunk can be written past the page cache. */
static bool
wants_direct(const struct file_writer *w, const struct chunk *c)
{
	return w->direct_wanted && c->len == w->all->to->chunk_size &&
	       c->offset >= w->direct_from && c->offset % SPACE_ALIGN == 0;
}

/* Be in the mode that the next chunk needs; false: not with writes in flight. */
static bool
choose_mode(struct file_writer *w, const struct chunk *c)
{
	bool direct = wants_direct(w, c);
	int err;

	/* Whole chunks would never be aligned again. */
	if (!direct && c->len < w->all->to->chunk_size)
		set_direct_wanted(w, false);
	if (direct == w->direct)
		return true;
	if (w->in_flight > 0)
		return false;
	err = space_set_direct(w->fd, direct);
	if (err < 0) {
		refuse_direct(w, err);
		direct = false;
	}
	w->direct = direct;
	w->sink.whole_chunks = direct;
	if (!direct) { /* what went past the cache is written back */
		w->behind_from = c->offset;
	} else if (w->length == STORE_LENGTH_UNKNOWN &&
		   w->room.dir->traits.allocates) {
		w->room.allocates = true;
		w->room.allocated = c->offset;
	}
	return true;
}

/* ---- jobs beside the writes ---- */

static void begin_beside(struct file_writer *w);

static void
on_background_done(struct file_background *b, int err, int cause)
{
	struct file_writer *w = b->owner;
	bool moved = err == 0 && b->to > b->from;

	check_magic(w, FILE_WRITER_MAGIC);
	if (err == 0 && !b->extends_room && w->behind_from < b->to)
		w->behind_from = b->to;
	if (b->flushes)
		fair_unclaim_flush(&device_of(w)->fair);
	free(b);
	w->background = NULL;
	if (err == 0) {
		/* Without a writer it may be about to be committed. */
		if (moved && w->writer != NULL)
			begin_beside(w);
		pump(w);
	}
	w->events->on_background(w, err, cause); /* may end `w` */
}

/* False when out of memory. */
static bool
begin_background(struct file_writer *w, struct file_background what)
{
	what.fd = w->fd;
	what.room = &w->room;
	what.owner = w;
	what.on_done = on_background_done;
	w->background = file_background_begin(&what, w->all->to->engine);
	return w->background != NULL;
}

/* (Without memory for it, it is for a later time.) */
static void
begin_beside(struct file_writer *w)
{
	struct file_background what;

	if (file_beside_choose(w, &what) && !begin_background(w, what) &&
	    what.flushes)
		fair_unclaim_flush(&device_of(w)->fair);
}

/* There is room on the disk for all up to `end`; else it is asked for. */
static bool
has_room(struct file_writer *w, uint64_t end)
{
	uint64_t step;

	/* The job changes what we would look at. */
	if (w->background != NULL && w->background->extends_room)
		return false;
	if (end <= w->room.granted)
		return true;
	if (w->background != NULL || w->in_flight > 0)
		return false;
	step = w->room.granted;
	if (step < AHEAD_MIN)
		step = AHEAD_MIN;
	if (step > AHEAD_MAX)
		step = AHEAD_MAX;
	if (!begin_background(w, (struct file_background){.extends_room = true,
				     .from = w->room.granted,
				     .to = end + step,
				     .need = end}))
		file_writer_fail_later(w);
	return false;
}

/* ---- writes ---- */

/* Its chunks are to be written once more, before all that wait. */
static void
take_back(struct file_writer *w, struct file_write *write)
{
	list_append_all(&write->chunks, &w->pending);
	list_append_all(&w->pending, &write->chunks);
}

static void
end_write(struct file_writer *w, struct file_write *write)
{
	list_remove(&write->node);
	w->in_flight--;
	file_write_give(&w->all->writes, write);
}

/* So much was written, up to `end`.  (After a failure `written` rises no more, since what is
 * missing lies before that.) */
static void
note_written(struct file_writer *w, uint64_t len, uint64_t end)
{
	room_release(&w->room, len);
	if (end > w->written && !w->has_failed)
		w->written = end;
}

static void
note_failed(struct file_writer *w, uint64_t offset)
{
	w->has_failed = true;
	if (offset < w->written)
		w->written = offset;
}

static void
file_writer_on_written(struct op *op, int res)
{
	struct file_writer *w = op->owner;
	struct file_write *write = container_of(op, struct file_write, op);
	uint64_t len = op->len, end = op->offset + len;
	struct writer *writer = w->writer;
	unsigned chunks = write->count;

	check_magic(w, FILE_WRITER_MAGIC);
	if (res == -EINVAL && op->align > 0 && writer != NULL) {
		/* Not this file system: again, through the page cache. */
		take_back(w, write);
		end_write(w, write);
		refuse_direct(w, res);
		pump(w);
		return;
	}
	file_write_give_back(write, res >= 0);
	end_write(w, write);
	if (res >= 0)
		note_written(w, len, end);
	else
		note_failed(w, end - len);
	if (writer == NULL) {
		w->events->on_written(w); /* may end `w` */
		return;
	}
	if (res >= 0) {
		begin_beside(w);
		pump(w);
	}
	tell_done(w, chunks);
	if (res < 0) /* may end `w` */
		writer_failed(writer, local_error_in_put(res, 0));
}

/* So many bytes are joined at most, in whole chunks; less while large uploads have
 * turns, of which each is to have a part. */
static size_t
join_most(const struct file_writer *w)
{
	size_t most = (size_t)fair_join(&device_of(w)->fair, JOIN_BYTES);
	size_t chunk = w->all->to->chunk_size;

	return most < chunk ? chunk : most - most % chunk;
}

/* How many chunks from the first on can go out in one write of `most` bytes. */
static unsigned
count_joined(const struct file_writer *w, size_t most, size_t *ret_bytes)
{
	unsigned count = 0;
	uint64_t end = 0;

	*ret_bytes = 0;
	LIST_FOREACH(const struct chunk, c, &w->pending, node) {
		if (count > 0 &&
		    (count == FILE_WRITE_CHUNKS_MAX || is_memory(w) ||
			*ret_bytes + c->len > most || c->offset != end ||
			wants_direct(w, c) != w->direct))
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
can_wait(
    const struct file_writer *w, size_t most, unsigned chunks, size_t bytes)
{
	if (w->in_flight == 0 || is_memory(w))
		return false;
	return !w->direct || (bytes < most && chunks < FILE_WRITE_CHUNKS_MAX);
}

/* Write the first chunks; false when out of memory. */
static bool
submit(struct file_writer *w, unsigned chunks)
{
	struct file_write *write = file_write_take(&w->all->writes);

	if (write == NULL)
		return false;
	for (unsigned i = 0; i < chunks; i++) {
		struct list_node *n = list_shift(&w->pending);

		check(n != NULL);
		file_write_add(write, container_of(n, struct chunk, node));
	}
	write->op.owner = w;
	write->op.on_done = file_writer_on_written;
	list_append(&w->writing, &write->node);
	w->in_flight++;
	file_write_submit(write, w->all->to->engine, device_of(w), w->fd,
	    w->direct ? SPACE_ALIGN : 0);
	return true;
}

/* Write what may be written now. */
static void
pump(struct file_writer *w)
{
	size_t most = join_most(w);
	struct list_node *n;

	while (w->mode == FILE_WRITER_WRITES &&
	       (n = list_first(&w->pending)) != NULL) {
		const struct chunk *c = container_of(n, struct chunk, node);
		unsigned chunks;
		size_t bytes;

		if (!choose_mode(w, c))
			return;
		chunks = count_joined(w, most, &bytes);
		if (can_wait(w, most, chunks, bytes) ||
		    !has_room(w, c->offset + bytes) ||
		    !file_beside_allows(w, c->offset + bytes))
			return;
		if (!submit(w, chunks)) {
			if (w->in_flight == 0)
				file_writer_fail_later(w);
			return;
		}
	}
}

/* ---- what a writer calls ---- */

static struct file_writer *
file_writer_of(struct sink *s)
{
	struct file_writer *w = container_of(s, struct file_writer, sink);

	check_magic(w, FILE_WRITER_MAGIC);
	return w;
}

/*
 * All of a small file is here.  Its chunks stay until it is committed, when
 * their reader may be gone.  Or its disk was found unhealthy meanwhile: nothing has
 * been begun there, and nothing will be.
 */
static void
on_collected(struct file_writer *w)
{
	struct writer *writer = w->writer;
	unsigned chunks = 0;

	if (w->offset < w->length || !device_accepts_writes(device_of(w))) {
		/* may end `w` */
		writer_failed(writer, local_error_in_put(LOCAL_UNHEALTHY, 0));
		return;
	}
	w->writer = NULL;
	LIST_FOREACH(struct chunk, c, &w->pending, node) {
		chunk_disown(c);
		chunks++;
	}
	writer_done(writer, chunks);
}

static void
on_later(struct deferred *d)
{
	struct file_writer *w = container_of(d, struct file_writer, later);

	check_magic(w, FILE_WRITER_MAGIC);
	if (w->mode == FILE_WRITER_COLLECTS)
		on_collected(w);
	else
		(void)file_writer_fail(w, local_error_in_put(-ENOMEM, 0));
}

static void
sink_write(struct sink *s, struct chunk *c, struct writer *writer)
{
	struct file_writer *w = file_writer_of(s);

	check(w->writer == NULL || w->writer == writer);
	w->writer = writer;
	c->offset = w->offset;
	w->offset += c->len;
	list_append(&w->pending, &c->node);
	if (w->mode != FILE_WRITER_COLLECTS) {
		if (is_memory(w)) /* there and then, while it is in cache */
			pump(w);
	} else if (w->offset == w->length || deferred_is_pending(&w->later) ||
		   !device_accepts_writes(device_of(w))) {
		deferred_post(&w->later);
	} else { /* its client is slow: no memory is kept for it */
		w->mode = FILE_WRITER_HOLDS;
		w->sink.whole_chunks = false;
		w->events->on_late(w);
	}
}

static void
sink_flush(struct sink *s)
{
	pump(file_writer_of(s));
}

static void
sink_abandon(struct sink *s)
{
	struct file_writer *w = file_writer_of(s);

	file_writer_forget(w);
	file_writer_drop(w);
	LIST_FOREACH(struct file_write, write, &w->writing, node) {
		LIST_FOREACH(struct chunk, c, &write->chunks, node)
			chunk_disown(c);
	}
}

static const struct sink_ops file_writer_ops = {
    .write = sink_write,
    .flush = sink_flush,
    .abandon = sink_abandon,
};

/* ---- what its owner calls ---- */

void
file_writers_init(struct file_writers *all, const struct store_setup *to)
{
	*all = (struct file_writers){.to = to};
	spare_init(&all->writes, sizeof(struct file_write), FILE_WRITES_SPARE);
}

void
file_writers_fini(struct file_writers *all)
{
	spare_fini(&all->writes);
}

/* How to write what comes behind `written`, on the device that it is bound for. */
static void
file_writer_adapt(struct file_writer *w)
{
	const struct store_policy *policy = w->all->to->policy;
	bool known = w->length != STORE_LENGTH_UNKNOWN;
	bool direct =
	    policy->direct_io == DIRECT_ON ||
	    (policy->direct_io == DIRECT_AUTO && device_of(w)->direct);

	direct = direct && !is_memory(w) && !w->all->direct_refused &&
		 w->written % SPACE_ALIGN == 0 &&
		 (!known || w->length - w->written >= policy->direct_io_min);
	set_direct_wanted(w, direct);
	w->says_direct = SPACE_DIRECT_UNKNOWN;
	/* The page cache takes one at a time as fast as several. */
	w->sink.depth = direct ? 0 : 1;
	w->direct_from = known ? 0 : w->written + policy->direct_io_min;
	w->room.allocates = direct && known && w->room.dir->traits.allocates;
}

void
file_writer_init(struct file_writer *w, struct file_writers *all,
    struct local_dir *dir, uint64_t length, bool collects,
    const struct file_writer_events *events)
{
	w->magic = FILE_WRITER_MAGIC;
	w->sink.ops = &file_writer_ops;
	w->all = all;
	w->events = events;
	w->length = length;
	w->fd = -1;
	w->mode = collects ? FILE_WRITER_COLLECTS : FILE_WRITER_HOLDS;
	w->room.dir = dir;
	list_init(&w->pending);
	list_init(&w->writing);
	deferred_init(&w->later, all->to->loop, on_later);
	file_writer_adapt(w);
	if (collects) /* its reader may be as patient as it likes */
		w->sink.whole_chunks = true;
}

void
file_writer_resume(struct file_writer *w, uint64_t offset, uint64_t length)
{
	check(file_writer_is_idle(w) && list_is_empty(&w->pending));
	w->offset = w->written = w->behind_from = offset;
	w->length = length;
	w->has_failed = false;
	file_writer_hold(w);
	room_begin_at(&w->room, offset);
	file_writer_adapt(w);
}

void
file_writer_move(struct file_writer *w, struct local_dir *dir)
{
	room_move(&w->room, dir);
	file_writer_adapt(w);
}

void
file_writer_begin(struct file_writer *w, int fd, enum space_direct says_direct)
{
	w->fd = fd;
	w->mode = FILE_WRITER_WRITES;
	/* On a disk a pipe would be held while it is written. */
	w->sink.takes_pipes = is_memory(w);
	w->says_direct = says_direct;
	if (says_direct == SPACE_DIRECT_NO && w->direct_wanted) {
		set_direct_wanted(w, false);
		w->sink.depth = 1;
	}
	pump(w);
}

void
file_writer_hold(struct file_writer *w)
{
	w->mode = FILE_WRITER_HOLDS;
	w->sink.takes_pipes = false;
}

void
file_writer_forget(struct file_writer *w)
{
	w->writer = NULL;
	deferred_cancel(&w->later);
}

void
file_writer_cancel(struct file_writer *w)
{
	LIST_FOREACH(struct file_write, write, &w->writing, node)
		(void)engine_cancel(w->all->to->engine, &write->op);
	if (w->background != NULL)
		(void)engine_cancel(w->all->to->engine, &w->background->op);
}

void
file_writer_drop(struct file_writer *w)
{
	struct list_node *n;

	while ((n = list_shift(&w->pending)) != NULL) {
		struct chunk *c = container_of(n, struct chunk, node);

		chunk_disown(c);
		chunk_give(c);
	}
}

void
file_writer_fini(struct file_writer *w)
{
	check(file_writer_is_idle(w));
	file_writer_drop(w);
	room_release(&w->room, UINT64_MAX);
	w->magic = 0;
}
