#include "lib/memory_store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/store_policy.h"
#include "flow/reader.h"
#include "flow/writer.h"
#include "loop/deferred.h"

#define MEMORY_PUT_MAGIC 0x6d707574U
#define MEMORY_GET_MAGIC 0x6d676574U

struct memory_object {
	struct list_node node; /* the newest is the last */
	char *name;
	unsigned char *bytes;
	size_t len;
	struct object_info info;
};

struct memory {
	struct store base;
	struct store_setup to;
	struct memory_plan plan;
	struct chunk_account account;
	struct deferred settle;
	struct list objects, puts, gets;
	uint64_t versions; /* that there have been */
};

struct memory_put {
	unsigned magic;
	struct incoming base;
	struct sink sink;
	struct memory *m;
	struct list_node node;
	struct deferred end_step;
	enum memory_step step; /* the last one that was begun */
	bool in_flight;	       /* it has not ended */
	bool told;	       /* stored, or failed */
	bool called_off;
	bool collects; /* whether it may be made is seen when it is committed */
	struct writer *writer;	   /* NULL: gone */
	struct list writing;	   /* chunks */
	struct preconditions *pre; /* NULL: none */
	char *name, *forerunner;
	const char *reason; /* PRECONDITION: what does not hold */
	unsigned char *bytes;
	size_t len;
};

struct memory_get {
	unsigned magic;
	struct outgoing base;
	struct memory *m;
	struct list_node node;
	struct deferred end_step;
	enum memory_step step;
	bool in_flight;
	bool is_closed;
	bool is_latest;	       /* whatever it is called */
	struct reader *reader; /* NULL: gone */
	struct chunk *reading;
	size_t reading_max;
	unsigned char *bytes; /* a copy: it may be replaced meanwhile */
};

static struct memory *
memory_of(struct store *s)
{
	return container_of(s, struct memory, base);
}

/* One of these steps ends now: how? */
static struct failure
how_it_ends(struct memory *m, enum memory_step step)
{
	struct memory_plan *plan = &m->plan;

	if (failure_is(plan->why[step]) && plan->spared[step] > 0) {
		plan->spared[step]--;
		return failure_of(OUTCOME_NONE, 0);
	}
	return plan->why[step];
}

static void *
memory_copy(const void *bytes, size_t len)
{
	void *copy = malloc(len + 1);

	check(copy != NULL);
	if (len > 0)
		memcpy(copy, bytes, len);
	((char *)copy)[len] = '\0';
	return copy;
}

/* ---- objects ---- */

static struct memory_object *
find_object(const struct memory *m, const char *name)
{
	LIST_FOREACH(struct memory_object, o, &m->objects, node) {
		if (strcmp(o->name, name) == 0)
			return o;
	}
	return NULL;
}

static void
remove_object(struct memory_object *o)
{
	list_remove(&o->node);
	free(o->name);
	free(o->bytes);
	free(o);
}

/* `bytes` are from malloc() and become the object's. */
static struct memory_object *
add_object(struct memory *m, const char *name, unsigned char *bytes, size_t len)
{
	struct memory_object *before = find_object(m, name);
	struct memory_object *o = calloc(1, sizeof(*o));

	check(o != NULL);
	if (before != NULL)
		remove_object(before);
	o->name = memory_copy(name, strlen(name));
	o->bytes = bytes;
	o->len = len;
	o->info = (struct object_info){.size = len, .modified_s = 784111777};
	snprintf(o->info.etag, sizeof(o->info.etag), "\"m%" PRIu64 "\"",
	    ++m->versions);
	list_append(&m->objects, &o->node);
	return o;
}

/* ---- a file on its way in ---- */

static void
free_put(struct memory_put *p)
{
	check(list_is_empty(&p->writing));
	deferred_cancel(&p->end_step);
	list_remove(&p->node);
	p->magic = 0;
	free(p->pre);
	free(p->name);
	free(p->forerunner);
	free(p->bytes);
	free(p);
}

static void
begin_put_step(struct memory_put *p, enum memory_step step)
{
	p->step = step;
	p->in_flight = true;
	deferred_post(&p->end_step);
}

/* May it have its name, or why not? */
static struct failure
judge_name(struct memory_put *p)
{
	const struct memory_object *there = find_object(p->m, p->name);
	const struct object_info *info = there != NULL ? &there->info : NULL;

	if (p->pre != NULL && !preconditions_hold(p->pre, info, &p->reason))
		return failure_of(OUTCOME_PRECONDITION, 0);
	if (info == NULL || p->m->to.policy->overwrite)
		return failure_none();
	return p->forerunner != NULL && strcmp(p->forerunner, info->etag) == 0
		   ? failure_none()
		   : failure_of_errno(-EEXIST);
}

