#include "http/part_head.h"

#include <string.h>

#include "base/ascii.h"
#include "base/str.h"
#include "http/media_type.h"
#include "http/syntax.h"

_Static_assert(
    PART_NAME_MAX == 256 && FILE_NAME_MAX == 1024 && PART_BOUNDARY_MAX == 70,
    "the sentences below say so");

/* What stands behind a media type or a disposition: `; name=value`, and so on. */
struct parameters {
	struct span rest;
	const char *why;
};

/* A value as it stands in the line: without the quotation marks, if it has some. */
struct parameter {
	struct span name, value;
	bool quoted;
};

static bool
refuse_parameters(struct parameters *p, const char *why)
{
	p->why = why;
	return false;
}

static void
advance(struct span *t, size_t n)
{
	t->s += n;
	t->len -= n;
}

/* How many of the bytes at the beginning are those of a token. */
static size_t
token_len(struct span t)
{
	size_t n = 0;

	while (n < t.len && syntax_is_tchar((unsigned char)t.s[n]))
		n++;
	return n;
}

/* Behind the quotation mark: up to the next that no backslash is before. */
static bool
take_quoted(struct parameters *p, struct parameter *ret)
{
	size_t n = 0;

	for (; n < p->rest.len && p->rest.s[n] != '"'; n++)
		if (p->rest.s[n] == '\\' && n + 1 < p->rest.len &&
		    p->rest.s[n + 1] == '"')
			n++;
	if (n >= p->rest.len)
		return refuse_parameters(p,
		    "a quotation mark in the head of the request or of a part "
		    "is never closed");
	ret->value = (struct span){p->rest.s, n};
	ret->quoted = true;
	advance(&p->rest, n + 1);
	return true;
}

/* The next one: false at the end, or, with `why`, when it is malformed. */
static bool
next_parameter(struct parameters *p, struct parameter *ret)
{
	static const char malformed[] =
	    "a parameter in the head of the request or of a part is not ; "
	    "name=value, with quotation marks around what is no token";
	size_t n;

	p->rest = span_trim(p->rest);
	if (p->rest.len == 0)
		return false;
	if (p->rest.s[0] != ';')
		return refuse_parameters(p, malformed);
	advance(&p->rest, 1);
	p->rest = span_trim(p->rest);
	if (p->rest.len == 0)
		return false; /* a semicolon at the end means nothing */
	n = token_len(p->rest);
	if (n == 0 || n == p->rest.len || p->rest.s[n] != '=')
		return refuse_parameters(p, malformed);
	ret->name = (struct span){p->rest.s, n};
	advance(&p->rest, n + 1);
	if (p->rest.len > 0 && p->rest.s[0] == '"') {
		advance(&p->rest, 1);
		return take_quoted(p, ret);
	}
	n = token_len(p->rest);
	if (n == 0)
		return refuse_parameters(p, malformed);
	ret->value = (struct span){p->rest.s, n};
	ret->quoted = false;
	advance(&p->rest, n);
	return true;
}

static bool
is_named(const struct parameter *p, const char *name)
{
	return str_ieq(p->name.s, p->name.len, name);
}

/* ---- names ---- */

/* What %22, %0D or %0A stands for; -1: it is none of them. */
static int
part_head_escape(struct span t)
{
	static const char *const escapes[] = {"22", "0d", "0a"};
	static const char bytes[] = "\"\r\n";

	if (t.len < 3)
		return -1;
	for (size_t i = 0; i < COUNT_OF(escapes); i++)
		if (str_ieq(t.s + 1, 2, escapes[i]))
			return bytes[i];
	return -1;
}

/* Copy a name into `size` bytes, its NUL among them, without what escapes; false: it is
 * longer. */
static bool
copy_name(const struct parameter *p, char *ret, size_t size)
{
	struct span t = p->value;
	size_t n = 0;

	while (t.len > 0) {
		int c = (unsigned char)t.s[0];
		size_t used = 1;

		if (c == '\\' && p->quoted && t.len > 1 && t.s[1] == '"') {
			c = '"';
			used = 2;
		} else if (c == '%' && part_head_escape(t) != -1) {
			c = part_head_escape(t);
			used = 3;
		}
		if (n + 1 == size)
			return false;
		ret[n++] = (char)c;
		advance(&t, used);
	}
	ret[n] = '\0';
	return true;
}

/* Add a character of ISO-8859-1, or a byte of UTF-8, to a name; false: it is too long. */
static bool
add_extended(char *ret, size_t *n, unsigned c, bool latin)
{
	if (*n + (latin && c >= 0x80) >= FILE_NAME_MAX)
		return false;
	if (latin && c >= 0x80) {
		ret[(*n)++] = (char)(0xc0 | c >> 6);
		c = 0x80 | (c & 0x3f);
	}
	ret[(*n)++] = (char)c;
	return true;
}

static const char too_long[] =
    "a name is too long: that of a form's field may have 256 bytes, that of a "
    "file 1024";

