/* A file on its way into the store in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/store_policy.h"
#include "flow/writer.h"
#include "lib/memory_internal.h"

#define MEMORY_PUT_MAGIC 0x6d707574U

static void
free_put(struct memory_put *p)
{
	check(list_is_empty(&p->writing));
	memory_partial_let_go(p);
	memory_job_end(&p->job);
	p->magic = 0;
	free(p->pre);
	free(p->name);
	free(p->forerunner);
	free(p->bytes);
	free(p);
}

/* May it have its name, or why not? */
struct failure
memory_put_judge(struct memory_put *p)
{
	const struct memory_object *there =
	    memory_find_object(p->job.m, p->name);
	const struct object_info *info = there != NULL ? &there->info : NULL;

	if (p->pre != NULL && !preconditions_hold(p->pre, info, &p->reason))
		return failure_of(OUTCOME_PRECONDITION, 0);
	if (info == NULL || p->job.m->to.policy->overwrite)
		return failure_none();
	return p->forerunner != NULL && strcmp(p->forerunner, info->etag) == 0
		   ? failure_none()
		   : failure_of_errno(-EEXIST);
}

void
memory_put_failed(struct memory_put *p, struct failure why)
{
	p->told = true;
	p->base.events->on_failed(p->base.owner, why, /* may abort `p` */
	    why.outcome == OUTCOME_PRECONDITION ? p->reason : NULL);
}

static void
end_create(struct memory_put *p, struct failure why)
{
	if (!failure_is(why))
		why = memory_put_judge(p);
	if (failure_is(why)) {
		memory_put_failed(p, why);
		return;
	}
	if (p->next != NULL)
		memory_partial_created(p);
	p->base.events->on_ready(p->base.owner); /* may abort `p` */
}

/* The chunks are stored, or given up. */
static unsigned
give_chunks(struct memory_put *p)
{
	struct list_node *n;
	unsigned count = 0;

	for (; (n = list_shift(&p->writing)) != NULL; count++) {
		struct chunk *c = container_of(n, struct chunk, node);

		p->bytes = realloc(p->bytes, p->len + c->len + 1);
		check(p->bytes != NULL);
		memcpy(p->bytes + p->len, c->data, c->len);
		p->len += c->len;
		chunk_give(c);
	}
	return count;
}

static void
end_write(struct memory_put *p, struct failure why)
{
	struct writer *w = p->writer;
	unsigned count;

	if (failure_is(why) && w != NULL) {
		writer_failed(w, why); /* may abort `p` */
		return;
	}
	count = give_chunks(p);
	if (w != NULL)
		writer_done(w, count);
}

static void
end_commit(struct memory_put *p, struct failure why)
{
	struct stored s = {
	    .durability = p->job.m->plan.durability,
	    .superseded = p->job.m->plan.superseded,
	};

	if (!failure_is(why) && p->called_off)
		why = failure_of(OUTCOME_DISK_UNHEALTHY, 0);
	if (!failure_is(why))
		why = memory_put_judge(p);
	if (failure_is(why)) {
		if (!p->told)
			memory_put_failed(p, why);
		return;
	}
	s.replaced = memory_find_object(p->job.m, p->name) != NULL;
	s.info = memory_add_object(p->job.m, p->name, p->bytes, p->len)->info;
	p->bytes = NULL;
	if (p->partial != NULL)
		memory_partial_stored(p, &s.info);
	if (p->told)
		return;
	p->told = true;
	p->base.events->on_stored(p->base.owner, &s); /* may abort `p` */
}

/* Its owner has gone, and the step has ended. */
static void
end_alone(struct memory_put *p, struct failure why)
{
	(void)give_chunks(p);
	p->told = true;
	if (p->job.step == MEMORY_COMMIT)
		end_commit(p, why);
	else if (p->job.step > MEMORY_COMMIT)
		memory_partial_end_step(p, why);
	free_put(p);
}

static void
on_put_step(struct deferred *d)
{
	struct memory_put *p = container_of(d, struct memory_put, job.end_step);
	struct failure why;

	check_magic(p, MEMORY_PUT_MAGIC);
	if (!memory_end_step(&p->job, &why))
		return;
	if (p->base.owner == NULL)
		end_alone(p, why);
	else if (p->job.step == MEMORY_COMMIT)
		end_commit(p, why);
	else if (p->job.step > MEMORY_COMMIT)
		memory_partial_end_step(p, why);
	else if (p->told)
		(void)give_chunks(p);
	else if (p->job.step == MEMORY_CREATE)
		end_create(p, why);
	else
		end_write(p, why);
}

