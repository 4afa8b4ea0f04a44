/*
 * local/partial_hash.h - the bytes of a partial, read back for a digest.
 *
 * In steps, each a job on an engine thread that reads some megabytes and hashes them (the
 * kernel reads ahead meanwhile): so a disk that falls sick, an owner that lets go and a
 * worker that stops wait for one step at most.  The digest that is computed is this module's
 * own until the last step, since a step cannot be called back.
 */
#ifndef LOCAL_PARTIAL_HASH_H
#define LOCAL_PARTIAL_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

struct commit;
struct digest;
struct partial_hash;

/* Of the bytes from 0 to `end`, for `to`, which is used by partial_hash_give() only.  NULL:
 * no memory. */
NODISCARD struct partial_hash *partial_hash_new(
    struct digest *to, uint64_t end);

/* The file of `c` is what the next step reads. */
void partial_hash_prepare(struct partial_hash *h, struct commit *c);

/* A step: 0, -errno, or an enum local_error. */
int partial_hash_job(void *hash);

bool partial_hash_is_done(const struct partial_hash *h);

/* It is done: `to` has had the bytes. */
void partial_hash_give(struct partial_hash *h);

/* No step is in flight.  Clears the caller's pointer, which may be NULL. */
void partial_hash_free(struct partial_hash **hp);

#endif
