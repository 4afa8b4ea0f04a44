#include "web/resume_ask.h"

#include "base/str.h"
#include "http/digest_fields.h"
#include "http/media_type.h"
#include "http/resume_fields.h"

static bool
refuse(struct resume_refusal *r, int status, const char *why)
{
	*r = (struct resume_refusal){
	    .status = status, .outcome = OUTCOME_RESUMABLE, .why = why};
	return false;
}

static bool
refuse_size(struct resume_refusal *r)
{
	*r = (struct resume_refusal){
	    .status = 413, .outcome = OUTCOME_TOO_LARGE};
	return false;
}

/* What it says of the length cannot be true. */
static bool
refuse_length(
    struct resume_refusal *r, const struct resume_dialect *d, const char *why)
{
	(void)refuse(r, 400, why);
	if (d->problems)
		r->type = RESUME_LENGTH_DIFFERS;
	return false;
}

static void
read_body(const struct head *h, struct resume_ask *a)
{
	a->has_body = h->chunked || (h->has_length && h->content_length > 0);
	a->body = h->chunked	  ? RESUME_UNKNOWN
		  : h->has_length ? h->content_length
				  : 0;
}

/* ---- checksums ---- */

static bool
take_checksum(
    struct resume_ask *a, struct span v, struct resume_refusal *refusal)
{
	switch (resume_fields_checksum(v, &a->part)) {
	case RESUME_CHECKSUM_READ:
		return true;
	case RESUME_CHECKSUM_DIFFERS:
		a->part_differs = true;
		return true;
	case RESUME_CHECKSUM_UNKNOWN:
		return refuse(refusal, 400,
		    "Upload-Checksum has an algorithm that is not known here: "
		    "those that are stand in Tus-Checksum-Algorithm (OPTIONS)");
	case RESUME_CHECKSUM_MALFORMED:
	default:
		return refuse(refusal, 400,
		    "Upload-Checksum must be like: sha1 BASE64 (the digest "
		    "itself, not its hexadecimal digits)");
	}
}

static bool
read_checksum(
    const struct head *h, struct resume_ask *a, struct resume_refusal *refusal)
{
	const char *why;

	if (!resume_dialect_is_tus(a->dialect)) {
		int status =
		    digest_fields_read_part(h, &a->part, &a->whole, &why);

		return status == 0 || refuse(refusal, status, why);
	}
	a->trailer = h->chunked && h->upload_checksum.s == NULL &&
		     resume_fields_announces(h->trailer, "Upload-Checksum");
	if (a->trailer)
		a->part.wanted = (1U << DIGEST_COUNT) - 1;
	return h->upload_checksum.s == NULL ||
	       take_checksum(a, h->upload_checksum, refusal);
}

bool
resume_ask_take_trailer(
    struct resume_ask *a, struct span v, struct resume_refusal *refusal)
{
	return take_checksum(a, span_trim(v), refusal);
}

/* ---- creation ---- */

static bool
read_concat(
    const struct head *h, struct resume_ask *a, struct resume_refusal *refusal)
{
	switch (resume_fields_concat(h->upload_concat, &a->urls)) {
	case RESUME_CONCAT_PARTIAL:
		a->partial = true;
		return true;
	case RESUME_CONCAT_FINAL:
		if (h->upload_length.s != NULL ||
		    h->upload_defer_length.s != NULL)
			return refuse(refusal, 400,
			    "the length of a final upload is that of its "
			    "parts: leave out Upload-Length");
		return !a->has_body ||
		       refuse(refusal, 400,
			   "a final upload has no body of its own");
	case RESUME_CONCAT_MALFORMED:
	default:
		return refuse(refusal, 400,
		    "Upload-Concat must be: partial, or final;URL URL ...");
	}
}

static bool
read_tus_length(
    const struct head *h, struct resume_ask *a, struct resume_refusal *refusal)
{
	if (h->upload_length.s != NULL && h->upload_defer_length.s != NULL)
		return refuse(refusal, 400,
		    "send Upload-Length or Upload-Defer-Length, not both");
	if (h->upload_defer_length.s != NULL)
		return str_ieq(h->upload_defer_length.s,
			   h->upload_defer_length.len, "1") ||
		       refuse(refusal, 400, "Upload-Defer-Length must be 1");
	if (h->upload_length.s == NULL)
		return refuse(refusal, 400,
		    "say Upload-Length, or Upload-Defer-Length: 1");
	return resume_fields_number(h->upload_length, &a->length) ||
	       refuse(refusal, 400,
		   "Upload-Length must be a number of bytes, digits only");
}