static void
put_failed(struct memory_put *p, struct failure why)
{
	p->told = true;
	p->base.events->on_failed(p->base.owner, why, /* may abort `p` */
	    why.outcome == OUTCOME_PRECONDITION ? p->reason : NULL);
}

static void
end_create(struct memory_put *p, struct failure why)
{
	if (!failure_is(why))
		why = judge_name(p);
	if (failure_is(why))
		put_failed(p, why);
	else
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
	    .durability = p->m->plan.durability,
	    .superseded = p->m->plan.superseded,
	};

	if (!failure_is(why) && p->called_off)
		why = failure_of(OUTCOME_DISK_SICK, 0);
	if (!failure_is(why))
		why = judge_name(p);
	if (failure_is(why)) {
		if (!p->told)
			put_failed(p, why);
		return;
	}
	s.replaced = find_object(p->m, p->name) != NULL;
	s.info = add_object(p->m, p->name, p->bytes, p->len)->info;
	p->bytes = NULL;
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
	if (p->step == MEMORY_COMMIT)
		end_commit(p, why);
	free_put(p);
}

static void
on_put_step(struct deferred *d)
{
	struct memory_put *p = container_of(d, struct memory_put, end_step);
	struct failure why;

	check_magic(p, MEMORY_PUT_MAGIC);
	if (p->m->plan.held[p->step])
		return;
	why = how_it_ends(p->m, p->step);
	p->in_flight = false;
	if (p->base.owner == NULL)
		end_alone(p, why);
	else if (p->step == MEMORY_COMMIT)
		end_commit(p, why);
	else if (p->told)
		(void)give_chunks(p);
	else if (p->step == MEMORY_CREATE)
		end_create(p, why);
	else
		end_write(p, why);
}

static struct memory_put *
put_of(struct incoming *in)
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
	begin_put_step(p, MEMORY_WRITE);
}

static void
memory_abandon(struct sink *s)
{
	struct memory_put *p = container_of(s, struct memory_put, sink);

	p->writer = NULL;
	LIST_FOREACH(struct chunk, c, &p->writing, node)
		chunk_disown(c);
	if (!p->in_flight) /* it has failed */
		(void)give_chunks(p);
}

static const struct sink_ops memory_sink_ops = {
    .write = memory_write,
    .abandon = memory_abandon,
};

static struct failure
memory_create(struct store *s, const struct put_request *request,
    const struct put_events *events, void *owner, struct incoming **ret)
{
	struct memory *m = memory_of(s);
	struct memory_put *p;

	if (failure_is(m->plan.why[MEMORY_BEGIN_PUT]))
		return m->plan.why[MEMORY_BEGIN_PUT];
	p = calloc(1, sizeof(*p));
	check(p != NULL);
	p->magic = MEMORY_PUT_MAGIC;
	p->m = m;
	p->sink.ops = &memory_sink_ops;
	p->base.sink = &p->sink;
	p->base.store = s;
	p->base.account = &m->account;
	p->base.events = events;
	p->base.owner = owner;
	p->pre = request->pre;
	p->name = memory_copy(request->name, strlen(request->name));
	if (request->forerunner != NULL)
		p->forerunner = memory_copy(
		    request->forerunner, strlen(request->forerunner));
	p->collects = request->collect && request->length <= m->to.chunk_size;
	list_init(&p->writing);
	list_append(&m->puts, &p->node);
	deferred_init(&p->end_step, m->to.loop, on_put_step);
	p->base.is_ready = p->collects;
	*ret = &p->base;
	if (!p->collects)
		begin_put_step(p, MEMORY_CREATE);
	return failure_none();
}

static uint64_t
memory_offset(struct incoming *in)
{
	struct memory_put *p = put_of(in);
	uint64_t offset = p->len;

	LIST_FOREACH(const struct chunk, c, &p->writing, node) {
		offset += c->len;
	}
	return offset;
}

static void
memory_commit(struct incoming *in, uint64_t last_ns)
{
	struct memory_put *p = put_of(in);

	(void)last_ns; /* who gets the name last has it */
	check(!p->in_flight && !p->told);
	begin_put_step(p, MEMORY_COMMIT);
}

static void
memory_abort(struct incoming *in)
{
	struct memory_put *p = put_of(in);

	p->base.owner = NULL;
	p->writer = NULL;
	if (!p->in_flight)
		free_put(p);
}

