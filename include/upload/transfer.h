/*
 * upload/transfer.h - what an upload takes from one source, by one flow.
 *
 *	source --flow--> file of the upload
 *	                      ... the next one goes on where this one ended
 *
 * A transfer ends when all of its source is written; when its source has failed (its
 * client left, or was too slow) and what was read before is written; or with the
 * upload.
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
	struct reader_limits limits; /* of the source */
	size_t queue_depth;
	/* When the source fails, what was read of it is written and the upload
	 * lives on; else the upload fails at once. */
	bool keep;
};

/*
 * transfer_start(t, flow, setup, on_cut):
 * For the upload: begin `t` with a flow that is at rest.  `setup` has the file and
 * the callbacks; the rest is filled in.  on_cut(owner, why) is called when the source
 * of one that is to be kept has failed, in place of on_read_failed(); it calls
 * flow_drain().
 */
void transfer_start(const struct transfer *t, struct flow *flow,
    struct flow_setup *setup, void (*on_cut)(void *owner, struct failure why));

#endif
