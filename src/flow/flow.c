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

static void
on_read_all(void *owner)
{
	struct flow *f = owner;

	f->on_read_all(f->owner);
}

static void
on_drained(void *owner)
{
	struct flow *f = owner;

	f->on_drained(f->owner);
}

static void
on_read_failed(void *owner, int err)
{
	struct flow *f = owner;

	f->on_failed(f->owner, FLOW_READING, err);
}

static void
on_write_failed(void *owner, int err)
{
	struct flow *f = owner;

	f->on_failed(f->owner, FLOW_WRITING, err);
}

int
flow_start(struct flow *f, const struct flow_setup *s)
{
	f->owner = s->owner;
	f->on_read_all = s->on_read_all;
	f->on_drained = s->on_drained;
	f->on_failed = s->on_failed;
	f->queue = queue_new(s->queue_depth);
	if (f->queue == NULL)
		return -ENOMEM;
	writer_start(&f->writer, &(struct writer_setup){
				     .loop = s->loop,
				     .queue = f->queue,
				     .reader = &f->reader,
				     .sink = s->sink,
				     .tap = s->tap,
				     .meter = &f->meter,
				     .trace = f->trace,
				     .depth = s->write_depth,
				     .owner = f,
				     .on_drained = on_drained,
				     .on_failed = on_write_failed,
				 });
	reader_start(&f->reader, &(struct reader_setup){
				     .loop = s->loop,
				     .pool = s->pool,
				     .account = s->account,
				     .source = s->source,
				     .queue = f->queue,
				     .writer = &f->writer,
				     .sink = s->sink,
				     .meter = &f->meter,
				     .trace = f->trace,
				     .limits = s->limits,
				     .owner = f,
				     .on_ended = on_read_all,
				     .on_failed = on_read_failed,
				 });
	return 0;
}

void
flow_stop(struct flow *f)
{
	reader_stop(&f->reader);
	writer_stop(&f->writer);
	queue_free(&f->queue);
	meter_stop(&f->meter);
}
