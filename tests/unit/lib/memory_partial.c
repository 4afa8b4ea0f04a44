/* Partials of the store in memory. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "lib/memory_internal.h"

/* ---- what is kept ---- */

struct memory_partial *
memory_partial_find(const struct memory *m, const char *id)
{
	LIST_FOREACH(struct memory_partial, mp, &m->partials, node) {
		if (strcmp(mp->is.id, id) == 0)
			return mp;
	}
	return NULL;
}

static struct span
copy_span(struct span from)
{
	return (struct span){memory_copy(from.s, from.len), from.len};
}

static void
free_span(struct span *s)
{
	free((void *)(uintptr_t)s->s);
	*s = (struct span){NULL, 0};
}

/* With the same record and state, and no bytes. */
struct memory_partial *
memory_partial_copy(const struct partial *from)
{
	struct memory_partial *mp = calloc(1, sizeof(*mp));

	check(mp != NULL);
	mp->is = *from;
	mp->is.record = copy_span(from->record);
	mp->is.state = copy_span(from->state);
	mp->is.answer = (struct span){NULL, 0};
	return mp;
}

void
memory_partial_free(struct memory_partial **mp)
{
	struct memory_partial *p = *mp;

	*mp = NULL;
	if (p == NULL)
		return;
	free_span(&p->is.record);
	free_span(&p->is.state);
	free_span(&p->is.answer);
	free(p->bytes);
	free(p);
}

static void
touch(struct memory_partial *mp)
{
	mp->is.changed_s = clock_wall_ns() / NS_PER_S;
}

/* It has no bytes of its own any more. */
static void
drop_bytes(struct memory_partial *mp, enum partial_phase phase)
{
	free(mp->bytes);
	mp->bytes = NULL;
	mp->is.phase = phase;
}

/* ---- what a put has of one ---- */

static void
take(struct memory_put *p, struct memory_partial *mp)
{
	check(mp->holder == NULL);
	mp->holder = p;
	p->partial = mp;
	p->base.partial = &mp->is;
}

void
memory_partial_created(struct memory_put *p)
{
	struct memory_partial *mp = p->next;

	p->next = NULL;
	check(partial_is_id(mp->is.id, strlen(mp->is.id)));
	check(memory_partial_find(p->job.m, mp->is.id) == NULL);
	mp->is.phase = PARTIAL_OPEN;
	mp->is.offset = 0;
	touch(mp);
	list_append(&p->job.m->partials, &mp->node);
	take(p, mp);
}

void
memory_partial_stored(struct memory_put *p, const struct object_info *i)
{
	struct memory_partial *mp = p->partial;

	drop_bytes(mp, PARTIAL_STORED);
	mp->is.offset = mp->is.length = i->size;
	touch(mp);
}

void
memory_partial_let_go(struct memory_put *p)
{
	if (p->partial != NULL)
		p->partial->holder = NULL;
	p->partial = NULL;
	p->base.partial = NULL;
	memory_partial_free(&p->next);
}

/* Of it there is what never changes. */
static void
tell_held(struct memory_put *p, const struct memory_partial *mp)
{
	const struct partial shown = {
	    .client = mp->is.client, .record = mp->is.record};

	if (!mp->is_hidden) {
		p->next = memory_partial_copy(&shown);
		memcpy(p->next->is.id, mp->is.id, sizeof(p->next->is.id));
		p->base.partial = &p->next->is;
	}
	memory_put_failed(p, failure_of(OUTCOME_HELD, 0)); /* may abort `p` */
}

static void
end_resume(struct memory_put *p)
{
	struct memory_partial *mp = memory_partial_find(p->job.m, p->id);

	if (p->told)
		return;
	if (mp == NULL) {
		memory_put_failed(p, failure_of(OUTCOME_NO_UPLOAD, 0));
	} else if (mp->holder != NULL || mp->is_held) {
		tell_held(p, mp);
	} else {
		take(p, mp);
		p->len = mp->bytes != NULL ? (size_t)mp->is.offset : 0;
		p->bytes = memory_copy(mp->bytes, p->len);
		p->base.events->on_found(p->base.owner); /* may abort `p` */
	}
}

static void
end_append(struct memory_put *p)
{
	struct failure why = memory_put_judge(p);

	if (p->told)
		return;
	if (failure_is(why))
		memory_put_failed(p, why);
	else
		p->base.events->on_ready(p->base.owner); /* may abort `p` */
}

static void
end_suspend(struct memory_put *p)
{
	struct memory_partial *mp = p->partial;
	struct partial *next = &p->next->is;

	p->len = (size_t)next->offset; /* the rest is as if it had never come */
	free(mp->bytes);
	mp->bytes = memory_copy(p->bytes, p->len);
	free_span(&mp->is.state);
	mp->is.state = next->state;
	next->state = (struct span){NULL, 0};
	mp->is.offset = next->offset;
	mp->is.length = next->length;
	memory_partial_free(&p->next);
	touch(mp);
	if (!p->told)
		p->base.events->on_suspended(p->base.owner);
}

static void
end_conclude(struct memory_put *p)
{
	struct memory_partial *mp = p->partial;

	if (p->next->is.phase == PARTIAL_REFUSED)
		drop_bytes(mp, PARTIAL_REFUSED);
	free_span(&mp->is.answer);
	mp->is.answer = p->next->is.answer;
	p->next->is.answer = (struct span){NULL, 0};
	memory_partial_free(&p->next);
	touch(mp);
}

