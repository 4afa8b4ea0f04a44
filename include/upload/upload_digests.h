/*
 * upload/upload_digests.h - the digests of an upload: of the whole, and of the part that
 * one transfer brings.
 *
 * What comes from the first byte on is hashed as it passes.  A partial whose bytes came
 * by several transfers has no digester that saw them all: they are read back
 * (store_hash()) before the commit.
 *
 * A member of struct upload; upload.c and upload_partial.c call it.
 */
#ifndef UPLOAD_UPLOAD_DIGESTS_H
#define UPLOAD_UPLOAD_DIGESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/digest.h"
#include "base/failure.h"
#include "flow/digester.h"

struct upload_env;

struct upload_digests {
	struct digest_claims
	    claims;		   /* on the whole; empty: only `set` is set */
	unsigned whole, part;	   /* what is wanted of it, of a transfer */
	unsigned depth;		   /* chunks at a time */
	bool by_part;		   /* each transfer has a digester of its own */
	bool is_finished;	   /* the digester has its values */
	struct digester *digester; /* NULL: none */
	uint64_t from, until;	   /* what it has had */
	struct digest *read_back;  /* of the whole, too; NULL: it was not */
	uint64_t ns;		   /* of earlier digesters */
};

/* Nothing is wanted, and nothing to be freed. */
void upload_digests_init(struct upload_digests *d);

/* Before the first byte, or the first of a resumed one: `whole` is wanted, and `claims`
 * (NULL: none), which are copied. */
void upload_digests_want(struct upload_digests *d, unsigned whole,
    const struct digest_claims *claims, unsigned depth, bool by_part);

/* A transfer begins, at `offset`, with claims of its own or NULL. */
NODISCARD struct failure upload_digests_begin(struct upload_digests *d,
    const struct upload_env *env, const struct digest_claims *part,
    uint64_t offset);

/* It has ended at `offset`, with all bytes of its source: are its own claims true? */
NODISCARD struct failure upload_digests_end(
    struct upload_digests *d, uint64_t offset);

/* It has ended without. */
void upload_digests_cut(struct upload_digests *d);

/* Is there something wanted of the whole that no digester knows? */
bool upload_digests_need_reading(
    const struct upload_digests *d, uint64_t offset);

/* To be read back: *ret is for store_hash(), and stays this module's. */
NODISCARD struct failure upload_digests_read_back(
    struct upload_digests *d, struct digest **ret);

/* All bytes are there, and were read back if they had to be: are the claims true? */
NODISCARD struct failure upload_digests_end_whole(
    struct upload_digests *d, uint64_t offset);

/* Of the whole, after upload_digests_end_whole(); NULL: none is wanted. */
const struct digest *upload_digests_values(const struct upload_digests *d);

/* Of the last transfer, after upload_digests_end(); NULL: it had no claims. */
const struct digest *upload_digests_part(const struct upload_digests *d);

/* Time spent on hashing as it passed. */
uint64_t upload_digests_ns(const struct upload_digests *d);

void upload_digests_fini(struct upload_digests *d);

#endif
