/*
 * The lines of a head, scanned strictly: what http-parser would let through is
 * refused here.
 */
#include <string.h>

#include "base/str.h"
#include "head_internal.h"

const char head_bare_cr[] =
    "a CR stands without LF in the head: end lines with CRLF";
const char head_bare_lf[] =
    "a line of the head ends with LF alone: end it with CRLF";
const char head_control[] =
    "a control character stands in the head: leave it out";

/* The white space behind a length, if there is a TAB in it: see head_run_parser(). */
static void
note_length(struct parse *p, struct span line, size_t colon)
{
	const char *end = line.s + line.len, *at = end;

	if (!str_ieq(line.s, colon, "Content-Length"))
		return;
	while (at[-1] == ' ' || at[-1] == '\t')
		at--;
	if (memchr(at, '\t', (size_t)(end - at)) != NULL)
		p->padding = (struct span){at, (size_t)(end - at)};
}

/* A field line begins with its name, and a colon right behind it. */
static int
scan_field_line(struct parse *p, struct span line)
{
	size_t i = 0;

	p->lines++;
	while (i < line.len && syntax_is_tchar((unsigned char)line.s[i]))
		i++;
	if (i == line.len)
		return head_refuse(p, 400, "a header line has no colon");
	if (i > 0 && line.s[i] == ':') {
		note_length(p, line, i);
		return 0;
	}
	if (line.s[i] != ' ' && line.s[i] != '\t')
		return head_refuse(p, 400, "a header name has a wrong byte");
	return head_refuse(p, 400,
	    i == 0 ? "a header line begins with white space: "
		     "write each field on one line"
		   : "a header name has white space before its colon");
}

/* One line without its CRLF. */
static int
scan_line(struct parse *p, struct span line, bool first)
{
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.s[i];

		if (syntax_is_control(c))
			return head_refuse(
			    p, 400, c == '\r' ? head_bare_cr : head_control);
	}
	return first ? head_scan_request_line(p, line)
		     : scan_field_line(p, line);
}

/* Look at all lines of the head; http-parser has not seen them yet. */
int
head_scan_lines(struct parse *p, const char *s, const char *end)
{
	static const char unfinished[] = "the head ends too early or too late";

	for (bool first = true;; first = false) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		size_t len;

		if (lf == NULL)
			return head_refuse(p, 400, unfinished);
		if (lf == s || lf[-1] != '\r')
			return head_refuse(p, 400, head_bare_lf);
		len = (size_t)(lf - s) - 1;
		if (len == 0)
			return !first && lf + 1 == end
				   ? 0
				   : head_refuse(p, 400, unfinished);
		if (scan_line(p, (struct span){s, len}, first) != 0)
			return p->status;
		s = lf + 1;
	}
}
