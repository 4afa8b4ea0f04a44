/*
 * local/incoming.h - a file on its way in: its states.
 *
 *	NEW -> OPENING ---------------------> OPEN -> COMMITTING -+-> SYNCING
 *	  \                                  /                    |      |
 *	   `-> COLLECTING -> OPENING_LATE --'                     |   REMOVING
 *	                 `-----------------> STORING -------------'      |
 *	                                                               STORED
 *
 * A partial (store/partial.h) is made in two steps, or found and appended to; an owner
 * that lets go of it leaves it as it was at its last suspend:
 *
 *	NEW -> MAKING -> LISTING --------------> OPEN -> SUSPENDING -> SUSPENDED
 *	  \                                      /   <- APPENDING <-----'
 *	   `-> FINDING -> FOUND -> APPENDING ---'
 *	                    `----> ERASING -> ERASED
 *
 *	STORED, FAILED, FOUND, OPEN, SUSPENDED -> CONCLUDING
 *
 * It does one job at a time.  Its owner is told once that it is stored, or that
 * it failed; then, or at any time before, the owner aborts it: what it has begun
 * ends without an owner (..._ALONE), or what there is of it is thrown away.
 *
 * How it ends.  The owner is an upload, which aborts it when its client leaves
 * before the body is complete (an upload that is complete stays, though its
 * client is gone), when the server stops, and after it was told.
 *
 *	body       owner   the disk's verdict               ending
 *	complete   there   it has its name, durably         stored
 *	complete   gone    it has its name, durably         stored, and not told
 *	complete   there   error before it has its name     failed
 *	complete   gone    error before it has its name     thrown away
 *	complete   there   name given, sync failed          failed: outcome unknown
 *	complete   gone    name given, sync failed          not told
 *	complete   there   no answer before the link        failed, and called off
 *	complete   gone    no answer before the link        committed when it answers
 *	complete   there   no answer since the link began   failed: outcome unknown
 *	complete   gone    no answer since the link began   committed when it answers
 *	complete   there   no answer since it is durable    stored
 *	part       there   error, or no answer              failed
 *	part       gone    any                              thrown away
 *	part       any     it has its name                  cannot be
 *
 * A partial is never thrown away: where another file would be, it stays, as of its
 * last suspend; a commit that was not concluded says so by itself (partial_file.h).
 * An owner that lets go of one while it is made leaves nothing.
 *
 *	step       owner   the disk's verdict               ending
 *	made       there   it is listed, durably            ready
 *	made       gone    any                              thrown away
 *	found      there   it is there                      found
 *	found      there   it is not, or another has it     failed
 *	part       there   it is durable, and says so       suspended
 *	part       there   error, or no answer              failed; as before
 *	part       gone    any                              as before
 *	suspended  there   -                                goes on, or is committed
 *	suspended  gone    -                                as it is
 *	removed    there   nothing is left                  removed
 *
 * tests/unit/test_states.c walks the table along each of these lines.
 */
#ifndef LOCAL_INCOMING_H
#define LOCAL_INCOMING_H

#include "base/fsm.h"
#include "store/store.h"

struct incoming_file;

enum incoming_state {
	INCOMING_NEW,
	INCOMING_COLLECTING,   /* small: chunks stay here, there is no file */
	INCOMING_OPENING,      /* a job makes the file */
	INCOMING_OPENING_LATE, /* the same, of what was to be collected */
	INCOMING_OPEN,	       /* chunks are written */
	INCOMING_COMMIT_DUE,   /* when the job beside the writes has ended */
	INCOMING_COMMITTING,   /* a job gives it its name */
	INCOMING_STORING,      /* a job makes, writes and commits it */

	/* The path leads to another directory: when that is open, the job is
	 * done again, there. */
	INCOMING_REOPENING,
	INCOMING_REOPENING_LATE,
	INCOMING_REOPENING_STORING,

	INCOMING_SYNCING,  /* it has its name; the directory is synced */
	INCOMING_REMOVING, /* it is durable; a job removes the one before */

	/* of a partial */
	INCOMING_MAKING, /* a job makes it */
	INCOMING_REOPENING_MAKING,
	INCOMING_LISTING, /* its name in `.penstock` is synced */
	INCOMING_FINDING, /* a job opens it and looks what there is of it */
	INCOMING_REOPENING_FINDING,
	INCOMING_FOUND,	      /* its owner was told, and is to say what for */
	INCOMING_APPENDING,   /* a job opens its bytes, and finds its target */
	INCOMING_SUSPEND_DUE, /* when no operation is in flight */
	INCOMING_SUSPENDING,  /* a job makes its bytes durable, and says so */
	INCOMING_SUSPENDED,   /* its owner was told, and may go on */
	INCOMING_ERASING,     /* a job removes it */
	INCOMING_ERASED,      /* its owner was told, and is to abort it */
	INCOMING_CONCLUDING,  /* a job writes the answer; the same */

