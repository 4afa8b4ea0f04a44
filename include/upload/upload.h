/*
 * upload/upload.h - one upload: the bytes of one source, or of several in turn, become
 * one file in a store.
 *
 *	upload_begin
 *	     |
 *	  on_ready ---> upload_transfer ---> on_transferred ---> upload_commit
 *	                       ^                   |                   |
 *	                       \---- the next -----/               on_stored
 *
 * An upload has a location, a file in its store, digests of all bytes, and a place among
 * the uploads that are counted for max_uploads.  It knows nothing of requests: its owner
 * gives it sources, and is told what becomes of them.  Between two transfers it has no
 * source.
 *
 * It is a member of its owner's struct, which the owner may free after upload_end().
 */
#ifndef UPLOAD_UPLOAD_H
#define UPLOAD_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/failure.h"
#include "shared/limits.h"
#include "config/config.h"
#include "flow/flow.h"
#include "store/store.h"
#include "upload/roll.h"
#include "upload/takeover.h"
#include "upload/transfer.h"
#include "upload/upload_digests.h"

struct fsm_table;
struct live_record;
struct upload;
struct upload_env;
struct upload_failed;

/*
 * Calls to the owner, from the loop or from within the call that causes them.  From
 * within these it may call any function below, as its last statement.
 */
struct upload_events {
	/* The store has made the file: a transfer may begin. */
	void (*on_ready)(struct upload *u);
	/* The transfer has ended, and all that was read is written: now or later
	 * the owner begins another transfer, or commits.  `why`: OUTCOME_NONE when
	 * the source was read to its end; else why it has failed
	 * (transfer.keep). */
	void (*on_transferred)(struct upload *u, struct failure why);
	/* It is stored; `s` is valid during the call, in which the owner must call
	 * upload_end(). */
	void (*on_stored)(struct upload *u, const struct stored *s);
	/* It has failed, and nothing of it stays (OUTCOME_UNKNOWN: it may).
	 * `reason` is that of put_events.  May come at any time before
	 * on_stored().  The owner must call upload_end() from within. */
	void (*on_failed)(
	    struct upload *u, struct failure why, const char *reason);
	/* For who watches: client, user, name, form, from, bytes and length, as far
	 * as they are known.  False: it is none that is listed.  NULL: none is. */
	bool (*describe)(struct upload *u, struct live_record *r);

	/* ---- of an upload that outlives its connection; NULL: it never does ---- */

	/* After upload_resume(), once: another request has it, and
	 * upload_partial() says whose it is, and so on (store_resume(), HELD).
	 * The other one is not asked to let go before the owner calls
	 * upload_await(); or it calls upload_end(), and nobody is disturbed. */
	void (*on_held)(struct upload *u);
	/* After upload_resume(): it is there, and upload_partial() says what is
	 * known of it.  upload_append(), upload_remove(), upload_conclude() or
	 * upload_end() is next. */
	void (*on_found)(struct upload *u);
	/* After upload_suspend(): its offset is there for good.  upload_append(),
	 * upload_commit() or upload_end() is next. */
	void (*on_suspended)(struct upload *u);
	/* After upload_remove(): the owner must call upload_end() from within. */
	void (*on_removed)(struct upload *u);
	/* A newer request wants this upload, from on_ready() or on_found() on: the
	 * owner is to let go of it soon (upload_cut(), and so on).  Once. */
	void (*on_wanted)(struct upload *u);
	/* An operator wants it cut, as long as this is called.  NULL: it fails with
	 * OUTCOME_CUT, unless it has to wait for something, or is whole. */
	void (*on_cut)(struct upload *u);
};

/* The fields are the module's. */
struct upload {
	unsigned magic;
	unsigned state; /* enum upload_state */
	const struct fsm_table *table;
	const struct upload_env *env;
	const struct upload_events *events;
	const struct conf_location *location;
	struct incoming *incoming; /* the file; NULL: there is none */
	struct flow flow; /* of the transfer; its meter is the upload's */
	struct upload_digests digests;
	struct roll_entry entry; /* among those that run */
	/* The argument of the event that is being handled. */
	union {
		struct failure cut; /* of the transfer's source */
		const struct stored *stored;
		const struct upload_failed *failed;
		uint64_t last_ns; /* for store_commit() */
		const struct put_request *append;
		const struct partial *suspend;
	} told;
	uint64_t id;
	limits_entry place; /* among max_uploads; 0: not counted */
	bool keeps;	    /* the transfer is one with `keep` */
	/* ---- of a partial ---- */
	bool is_told;	 /* that it is wanted */
	bool is_awaited; /* its owner wants it, also from who has it */
	struct store *store;
	char partial[PARTIAL_ID_LEN + 1]; /* its ID; "": it is none */
	uint64_t since_ns;		  /* when its request came */
	struct takeover_hold hold;
	struct takeover_wait wait;
};