/* ---- a file on its way out ---- */

static void
free_get(struct memory_get *g)
{
	deferred_cancel(&g->end_step);
	list_remove(&g->node);
	g->magic = 0;
	free(g->bytes);
	free(g);
}

static struct memory_get *
get_of(struct outgoing *out)
{
	struct memory_get *g = container_of(out, struct memory_get, base);

	check_magic(g, MEMORY_GET_MAGIC);
	return g;
}

static void
begin_get_step(struct memory_get *g, enum memory_step step)
{
	g->step = step;
	g->in_flight = true;
	deferred_post(&g->end_step);
}

static const struct memory_object *
object_to_read(const struct memory_get *g)
{
	const struct list *all = &g->m->objects;

	if (!g->is_latest)
		return find_object(g->m, g->base.name);
	return list_is_empty(all)
		   ? NULL
		   : container_of(all->head.prev, struct memory_object, node);
}

static void
end_open(struct memory_get *g, struct failure why)
{
	const struct memory_object *o = object_to_read(g);

	if (!failure_is(why) && o == NULL)
		why = g->is_latest ? failure_of(OUTCOME_NONE_YET, 0)
				   : failure_of_errno(-ENOENT);
	if (failure_is(why)) {
		/* may close `g` */
		g->base.events->on_failed(g->base.owner, why);
		return;
	}
	check(o != NULL);
	memcpy(g->base.name, o->name, strlen(o->name) + 1);
	g->bytes = memory_copy(o->bytes, o->len);
	g->base.end = o->len;
	g->base.events->on_ready(g->base.owner, &o->info); /* may close `g` */
}

static void
end_read(struct memory_get *g, struct failure why)
{
	struct chunk *c = g->reading;
	uint64_t left = g->base.end - g->base.offset;
	size_t n = left < g->reading_max ? (size_t)left : g->reading_max;

	g->reading = NULL;
	if (g->reader == NULL) {
		chunk_give(c);
		return;
	}
	if (!failure_is(why)) {
		memcpy(c->data, g->bytes + g->base.offset, n);
		c->len = n;
		g->base.offset += n;
		g->base.source.ended = g->base.offset == g->base.end;
	}
	reader_filled(g->reader, c, why); /* may close `g` */
}

static void
on_get_step(struct deferred *d)
{
	struct memory_get *g = container_of(d, struct memory_get, end_step);
	struct failure why;

	check_magic(g, MEMORY_GET_MAGIC);
	if (g->m->plan.held[g->step])
		return;
	why = how_it_ends(g->m, g->step);
	g->in_flight = false;
	if (g->is_closed) {
		if (g->reading != NULL)
			chunk_give(g->reading);
		free_get(g);
	} else if (g->step == MEMORY_OPEN) {
		end_open(g, why);
	} else {
		end_read(g, why);
	}
}

static enum source_result
memory_read(struct source *s, struct chunk *c, size_t size, struct reader *r)
{
	struct memory_get *g = get_of(container_of(s, struct outgoing, source));

	check(c->len == 0);
	if (g->base.offset == g->base.end) {
		s->ended = true;
		return SOURCE_BYTES;
	}
	g->reader = r;
	g->reading = c;
	g->reading_max = size;
	begin_get_step(g, MEMORY_READ);
	return SOURCE_TAKEN;
}

static void
memory_source_abandon(struct source *s)
{
	struct memory_get *g = get_of(container_of(s, struct outgoing, source));

	g->reader = NULL;
	if (g->reading != NULL)
		chunk_disown(g->reading);
}

static const struct source_ops memory_source_ops = {
    .read = memory_read,
    .abandon = memory_source_abandon,
};

static struct failure
memory_open_object(struct store *s, const char *name,
    const struct get_events *events, void *owner, struct outgoing **ret)
{
	struct memory *m = memory_of(s);
	struct memory_get *g;

	if (failure_is(m->plan.why[MEMORY_BEGIN_GET]))
		return m->plan.why[MEMORY_BEGIN_GET];
	g = calloc(1, sizeof(*g));
	check(g != NULL);
	g->magic = MEMORY_GET_MAGIC;
	g->m = m;
	g->base.source.ops = &memory_source_ops;
	g->base.source.fd = -1;
	g->base.store = s;
	g->base.account = &m->account;
	g->base.events = events;
	g->base.owner = owner;
	g->is_latest = name == NULL;
	if (name != NULL)
		memcpy(g->base.name, name, strlen(name) + 1);
	list_append(&m->gets, &g->node);
	deferred_init(&g->end_step, m->to.loop, on_get_step);
	*ret = &g->base;
	begin_get_step(g, MEMORY_OPEN);
	return failure_none();
}

