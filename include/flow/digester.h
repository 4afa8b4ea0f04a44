/*
 * flow/digester.h - checksums of the bytes that pass on their way to a sink.
 *
 *	queue -> writer --> sink       writes a chunk,
 *	               \--> digester   and hashes it at the same time
 *
 * A digester is a writer's tap (flow/writer.h): both take the same chunk, which
 * goes back to its pool when both are done with it.  So any sink gets digests
 * for free, and knows nothing of them.
 *
 * The first 16 KiB are hashed on the loop, all else by a job on a device that
 * is no disk (device_new_compute).  The job goes on while there are chunks and
 * wakes the loop when some are done, so that it need not wait for a turn of the
 * loop between two.
 *
 * It may be given to one writer after the other: the bytes of all are one stream.
 */
#ifndef FLOW_DIGESTER_H
#define FLOW_DIGESTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/digest.h"
#include "flow/writer.h"

struct device;
struct digester;
struct engine;
struct ev_loop;

/* All of it outlives the digester, and its last job. */
struct digester_setup {
	struct ev_loop *loop;
	struct engine *engine;
	struct device *compute;
	unsigned set; /* of algorithms: base/digest.h; not empty */
	/* What the values have to be, of algorithms in `set`; copied.  NULL:
	 * anything. */
	const struct digest_claims *claims;
	unsigned
	    depth; /* chunks that it may be given at a time: the writer's */
};

/*
 * digester_new(setup, ret):
 * 0, -ENOMEM, or -EOPNOTSUPP when an algorithm cannot be had.  The caller owns
 * it until digester_free().
 */
NODISCARD int digester_new(
    const struct digester_setup *setup, struct digester **ret);

/* What a writer is to be given. */
struct tap *digester_tap(struct digester *d);

/*
 * digester_finish(d):
 * The last writer has drained: work out the values, once.  0; -EBADMSG when they are
 * not as claimed; or another negative errno, and there are none.
 */
NODISCARD int digester_finish(struct digester *d);

/* The values, after digester_finish() said 0.  They are the digester's own. */
const struct digest *digester_values(const struct digester *d);

/* Nanoseconds spent on hashing, by the writers that have drained. */
uint64_t digester_ns(const struct digester *d);

/* Free it, and the caller's pointer, when its writer has been stopped (or never
 * began).  A job that still runs is waited for without the caller. */
void digester_free(struct digester **dp);

#endif
