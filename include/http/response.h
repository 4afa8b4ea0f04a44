/*
 * http/response.h - a response before it becomes bytes.
 *
 * The handler of a request fills it in; the connection adds what only it knows (Date,
 * Connection) and sends it.  A response that is zeroed but for `status` is valid, and
 * has no content.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/failure.h"
#include "base/outcome.h"
#include "base/str.h"

#define RESPONSE_LENGTH_UNKNOWN UINT64_MAX

struct response {
	int status;
	struct str fields;	  /* more field lines, each with its CRLF */
	const char *content_type; /* NULL: no content */
	struct str content;
	/* If `streamed`: the length of the content that follows (or would follow,
	 * for HEAD), or RESPONSE_LENGTH_UNKNOWN; `content` is empty. */
	uint64_t stream_length;
	bool streamed;
	bool close;	      /* close the connection afterwards */
	enum outcome outcome; /* for the access log */
};

/* Content that is sent from a file, whose bytes are never waited for. */
struct response_file {
	int fd;
	uint64_t offset, end; /* what is still to be sent */
	void *owner;
	/* One of these is called, once: all of it was taken by the kernel; or it
	 * cannot be sent whole (DISK_ERROR: because of the file). */
	void (*on_sent)(void *owner);
	void (*on_failed)(void *owner, struct failure why);
};

/* The reason phrase, "Created"; "" for a status that is not used here. */
const char *response_reason(int status);

/*
 * response_problem(r, status, fmt, ...):
 * Make it a problem of RFC 9457 (application/problem+json, one line), whose detail
 * tells the user what to change.  The text is escaped, so arguments may come from
 * outside.
 */
void response_problem(struct response *r, int status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* The same of a type that is known elsewhere (a URL), with `members` of its own, such as
 * `"limit":1,`, or "". */
void response_problem_of(struct response *r, int status, const char *type,
    const char *members, const char *detail);

/* Add Retry-After: the client may try again in so many seconds. */
void response_retry_after(struct response *r, unsigned seconds);

/* What only the connection knows about a response. */
struct response_form {
	bool keep_alive;
	bool head_only;		  /* the request was HEAD: no content */
	bool old;		  /* the client speaks HTTP/1.0: no chunks */
	bool tokens;		  /* Server includes the version */
	const struct str *fields; /* field lines of all responses to it */
};

/* True when content of unknown length follows in chunks (RFC 9112 7.1).  To a client of
 * HTTP/1.0 it ends with the connection instead (6.3). */
static inline bool
response_is_chunked(const struct response *r, const struct response_form *form)
{
	return r->streamed && r->stream_length == RESPONSE_LENGTH_UNKNOWN &&
	       !form->head_only && !form->old;
}

/* Add status line, fields and empty line to `out`; and the content, unless that is
 * streamed or the request was HEAD. */
void response_format(const struct response *r, const struct response_form *form,
    struct str *out);

void response_fini(struct response *r);

#endif