static void
memory_close(struct outgoing *out)
{
	struct memory_get *g = get_of(out);

	g->is_closed = true;
	g->reader = NULL;
	if (!g->in_flight)
		free_get(g);
}

/* ---- the store ---- */

static void
memory_rest(struct store *s)
{
	(void)s;
}

static bool
memory_has_files(struct store *s)
{
	const struct memory *m = memory_of(s);

	return !list_is_empty(&m->puts) || !list_is_empty(&m->gets);
}

static bool
memory_is_idle(struct store *s)
{
	return !memory_has_files(s) &&
	       !deferred_is_pending(&memory_of(s)->settle);
}

static void
memory_free(struct store *s)
{
	struct memory *m = memory_of(s);

	check(memory_is_idle(s));
	LIST_FOREACH(struct memory_object, o, &m->objects, node)
		remove_object(o);
	free(m);
}

static const struct store_ops memory_ops = {
    .create = memory_create,
    .offset = memory_offset,
    .commit = memory_commit,
    .abort = memory_abort,
    .open = memory_open_object,
    .close = memory_close,
    .rest = memory_rest,
    .has_files = memory_has_files,
    .is_idle = memory_is_idle,
    .free = memory_free,
};

static void
on_settle(struct deferred *d)
{
	struct memory *m = container_of(d, struct memory, settle);

	m->to.on_settled(m->to.owner);
}

static struct store *
memory_open(const struct store_setup *setup)
{
	struct memory *m = calloc(1, sizeof(*m));

	check(m != NULL);
	m->base.ops = &memory_ops;
	m->base.label = setup->policy->output_dir;
	m->base.can = STORE_CAN_RANGE | STORE_HAS_LATEST;
	m->to = *setup;
	list_init(&m->objects);
	list_init(&m->puts);
	list_init(&m->gets);
	deferred_init(&m->settle, setup->loop, on_settle);
	deferred_post(&m->settle);
	return &m->base;
}

static size_t
memory_descriptors(const struct store_policy *policy)
{
	(void)policy;
	return 0;
}

static void
memory_preflight(const struct store_policy *policy, const struct shared *shared,
    struct store_check *ret)
{
	(void)policy;
	(void)shared;
	ret->fitness = STORE_FIT;
	str_puts(&ret->text, "kept in memory");
}

static void
memory_look(const struct store_policy *policy, struct store_check *ret)
{
	(void)policy;
	ret->fitness = STORE_FIT;
}

const struct store_kind memory_kind = {
    .name = "memory",
    .descriptors = memory_descriptors,
    .preflight = memory_preflight,
    .look = memory_look,
    .open = memory_open,
};

/* ---- what tests ask and say ---- */

struct memory_plan *
memory_store_plan(struct store *s)
{
	return &memory_of(s)->plan;
}

void
memory_store_limit(struct store *s, unsigned can)
{
	s->can = can;
}

void
memory_store_release(struct store *s, enum memory_step step)
{
	struct memory *m = memory_of(s);

	m->plan.held[step] = false;
	LIST_FOREACH(struct memory_put, p, &m->puts, node) {
		if (p->in_flight && p->step == step)
			deferred_post(&p->end_step);
	}
	LIST_FOREACH(struct memory_get, g, &m->gets, node) {
		if (g->in_flight && g->step == step)
			deferred_post(&g->end_step);
	}
}

void
memory_store_fail_all(struct store *s, struct failure why)
{
	LIST_FOREACH(struct memory_put, p, &memory_of(s)->puts, node) {
		if (p->told || p->base.owner == NULL)
			continue;
		p->called_off = why.outcome != OUTCOME_OUTCOME_UNKNOWN;
		put_failed(p, why); /* may free `p` */
	}
}

struct chunk_account *
memory_store_account(struct store *s)
{
	return &memory_of(s)->account;
}

void
memory_store_add(
    struct store *s, const char *name, const void *bytes, size_t len)
{
	add_object(memory_of(s), name, memory_copy(bytes, len), len);
}

const void *
memory_store_find(struct store *s, const char *name, size_t *ret_len)
{
	const struct memory_object *o = find_object(memory_of(s), name);

	if (o == NULL)
		return NULL;
	*ret_len = o->len;
	return o->bytes;
}

size_t
memory_store_count(struct store *s)
{
	return list_length(&memory_of(s)->objects);
}
