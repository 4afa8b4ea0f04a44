/*
 * http/resume_fields.h - the fields of resumable uploads, as both protocols write them.
 *
 *	tus    Upload-Length: 11              a number, and nothing else
 *	       Upload-Metadata: name YS50eHQ=,is_confidential
 *	       Upload-Checksum: sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=
 *	       Upload-Concat: final;/files/a /files/b
 *	IETF   Upload-Complete: ?0            structured fields (RFC 9651)
 *	       Upload-Length: 11
 *
 * All of it is text of a client.  Nothing is allocated, and spans are parts of what is
 * read.
 */
#ifndef HTTP_RESUME_FIELDS_H
#define HTTP_RESUME_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/digest.h"
#include "http/syntax.h"

/* A number of tus: decimal digits, no sign, no zero before others, below 2^63. */
bool resume_fields_number(struct span v, uint64_t *ret);

/* An integer of a structured field that is not negative; its parameters are passed over. */
bool resume_fields_integer(struct span v, uint64_t *ret);

/* A boolean of one. */
bool resume_fields_boolean(struct span v, bool *ret);

/* A pair of Upload-Metadata. */
struct resume_pair {
	struct span key;
	struct span value; /* base64; empty: there is none */
};

/* Take the next pair off *rest.  Empty members are passed over, and so is white space
 * around keys and values, which some clients send.  False at the end. */
bool resume_fields_next_pair(struct span *rest, struct resume_pair *ret);

/* NULL: each pair has a key, of its own, and base64 as its value, or nothing; else a
 * static sentence about what is wrong. */
const char *resume_fields_metadata_fault(struct span field);

/*
 * resume_fields_metadata(field, key, buf, size):
 * The value of `key`, decoded, in the `size` bytes at `buf`: how long it is; 0: it is not
 * there, it is empty, or does not fit.  It may have any bytes in it.
 */
size_t resume_fields_metadata(
    struct span field, const char *key, char *buf, size_t size);

enum resume_checksum {
	RESUME_CHECKSUM_READ,
	RESUME_CHECKSUM_MALFORMED,
	RESUME_CHECKSUM_UNKNOWN, /* of an algorithm that is not known here */
	RESUME_CHECKSUM_DIFFERS, /* it has not the length of such a checksum */
};

/* Read Upload-Checksum into a set of one. */
enum resume_checksum resume_fields_checksum(
    struct span v, struct digest_claims *ret);

/* The algorithms that are known, with commas between: for Tus-Checksum-Algorithm. */
void resume_fields_add_algorithms(struct str *out);

enum resume_concat {
	RESUME_CONCAT_PARTIAL,
	RESUME_CONCAT_FINAL, /* of the URLs that follow */
	RESUME_CONCAT_MALFORMED,
};

/* Read Upload-Concat; *ret_urls is what stands behind `final;`. */
enum resume_concat resume_fields_concat(struct span v, struct span *ret_urls);

/* Take the next URL off *rest; false at the end. */
bool resume_fields_next_url(struct span *rest, struct span *ret_url);

/*
 * resume_fields_id(url, prefix):
 * What stands in place of the ID in the URL of an upload of a location with this prefix,
 * which is absolute or a path, with or without a query; absent: it is no such URL.
 */
struct span resume_fields_id(struct span url, const char *prefix);

/* The digest that Want-Repr-Digest wants most, of those that are computed for it: a set of
 * one, or 0. */
unsigned resume_fields_wanted(struct span v);

/* True when `list` (Trailer) names this field. */
bool resume_fields_announces(struct span list, const char *name);

#endif
