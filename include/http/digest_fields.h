/*
 * http/digest_fields.h - the checksums that a client sends with an upload.
 *
 *	Content-Digest: sha-256=:47DEQ...=:      (RFC 9530)
 *	Repr-Digest: sha-512=:z4PhN...==:
 *	Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==    (RFC 1864)
 *
 * Each checksum must be that of the bytes that arrive.  A field that cannot be read is
 * refused, since a client that sends a checksum wants it verified.  The first two fields
 * mean the same here, since an upload is a whole file without a content coding; if
 * both are there, they must agree.
 *
 * Algorithms other than sha-256 and sha-512 are skipped, as the RFC allows: it
 * deprecates the others of its registry (md5, sha, crc32c ...).  The Digest field of
 * RFC 3230, Want-*, and trailers are ignored.
 */
#ifndef HTTP_DIGEST_FIELDS_H
#define HTTP_DIGEST_FIELDS_H

#include "base/check.h"
#include "base/digest.h"

struct head;

/*
 * digest_fields_read(h, ret, ret_why):
 * Read the checksums in the head.  0, and *ret may be an empty set; or 400, and *ret_why
 * is a static sentence that says what to send instead.
 */
NODISCARD int digest_fields_read(
    const struct head *h, struct digest_claims *ret, const char **ret_why);

/* The same where the content is a part of the file only: what is claimed of the one, and of
 * the other. */
NODISCARD int digest_fields_read_part(const struct head *h,
    struct digest_claims *ret_part, struct digest_claims *ret_whole,
    const char **ret_why);

#endif
