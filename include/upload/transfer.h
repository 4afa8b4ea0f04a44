/*
 * upload/transfer.h - one flow from a source into an upload.
 *
 *	source --flow--> file of the upload
 *	                      ... the next one goes on where this one ended
 *
 * A transfer ends when all bytes of its source are written; when the source has failed
 * (the client left, or was too slow) and what was read before is written; or when the
 * upload ends.
 */
#ifndef UPLOAD_TRANSFER_H
#define UPLOAD_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/failure.h"
#include "flow/flow.h"

struct transfer {
	struct source *source;	     /* outlives the transfer */
	struct reader_limits limits; /* on the source */
	size_t queue_depth;	     /* chunks */
	/* When the source fails, write what was read of it, and go on with the
	 * upload.  Otherwise the upload fails at once. */
	bool keep;
};

/*
 * transfer_start(t, flow, setup, on_cut):
 * For upload.c: begin `t` with `flow`, which is at rest.  `setup` has the sink and the
 * callbacks; what comes from `t` is filled in.  With t->keep, on_cut(owner, why) is called
 * instead of on_read_failed(); it has to call flow_drain().
 */
void transfer_start(const struct transfer *t, struct flow *flow,
    struct flow_setup *setup, void (*on_cut)(void *owner, struct failure why));

#endif
