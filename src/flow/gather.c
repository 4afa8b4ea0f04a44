#include "flow/gather.h"

enum {
	CHUNKS = 2, /* in the queue: they are taken as soon as they are there */
};

static struct gather *
gather_of(struct sink *s)
{
	return container_of(s, struct gather, sink);
}

static void
take_text(struct gather *g, const struct chunk *c)
{
	size_t n = c->len < g->left ? c->len : g->left;

	if (g->text == NULL)
		return;
	g->over |= n < c->len;
	g->left -= n;
	str_add(g->text, c->data, n);
}

static void
gather_write(struct sink *s, struct chunk *c, struct writer *w)
{
	struct gather *g = gather_of(s);

	take_text(g, c);
	chunk_give(c);
	g->writer = w;
	g->taken++;
	deferred_post(&g->later);
}

static void
gather_abandon(struct sink *s)
{
	deferred_cancel(&gather_of(s)->later);
}

static const struct sink_ops gather_ops = {
    .write = gather_write,
    .abandon = gather_abandon,
};

static void
tell_taken(struct deferred *d)
{
	struct gather *g = container_of(d, struct gather, later);
	unsigned taken = g->taken;

	g->taken = 0;
	if (g->over)
		writer_failed(g->writer, failure_of(OUTCOME_TOO_LARGE, 0));
	else
		writer_done(g->writer, taken);
}

static void
gather_end(struct gather *g, struct failure why)
{
	flow_rest(&g->flow);
	g->on_done(g->owner, why); /* may end `g` */
}

static void
gather_on_drained(void *owner)
{
	struct gather *g = owner;
	bool failed = g->text != NULL && str_failed(g->text);

	gather_end(
	    g, failed ? failure_of(OUTCOME_NO_MEMORY, 0) : failure_none());
}

static void
gather_on_failed(void *owner, struct failure why)
{
	gather_end(owner, why);
}

static void
gather_on_read_all(void *owner)
{
	(void)owner;
}

void
gather_init(struct gather *g, struct gather_group *group, struct ev_loop *loop,
    struct chunk_pool *pool)
{
	*g = (struct gather){
	    .sink = {.ops = &gather_ops, .depth = CHUNKS},
	    .group = group,
	    .loop = loop,
	    .pool = pool,
	};
	if (group->users++ == 0)
		chunk_account_add(pool, &group->account);
	deferred_init(&g->later, loop, tell_taken);
	flow_init(&g->flow);
}

void
gather_start(struct gather *g, const struct gather_setup *s)
{
	g->text = s->text;
	g->left = s->most;
	g->over = false;
	g->taken = 0;
	g->owner = s->owner;
	g->on_done = s->on_done;
	flow_start(&g->flow, &(struct flow_setup){
				 .loop = g->loop,
				 .pool = g->pool,
				 .account = &g->group->account,
				 .source = s->source,
				 .limits = s->limits,
				 .queue_depth = CHUNKS,
				 .sink = &g->sink,
				 .write_depth = CHUNKS,
				 .owner = g,
				 .on_read_all = gather_on_read_all,
				 .on_drained = gather_on_drained,
				 .on_read_failed = gather_on_failed,
				 .on_write_failed = gather_on_failed,
			     });
}

void
gather_fini(struct gather *g)
{
	if (g->group == NULL)
		return;
	flow_stop(&g->flow);
	deferred_cancel(&g->later);
	if (--g->group->users == 0)
		chunk_account_remove(g->pool, &g->group->account);
	g->group = NULL;
}