/* charset'language'value, the value with escapes (RFC 8187 3.2). */
static const char *
part_head_decode_extended(struct span t, char *ret)
{
	static const char malformed[] =
	    "filename* is not UTF-8''NAME or ISO-8859-1''NAME, with escapes";
	const char *end = t.s + t.len;
	const char *first = memchr(t.s, '\'', t.len), *second;
	bool latin;
	size_t n = 0;

	if (first == NULL)
		return malformed;
	second = memchr(first + 1, '\'', (size_t)(end - first - 1));
	latin = str_ieq(t.s, (size_t)(first - t.s), "iso-8859-1");
	if (second == NULL ||
	    (!latin && !str_ieq(t.s, (size_t)(first - t.s), "utf-8")))
		return malformed;
	for (const char *s = second + 1; s < end; s++) {
		int c = (unsigned char)*s;

		if (c == '%') {
			int high = end - s > 2 ? ascii_hex_digit(s[1]) : -1;
			int low = end - s > 2 ? ascii_hex_digit(s[2]) : -1;

			if (high < 0 || low < 0)
				return malformed;
			c = high << 4 | low;
			s += 2;
		}
		if (c == '\0')
			return "filename* has a NUL: leave out %00";
		if (!add_extended(ret, &n, (unsigned)c, latin))
			return too_long;
	}
	ret[n] = '\0';
	return NULL;
}

/* ---- the fields of a part ---- */

/* What was found so far. */
struct found {
	struct part_head *head;
	const char *why;
	bool disposition, type, coding;
	bool name, filename, extended;
};

static bool
refuse_part(struct found *f, const char *why)
{
	f->why = why;
	return false;
}

static bool
take_extended(struct found *f, const struct parameter *p)
{
	const char *why;

	if (p->quoted)
		return refuse_part(f,
		    "filename* has quotation marks: it is a token "
		    "(RFC 8187)");
	f->extended = f->head->has_filename = true;
	why = part_head_decode_extended(p->value, f->head->filename);
	return why == NULL || refuse_part(f, why);
}

static bool
take_filename(struct found *f, const struct parameter *p)
{
	char name[FILE_NAME_SIZE];

	if (!copy_name(p, name, sizeof(name)))
		return refuse_part(f, too_long);
	f->filename = f->head->has_filename = true;
	if (!f->extended)
		memcpy(f->head->filename, name, sizeof(name));
	return true;
}

static bool
take_parameter(struct found *f, const struct parameter *p)
{
	static const char twice[] =
	    "name, filename or filename* stands twice in Content-Disposition";

	if (is_named(p, "name")) {
		if (f->name)
			return refuse_part(f, twice);
		f->name = true;
		return copy_name(p, f->head->name, sizeof(f->head->name)) ||
		       refuse_part(f, too_long);
	}
	if (is_named(p, "filename"))
		return f->filename ? refuse_part(f, twice)
				   : take_filename(f, p);
	if (is_named(p, "filename*"))
		return f->extended ? refuse_part(f, twice)
				   : take_extended(f, p);
	return true;
}

/* Those behind the type of a Content-Disposition, which has `n` bytes. */
static bool
take_parameters(struct found *f, struct span value, size_t n)
{
	struct parameters rest = {.rest = value};
	struct parameter p;

	advance(&rest.rest, n);
	while (next_parameter(&rest, &p))
		if (!take_parameter(f, &p))
			return false;
	return rest.why == NULL || refuse_part(f, rest.why);
}

static bool
take_disposition(struct found *f, struct span value)
{
	size_t n = token_len(value);

	if (f->disposition)
		return refuse_part(
		    f, "a part has two lines of Content-Disposition");
	f->disposition = true;
	if (!str_ieq(value.s, n, "form-data"))
		return refuse_part(
		    f, "Content-Disposition of a part is not form-data");
	return take_parameters(f, value, n);
}

static bool
is_multipart(struct span type)
{
	static const char prefix[] = "multipart/";
	size_t n = sizeof(prefix) - 1;

	return type.len >= n && str_ieq(type.s, n, prefix);
}

/* Text, and what forms send in place of it. */
static bool
is_text(struct span type)
{
	static const char prefix[] = "text/";
	size_t n = sizeof(prefix) - 1;

	return (type.len >= n && str_ieq(type.s, n, prefix)) ||
	       media_type_is(type, "application/json") ||
	       media_type_is(type, "application/xml") ||
	       media_type_is(type, "application/x-www-form-urlencoded");
}

static bool
part_head_take_type(struct found *f, struct span value)
{
	if (f->type)
		return refuse_part(f, "a part has two lines of Content-Type");
	f->type = true;
	if (is_multipart(value))
		return refuse_part(f,
		    "a part is a form within the form (multipart/mixed): send "
		    "each file in a part of its own");
	f->head->is_binary = !is_text(value);
	return true;
}