struct memory_put *
memory_put_of(struct incoming *in)
{
	struct memory_put *p = container_of(in, struct memory_put, base);

	check_magic(p, MEMORY_PUT_MAGIC);
	return p;
}

static void
memory_write(struct sink *s, struct chunk *c, struct writer *w)
{
	struct memory_put *p = container_of(s, struct memory_put, sink);

	p->writer = w;
	list_append(&p->writing, &c->node);
	memory_begin_step(&p->job, MEMORY_WRITE);
}

static void
memory_abandon(struct sink *s)
{
	struct memory_put *p = container_of(s, struct memory_put, sink);

	p->writer = NULL;
	LIST_FOREACH(struct chunk, c, &p->writing, node)
		chunk_disown(c);
	if (!p->job.in_flight) /* it has failed */
		(void)give_chunks(p);
}

static const struct sink_ops memory_sink_ops = {
    .write = memory_write,
    .abandon = memory_abandon,
};

struct memory_put *
memory_put_new(struct store *s, const struct put_events *events, void *owner)
{
	struct memory *m = memory_of(s);
	struct memory_put *p = calloc(1, sizeof(*p));

	check(p != NULL);
	p->magic = MEMORY_PUT_MAGIC;
	p->sink.ops = &memory_sink_ops;
	p->base.sink = &p->sink;
	p->base.store = s;
	p->base.account = &m->account;
	p->base.events = events;
	p->base.owner = owner;
	list_init(&p->writing);
	memory_job_begin(&p->job, m, &m->puts, on_put_step);
	return p;
}

/* What it is to be called, and under which conditions. */
void
memory_put_name(struct memory_put *p, const struct put_request *request)
{
	free(p->pre);
	free(p->name);
	free(p->forerunner);
	p->pre = request->pre;
	p->name = memory_copy(request->name, strlen(request->name));
	p->forerunner = NULL;
	if (request->forerunner != NULL)
		p->forerunner = memory_copy(
		    request->forerunner, strlen(request->forerunner));
}

struct failure
memory_create(struct store *s, const struct put_request *request,
    const struct put_events *events, void *owner, struct incoming **ret)
{
	struct memory *m = memory_of(s);
	struct memory_put *p;

	check(request->partial == NULL || !request->collect);
	if (failure_is(m->plan.why[MEMORY_BEGIN_PUT]))
		return m->plan.why[MEMORY_BEGIN_PUT];
	p = memory_put_new(s, events, owner);
	memory_put_name(p, request);
	if (request->partial != NULL)
		p->next = memory_partial_copy(request->partial);
	p->collects = request->collect && request->length <= m->to.chunk_size;
	p->base.is_ready = p->collects;
	*ret = &p->base;
	if (!p->collects)
		memory_begin_step(&p->job, MEMORY_CREATE);
	return failure_none();
}

uint64_t
memory_offset(struct incoming *in)
{
	struct memory_put *p = memory_put_of(in);
	uint64_t offset = p->len;

	LIST_FOREACH(const struct chunk, c, &p->writing, node) {
		offset += c->len;
	}
	return offset;
}

void
memory_commit(struct incoming *in, uint64_t last_ns)
{
	struct memory_put *p = memory_put_of(in);

	p->job.m->last_ns = last_ns; /* yet who gets the name last has it */
	check(!p->job.in_flight && !p->told);
	memory_begin_step(&p->job, MEMORY_COMMIT);
}

void
memory_abort(struct incoming *in)
{
	struct memory_put *p = memory_put_of(in);

	p->base.owner = NULL;
	p->writer = NULL;
	if (!p->job.in_flight)
		free_put(p);
}

void
memory_put_fail(struct memory_job *j, struct failure why)
{
	struct memory_put *p = container_of(j, struct memory_put, job);

	if (p->told || p->base.owner == NULL)
		return;
	p->called_off = why.outcome != OUTCOME_OUTCOME_UNKNOWN;
	memory_put_failed(p, why); /* may free `p` */
}
