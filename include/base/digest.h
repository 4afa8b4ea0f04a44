/*
 * base/digest.h - checksums of a stream of bytes, several at a time.
 *
 *	digest_new -> digest_update ... -> digest_finish -> digest_value
 *
 * MD5, SHA-1 and SHA-2 are libcrypto's, CRC-32C is ISA-L's; both choose the fastest
 * way that the processor has.  Hashing is slow: a large update belongs on an
 * engine thread.  An object may move between threads, but only one may use it
 * at a time; the caller provides the memory ordering when it hands the object
 * over.
 *
 * A digest's value is its bytes as RFC 9530 puts them on the wire; CRC-32C is
 * four, the most significant one first.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

struct digest;
struct str;

enum digest_algo {
	DIGEST_CRC32C,
	DIGEST_MD5,
	DIGEST_SHA1, /* for claims about parts only: nobody is offered it */
	DIGEST_SHA256,
	DIGEST_SHA512,
	DIGEST_COUNT
};

enum {
	DIGEST_LEN_MAX = 64, /* bytes of the longest value */
};

/* A set of algorithms is a bit mask with one bit for each. */
static inline unsigned
digest_bit(enum digest_algo a)
{
	return 1U << a;
}

struct digest_kind {
	const char *name; /* in fields, as the IANA registry has it: sha-256;
			     NULL: it is in none */
	const char *word; /* in receipts and in the config: sha256 */
	size_t len;	  /* bytes of a value */
};

extern const struct digest_kind digest_kinds[DIGEST_COUNT];

/* Expected values, as a client claims them; only those in `set` are filled
 * in.  Those in `wanted` are to be computed, whatever they are. */
struct digest_claims {
	unsigned set, wanted;
	unsigned char value[DIGEST_COUNT][DIGEST_LEN_MAX];
};

/*
 * Life cycle.
 */

/*
 * digest_start():
 * Have libcrypto read its openssl.cnf and look up the algorithms.  Call it
 * before any other function here, while the process has one thread.  Processes
 * forked later inherit the result; calling it again does nothing.  Returns the
 * set that is available: all, unless libcrypto is configured to refuse some
 * (MD5 in FIPS mode).
 */
unsigned digest_start(void);

/* Free what digest_start() allocated, when no object is left. */
void digest_stop(void);

/*
 * digest_new(set, ret):
 * Begin the digests of `set`, which is not empty, of no bytes yet.  0, -ENOMEM,
 * or -EOPNOTSUPP when one of them cannot be had.  The caller owns it until
 * digest_free().
 */
NODISCARD int digest_new(unsigned set, struct digest **ret);

/* Free it and the caller's pointer, finished or not; nothing if NULL. */
void digest_free(struct digest **dp);

/*
 * The bytes.
 */

/*
 * digest_update(d, bytes, len):
 * Go on with the next bytes of the stream; how it is cut does not matter.  0,
 * or -EIO when libcrypto fails, after which only digest_free() is allowed.
 */
NODISCARD int digest_update(struct digest *d, const void *bytes, size_t len);

/* The stream has ended: compute the values, once.  0 or -EIO, as above. */
NODISCARD int digest_finish(struct digest *d);

/* Each has what the other one had; they were made for the same set. */
void digest_swap(struct digest *a, struct digest *b);

/*
 * The values, from digest_finish() on.
 */

/* The algorithms that it was made for. */
unsigned digest_set(const struct digest *d);

/* The digest_kinds[a].len bytes of one of its algorithms; they are its own. */
const unsigned char *digest_value(const struct digest *d, enum digest_algo a);

/* The claimed algorithms whose value differs.  `d` must have been made for all
 * that are claimed. */
unsigned digest_differ(
    const struct digest *d, const struct digest_claims *claims);

/* Add `sha-256=:base64:`, a member of Repr-Digest, to `b`; of one that has a name. */
void digest_add_field(
    struct str *b, enum digest_algo a, const unsigned char *value);

/* Add the value in lower-case hexadecimal digits, as sha256sum writes it. */
void digest_add_hex(
    struct str *b, enum digest_algo a, const unsigned char *value);

/* Is this one there, and does it belong into fields and receipts? */
bool digest_is_told(const struct digest *d, enum digest_algo a);

/* Add all those as members of a JSON object: "sha-256":"HEX",... */
void digest_add_members(const struct digest *d, struct str *out);

#endif