static bool
ask_tus_creation(
    const struct head *h, struct resume_ask *a, struct resume_refusal *refusal)
{
	const char *fault = resume_fields_metadata_fault(h->upload_metadata);

	if (fault != NULL)
		return refuse(refusal, 400, fault);
	if (a->has_body && !media_type_is(h->content_type, RESUME_TYPE_TUS))
		return refuse(refusal, 415,
		    "the first bytes of an upload have the Content-Type "
		    "" RESUME_TYPE_TUS);
	if (h->upload_concat.s != NULL && !read_concat(h, a, refusal))
		return false;
	return (a->urls.s != NULL || read_tus_length(h, a, refusal)) &&
	       read_checksum(h, a, refusal);
}

/* The length as a draft's request says it, twice perhaps. */
static bool
read_draft_length(
    const struct head *h, struct resume_ask *a, struct resume_refusal *refusal)
{
	uint64_t says = RESUME_UNKNOWN;

	/* A field that is no such number is ignored. */
	if (resume_fields_integer(h->upload_length, &says))
		a->length = says;
	if (!a->complete || a->body == RESUME_UNKNOWN)
		return true;
	if (a->body > INT64_MAX - a->offset ||
	    (says != RESUME_UNKNOWN && says != a->offset + a->body))
		return refuse_length(refusal, a->dialect,
		    "Upload-Length is not what the offset and the length of "
		    "the last body make");
	a->length = a->offset + a->body;
	return true;
}

bool
resume_ask_creation(const struct head *h, const struct resume_dialect *d,
    struct resume_ask *ret, struct resume_refusal *ret_refusal)
{
	*ret = (struct resume_ask){.dialect = d, .length = RESUME_UNKNOWN};
	read_body(h, ret);
	if (resume_dialect_is_tus(d))
		return ask_tus_creation(h, ret, ret_refusal);
	if (!resume_dialect_complete(d, h, &ret->complete))
		return refuse(ret_refusal, 400,
		    "Upload-Complete must be ?0 or ?1 (in version 3: "
		    "Upload-Incomplete)");
	if (!read_draft_length(h, ret, ret_refusal) ||
	    !read_checksum(h, ret, ret_refusal))
		return false;
	ret->whole.wanted = resume_fields_wanted(h->want_repr_digest);
	return true;
}

/* ---- going on ---- */

static bool
ask_tus_append(
    const struct head *h, struct resume_ask *a, struct resume_refusal *refusal)
{
	if (!media_type_is(h->content_type, RESUME_TYPE_TUS))
		return refuse(refusal, 415,
		    "a PATCH of tus has the Content-Type " RESUME_TYPE_TUS);
	if (!resume_fields_number(h->upload_offset, &a->offset))
		return refuse(refusal, 400,
		    "say Upload-Offset: how many bytes there are before these, "
		    "digits only");
	if (h->upload_length.s != NULL &&
	    !resume_fields_number(h->upload_length, &a->length))
		return refuse(refusal, 400,
		    "Upload-Length must be a number of bytes, digits only");
	return read_checksum(h, a, refusal);
}

static bool
ask_draft_append(
    const struct head *h, struct resume_ask *a, struct resume_refusal *refusal)
{
	if (a->dialect->typed &&
	    !media_type_is(h->content_type, RESUME_TYPE_PART))
		return refuse(refusal, 415,
		    "a PATCH of this version has the Content-Type "
		    "" RESUME_TYPE_PART);
	if (!resume_fields_integer(h->upload_offset, &a->offset))
		return refuse(refusal, 400,
		    "say Upload-Offset: how many bytes there are before these");
	if (!resume_dialect_complete(a->dialect, h, &a->complete))
		return refuse(refusal, 400,
		    "say Upload-Complete: ?0, or ?1 with the last bytes (in "
		    "version 3: Upload-Incomplete)");
	return read_checksum(h, a, refusal);
}

