#include "flow/writer.h"

#include "base/check.h"
#include "log/trace.h"
#include "flow/meter.h"
#include "flow/sink.h"

#define WRITER_MAGIC 0x77726974U

/* Everything is written: the owner goes on from here. */
static void
drained(struct writer *w)
{
	w->running = false;
	trace_step(w->to->trace, TRACE_GET);
	trace_step(w->to->trace, TRACE_CANCEL);
	w->to->on_drained(w->to->owner); /* may end `w` */
}

/* While the sink takes a chunk, perhaps writing it at once (tmpfs), the reader
 * cannot read: that time is charged to it as QUEUE. */
static void
write_chunk(struct writer *w, struct chunk *c)
{
	struct meter *m = w->to->meter;
	bool reading = m->reader == READER_NETWORK;

	meter_write(m, WRITER_WRITE);
	if (reading)
		meter_read(m, READER_QUEUE);
	if (w->to->tap != NULL && w->to->tap->ops->take(w->to->tap, c, w))
		w->tapped++;
	w->to->sink->ops->write(w->to->sink, c, w);
	if (reading)
		meter_read(m, READER_NETWORK);
}

/* All that was given has been dealt with. */
static void
writer_rest(struct writer *w)
{
	if (queue_is_closed(&w->to->queue))
		drained(w);
	else
		meter_write(w->to->meter, WRITER_DATA);
}

/* Give the sink what the queue has, as far as it may take it. */
static void
writer_on_wake(struct deferred *d)
{
	struct writer *w = container_of(d, struct writer, wake);
	unsigned before = w->writing;

	check_magic(w, WRITER_MAGIC);
	while (w->running && w->writing < w->to->depth &&
	       w->tapped < w->to->depth) {
		struct chunk *c;

		trace_step(w->to->trace, TRACE_GET);
		c = queue_pop(&w->to->queue);
		if (c == NULL)
			break;
		w->writing++;
		trace_step(w->to->trace, TRACE_WRITE);
		write_chunk(w, c);
	}
	if (w->writing > before && w->to->sink->ops->flush != NULL)
		w->to->sink->ops->flush(w->to->sink);
	if (!w->running || w->writing > 0)
		return;
	if (w->tapped > 0)
		meter_write(w->to->meter, WRITER_HASH);
	else
		writer_rest(w);
}

void
writer_start(struct writer *w, struct flow_link *to)
{
	*w = (struct writer){.magic = WRITER_MAGIC, .to = to};
	check(to->depth >= 1);
	w->running = true;
	deferred_init(&w->wake, to->loop, writer_on_wake);
	meter_write(to->meter, WRITER_DATA);
}

void
writer_wake(struct writer *w)
{
	check_magic(w, WRITER_MAGIC);
	deferred_post(&w->wake);
}

void
writer_done(struct writer *w, unsigned chunks)
{
	check_magic(w, WRITER_MAGIC);
	check(w->writing >= chunks);

	w->writing -= chunks;
	for (unsigned i = 0; i < chunks; i++)
		trace_step(w->to->trace, TRACE_TASK_DONE);
	if (w->running)
		deferred_post(&w->wake);
}

void
writer_failed(struct writer *w, struct failure why)
{
	check_magic(w, WRITER_MAGIC);
	check(failure_is(why));
	if (!w->running)
		return;
	w->running = false;
	w->to->on_write_failed(w->to->owner, why); /* may end `w` */
}

void
writer_tapped(struct writer *w, unsigned chunks)
{
	check_magic(w, WRITER_MAGIC);
	check(w->tapped >= chunks);

	w->tapped -= chunks;
	if (w->running)
		deferred_post(&w->wake);
}

void
writer_stop(struct writer *w)
{
	if (w->magic == 0)
		return;
	check_magic(w, WRITER_MAGIC);
	w->running = false;
	deferred_cancel(&w->wake);
	if (w->writing > 0)
		w->to->sink->ops->abandon(w->to->sink);
	if (w->to->tap != NULL)
		w->to->tap->ops->abandon(w->to->tap);
	w->magic = 0;
}
