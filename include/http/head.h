/*
 * http/head.h - the head of a request: request line and fields.
 *
 *	bytes -> head_scan (where does it end?) -> head_parse -> struct head
 *
 * http-parser parses the head and nothing else; no other module knows it.
 * A strict scan stands beside it and refuses what it lets through, and where
 * the two disagree the head is refused too.  What can be decided by the head
 * alone is decided here; what depends on the method or the resource is only
 * reported, and the caller answers it: a method that is known but not served
 * (405), and of PUT and POST what http/upload_kind.h refuses.
 *
 * A head that was refused says nothing about where the next one begins: the
 * connection must be closed after the answer.
 *
 * Upgrade fields are ignored.  Field lines that may stand once only (all
 * that struct head has as one text, If-Match and If-None-Match among them) are
 * refused with 400 when they come twice, and not joined.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/outcome.h"
#include "http/syntax.h"

enum {
	HEAD_BLANKS_MAX = 4,	   /* empty lines before it: else 400 */
	HEAD_SIZE_CAP = 64 * 1024, /* no limit may be above: http-parser's own
				      is 80 KiB */
	HEAD_WHY_MAX = 160,	   /* of what head_scan() says, with its NUL */
	HEAD_LINES_MAX = 8, /* of one list field that is kept: else 400 */
};

/* What a head may be. */
struct head_limits {
	uint32_t line;	 /* bytes of the request line, without CRLF */
	uint32_t size;	 /* of all of it, with the empty line */
	uint32_t fields; /* field lines */
};

enum head_method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_OPTIONS,
	METHOD_CONNECT,
	METHOD_OTHER, /* HTTP knows it, nothing here serves it */
	METHOD_COUNT
};

/* The lines of a field that is one list, in their order; each may be empty. */
struct head_lines {
	unsigned count;
	struct span line[HEAD_LINES_MAX];
};

/* All texts point into the buffer that was parsed, or are static. */
struct head {
	enum head_method method;
	struct span method_text;
	struct span target; /* as it was sent */

	/*
	 * Where to: without query, still percent-encoded.  It begins with a
	 * slash, or is "*" (OPTIONS only), or is empty (CONNECT only).
	 */
	struct span path;

	/* host[:port], the target's own before the field's; absent: 1.0. */
	struct span host;

	unsigned minor;	 /* of HTTP/1.x: 0 or 1 */
	bool keep_alive; /* the client would stay for another request */

	/* Framing: never both; neither: no body. */
	bool has_length;
	bool chunked;
	uint64_t content_length; /* at most INT64_MAX */

	bool expect_continue; /* never true for HTTP/1.0 */
	bool expect_unknown;  /* something else is expected: 417 */
	bool content_coded;   /* a Content-Encoding other than identity */

	struct span content_md5;
	struct span content_range;
	struct span content_type; /* the last one */
	struct span if_match;
	struct span if_none_match;
	struct span if_modified_since;
	struct span if_unmodified_since;
	struct span if_range;
	struct span range;

	/* What a browser says of the page that asks; see http/site.h. */
	struct span origin;
	struct span sec_fetch_site;
	struct span sec_fetch_mode;
	struct span preflight_method;  /* Access-Control-Request-Method */
	struct span preflight_fields;  /* Access-Control-Request-Headers */
	struct span preflight_private; /* ...-Request-Private-Network */

	bool forwarded; /* a proxy says that it hands the request on */
	/* The Hosts that proxies were asked for; further lines are left out. */
	struct head_lines forwarded_host;

	/* What S3's clients say of a body that is not the file. */
	struct span amz_copy_source;
	struct span amz_decoded_length; /* X-Amz-Decoded-Content-Length */

	struct span upgrade_insecure; /* Upgrade-Insecure-Requests */
	struct span method_override;  /* X-HTTP-Method-Override */

	/* Resumable uploads: of tus, and of the IETF drafts. */
	struct span tus_resumable;
	struct span upload_complete;
	struct span upload_incomplete;
	struct span upload_length;
	struct span upload_offset;

	struct head_lines content_digest;
	struct head_lines repr_digest;
};

/* Where head_scan() stands; zeroed at the start of each head. */
struct head_scan {
	uint32_t at;   /* bytes looked at; after COMPLETE the head's length */
	uint32_t line; /* where the current line begins */
	uint32_t lines;
	uint16_t blanks;
	bool cr; /* the last byte was CR */
};

enum head_result {
	HEAD_INCOMPLETE, /* call again with more bytes */
	HEAD_COMPLETE,	 /* the head is the first scan->at bytes */
	HEAD_LINE_LONG,	 /* 414: above limits->line */
	HEAD_LARGE,	 /* 431: above limits->size */
	HEAD_MANY,	 /* 431: above limits->fields */
	HEAD_MALFORMED,	 /* 400: no end will make it right */
};

/*
 * head_scan(scan, limits, buf, len, ret_why):
 * Look for the end of the head that begins at `buf`, of which `len` bytes
 * are there, going on where the call before stopped; `buf` may have moved,
 * its bytes may not have changed.  Each byte is looked at once and the
 * result does not depend on how the bytes were cut.  With MALFORMED *ret_why
 * is a static sentence.  After the last four results calling again is a bug.
 */
NODISCARD enum head_result head_scan(struct head_scan *scan,
    const struct head_limits *limits, const char *buf, size_t len,
    const char **ret_why);

/* For the access log: what goes with what head_scan() or head_parse() said; REFUSED
 * when there is nothing more to say. */
enum outcome head_refusal_outcome(const char *why);

/* There is a field that hardly any client but browsers sends: Origin, or
 * Sec-Fetch-... */
static inline bool
head_is_from_browser(const struct head *h)
{
	return h->origin.s != NULL || h->sec_fetch_site.s != NULL ||
	       h->sec_fetch_mode.s != NULL;
}

/* True when the request line of a head, of which `len` bytes are there, says
 * HEAD: also its refusal has no content. */
bool head_is_head(const char *buf, size_t len);

/*
 * head_glimpse_origin(buf, len):
 * The Origin in bytes that are no good head, or only the beginning of one: for
 * whom a refusal is to be readable, and for nothing else.  Absent: none is there.
 */
struct span head_glimpse_origin(const char *buf, size_t len);

/*
 * head_parse(buf, len, ret, ret_why):
 * Parse the whole head, empty line included, which head_scan() found to be
 * complete (other bytes are refused, never a bug).  Returns 0 and fills
 * *ret, or the HTTP status to answer with and in *ret_why a static sentence
 * that says what is wrong.  After a refusal *ret is valid as far as it was
 * filled, for the log: method_text and target, each perhaps absent; and it has
 * the Origin, see head_glimpse_origin().
 */
NODISCARD int head_parse(
    const char *buf, size_t len, struct head *ret, const char **ret_why);

/*
 * head_copy(h, buf, len):
 * A copy of a head that was parsed from these bytes, and of the bytes, to be ended
 * with free().  NULL when out of memory.
 */
NODISCARD struct head *head_copy(
    const struct head *h, const char *buf, size_t len);

#endif
