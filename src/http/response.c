#include "http/response.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/version.h"

static const struct reason {
	int status;
	const char *text;
} reasons[] = {
    {104, "Upload Resumption Supported"},
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {206, "Partial Content"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {423, "Locked"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {460, "Checksum Mismatch"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *
response_reason(int status)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "";
}

void
response_problem_of(struct response *r, int status, const char *type,
    const char *members, const char *detail)
{
	r->status = status;
	r->content_type = "application/problem+json";
	str_clear(&r->content);
	str_printf(&r->content,
	    "{\"type\":\"%s\",\"title\":\"%s\",\"status\":%d,%s"
	    "\"detail\":\"",
	    type, response_reason(status), status, members);
	str_escape(&r->content, detail, strlen(detail));
	str_puts(&r->content, "\"}\n");
}

void
response_problem(struct response *r, int status, const char *fmt, ...)
{
	struct str detail = {0};
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&detail, fmt, ap);
	va_end(ap);
	response_problem_of(
	    r, status, "about:blank", "", detail.s != NULL ? detail.s : "");
	str_fini(&detail);
}

void
response_retry_after(struct response *r, unsigned seconds)
{
	str_printf(&r->fields, "Retry-After: %u\r\n", seconds);
}

/* The Date line changes once a second.  Last-Modified is never later
 * (object_info_date()): the clock is the same. */
static const char *
date(void)
{
	static char text[CLOCK_STAMP_MAX];
	static time_t when;
	time_t now = clock_wall_s();

	if (now != when)
		clock_stamp_http(now, text);
	when = now;
	return text;
}

/* No lines at all when memory was short for one: a cut line would be joined to the
 * next. */
static void
add_lines(struct str *out, const struct str *lines)
{
	if (lines->len > 0 && !str_failed(lines))
		str_add(out, lines->s, lines->len);
}

/* How the end of the content is told.  204 and 304 have none (RFC 9110, 8.6);
 * HEAD is not told what GET would be. */
static void
add_length(
    const struct response *r, const struct response_form *form, struct str *out)
{
	uint64_t length = r->streamed ? r->stream_length : r->content.len;

	if (r->status == 204 || r->status == 304)
		return;
	if (response_is_chunked(r, form)) {
		str_puts(out, "\r\nTransfer-Encoding: chunked");
	} else if (length != RESPONSE_LENGTH_UNKNOWN) {
		str_puts(out, "\r\nContent-Length: ");
		str_add_u64(out, length);
	}
}

void
response_format(
    const struct response *r, const struct response_form *form, struct str *out)
{
	str_puts(out, "HTTP/1.1 ");
	str_add_u64(out, (uint64_t)r->status);
	str_puts(out, " ");
	str_puts(out, response_reason(r->status));
	str_puts(out, form->tokens ? "\r\nServer: penstock/" PENSTOCK_VERSION
				     "\r\nDate: "
				   : "\r\nServer: penstock\r\nDate: ");
	str_puts(out, date());
	if (r->content_type != NULL) {
		str_puts(out, "\r\nContent-Type: ");
		str_puts(out, r->content_type);
	}
	add_length(r, form, out);
	str_puts(out, "\r\n");
	add_lines(out, &r->fields);
	add_lines(out, form->fields);
	str_puts(out, form->keep_alive ? "Connection: keep-alive\r\n\r\n"
				       : "Connection: close\r\n\r\n");
	if (!r->streamed && !form->head_only && r->content.len > 0)
		str_add(out, r->content.s, r->content.len);
}

void
response_fini(struct response *r)
{
	str_fini(&r->fields);
	str_fini(&r->content);
}
