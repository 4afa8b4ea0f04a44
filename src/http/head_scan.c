/*
 * Where a head ends.
 */
#include "head_internal.h"

/* The byte at scan->at ends a line. */
static enum head_result
end_line(struct head_scan *scan, uint32_t fields, const char **ret_why)
{
	/* Up to scan->at there is the line, its CR, and this LF. */
	bool empty = scan->at - scan->line == 1;

	scan->cr = false;
	scan->line = scan->at + 1;
	if (empty && scan->lines > 0)
		return HEAD_COMPLETE;
	if (empty) {
		*ret_why = "too many empty lines before the request line";
		return ++scan->blanks > HEAD_BLANKS_MAX ? HEAD_MALFORMED
							: HEAD_INCOMPLETE;
	}
	/* The first one is the request line. */
	return scan->lines++ > fields ? HEAD_MANY : HEAD_INCOMPLETE;
}

/* Look at the byte at scan->at, which is `c`. */
static enum head_result
scan_byte(struct head_scan *scan, const struct head_limits *limits,
    unsigned char c, const char **ret_why)
{
	if (scan->at >= limits->size)
		return HEAD_LARGE;
	if (scan->cr != (c == '\n')) {
		*ret_why = scan->cr ? head_bare_cr : head_bare_lf;
		return HEAD_MALFORMED;
	}
	if (c == '\n')
		return end_line(scan, limits->fields, ret_why);
	scan->cr = c == '\r';
	if (scan->cr)
		return HEAD_INCOMPLETE;
	if (syntax_is_control(c)) {
		*ret_why = head_control;
		return HEAD_MALFORMED;
	}
	return scan->lines == 0 && scan->at - scan->line >= limits->line
		   ? HEAD_LINE_LONG
		   : HEAD_INCOMPLETE;
}

/* Go on to the first byte for which scan_byte() would do something: which ends a line,
 * is wrong there, or is one too many.  Nearly all bytes of a head are none. */
static void
skip_plain_bytes(struct head_scan *scan, const struct head_limits *limits,
    const char *buf, size_t len)
{
	uint64_t line_end = (uint64_t)scan->line + limits->line;
	uint32_t at = scan->at, end = limits->size;

	if (scan->cr)
		return;
	if (len < end)
		end = (uint32_t)len;
	if (scan->lines == 0 && line_end < end)
		end = (uint32_t)line_end;
	while (at < end && !syntax_is_control((unsigned char)buf[at]))
		at++;
	scan->at = at;
}

/* No head ends here: perhaps it is none. */
static void
look_for_foreign(
    const struct head_scan *scan, const char *buf, const char **ret_why)
{
	const struct head_foreign *f = head_foreign(buf, scan->at + 1);

	if (f != NULL)
		*ret_why = f->why;
}

enum head_result
head_scan(struct head_scan *scan, const struct head_limits *limits,
    const char *buf, size_t len, const char **ret_why)
{
	check(scan->at <= len);
	check(limits->size <= HEAD_SIZE_CAP);
	while (scan->at < len) {
		enum head_result got;

		skip_plain_bytes(scan, limits, buf, len);
		if (scan->at == len)
			break;
		got = scan_byte(
		    scan, limits, (unsigned char)buf[scan->at], ret_why);
		if (got == HEAD_MALFORMED)
			look_for_foreign(scan, buf, ret_why);
		if (got != HEAD_INCOMPLETE && got != HEAD_COMPLETE)
			return got;
		scan->at++;
		if (got == HEAD_COMPLETE)
			return got;
	}
	return HEAD_INCOMPLETE;
}