/* What to begin.  `env`, `events` and `location` outlive the upload; the rest is needed
 * during upload_begin() only. */
struct upload_request {
	const struct upload_env *env;
	const struct upload_events *events;
	const struct conf_location *location;
	struct store *store;
	const struct put_request *put;	    /* its name, its length, ... */
	const struct digest_claims *claims; /* what its digests have to be */
	uint64_t id;			    /* for logs */
	limits_entry place;  /* of limits_enter(), or 0; the upload's then */
	const char *partial; /* upload_resume(): its ID */
};

/* Begin the upload: on_ready() follows, or on_failed(), perhaps from within. */
void upload_begin(struct upload *u, const struct upload_request *r);

/*
 * upload_transfer(u, t):
 * Append the bytes of t->source.  One at a time, after on_ready() or on_transferred(),
 * which follows, or on_failed().
 */
void upload_transfer(struct upload *u, const struct transfer *t);

/*
 * upload_commit(u, last_ns):
 * All bytes are there: have the file stored, unless a digest differs from what the
 * client states.  After on_transferred(); on_stored() follows, or on_failed().
 * `last_ns` is that of store_commit(), or 0.
 */
void upload_commit(struct upload *u, uint64_t last_ns);

/*
 * Of an upload that outlives its connection: begun with put->partial, or resumed.
 *
 * upload_resume(u, r):
 * Go on with the partial r->partial; r->put and r->claims are not used.  on_found() follows,
 * or on_held(), or on_failed(), perhaps from within: NO_UPLOAD, HELD, ...  If another request
 * has it, and nothing can be said of it, it is tried again for some seconds.
 */
void upload_resume(struct upload *u, const struct upload_request *r);

/* After on_held(): the other request, on this worker or another, is asked to let go, and it
 * is tried again for some seconds.  on_found() follows, or on_failed(). */
void upload_await(struct upload *u);

/* After on_held() or on_found(), or, of one that was begun, on_ready(): what is kept of it, until
 * upload_conclude(). */
const struct partial *upload_partial(const struct upload *u);

/* After on_found() or on_suspended(): bytes follow.  As store_append(), with `claims` on
 * the digests of the whole upload (NULL: none), which upload_commit() sees to: bytes that an
 * earlier request brought are read back for that.  on_ready() follows, or on_failed(). */
void upload_append(struct upload *u, const struct put_request *put,
    const struct digest_claims *claims);

/* While a transfer runs: it ends as if its source had failed with `why`, and what was read
 * is kept.  on_transferred() follows.  Of one with `keep`. */
void upload_cut(struct upload *u, struct failure why);

/* After on_transferred(), or on_ready(): as store_suspend().  on_suspended() follows, or
 * on_failed(). */
void upload_suspend(struct upload *u, const struct partial *what);

/* As store_conclude(), within on_stored() or on_failed(), or after on_found(), on_ready(),
 * on_transferred() or on_suspended(); upload_end() is next. */
void upload_conclude(
    struct upload *u, enum partial_phase phase, struct span answer);

/* After on_found(): as store_remove(). */
void upload_remove(struct upload *u);

/* After on_transferred(): as store_settle(), if its store can.  False: out of memory. */
NODISCARD bool upload_settle(struct upload *u, void *owner,
    void (*on_done)(void *owner, int err), struct store_task **ret);

/* True while it is being committed: then the file may get its name even if the upload
 * is ended. */
bool upload_is_committing(const struct upload *u);

/*
 * upload_end(u, last_step):
 * The owner is done with it, in any state, and no event is called any more.  Nothing of
 * it stays, unless it is stored, or a partial, at its last offset; a commit that runs goes on by itself.  `last_step` is
 * the last line of its trace.
 */
void upload_end(struct upload *u, const char *last_step);

/* After on_ready(): how many bytes the store was given so far, where the next transfer
 * goes on. */
uint64_t upload_offset(const struct upload *u);

/* The same at any time; 0 before. */
uint64_t upload_given(const struct upload *u);

/* From within on_stored(): its digests; NULL: none was computed. */
const struct digest *upload_digest(const struct upload *u);

/* From within on_transferred(): the digests of what the transfer has brought, those of
 * its claims (set and wanted); NULL: none, or it has failed. */
const struct digest *upload_part_digest(const struct upload *u);

/* How its time was spent.  Within on_stored() and on_failed() the meter is stopped. */
static inline const struct meter *
upload_meter(const struct upload *u)
{
	return &u->flow.meter;
}

#endif