bool
resume_ask_append(const struct head *h, const struct resume_dialect *d,
    struct resume_ask *ret, struct resume_refusal *ret_refusal)
{
	*ret = (struct resume_ask){.dialect = d, .length = RESUME_UNKNOWN};
	read_body(h, ret);
	if (resume_dialect_is_tus(d))
		return ask_tus_append(h, ret, ret_refusal);
	if (!ask_draft_append(h, ret, ret_refusal))
		return false;
	/* Whether it fits is seen after the offset. */
	(void)resume_fields_integer(h->upload_length, &ret->length);
	return true;
}

/* A chunked body may turn out to have none; what it has is read past. */
bool
resume_ask_again(const struct head *h, const struct resume_dialect *d,
    uint64_t size, struct resume_ask *ret)
{
	*ret = (struct resume_ask){
	    .dialect = d, .offset = size, .length = RESUME_UNKNOWN};
	read_body(h, ret);
	if (resume_dialect_is_tus(d) ||
	    (ret->body != 0 && ret->body != RESUME_UNKNOWN))
		return false;
	if (d->typed && h->content_type.s != NULL &&
	    !media_type_is(h->content_type, RESUME_TYPE_PART))
		return false;
	(void)resume_fields_integer(h->upload_offset, &ret->offset);
	return true;
}

/* Is the length that is said the one that is known?  a->length is what is known then. */
static bool
length_fits(struct resume_ask *a, uint64_t length, uint64_t offset,
    struct resume_refusal *refusal)
{
	if (length != RESUME_UNKNOWN && a->length != RESUME_UNKNOWN &&
	    a->length != length)
		return refuse_length(refusal, a->dialect,
		    "the length of this upload was said before, and was "
		    "another one");
	if (a->length == RESUME_UNKNOWN)
		a->length = length;
	if (a->complete && a->body != RESUME_UNKNOWN &&
	    a->body <= INT64_MAX - offset) {
		uint64_t end = offset + a->body;

		if (a->length != RESUME_UNKNOWN && end < a->length)
			return refuse_length(refusal, a->dialect,
			    "the last bytes end before the length of the "
			    "upload");
		if (a->length == RESUME_UNKNOWN)
			a->length = end;
	}
	return a->length >= offset ||
	       refuse_length(refusal, a->dialect,
		   "there are more bytes than that already");
}

/* More than there may be, by the length or by the limit. */
static bool
body_fits(
    const struct resume_ask *a, uint64_t max, struct resume_refusal *refusal)
{
	uint64_t room = resume_ask_room(a, 0);

	if (a->body != RESUME_UNKNOWN && a->body > room) {
		if (resume_dialect_is_tus(a->dialect))
			return refuse(refusal, 413,
			    "the body is longer than what is missing of the "
			    "upload");
		(void)refuse_length(refusal, a->dialect,
		    "the body is longer than what is missing of the upload, "
		    "which is ended by that");
		refusal->is_last = true;
		return false;
	}
	if (max > 0 &&
	    ((a->length != RESUME_UNKNOWN && a->length > max) ||
		a->offset > max ||
		(a->body != RESUME_UNKNOWN && a->body > max - a->offset)))
		return refuse_size(refusal);
	return true;
}

bool
resume_ask_fits(struct resume_ask *a, uint64_t offset, uint64_t length,
    uint64_t max, struct resume_refusal *ret_refusal)
{
	if (a->offset != offset) {
		(void)refuse(ret_refusal, 409,
		    "Upload-Offset is not how many bytes there are");
		if (a->dialect->problems)
			ret_refusal->type = RESUME_OFFSET_DIFFERS;
		return false;
	}
	return length_fits(a, length, offset, ret_refusal) &&
	       body_fits(a, max, ret_refusal);
}

uint64_t
resume_ask_room(const struct resume_ask *a, uint64_t max)
{
	uint64_t end = max > 0 ? max : RESUME_UNKNOWN;

	if (a->length < end)
		end = a->length;
	if (end == RESUME_UNKNOWN)
		return RESUME_UNKNOWN;
	return end > a->offset ? end - a->offset : 0;
}
