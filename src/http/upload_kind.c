#include "http/upload_kind.h"

#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "http/media_type.h"

#define ACCEPT_FILES "Accept: application/octet-stream\r\n"

/* clang-format off */
static const struct upload_refusal refusals[UPLOAD_KIND_COUNT] = {
	[UPLOAD_EXPECTING] = { 417, OUTCOME_REFUSED, "",
		"the only expectation met here is 100-continue; leave out the Expect field" },
	[UPLOAD_TUS] = { 400, OUTCOME_RESUMABLE, "",
		"resumable uploads with tus (Tus-Resumable) are not understood here, and nothing was stored: send the whole file "
		"in one PUT or POST (curl -T FILE URL; in a page: fetch(url, {method: 'PUT', body: file}))" },
	[UPLOAD_OTHER_METHOD] = { 400, OUTCOME_REFUSED, "",
		"X-HTTP-Method-Override asks for another method than the request's own, and is not understood here: send "
		"the request with the method that is meant" },
	[UPLOAD_RESUMABLE_PART] = { 400, OUTCOME_RESUMABLE, "",
		"this is a part of a resumable upload, or begins one (Upload-Complete, Upload-Incomplete, Upload-Offset), which is not "
		"understood here, and nothing was stored: send the whole file in one PUT or POST (curl -T FILE URL; in a page: "
		"fetch(url, {method: 'PUT', body: file}))" },
	[UPLOAD_LENGTH_DIFFERS] = { 400, OUTCOME_RESUMABLE, "",
		"Upload-Length is not the length of this body, so it is a part of a file at most, and nothing was stored: send the whole "
		"file in one PUT or POST, without Upload-Length" },
	[UPLOAD_S3] = { 400, OUTCOME_PARTIAL, "",
		"this begins or goes on with a multipart upload of S3, or deletes S3's objects, by what stands behind the question mark; "
		"that is not understood here, and nothing was stored: send the whole file in one PUT" },
	[UPLOAD_S3_COPY] = { 400, OUTCOME_REFUSED, "",
		"X-Amz-Copy-Source asks for a copy of another object of S3, which is not made here, and nothing was stored: read that "
		"one, and send the whole file in one PUT" },
	[UPLOAD_S3_CHUNKS] = { 415, OUTCOME_REFUSED, "Accept-Encoding: identity\r\n",
		"the body is in the signed chunks of S3 (aws-chunked, X-Amz-Decoded-Content-Length), and it would be stored as it is sent: "
		"have the client send the file alone (curl -T FILE URL)" },
	[UPLOAD_RANGE] = { 400, OUTCOME_PARTIAL, "",
		"Content-Range says that this is a part of a file, or its length is not that of the body: an upload cannot be "
		"resumed or sent in parts; send the whole file, without Content-Range (curl: without -C and -r)" },
	[UPLOAD_FORM] = { 415, OUTCOME_FORM, ACCEPT_FILES,
		"this is a form (multipart/form-data), and forms are not taken here (form off): send the file itself as the body (curl -T FILE URL "
		"instead of -F; in a page: fetch(url, {method: 'PUT', body: file})); a file that is itself a form needs another "
		"Content-Type, such as application/octet-stream" },
	[UPLOAD_PAGE_FORM] = { 415, OUTCOME_FORM, ACCEPT_FILES,
		"this is the form of a web page that sends no files: write enctype=multipart/form-data into the form (form on); or send the file itself as the body, in the page with "
		"fetch(url, {method: 'PUT', body: file}), or with curl -T FILE URL; a file that a script sends with a "
		"form's Content-Type (jQuery's default) needs another one, such as application/octet-stream" },
	[UPLOAD_CODED] = { 415, OUTCOME_REFUSED, "Accept-Encoding: identity\r\n",
		"the body is stored as it is sent: leave out Content-Encoding" },
	[UPLOAD_WITHOUT_LENGTH] = { 411, OUTCOME_REFUSED, "",
		"say Content-Length (0 for an empty upload) or Transfer-Encoding: chunked" },
};
/* clang-format on */

const struct upload_refusal *
upload_kind_refusal(enum upload_kind kind)
{
	check(kind > UPLOAD_FILE && kind < UPLOAD_KIND_COUNT);
	return &refusals[kind];
}

/* A number in front of the byte `end`, which goes with it. */
static bool
upload_kind_take_number(struct span *t, char end, uint64_t *ret)
{
	const char *at = t->len > 0 ? memchr(t->s, end, t->len) : NULL;
	size_t len = at ? (size_t)(at - t->s) : 0;

	if (at == NULL || num_parse_u64(t->s, len, ret) < 0)
		return false;
	t->s += len + 1;
	t->len -= len + 1;
	return true;
}

/* Does this Content-Range name all of a body of `length` bytes? */
static bool
is_whole(struct span range, uint64_t length)
{
	static const char unit[] = "bytes ";
	uint64_t first, last, size;

	if (range.len < sizeof(unit) - 1 ||
	    !str_ieq(range.s, sizeof(unit) - 1, unit))
		return false;
	range.s += sizeof(unit) - 1;
	range.len -= sizeof(unit) - 1;
	/* What curl -C - says of an empty file. */
	if (length == 0)
		return str_ieq(range.s, range.len, "0--1/0");
	return upload_kind_take_number(&range, '-', &first) &&
	       upload_kind_take_number(&range, '/', &last) &&
	       num_parse_u64(range.s, range.len, &size) == 0 && first == 0 &&
	       size == length && last == size - 1;
}

