#include "lib/memory_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/store_policy.h"
#include "lib/memory_internal.h"

/* ---- steps ---- */

void
memory_job_begin(struct memory_job *j, struct memory *m, struct list *jobs,
    void (*on_step)(struct deferred *d))
{
	j->m = m;
	list_append(jobs, &j->node);
	deferred_init(&j->end_step, m->to.loop, on_step);
}

void
memory_job_end(struct memory_job *j)
{
	deferred_cancel(&j->end_step);
	list_remove(&j->node);
}

void
memory_begin_step(struct memory_job *j, enum memory_step step)
{
	j->step = step;
	j->in_flight = true;
	deferred_post(&j->end_step);
}

bool
memory_end_step(struct memory_job *j, struct failure *ret)
{
	struct memory_plan *plan = &j->m->plan;

	if (plan->held[j->step])
		return false;
	j->in_flight = false;
	*ret = plan->why[j->step];
	if (failure_is(*ret) && plan->spared[j->step] > 0) {
		plan->spared[j->step]--;
		*ret = failure_of(OUTCOME_NONE, 0);
	}
	return true;
}

/* ---- objects ---- */

void *
memory_copy(const void *bytes, size_t len)
{
	void *copy = malloc(len + 1);

	check(copy != NULL);
	if (len > 0)
		memcpy(copy, bytes, len);
	((char *)copy)[len] = '\0';
	return copy;
}

struct memory_object *
memory_find_object(const struct memory *m, const char *name)
{
	LIST_FOREACH(struct memory_object, o, &m->objects, node) {
		if (strcmp(o->name, name) == 0)
			return o;
	}
	return NULL;
}

void
memory_remove_object(struct memory_object *o)
{
	list_remove(&o->node);
	free(o->name);
	free(o->bytes);
	free(o);
}

/* `bytes` are from malloc() and become the object's. */
struct memory_object *
memory_add_object(
    struct memory *m, const char *name, unsigned char *bytes, size_t len)
{
	struct memory_object *before = memory_find_object(m, name);
	struct memory_object *o = calloc(1, sizeof(*o));

	check(o != NULL);
	if (before != NULL)
		memory_remove_object(before);
	o->name = memory_copy(name, strlen(name));
	o->bytes = bytes;
	o->len = len;
	o->info = (struct object_info){.size = len, .modified_s = 784111777};
	snprintf(o->info.etag, sizeof(o->info.etag), "\"m%" PRIu64 "\"",
	    ++m->versions);
	list_append(&m->objects, &o->node);
	return o;
}

/* ---- the store ---- */

static void
memory_view(struct store *s, struct store_view *ret)
{
	ret->state = memory_of(s)->plan.state;
}

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
	const struct memory *m = memory_of(s);

	return !memory_has_files(s) && list_is_empty(&m->tasks) &&
	       !deferred_is_pending(&m->settle);
}

static void
memory_free(struct store *s)
{
	struct memory *m = memory_of(s);

	check(memory_is_idle(s));
	LIST_FOREACH(struct memory_object, o, &m->objects, node)
		memory_remove_object(o);
	LIST_FOREACH(struct memory_partial, mp, &m->partials, node) {
		list_remove(&mp->node);
		memory_partial_free(&mp);
	}
	free(m);
}

static const struct store_ops memory_ops = {
    .create = memory_create,
    .offset = memory_offset,
    .commit = memory_commit,
    .abort = memory_abort,
    .settle = memory_settle,
    .take_back = memory_take_back,
    .resume = memory_resume,
    .append = memory_append,
    .suspend = memory_suspend,
    .hash = memory_hash,
    .conclude = memory_conclude,
    .remove = memory_remove,
    .open_partial = memory_open_partial,
    .open = memory_open_object,
    .close = memory_close,
    .rest = memory_rest,
    .view = memory_view,
    .measure = memory_rest, /* it has all room */
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
	m->base.can = STORE_CAN_RANGE | STORE_HAS_LATEST | STORE_CAN_RESUME |
		      STORE_CAN_TAKE_BACK;
	m->to = *setup;
	list_init(&m->objects);
	list_init(&m->partials);
	list_init(&m->puts);
	list_init(&m->gets);
	list_init(&m->tasks);
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

static void
release_jobs(struct list *jobs, enum memory_step step)
{
	LIST_FOREACH(struct memory_job, j, jobs, node) {
		if (j->in_flight && j->step == step)
			deferred_post(&j->end_step);
	}
}

void
memory_store_release(struct store *s, enum memory_step step)
{
	struct memory *m = memory_of(s);

	m->plan.held[step] = false;
	release_jobs(&m->puts, step);
	release_jobs(&m->gets, step);
	release_jobs(&m->tasks, step);
}

void
memory_store_fail_all(struct store *s, struct failure why)
{
	LIST_FOREACH(struct memory_job, j, &memory_of(s)->puts, node)
		memory_put_fail(j, why); /* may free `j` */
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
	memory_add_object(memory_of(s), name, memory_copy(bytes, len), len);
}

const void *
memory_store_find(struct store *s, const char *name, size_t *ret_len)
{
	const struct memory_object *o = memory_find_object(memory_of(s), name);

	if (o == NULL)
		return NULL;
	*ret_len = o->len;
	return o->bytes;
}

uint64_t
memory_store_last_ns(struct store *s)
{
	return memory_of(s)->last_ns;
}

size_t
memory_store_count(struct store *s)
{
	return list_length(&memory_of(s)->objects);
}
