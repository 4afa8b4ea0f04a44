/*
 * upload/upload.h - one upload: what comes from one source, or from several one
 * after the other, becomes one file in a store.
 *
 *	upload_begin
 *	     |
 *	  on_ready ---> upload_transfer ---> on_transferred ---> upload_commit
 *	                       ^                   |                   |
 *	                       \---- the next -----/               on_stored
 *
 * An upload knows its location, the file in its store, the digests of all that
 * went in, and its place among those that the location counts.  It knows nothing of
 * requests: its owner brings sources, and is told what becomes of them; it need
 * have none between two transfers.
 *
 * It is embedded in its owner's struct, which the owner frees after upload_end().
 */
#ifndef UPLOAD_UPLOAD_H
#define UPLOAD_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/failure.h"
#include "shared/limits.h"
#include "config/config.h"
#include "flow/digester.h"
#include "store/store.h"
#include "upload/transfer.h"

struct upload;
struct upload_env;
struct upload_failed;

/*
 * What the owner is told, from the loop or from within the call that causes it.
 * It may call anything below from within these, as its last statement.
 */
struct upload_events {
	/* The store has a file: a transfer may begin. */
	void (*on_ready)(struct upload *u);
	/* The transfer has ended, and all that was read is written.  Another one
	 * may begin, now or later, or the commit.  `why`: its source has failed
	 * (`keep`); OUTCOME_NONE: all of the source is in the upload. */
	void (*on_transferred)(struct upload *u, struct failure why);
	/* It is stored; `s` is good during the call.  upload_end() is to be
	 * called from within. */
	void (*on_stored)(struct upload *u, const struct stored *s);
	/* It is not, and nothing of it stays (OUTCOME_UNKNOWN: it may).  `reason`
	 * as with put_events.  At any time before on_stored().  upload_end() is to
	 * be called from within. */
	void (*on_failed)(
	    struct upload *u, struct failure why, const char *reason);
};

/* The fields are the module's; its owner may read the meter. */
struct upload {
	unsigned magic;
	unsigned state; /* enum upload_state */
	const struct upload_env *env;
	const struct upload_events *events;
	const struct conf_location *location;
	struct incoming *incoming; /* NULL: there is no file */
	struct flow flow; /* of the transfer; its meter is the upload's */
	struct digester *digester; /* NULL: no digest is wanted */
	union {
		struct failure cut; /* of the transfer's source */
		const struct stored *stored;
		const struct upload_failed *failed;
		uint64_t last_ns; /* the store, of the commit */
	} told;			  /* what the owner is told next */
	uint64_t id;
	limits_entry place; /* among max_uploads; 0: not counted */
	bool keeps;	    /* the transfer is one with `keep` */
};

/* What to begin; all that this points to is needed during the call only, but for
 * the first three. */
struct upload_request {
	const struct upload_env *env;
	const struct upload_events *events;
	const struct conf_location *location;
	struct store *store;
	const struct put_request *put;	    /* its name, its length, ... */
	const struct digest_claims *claims; /* what its digests have to be */
	uint64_t id;			    /* for logs */
	limits_entry place; /* of limits_enter(), or 0; the upload's then */
};

/* Begin: on_ready() follows, or on_failed(), perhaps from within. */
void upload_begin(struct upload *u, const struct upload_request *r);

/*
 * upload_transfer(u, t):
 * Take what the source has, and write it behind what is there.  After on_ready() or
 * on_transferred(), one at a time.
 */
void upload_transfer(struct upload *u, const struct transfer *t);

/*
 * upload_commit(u, last_ns):
 * All is there: have it stored, unless it differs from what is claimed.  After
 * on_transferred(); on_stored() follows, or on_failed().  `last_ns`: when its last
 * byte came (struct arrival), where put_request.head_ns says when the first did; or 0.
 */
void upload_commit(struct upload *u, uint64_t last_ns);

/* It is being committed: given up now it may get its name all the same. */
bool upload_is_committing(const struct upload *u);

/*
 * upload_end(u, last_step):
 * Its owner is done with it, in any state, and hears nothing any more.  Nothing of
 * it stays unless it is stored; what is being committed goes on alone.  `last_step`
 * is the trace's last line.
 */
void upload_end(struct upload *u, const char *last_step);

/* Bytes that the store was given so far: where the next transfer goes on.  After
 * on_ready(). */
uint64_t upload_offset(const struct upload *u);

/* From within on_stored(): its digests; NULL: none was wanted. */
const struct digest *upload_digest(const struct upload *u);

/* How its time was spent; stopped from within on_stored() and on_failed(). */
static inline const struct meter *
upload_meter(const struct upload *u)
{
	return &u->flow.meter;
}

#endif
