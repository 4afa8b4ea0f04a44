#include "incoming_resume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "incoming_moves.h"
#include "local_error.h"

static struct incoming_file *
partial_of(struct incoming *in)
{
	struct incoming_file *f = incoming_of(in);

	check(f->partial != NULL);
	return f;
}

struct failure
incoming_resume(struct store *s, const char *id,
    const struct put_events *events, void *owner, struct incoming **ret)
{
	const struct put_request nameless = {
	    .name = "", .length = STORE_LENGTH_UNKNOWN};
	struct incoming_partial *p;
	struct incoming_file *f;
	int err;

	check(partial_is_id(id, strlen(id)));
	p = incoming_partial_find(id);
	if (p == NULL)
		return local_error_in_put(-ENOMEM, 0);
	err = incoming_new(local_of(s), &nameless, false, &f);
	if (err < 0) {
		incoming_partial_free(&p);
		return local_error_in_put(err, 0);
	}
	f->base.events = events;
	f->base.owner = owner;
	f->partial = p;
	*ret = &f->base;
	incoming_on(f, INCOMING_RESUME);
	return failure_none();
}

/* Its target has another name from here on. */
static int
set_target(struct incoming_file *f, const struct put_request *r)
{
	const char *forerunner = r->forerunner != NULL ? r->forerunner : "";
	size_t len = strlen(r->name) + 1, more = strlen(forerunner) + 1;
	char *name = malloc(len + more);

	free(f->target.pre);
	f->target.pre = r->pre;
	if (name == NULL)
		return -ENOMEM;
	memcpy(name, r->name, len);
	memcpy(name + len, forerunner, more);
	free(f->partial->name);
	f->partial->name = name;
	f->target.name = name;
	f->target.forerunner = r->forerunner != NULL ? name + len : NULL;
	return 0;
}

void
incoming_append(struct incoming *in, const struct put_request *request)
{
	struct incoming_file *f = partial_of(in);
	uint64_t offset = in->partial->offset;

	check(in->partial->phase == PARTIAL_OPEN);
	check(request->length >= offset && request->partial == NULL);
	f->came = (struct arrival){.head_ns = request->head_ns};
	file_writer_resume(&f->writer, offset, request->length);
	f->res = set_target(f, request);
	incoming_on(f, f->res == 0 ? INCOMING_APPEND : INCOMING_NOT_APPENDED);
}

void
incoming_suspend(struct incoming *in, const struct partial *what)
{
	struct incoming_file *f = partial_of(in);
	struct open_partial *p = &f->partial->open;

	check(what->offset <= f->writer.offset);
	check(what->offset >= p->file.shown.offset);
	p->next = p->file.shown;
	p->next.answer = (struct span){0};
	p->next.length = what->length;
	p->next.offset = what->offset;
	open_partial_set_state(p, what->state);
	incoming_on(f, file_writer_is_idle(&f->writer) ? INCOMING_SUSPEND
						       : INCOMING_SUSPEND_BUSY);
}

void
incoming_conclude(
    struct incoming *in, enum partial_phase phase, struct span answer)
{
	struct incoming_file *f = partial_of(in);
	struct open_partial *p = &f->partial->open;

	check(phase == PARTIAL_STORED || phase == PARTIAL_REFUSED);
	/* Its disk does not answer; or it was not made, or found. */
	if (p->info == -1 || f->partial->is_syncing ||
	    (f->job != NULL && f->job->op.in_flight))
		return;
	if (answer.len > PARTIAL_ANSWER_MAX)
		answer.len = 0;
	p->next = p->file.shown;
	p->next.phase = phase;
	p->next.answer = open_partial_keep_rest(p, answer);
	incoming_on(f, INCOMING_CONCLUDE);
}

void
incoming_hash(struct incoming *in, struct digest *d)
{
	incoming_begin_hash(partial_of(in), d);
}

void
incoming_remove(struct incoming *in)
{
	incoming_on(partial_of(in), INCOMING_REMOVE);
}
