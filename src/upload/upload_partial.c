/* What is done with an upload that outlives its connection; upload_table.c says when. */
#include "log/trace.h"
#include "upload/env.h"
#include "upload_internal.h"

/* ---- it is wanted by a newer request ---- */

/* What is being made durable, or getting its name, is done soon, or else only later. */
static bool
may_be_told(const struct upload *u)
{
	switch ((enum upload_state)u->state) {
	case UPLOAD_FOUND:
	case UPLOAD_OPENING:
	case UPLOAD_READY:
	case UPLOAD_FLOWING:
	case UPLOAD_DRAINING:
	case UPLOAD_SUSPENDED:
		return !u->is_told && u->events->on_wanted != NULL;
	case UPLOAD_RESUMING:
	case UPLOAD_ELSEWHERE:
	case UPLOAD_SUSPENDING:
	case UPLOAD_HASHING:
	case UPLOAD_REMOVING:
	case UPLOAD_COMMITTING:
	case UPLOAD_OVER:
	case UPLOAD_STATES:
		break;
	}
	return false;
}

static void
upload_on_wanted(struct takeover_hold *h)
{
	struct upload *u = container_of(h, struct upload, hold);

	check_magic(u, UPLOAD_MAGIC);
	if (!may_be_told(u))
		return;
	u->is_told = true;
	u->events->on_wanted(u); /* may free `u` */
}

void
upload_begin_hold(struct upload *u)
{
	if (u->partial[0] == '\0' || u->env->takeover == NULL ||
	    list_is_linked(&u->hold.node))
		return;
	u->hold.on_wanted = upload_on_wanted;
	takeover_hold(u->env->takeover, &u->hold, u->partial, u->since_ns);
}

void
upload_end_hold(struct upload *u)
{
	if (list_is_linked(&u->hold.node))
		takeover_release(u->env->takeover, &u->hold);
}

/* ---- it is resumed ---- */

static void
resume(struct upload *u)
{
	struct failure why = store_resume(
	    u->store, u->partial, &upload_put_events, u, &u->incoming);

	if (failure_is(why))
		upload_fail(u, why);
}

static void
upload_on_try(struct takeover_wait *w)
{
	struct upload *u = container_of(w, struct upload, wait);

	check_magic(u, UPLOAD_MAGIC);
	if (u->incoming == NULL) /* it is not being tried already */
		resume(u);	 /* may free `u` */
}

/* Nobody is asked for it before its owner has said so. */
void
upload_wait_turn(void *upload)
{
	struct upload *u = upload;
	struct takeover *t = u->env->takeover;

	store_abort(&u->incoming);
	if (list_is_linked(&u->wait.node))
		return;
	u->wait.on_try = upload_on_try;
	if (u->is_awaited)
		takeover_wait(t, &u->wait, u->partial, u->since_ns);
	else
		takeover_look(t, &u->wait, u->partial, u->since_ns);
}

void
upload_await_turn(void *upload)
{
	struct upload *u = upload;

	u->is_awaited = true;
	upload_wait_turn(u);
}

/* The file stays: it has what is known of the upload. */
void
upload_tell_held(void *upload)
{
	struct upload *u = upload;

	takeover_end(&u->wait);
	u->events->on_held(u); /* may free `u` */
}

void
upload_start_resume(void *upload)
{
	resume(upload);
}

void
upload_tell_found(void *upload)
{
	struct upload *u = upload;

	trace_step(u->flow.link.trace, TRACE_RESUME);
	takeover_end(&u->wait);
	upload_begin_hold(u);
	u->events->on_found(u);
}

void
upload_start_append(void *upload)
{
	struct upload *u = upload;

	store_append(u->incoming, u->told.append);
}

/* ---- it is suspended ---- */

void
upload_start_suspend(void *upload)
{
	struct upload *u = upload;

	trace_step(u->flow.link.trace, TRACE_SUSPEND);
	meter_read(&u->flow.meter, READER_DONE);
	meter_write(&u->flow.meter, WRITER_SYNC);
	store_suspend(u->incoming, u->told.suspend);
}

void
upload_tell_suspended(void *upload)
{
	struct upload *u = upload;

	meter_read(&u->flow.meter, READER_NETWORK);
	meter_write(&u->flow.meter, WRITER_DATA);
	u->events->on_suspended(u);
}

/* ---- its bytes are read back ---- */

void
upload_start_hash(void *upload)
{
	struct upload *u = upload;
	struct digest *d = NULL;
	struct failure why = upload_digests_read_back(&u->digests, &d);

	if (failure_is(why)) {
		upload_fail(u, why);
		return;
	}
	trace_step(u->flow.link.trace, TRACE_HASH);
	meter_read(&u->flow.meter, READER_DONE);
	store_hash(u->incoming, d);
}

/* ---- its end ---- */

void
upload_start_remove(void *upload)
{
	struct upload *u = upload;

	store_remove(u->incoming);
}

void
upload_tell_removed(void *upload)
{
	struct upload *u = upload;

	u->events->on_removed(u);
}
