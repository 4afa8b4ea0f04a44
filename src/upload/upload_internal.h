/*
 * An upload, as its own files share it: upload.c is called by its owner, upload_store.c by
 * its store, upload_table.c has its states, upload_moves.c and upload_partial.c what is done
 * on the way, upload_live.c what is told of it meanwhile.  tests/unit/test_states.c walks the table.
 */
#ifndef UPLOAD_UPLOAD_INTERNAL_H
#define UPLOAD_UPLOAD_INTERNAL_H

#include "base/fsm.h"
#include "upload/upload.h"

enum upload_state {
	UPLOAD_OPENING,	 /* the store is making the file, or opening it again */
	UPLOAD_RESUMING, /* the store looks for it, or another one has it */
	UPLOAD_ELSEWHERE,  /* another one has it: is it to be asked for? */
	UPLOAD_FOUND,	   /* it is there: what is to be done with it? */
	UPLOAD_READY,	   /* all that came is written: more, or the commit? */
	UPLOAD_FLOWING,	   /* reader and writer run */
	UPLOAD_DRAINING,   /* the last byte is read, the writer still runs */
	UPLOAD_SUSPENDING, /* what came is made durable */
	UPLOAD_SUSPENDED,  /* and is: more, the commit, or another day? */
	UPLOAD_HASHING,	   /* all is written, and read back for a digest */
	UPLOAD_REMOVING,
	UPLOAD_COMMITTING, /* all is written: sync and publish */
	UPLOAD_OVER,
	UPLOAD_STATES
};

enum upload_event {
	UPLOAD_OPENED,
	UPLOAD_TRANSFER, /* its owner has a source */
	UPLOAD_LAST_BYTE,
	UPLOAD_CUT, /* its owner wants no more of its source */
	UPLOAD_EMPTIED,
	UPLOAD_HASH, /* that was all, but its digest is not known */
	UPLOAD_HASHED,
	UPLOAD_COMMIT, /* that was all, says its owner */
	UPLOAD_COMMITTED,
	UPLOAD_RESUME, /* it was begun before */
	UPLOAD_RESUMED,
	UPLOAD_SHOWN, /* another one has it, and this is what it is */
	UPLOAD_AWAIT, /* its owner wants it all the same */
	UPLOAD_HELD,  /* another one has it, still */
	UPLOAD_APPEND,
	UPLOAD_SUSPEND,
	UPLOAD_SUSPENSION, /* it is suspended */
	UPLOAD_REMOVE,
	UPLOAD_REMOVED,
	UPLOAD_CONCLUDE, /* its owner has the last word */
	UPLOAD_FAILED,	 /* `told` says how */
	UPLOAD_GONE,	 /* its owner gives it up */
	UPLOAD_EVENTS
};

#define UPLOAD_MAGIC 0x75706c6fU

struct upload_failed {
	struct failure why;
	const char *reason; /* NULL: there is no more to say */
};

extern const struct fsm_table upload_table;

/* The only way to change an upload's state; `u` may be freed by it. */
static inline void
upload_on(struct upload *u, enum upload_event ev)
{
	check_magic(u, UPLOAD_MAGIC);
	fsm_on(u->table, &u->state, ev, u->id, u);
}

/* The event UPLOAD_FAILED. */
static inline void
upload_fail_with(struct upload *u, struct failure why, const char *reason)
{
	const struct upload_failed failed = {why, reason};

	u->told.failed = &failed; /* in this call only */
	upload_on(u, UPLOAD_FAILED);
}

static inline void
upload_fail(struct upload *u, struct failure why)
{
	upload_fail_with(u, why, NULL);
}

/* upload_store.c: what the store tells. */
extern const struct put_events upload_put_events;

/* ---- moves: upload_moves.c ---- */

void upload_tell_ready(void *upload);
void upload_tell_transferred(void *upload);
void upload_cut_source(void *upload);
void upload_start_commit(void *upload);
void upload_tell_stored(void *upload); /* the one that tells of success */
void upload_tell_failed(void *upload);
void upload_release(void *upload);

/* ---- for who watches: upload_live.c ---- */

void upload_begin_live(struct upload *u);
void upload_end_live(struct upload *u);

/* ---- of partials: upload_partial.c ---- */

void upload_start_resume(void *upload);
void upload_tell_held(void *upload);
void upload_await_turn(void *upload);
void upload_wait_turn(void *upload);
void upload_tell_found(void *upload);
void upload_start_append(void *upload);
void upload_start_suspend(void *upload);
void upload_tell_suspended(void *upload);
void upload_start_hash(void *upload);
void upload_start_remove(void *upload);
void upload_tell_removed(void *upload);

/* From now on it can be wanted by others; it cannot any more, its file being closed. */
void upload_begin_hold(struct upload *u);
void upload_end_hold(struct upload *u);

#endif