static bool
part_head_take_coding(struct found *f, struct span value)
{
	if (f->coding)
		return refuse_part(
		    f, "a part has two lines of Content-Transfer-Encoding");
	f->coding = true;
	if (str_ieq(value.s, value.len, "binary") ||
	    str_ieq(value.s, value.len, "8bit") ||
	    str_ieq(value.s, value.len, "7bit"))
		return true;
	return refuse_part(f,
	    "a part is encoded (Content-Transfer-Encoding): send its bytes as "
	    "they are");
}

static bool
take_line(struct found *f, struct span line)
{
	size_t n = token_len(line);
	struct span value;

	if (line.s[0] == ' ' || line.s[0] == '\t')
		return refuse_part(
		    f, "a line in the head of a part goes on in the next one");
	if (n == 0 || n == line.len || line.s[n] != ':')
		return refuse_part(
		    f, "a line in the head of a part is not NAME: VALUE");
	value = span_trim((struct span){line.s + n + 1, line.len - n - 1});
	if (str_ieq(line.s, n, "content-disposition"))
		return take_disposition(f, value);
	if (str_ieq(line.s, n, "content-type"))
		return part_head_take_type(f, value);
	if (str_ieq(line.s, n, "content-transfer-encoding"))
		return part_head_take_coding(f, value);
	return true;
}

/* Is it whole? */
static bool
is_complete(struct found *f)
{
	if (!f->disposition)
		return refuse_part(f, "a part has no Content-Disposition");
	if (!f->name || f->head->name[0] == '\0')
		return refuse_part(f,
		    "a part has no name, or an empty one: give the field "
		    "of the form a name");
	return true;
}

/* A control character, of which some would end a line for other programs. */
static bool
has_control(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if (syntax_is_control((unsigned char)line.s[i]))
			return true;
	return false;
}

bool
part_head_parse(
    const char *buf, size_t len, struct part_head *ret, const char **ret_why)
{
	struct found f = {.head = ret};
	bool good = true;

	ret->name[0] = ret->filename[0] = '\0';
	ret->has_filename = ret->is_binary = false;
	while (good && len > 0) {
		const char *end = memchr(buf, '\n', len);
		size_t n = end != NULL ? (size_t)(end - buf) : 0;

		if (n < 2 || buf[n - 1] != '\r' ||
		    has_control((struct span){buf, n - 1}))
			good = refuse_part(&f,
			    "a line in the head of a part is empty, does not "
			    "end with CRLF, or has a control character");
		else
			good = take_line(&f, (struct span){buf, n - 1});
		buf += n + 1;
		len -= good ? n + 1 : 0;
	}
	good = good && is_complete(&f);
	*ret_why = f.why;
	return good;
}

/* ---- one of a request ---- */

bool
part_head_filename(struct span disposition, char ret_name[FILE_NAME_SIZE],
    const char **ret_why)
{
	struct part_head head;
	struct found f = {.head = &head};

	head.filename[0] = '\0';
	if (!take_parameters(&f, disposition, token_len(disposition))) {
		*ret_why = f.why;
		return false;
	}
	memcpy(ret_name, head.filename, sizeof(head.filename));
	return true;
}

/* ---- the boundary ---- */

/* A byte of RFC 2046 5.1.1; a space may not be the last one. */
static bool
is_boundary_byte(int c)
{
	return ascii_is_alnum(c) ||
	       (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL);
}

static const char *
judge_boundary(struct span b)
{
	if (b.len == 0)
		return "the boundary of the form is empty";
	if (b.len > PART_BOUNDARY_MAX)
		return "the boundary of the form is longer than 70 bytes";
	for (size_t i = 0; i < b.len; i++)
		if (!is_boundary_byte((unsigned char)b.s[i]))
			return "the boundary of the form has a byte that no "
			       "boundary may have (RFC 2046 5.1.1)";
	return b.s[b.len - 1] != ' ' ? NULL
				     : "the boundary of the form ends with a "
				       "space";
}

bool
part_head_boundary(
    struct span type, char ret[PART_BOUNDARY_MAX + 1], const char **ret_why)
{
	struct parameters rest = {.rest = type};
	struct parameter p;
	struct span found = {0};
	const char *semicolon = memchr(type.s, ';', type.len);

	advance(&rest.rest,
	    semicolon != NULL ? (size_t)(semicolon - type.s) : type.len);
	while (next_parameter(&rest, &p)) {
		if (!is_named(&p, "boundary"))
			continue;
		if (found.s != NULL) {
			*ret_why = "Content-Type names two boundaries";
			return false;
		}
		found = p.value;
	}
	*ret_why = rest.why;
	if (rest.why == NULL)
		*ret_why = found.s == NULL
			       ? "Content-Type names no boundary: let the "
				 "client make that field itself"
			       : judge_boundary(found);
	if (*ret_why != NULL)
		return false;
	memcpy(ret, found.s, found.len);
	ret[found.len] = '\0';
	return true;
}
