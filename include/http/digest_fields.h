/*
 * http/digest_fields.h - the checksums that a client sends with an upload.
 *
 *	Content-Digest: sha-256=:47DEQ...=:      (RFC 9530)
 *	Repr-Digest: sha-512=:z4PhN...==:
 *	Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==    (RFC 1864)
 *
 * What can be read must hold for the bytes that come; what cannot be read is
 * refused, since a client that sends a checksum wants it verified.  The first two mean
 * the same here, since an upload is a whole file without a coding: given
 * both, they must agree.
 *
 * Other algorithms than sha-256 and sha-512 are passed over, as the RFC says:
 * those of the registry (md5, sha, crc32c ...) are deprecated there.  The
 * Digest field of RFC 3230, Want-*, and trailers are not looked at.
 */
#ifndef HTTP_DIGEST_FIELDS_H
#define HTTP_DIGEST_FIELDS_H

#include "base/check.h"
#include "base/digest.h"

struct head;

/*
 * digest_fields_read(h, ret, ret_why):
 * What the head says of its content: 0, *ret perhaps an empty set; or 400, and
 * *ret_why a static sentence that says what to send instead.
 */
NODISCARD int digest_fields_read(
    const struct head *h, struct digest_claims *ret, const char **ret_why);

#endif
