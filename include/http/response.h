/*
 * http/response.h - a response before it becomes bytes.
 *
 * The handler of a request fills one in; the connection adds what only it knows
 * (Date, Connection) and sends it.  A zeroed response with a status is a valid
 * one without content.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/outcome.h"
#include "base/str.h"

#define RESPONSE_LENGTH_UNKNOWN UINT64_MAX

struct response {
	int status;
	struct str fields;	  /* further field lines, each with its CRLF */
	const char *content_type; /* NULL: no content */
	struct str content;
	/* The length of content that is streamed afterwards, or would have
	 * been (HEAD), or RESPONSE_LENGTH_UNKNOWN; `content` is empty then. */
	uint64_t stream_length;
	bool streamed;
	bool close;	      /* do not keep the connection in any case */
	enum outcome outcome; /* for the access log */
};

/* "Created"; an empty text for a status that is not in use here. */
const char *response_reason(int status);

/*
 * response_problem(r, status, fmt, ...):
 * Make it an error as RFC 9457 has it (application/problem+json, one line),
 * its detail telling the user what to change.  Text in the arguments that
 * came from outside is made safe.
 */
void response_problem(struct response *r, int status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* It may go better in so many seconds. */
void response_retry_after(struct response *r, unsigned seconds);

/* What only the connection knows of a response. */
struct response_form {
	bool keep_alive;
	bool head_only;		  /* HEAD asked for it: no content */
	bool old;		  /* an HTTP/1.0 client: no chunks */
	bool tokens;		  /* say the version of this server */
	const struct str *fields; /* lines that go with each response to it */
};

/* Content of unknown length follows, and its end is told by chunks (RFC 9112
 * 7.1); otherwise, to a client of HTTP/1.0, by the end of the connection (6.3). */
static inline bool
response_is_chunked(const struct response *r, const struct response_form *form)
{
	return r->streamed && r->stream_length == RESPONSE_LENGTH_UNKNOWN &&
	       !form->head_only && !form->old;
}

/* Status line and fields, with the empty line, added to `out`; and the
 * content, unless it is streamed, or not asked for. */
void response_format(const struct response *r, const struct response_form *form,
    struct str *out);

void response_fini(struct response *r);

#endif
