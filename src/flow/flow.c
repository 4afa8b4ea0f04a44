#include "flow/flow.h"

#include <errno.h>

void
flow_init(struct flow *f)
{
	*f = (struct flow){0};
	meter_start(&f->meter);
	meter_read(&f->meter, READER_QUEUE);
	meter_write(&f->meter, WRITER_WRITE);
}

/* What the queue tells goes to the side that it is for. */

static void
on_work(void *flow)
{
	struct flow *f = flow;

	writer_wake(&f->writer);
}

static void
on_room(void *flow)
{
	struct flow *f = flow;

	reader_resume(&f->reader);
}

int
flow_start(struct flow *f, const struct flow_setup *s)
{
	f->queue = queue_new(s->queue_depth,
	    &(struct queue_events){
		.on_work = on_work, .on_room = on_room, .owner = f});
	if (f->queue == NULL)
		return -ENOMEM;
	writer_start(&f->writer, &(struct writer_setup){
				     .loop = s->loop,
				     .queue = f->queue,
				     .sink = s->sink,
				     .tap = s->tap,
				     .meter = &f->meter,
				     .trace = f->trace,
				     .depth = s->write_depth,
				     .owner = s->owner,
				     .on_drained = s->on_drained,
				     .on_failed = s->on_write_failed,
				 });
	reader_start(&f->reader,
	    &(struct reader_setup){
		.loop = s->loop,
		.pool = s->pool,
		.account = s->account,
		.source = s->source,
		.queue = f->queue,
		.sink = s->sink,
		.meter = &f->meter,
		.trace = f->trace,
		.owner = s->owner,
		.on_ended = s->on_read_all,
		.on_failed = s->on_read_failed,
	    },
	    &s->limits);
	return 0;
}

void
flow_drain(struct flow *f)
{
	reader_finish(&f->reader);
}

void
flow_rest(struct flow *f)
{
	reader_stop(&f->reader);
	writer_stop(&f->writer);
	queue_free(&f->queue);
}

void
flow_stop(struct flow *f)
{
	flow_rest(f);
	meter_stop(&f->meter);
}
