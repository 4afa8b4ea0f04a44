/*
 * web/resume_ask.h - what a request for an upload that can be resumed asks, by its head
 * alone.
 *
 *	head --resume_ask_creation--> struct resume_ask --resume_ask_fits--> bytes
 *	     --resume_ask_append--->                          ^
 *	                                  offset and length of the upload
 *
 * Nothing here knows more than the fields and two numbers, so that all that a client may
 * get wrong is said, and tested, in one place.
 */
#ifndef WEB_RESUME_ASK_H
#define WEB_RESUME_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/outcome.h"
#include "http/head.h"
#include "web/resume_dialect.h"

#define RESUME_UNKNOWN UINT64_MAX /* a length that is not known */

/* Types of problems that the drafts have. */
#define RESUME_PROBLEM "https://iana.org/assignments/http-problem-types#"
#define RESUME_OFFSET_DIFFERS RESUME_PROBLEM "mismatching-upload-offset"
#define RESUME_LENGTH_DIFFERS RESUME_PROBLEM "inconsistent-upload-length"

struct resume_ask {
	const struct resume_dialect *dialect;
	bool has_body; /* bytes may come, and the body has to be read */
	uint64_t body; /* how many; RESUME_UNKNOWN: a chunked one */
	uint64_t offset;
	uint64_t length;  /* of the whole, as this request says it; or
			     RESUME_UNKNOWN */
	bool complete;	  /* a draft: these are the last */
	bool partial;	  /* a part that is to be concatenated */
	struct span urls; /* of those that are; absent: it is no such request */
	struct digest_claims part, whole;
	bool part_differs; /* by the length of its checksum already */
	bool trailer;	   /* the checksum follows the body */
};

/* Why not.  All texts are static. */
struct resume_refusal {
	int status;
	enum outcome outcome;
	const char *why;
	const char *type; /* of the problem; NULL: none of its own */
	bool is_last;	  /* the upload is not worth going on with */
};

/* A request that begins an upload.  False: *ret_refusal says why not. */
bool resume_ask_creation(const struct head *h, const struct resume_dialect *d,
    struct resume_ask *ret, struct resume_refusal *ret_refusal);

/* A request that appends to one. */
bool resume_ask_append(const struct head *h, const struct resume_dialect *d,
    struct resume_ask *ret, struct resume_refusal *ret_refusal);

/*
 * resume_ask_again(h, d, size, ret):
 * To an upload that has its last word, with `size` bytes: does this request of a draft bring
 * nothing?  Then it asks what became of the upload, and what it leaves out of what appends
 * need is not missed.  Another offset than `size` may still be in ret->offset.
 */
bool resume_ask_again(const struct head *h, const struct resume_dialect *d,
    uint64_t size, struct resume_ask *ret);

/*
 * resume_ask_fits(a, offset, length, max, ret_refusal):
 * Does it fit to an upload of which `offset` bytes of `length` (or RESUME_UNKNOWN) are
 * there, and which may have `max` bytes (0: any)?  With that a->length is what is known
 * then.  A status of 409 says that another offset is right.
 */
bool resume_ask_fits(struct resume_ask *a, uint64_t offset, uint64_t length,
    uint64_t max, struct resume_refusal *ret_refusal);

/* How many bytes the body may have; UINT64_MAX: any number. */
uint64_t resume_ask_room(const struct resume_ask *a, uint64_t max);

/* Read the checksum that has come in the trailer, `v`, into a->part. */
bool resume_ask_take_trailer(
    struct resume_ask *a, struct span v, struct resume_refusal *ret_refusal);

#endif
