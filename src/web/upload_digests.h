/*
 * The digests of an upload: those that its location computes, and those that
 * its client claims.
 */
#ifndef WEB_UPLOAD_DIGESTS_H
#define WEB_UPLOAD_DIGESTS_H

#include "base/check.h"
#include "base/digest.h"
#include "config/config.h"
#include "flow/digester.h"
#include "web/context.h"

struct upload_digests {
	struct digester *digester;    /* NULL: none is wanted */
	struct digest_claims *claims; /* what they have to be; NULL: anything */
};

/*
 * upload_digests_begin(d, s, l, claims):
 * 0, -ENOMEM, or -EOPNOTSUPP when an algorithm cannot be had; upload_digests_end()
 * follows in any case.  The claims are copied.
 */
NODISCARD int upload_digests_begin(struct upload_digests *d,
    const struct context *c, const struct conf_location *l,
    const struct digest_claims *claims);

/* What the flow is to be given; NULL: nothing. */
struct tap *upload_digests_tap(const struct upload_digests *d);

/* The flow has drained: 0; -EBADMSG, when they are not as claimed; or -EIO. */
NODISCARD int upload_digests_finish(const struct upload_digests *d);

/* After that: for the receipt.  NULL: there are none. */
const struct digest *upload_digests_values(const struct upload_digests *d);

/* Nanoseconds that they took. */
uint64_t upload_digests_ns(const struct upload_digests *d);

/* The flow has been stopped; idempotent. */
void upload_digests_end(struct upload_digests *d);

#endif