/* A boolean of RFC 9651, whatever its parameters: is it `want`? */
static bool
is_boolean(struct span v, char want)
{
	return v.len >= 2 && v.s[0] == '?' && v.s[1] == want &&
	       (v.len == 2 || v.s[2] == ';');
}

/* The head says in the words of the IETF drafts that all of the file is here. */
static bool
is_said_complete(const struct head *h)
{
	return h->upload_complete.s != NULL || h->upload_incomplete.s != NULL;
}

static bool
is_resumable_part(const struct head *h)
{
	return h->upload_offset.s != NULL ||
	       (h->upload_complete.s != NULL &&
		   !is_boolean(h->upload_complete, '1')) ||
	       (h->upload_incomplete.s != NULL &&
		   !is_boolean(h->upload_incomplete, '0'));
}

/* Upload-Length differs from the length of the body.  A chunked body has no known
 * length, and counts as the whole file if the head says so. */
static bool
length_differs(const struct head *h)
{
	uint64_t n;

	if (h->upload_length.s == NULL)
		return false;
	if (num_parse_u64(h->upload_length.s, h->upload_length.len, &n) < 0)
		return true;
	return h->has_length ? n != h->content_length : !is_said_complete(h);
}

/* It shows the answer in place of the page, as only a form does.  Over plain http
 * a browser sends no Sec-Fetch-Mode, but to this machine. */
static bool
is_navigation(const struct head *h)
{
	struct span mode = h->sec_fetch_mode;

	return mode.s != NULL ? str_ieq(mode.s, mode.len, "navigate")
			      : h->upgrade_insecure.s != NULL;
}

static bool
is_page_form(const struct head *h)
{
	if (media_type_is(h->content_type, "application/x-www-form-urlencoded"))
		return h->origin.s != NULL || h->sec_fetch_mode.s != NULL;
	return is_navigation(h) && media_type_is(h->content_type, "text/plain");
}

/* The value of `key` in the query of a target; s is NULL when it is not there. */
static struct span
query_value(struct span target, const char *key)
{
	size_t len = strlen(key);
	const char *at =
	    target.len > 0 ? memchr(target.s, '?', target.len) : NULL;
	const char *end = target.s + target.len, *next;

	for (; at != NULL; at = next) {
		at++;
		next = memchr(at, '&', (size_t)(end - at));
		if ((size_t)(end - at) >= len && memcmp(at, key, len) == 0) {
			const char *stop = next != NULL ? next : end;

			if (at + len == stop)
				return (struct span){stop, 0};
			if (at[len] == '=')
				return (struct span){at + len + 1,
				    (size_t)(stop - at) - len - 1};
		}
	}
	return (struct span){NULL, 0};
}

/* It is there, and nothing is said behind it: "uploads", or "uploads=". */
static bool
is_bare(struct span value)
{
	return value.s != NULL && value.len == 0;
}

/* What S3 says in a query is otherwise no part of the name, and is passed over. */
static bool
is_s3(const struct head *h)
{
	struct span t = h->target;

	if (h->method == METHOD_POST)
		return is_bare(query_value(t, "uploads")) ||
		       is_bare(query_value(t, "delete")) ||
		       query_value(t, "uploadId").len > 0;
	return query_value(t, "partNumber").s != NULL &&
	       query_value(t, "uploadId").s != NULL;
}

static bool
is_other_method(const struct head *h)
{
	struct span asked = h->method_override;

	return asked.s != NULL && !str_ieq(asked.s, asked.len, "PUT") &&
	       !str_ieq(asked.s, asked.len, "POST");
}

bool
upload_kind_is_tus(const struct head *h)
{
	return h->tus_resumable.s != NULL && h->method != METHOD_GET &&
	       h->method != METHOD_OPTIONS;
}

/* What it is, whatever it says of going on. */
static enum upload_kind
kind_of_body(const struct head *h)
{
	if (is_s3(h))
		return UPLOAD_S3;
	if (h->amz_copy_source.s != NULL)
		return UPLOAD_S3_COPY;
	if (h->amz_decoded_length.s != NULL)
		return UPLOAD_S3_CHUNKS;
	if (h->content_range.s != NULL &&
	    !(h->has_length && is_whole(h->content_range, h->content_length)))
		return UPLOAD_RANGE;
	if (is_page_form(h))
		return UPLOAD_PAGE_FORM;
	if (h->content_coded)
		return UPLOAD_CODED;
	/* The last one, since the files may be taken out of it. */
	return media_type_is(h->content_type, "multipart/form-data")
		   ? UPLOAD_FORM
		   : UPLOAD_FILE;
}

enum upload_kind
upload_kind_of(const struct head *h)
{
	enum upload_kind kind;

	if (h->expect_unknown)
		return UPLOAD_EXPECTING;
	if (upload_kind_is_tus(h))
		return UPLOAD_TUS;
	if (is_other_method(h))
		return UPLOAD_OTHER_METHOD;
	if (is_resumable_part(h))
		return UPLOAD_RESUMABLE_PART;
	if (length_differs(h))
		return UPLOAD_LENGTH_DIFFERS;
	kind = kind_of_body(h);
	if ((kind == UPLOAD_FILE || kind == UPLOAD_FORM) && !h->has_length &&
	    !h->chunked)
		return UPLOAD_WITHOUT_LENGTH;
	return kind;
}

enum upload_kind
upload_kind_of_begun(const struct head *h)
{
	if (h->expect_unknown)
		return UPLOAD_EXPECTING;
	return is_other_method(h) ? UPLOAD_OTHER_METHOD : kind_of_body(h);
}
