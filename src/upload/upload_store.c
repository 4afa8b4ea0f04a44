/* What a store tells of an upload's file. */
#include "upload_internal.h"

/* ---- of any ---- */

static void
upload_on_ready(void *owner)
{
	upload_on(owner, UPLOAD_OPENED);
}

static void
upload_on_stored(void *owner, const struct stored *s)
{
	struct upload *u = owner;

	check_magic(u, UPLOAD_MAGIC);
	u->told.stored = s;
	upload_on(u, UPLOAD_COMMITTED);
}

/* Its store has failed: because another one has it, and it may still wait? */
static bool
is_held(const struct upload *u, struct failure why)
{
	return u->state == UPLOAD_RESUMING && why.outcome == OUTCOME_HELD &&
	       !(list_is_linked(&u->wait.node) && takeover_is_over(&u->wait));
}

static void
on_store_failed(void *owner, struct failure why, const char *reason)
{
	struct upload *u = owner;

	check_magic(u, UPLOAD_MAGIC);
	if (is_held(u, why))
		upload_on(u, u->is_awaited || u->incoming->partial == NULL
				 ? UPLOAD_HELD
				 : UPLOAD_SHOWN);
	else
		upload_fail_with(u, why, reason);
}

/* ---- of a partial ---- */

static void
upload_on_found(void *owner)
{
	upload_on(owner, UPLOAD_RESUMED);
}

static void
upload_on_suspended(void *owner)
{
	upload_on(owner, UPLOAD_SUSPENSION);
}

static void
upload_on_hashed(void *owner, struct failure why)
{
	struct upload *u = owner;

	check_magic(u, UPLOAD_MAGIC);
	if (!failure_is(why))
		why = upload_digests_end_whole(
		    &u->digests, store_offset(u->incoming));
	if (failure_is(why))
		upload_fail(u, why);
	else
		upload_on(u, UPLOAD_HASHED);
}

static void
upload_on_removed(void *owner)
{
	upload_on(owner, UPLOAD_REMOVED);
}

const struct put_events upload_put_events = {
    .on_ready = upload_on_ready,
    .on_stored = upload_on_stored,
    .on_failed = on_store_failed,
    .on_found = upload_on_found,
    .on_suspended = upload_on_suspended,
    .on_hashed = upload_on_hashed,
    .on_removed = upload_on_removed,
};
