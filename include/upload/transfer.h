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

#include "base/digest.h"
#include "flow/flow.h"

struct transfer {
	struct source *source;	     /* outlives the transfer */
	struct reader_limits limits; /* on the source */
	size_t queue_depth;	     /* chunks */
	/* When the source fails, write what was read of it, and go on with the
	 * upload.  Otherwise the upload fails at once. */
	bool keep;
	/* What the digests of its own bytes have to be: it fails with
	 * DIGEST_DIFFERS otherwise.  NULL: none are claimed.  Copied. */
	const struct digest_claims *claims;
};

#endif