	INCOMING_STORED, /* its owner was told, and is to abort it */
	INCOMING_FAILED, /* its owner was told, and is to abort it */

	/* Its owner is gone, or was told already. */
	INCOMING_COMMIT_DUE_ALONE,
	INCOMING_COMMITTING_ALONE,
	INCOMING_SYNCING_ALONE,
	INCOMING_REMOVING_ALONE,

	INCOMING_ENDING,    /* its last operation, and its owner, are to go */
	INCOMING_POSTPONED, /* until the disk answers */
	INCOMING_DISCARDING, /* a job closes what is open, and takes back names */
	INCOMING_OVER,
	INCOMING_STATES
};

enum incoming_event {
	/* its owner, and its sink */
	INCOMING_CREATE,
	INCOMING_COLLECT,
	INCOMING_LATE,	 /* it was collected, and that takes too long */
	INCOMING_COMMIT, /* nothing runs beside */
	INCOMING_COMMIT_BUSY,
	INCOMING_CREATE_PARTIAL,
	INCOMING_RESUME,
	INCOMING_APPEND,
	INCOMING_NOT_APPENDED, /* out of memory */
	INCOMING_SUSPEND,      /* nothing is in flight */
	INCOMING_SUSPEND_BUSY,
	INCOMING_REMOVE,
	INCOMING_CONCLUDE,
	INCOMING_ABORT,
	/* the job of its state; `res` is what it returned */
	INCOMING_JOB_DONE,
	INCOMING_JOB_FAILED,
	INCOMING_JOB_MOVED, /* LOCAL_VANISHED: it has left nothing behind */
	INCOMING_REOPENED,
	INCOMING_NOT_REOPENED,
	/* beside writes; the last one is for when there is no writer */
	INCOMING_BACKGROUND_DONE,
	INCOMING_BACKGROUND_FAILED,
	INCOMING_WRITTEN,
	/* its directory was synced, as far as it is; or could not be */
	INCOMING_SYNCED,
	INCOMING_UNSYNCED,
	/* its disk */
	INCOMING_UNHEALTHY,
	INCOMING_CALLED_OFF, /* the same, and its name will never appear */
	INCOMING_UNKNOWN,    /* the same, and its name may appear */
	INCOMING_HEALTHY,
	/* nothing is in flight: what is there to be thrown away? */
	INCOMING_NOTHING_LEFT,
	INCOMING_STUCK, /* something, by a disk that does not answer */
	INCOMING_LEFTOVERS,
	INCOMING_EVENTS
};

extern const struct fsm_table incoming_table;

/* The store's part: store/store.h. */
struct failure incoming_create(struct store *s,
    const struct put_request *request, const struct put_events *events,
    void *owner, struct incoming **ret);
uint64_t incoming_offset(struct incoming *in);
void incoming_commit(struct incoming *in, uint64_t last_ns);
void incoming_abort(struct incoming *in);

/* What moves do: incoming_moves.c, and incoming_partial_moves.c of partials.  These tell the
 * owner something, ... */
fsm_act_fn incoming_tell_ready;
fsm_act_fn incoming_tell_stored;
fsm_act_fn incoming_tell_stored_early;
fsm_act_fn incoming_tell_failed;
fsm_act_fn incoming_fail_writer;
fsm_act_fn incoming_tell_unhealthy;
fsm_act_fn incoming_tell_called_off;
fsm_act_fn incoming_tell_unknown;
fsm_act_fn incoming_tell_made;
fsm_act_fn incoming_tell_found;
fsm_act_fn incoming_tell_not_found;
fsm_act_fn incoming_tell_suspended;
fsm_act_fn incoming_tell_removed;
/* ... and these do not. */
fsm_act_fn incoming_begin_append;
fsm_act_fn incoming_begin_conclude;
fsm_act_fn incoming_begin_finding;
fsm_act_fn incoming_begin_making;
fsm_act_fn incoming_begin_remove;
fsm_act_fn incoming_begin_suspend;
fsm_act_fn incoming_suspend_when_idle;
fsm_act_fn incoming_sync_listing;
fsm_act_fn incoming_begin_commit;
fsm_act_fn incoming_begin_create;
fsm_act_fn incoming_begin_storing;
fsm_act_fn incoming_begin_writing;
fsm_act_fn incoming_call_off;
fsm_act_fn incoming_discard;
fsm_act_fn incoming_end_stored_alone;
fsm_act_fn incoming_fail_alone;
fsm_act_fn incoming_follow_path;
fsm_act_fn incoming_free;
fsm_act_fn incoming_postpone;
fsm_act_fn incoming_remove_before;
fsm_act_fn incoming_sync_directory;
fsm_act_fn incoming_wind_down;

#endif
