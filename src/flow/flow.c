#include "flow/flow.h"

void
flow_init(struct flow *f)
{
	f->link = (struct flow_link){0};
	f->reader.magic = f->writer.magic =
	    0; /* the rest is set at the start */
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

static const struct queue_events queue_events = {
    .on_work = on_work,
    .on_room = on_room,
};

void
flow_start(struct flow *f, const struct flow_setup *s)
{
	struct flow_link *l = &f->link;

	*l = (struct flow_link){
	    .loop = s->loop,
	    .pool = s->pool,
	    .source = s->source,
	    .sink = s->sink,
	    .tap = s->tap,
	    .meter = &f->meter,
	    .trace = l->trace,
	    .depth = s->write_depth,
	    .on_read_all = s->on_read_all,
	    .on_drained = s->on_drained,
	    .on_read_failed = s->on_read_failed,
	    .on_write_failed = s->on_write_failed,
	    .owner = s->owner,
	};
	queue_init(&l->queue, s->queue_depth, &queue_events, f);
	writer_start(&f->writer, l);
	reader_start(&f->reader, l, s->account, &s->limits);
}

void
flow_cut(struct flow *f, struct failure why)
{
	reader_failed(&f->reader, why);
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
	queue_fini(&f->link.queue);
}

void
flow_stop(struct flow *f)
{
	flow_rest(f);
	meter_stop(&f->meter);
}
