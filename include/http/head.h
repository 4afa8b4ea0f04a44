/*
 * http/head.h - the head of a request: request line and fields.
 *
 *	bytes -> head_scan (where does it end?) -> head_parse -> struct head
 *
 * A head is parsed twice: by a strict scan, which refuses what http-parser would let
 * through, and by http-parser (src/http/head_parser.c), which is used for nothing else.
 * Where the two disagree the head is refused.  Everything that can be decided by the
 * head alone is decided here.  What depends on the method or the resource is left to
 * the caller: a method that is known but not served (405), and bodies of PUT and POST
 * that are no file (http/upload_kind.h).
 *
 * After a head that was refused it is not known where the next one begins: the
 * connection must be closed after the response.
 *
 * Upgrade fields are ignored.  A field that may stand once (each that struct head has
 * as one span, also If-Match and If-None-Match) is refused with 400 when it comes
 * twice, and not joined.
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
	HEAD_BLANKS_MAX = 4,	   /* empty lines before it; more: 400 */
	HEAD_SIZE_CAP = 64 * 1024, /* the highest limit on its bytes; that of
				      http-parser itself is 80 KiB */
	HEAD_WHY_MAX = 160, /* bytes of what head_scan() says, with NUL */
	HEAD_LINES_MAX = 8, /* lines of one list field; more: 400 */
};

/* How large a head may be. */
struct head_limits {
	uint32_t line;	 /* bytes of the request line, without CRLF */
	uint32_t size;	 /* bytes of the whole head, with the empty line */
	uint32_t fields; /* number of field lines */
};

enum head_method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_OPTIONS,
	METHOD_CONNECT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OTHER, /* a method of HTTP that is not served here */
	METHOD_COUNT
};

/* The lines of a list field, in their order; each may be empty. */
struct head_lines {
	unsigned count;
	struct span line[HEAD_LINES_MAX];
};

/* All spans point into the buffer that was parsed, or to static text; a field that the
 * head does not have is absent (s is NULL). */
struct head {
	enum head_method method;
	struct span method_text;
	struct span target; /* as it was sent */

	/*
	 * The path of the target, without query, still percent-encoded.  It
	 * begins with a slash, or is "*" (OPTIONS only), or is empty (CONNECT
	 * only).
	 */
	struct span path;

	/* host[:port]: that of an absolute target, or of Host; may be absent in
	 * HTTP/1.0. */
	struct span host;

	unsigned minor;	 /* of HTTP/1.x: 0 or 1 */
	bool keep_alive; /* the client may send another request */

	/* Framing: never both; neither: no body. */
	bool has_length;
	bool chunked;
	uint64_t content_length; /* at most INT64_MAX */

	bool expect_continue; /* never true for HTTP/1.0 */
	bool expect_unknown;  /* Expect with something else: 417 */
	bool content_coded;   /* a Content-Encoding other than identity */

	struct span accept; /* the last one */
	struct span authorization;
	struct span content_md5;
	struct span content_range;
	struct span content_type; /* the last one */
	struct span if_match;
	struct span if_none_match;
	struct span if_modified_since;
	struct span if_unmodified_since;
	struct span if_range;
	struct span range;

	/* What a browser says about the page that sends this; see http/site.h. */
	struct span origin;
	struct span sec_fetch_site;
	struct span sec_fetch_mode;
	struct span preflight_method;  /* Access-Control-Request-Method */
	struct span preflight_fields;  /* Access-Control-Request-Headers */
	struct span preflight_private; /* ...-Request-Private-Network */

	bool forwarded; /* a proxy says that it has forwarded the request */
	/* X-Forwarded-Host: the Host that a proxy was sent.  Lines beyond
	 * HEAD_LINES_MAX are dropped. */
	struct head_lines forwarded_host;
	/* X-Forwarded-For and Forwarded: the addresses of clients; of many lines
	 * the last.  X-Real-IP: that of one. */
	struct head_lines forwarded_for, forwarded_by;
	struct span real_ip;

	/* From S3 clients: the body is not the file. */
	struct span amz_copy_source;
	struct span amz_decoded_length; /* X-Amz-Decoded-Content-Length */

	/* For the access log alone; the last ones. */
	struct span referer;
	struct span user_agent;

	struct span upgrade_insecure; /* Upgrade-Insecure-Requests */
	struct span method_override;  /* X-HTTP-Method-Override */

	/* Resumable uploads: of tus, of the IETF drafts, or of both. */
	struct span tus_resumable;
	struct span upload_checksum;
	struct span upload_complete;
	struct span upload_concat;
	struct span upload_defer_length;
	struct span upload_incomplete;
	struct span upload_length;
	struct span upload_metadata;
	struct span upload_offset;
	struct span upload_version; /* Upload-Draft-Interop-Version */
	struct span
	    content_disposition; /* of what the request brings; the last */
	bool disposition_twice;	 /* there were several of these */
	struct span incremental; /* RFC 10036: do not collect the body */
	struct span trailer;	 /* which fields follow the body */
	struct span want_repr_digest;
	struct span forwarded_proto; /* X-Forwarded-Proto */

	struct head_lines content_digest;
	struct head_lines repr_digest;
};

/* The position of head_scan(); zeroed at the start of each head. */
struct head_scan {
	uint32_t at;   /* bytes scanned; after COMPLETE the head's length */
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
	HEAD_MALFORMED,	 /* 400 */
};

/*
 * head_scan(scan, limits, buf, len, ret_why):
 * Look for the end of the head at `buf`, of which `len` bytes have arrived, going on
 * where the last call stopped.  Between two calls the buffer may move, but its bytes must
 * stay the same.  Each byte is scanned once, and the result does not depend on how the
 * bytes were cut.  With MALFORMED *ret_why is a static sentence.  After one of the last
 * four results it must not be called again.
 */
NODISCARD enum head_result head_scan(struct head_scan *scan,
    const struct head_limits *limits, const char *buf, size_t len,
    const char **ret_why);

/* For the access log: what goes with what head_scan() or head_parse() said; REFUSED
 * when there is nothing more to say. */
enum outcome head_refusal_outcome(const char *why);

/* True when there is a field that hardly any client but a browser sends: Origin or
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

/* The same, or it may say that when the rest of it is there; not before its first byte. */
bool head_may_be_head(const char *buf, size_t len);

/*
 * head_glimpse_origin(buf, len):
 * Find the Origin in bytes that are a malformed head, or the beginning of one.  To be
 * used only to let the web page read the refusal (CORS).  Absent: there is none.
 */
struct span head_glimpse_origin(const char *buf, size_t len);

/*
 * head_parse(buf, len, ret, ret_why):
 * Parse a whole head, empty line included, which head_scan() has found to be complete;
 * any other bytes are refused.  Returns 0 and fills *ret; or the HTTP status to answer
 * with, and *ret_why is a static sentence that says what is wrong.  After a refusal
 * *ret has, for the log, method_text and target, each perhaps absent, and the origin
 * (head_glimpse_origin()).
 */
NODISCARD int head_parse(
    const char *buf, size_t len, struct head *ret, const char **ret_why);

/*
 * head_copy(h, buf, len):
 * A copy of `h`, which was parsed from the `len` bytes at `buf`, together with a copy of
 * these bytes, in one block of memory that the caller ends with free().  NULL when out
 * of memory.
 */
NODISCARD struct head *head_copy(
    const struct head *h, const char *buf, size_t len);

#endif