static void
end_remove(struct memory_put *p)
{
	list_remove(&p->partial->node);
	memory_partial_free(&p->partial);
	p->base.partial = NULL;
	if (!p->told)
		p->base.events->on_removed(p->base.owner);
}

static void
end_hash(struct memory_put *p, struct failure why)
{
	if (p->told)
		return;
	if (!failure_is(why))
		check(digest_update(p->hash, p->bytes, p->len) == 0);
	p->hash = NULL;
	p->base.events->on_hashed(p->base.owner, why); /* may abort `p` */
}

/* Its owner may have gone: then it is told. */
void
memory_partial_end_step(struct memory_put *p, struct failure why)
{
	static void (*const ends[MEMORY_STEPS])(struct memory_put * p) = {
	    [MEMORY_RESUME] = end_resume,
	    [MEMORY_APPEND] = end_append,
	    [MEMORY_SUSPEND] = end_suspend,
	    [MEMORY_CONCLUDE] = end_conclude,
	    [MEMORY_REMOVE] = end_remove,
	};

	if (p->job.step == MEMORY_HASH)
		end_hash(p, why);
	else if (!failure_is(why))
		ends[p->job.step](p);
	else if (!p->told && p->job.step != MEMORY_CONCLUDE)
		memory_put_failed(p, why);
}

/* ---- store/store.h ---- */

struct failure
memory_resume(struct store *s, const char *id, const struct put_events *events,
    void *owner, struct incoming **ret)
{
	struct memory_put *p;

	if (failure_is(memory_of(s)->plan.why[MEMORY_BEGIN_PUT]))
		return memory_of(s)->plan.why[MEMORY_BEGIN_PUT];
	check(partial_is_id(id, strlen(id)));
	p = memory_put_new(s, events, owner);
	memcpy(p->id, id, sizeof(p->id));
	*ret = &p->base;
	memory_begin_step(&p->job, MEMORY_RESUME);
	return failure_none();
}

/* One with a partial that is at rest. */
static struct memory_put *
put_at_rest(struct incoming *in)
{
	struct memory_put *p = memory_put_of(in);

	check(p->partial != NULL && !p->job.in_flight);
	return p;
}

void
memory_append(struct incoming *in, const struct put_request *request)
{
	struct memory_put *p = put_at_rest(in);

	check(p->partial->is.phase == PARTIAL_OPEN && !p->told);
	check(request->partial == NULL && !request->collect);
	check(request->length == STORE_LENGTH_UNKNOWN ||
	      request->length >= p->partial->is.offset);
	memory_put_name(p, request);
	memory_begin_step(&p->job, MEMORY_APPEND);
}

void
memory_suspend(struct incoming *in, const struct partial *what)
{
	struct memory_put *p = put_at_rest(in);

	check(what->offset <= p->len && what->offset >= p->partial->is.offset);
	check(what->state.len <= PARTIAL_STATE_MAX);
	check(p->partial->is.phase == PARTIAL_OPEN && !p->told);
	p->next = memory_partial_copy(what);
	memory_begin_step(&p->job, MEMORY_SUSPEND);
}

void
memory_hash(struct incoming *in, struct digest *d)
{
	struct memory_put *p = put_at_rest(in);

	check(!p->told);
	p->hash = d;
	memory_begin_step(&p->job, MEMORY_HASH);
}

void
memory_conclude(
    struct incoming *in, enum partial_phase phase, struct span answer)
{
	struct memory_put *p = put_at_rest(in);

	check((phase == PARTIAL_STORED) ==
	      (p->partial->is.phase == PARTIAL_STORED));
	check(phase == PARTIAL_STORED || phase == PARTIAL_REFUSED);
	p->told = true;
	p->next = memory_partial_copy(&p->partial->is);
	p->next->is.phase = phase;
	if (answer.len <= PARTIAL_ANSWER_MAX)
		p->next->is.answer = copy_span(answer);
	memory_begin_step(&p->job, MEMORY_CONCLUDE);
}

void
memory_remove(struct incoming *in)
{
	struct memory_put *p = put_at_rest(in);

	check(!p->told);
	memory_begin_step(&p->job, MEMORY_REMOVE);
}

/* ---- what tests ask and say ---- */

const struct partial *
memory_store_partial(struct store *s, const char *id)
{
	const struct memory_partial *mp = memory_partial_find(memory_of(s), id);

	return mp != NULL ? &mp->is : NULL;
}

static struct memory_partial *
partial_there(struct store *s, const char *id)
{
	struct memory_partial *mp = memory_partial_find(memory_of(s), id);

	check(mp != NULL);
	return mp;
}

void
memory_store_hold(struct store *s, const char *id, bool is_held)
{
	partial_there(s, id)->is_held = is_held;
}

void
memory_store_hide(struct store *s, const char *id, bool is_hidden)
{
	partial_there(s, id)->is_hidden = is_hidden;
}

void
memory_store_expire(struct store *s, const char *id)
{
	struct memory_partial *mp = partial_there(s, id);

	check(mp->holder == NULL && mp->is.phase == PARTIAL_OPEN);
	drop_bytes(mp, PARTIAL_EXPIRED);
}

size_t
memory_store_partials(struct store *s)
{
	return list_length(&memory_of(s)->partials);
}
