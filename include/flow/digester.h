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
 * The first 16 KiB are hashed on the loop, the rest by a job on an engine thread
 * (device_new_compute()).  The job hashes chunk after chunk while there are any, without
 * waiting for the loop between two, and wakes the loop when some are done.
 *
 * It may be the tap of several writers, one after the other: all their bytes are one
 * stream.
 */
#ifndef FLOW_DIGESTER_H
#define FLOW_DIGESTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/digest.h"
#include "base/failure.h"
#include "flow/writer.h"

struct device;
struct digester;
struct engine;
struct ev_loop;

/* What `loop`, `engine` and `compute` point to must outlive the digester and its last
 * job. */
struct digester_setup {
	struct ev_loop *loop;
	struct engine *engine;
	struct device *compute;
	unsigned set; /* of algorithms: base/digest.h; not empty */
	/* The values that digester_finish() compares with, of algorithms in
	 * `set`; copied.  NULL: none. */
	const struct digest_claims *claims;
	unsigned depth; /* chunks at a time at most: the writer's depth */
};

/*
 * digester_new(setup, ret):
 * *ret, which the caller owns until digester_free(); or NO_MEMORY, or NO_DIGEST when
 * libcrypto does not provide one of the algorithms.
 */
NODISCARD struct failure digester_new(
    const struct digester_setup *setup, struct digester **ret);

/* The tap to give to a writer (struct writer_setup).  The digester owns it. */
struct tap *digester_tap(struct digester *d);

/*
 * digester_finish(d):
 * To be called once, when the last writer has drained: compute the values.  Fails
 * with DIGEST_DIFFERS when a value is not the one that was claimed, or with what kept
 * them from being computed.
 */
NODISCARD struct failure digester_finish(struct digester *d);

/* The values, after a digester_finish() that did not fail.  The digester owns them. */
const struct digest *digester_values(const struct digester *d);

/* Nanoseconds spent on hashing for writers that have drained. */
uint64_t digester_ns(const struct digester *d);

/* Free it and clear the caller's pointer.  Its writer must have been stopped, or never
 * started.  If a job still runs, the memory is freed when that has ended. */
void digester_free(struct digester **dp);

#endif
