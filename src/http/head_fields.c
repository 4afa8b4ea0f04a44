/*
 * The fields of a head that matter here, each taken by its row of known[].
 */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "head_internal.h"

enum {
	NAME_MAX_BYTES = 64, /* of a field that is known */
};

static int
take_host(struct parse *p, struct span v)
{
	if (!syntax_is_authority(v))
		return head_refuse(p, 400, "Host is not host[:port]");
	p->h->host = v;
	return 0;
}

const char head_bad_length[] =
    "Content-Length must be a number of bytes, digits only, below 2^63";

static int
take_length(struct parse *p, struct span v)
{
	uint64_t n = 0;

	if (num_parse_u64(v.s, v.len, &n) < 0 || n > INT64_MAX)
		return head_refuse(p, 400, head_bad_length);
	p->h->has_length = true;
	p->h->content_length = n;
	return 0;
}

/* Anything but one "chunked" is refused; this finds out how. */
static int
take_coding(struct parse *p, struct span v)
{
	static const char faulty[] = "Transfer-Encoding must be: chunked";
	struct span member = {0};
	bool chunked = false;

	if (p->h->minor == 0)
		return head_refuse(p, 400,
		    "HTTP/1.0 has no Transfer-Encoding: "
		    "send Content-Length, or use HTTP/1.1");
	if (str_ieq(v.s, v.len, "chunked")) {
		p->h->chunked = true;
		return 0;
	}
	while (syntax_next_member(&v, &member)) {
		const char *semi = memchr(member.s, ';', member.len);
		struct span token = member;

		if (semi != NULL)
			token.len = (size_t)(semi - member.s);
		token = span_trim(token);
		if (!syntax_is_token(token) || chunked)
			return head_refuse(p, 400, faulty);
		chunked = str_ieq(token.s, token.len, "chunked");
		if (chunked && semi != NULL)
			return head_refuse(p, 400, faulty);
	}
	return head_refuse(
	    p, 501, "no other transfer coding than chunked is known");
}

static int
take_connection(struct parse *p, struct span v)
{
	struct span member;

	while (syntax_next_member(&v, &member)) {
		if (str_ieq(member.s, member.len, "close"))
			p->close = true;
		else if (str_ieq(member.s, member.len, "keep-alive"))
			p->keep = true;
	}
	return 0;
}

/* Few requests need it: what it says twice is refused only where it matters. */
static int
take_disposition(struct parse *p, struct span v)
{
	p->h->disposition_twice = p->h->content_disposition.s != NULL;
	p->h->content_disposition = v;
	return 0;
}

static int
take_expect(struct parse *p, struct span v)
{
	struct span member;

	if (p->h->minor == 0)
		return 0; /* must be ignored (RFC 9110 10.1.1) */
	while (syntax_next_member(&v, &member)) {
		if (str_ieq(member.s, member.len, "100-continue"))
			p->h->expect_continue = true;
		else if (member.len > 0)
			p->h->expect_unknown = true;
	}
	return 0;
}

static int
take_content_coding(struct parse *p, struct span v)
{
	struct span member;

	while (syntax_next_member(&v, &member))
		if (member.len > 0 &&
		    !str_ieq(member.s, member.len, "identity"))
			p->h->content_coded = true;
	return 0;
}

static int
take_line(struct parse *p, struct head_lines *lines, struct span v)
{
	if (lines->count == HEAD_LINES_MAX)
		return head_refuse(p, 400,
		    "a digest field stands on more than 8 lines: "
		    "put them into one, with commas between");
	lines->line[lines->count++] = v;
	return 0;
}

static int
take_content_digest(struct parse *p, struct span v)
{
	return take_line(p, &p->h->content_digest, v);
}

static int
take_repr_digest(struct parse *p, struct span v)
{
	return take_line(p, &p->h->repr_digest, v);
}

static int
take_forwarded(struct parse *p, struct span v)
{
	(void)v;
	p->h->forwarded = true;
	return 0;
}

/* Keep the last lines, which are those of the proxies that are next to us. */
static void
take_last_line(struct head_lines *lines, struct span v)
{
	if (lines->count == HEAD_LINES_MAX) {
		lines->count--;
		memmove(&lines->line[0], &lines->line[1],
		    lines->count * sizeof(lines->line[0]));
	}
	lines->line[lines->count++] = v;
}

static int
take_forwarded_by(struct parse *p, struct span v)
{
	take_last_line(&p->h->forwarded_by, v);
	return take_forwarded(p, v);
}

static int
take_forwarded_for(struct parse *p, struct span v)
{
	take_last_line(&p->h->forwarded_for, v);
	return take_forwarded(p, v);
}

/* Of two it is not known which is the proxy's: then there is no address. */
static int
take_real_ip(struct parse *p, struct span v)
{
	p->h->real_ip = p->h->real_ip.s == NULL ? v : (struct span){v.s, 0};
	return take_forwarded(p, v);
}

/* Of several it is not known which is the nearest proxy's. */
static int
take_forwarded_proto(struct parse *p, struct span v)
{
	struct span *proto = &p->h->forwarded_proto;

	*proto = proto->s == NULL ? v : (struct span){v.s, 0};
	return take_forwarded(p, v);
}

/* Lines beyond HEAD_LINES_MAX are ignored. */
static int
take_forwarded_host(struct parse *p, struct span v)
{
	struct head_lines *lines = &p->h->forwarded_host;

	p->h->forwarded = true;
	return lines->count < HEAD_LINES_MAX ? take_line(p, lines, v) : 0;
}

/* clang-format off */
#define NAME(text) text, sizeof(text) - 1
#define ONCE(text) NAME(text), text " is given twice: send it once"
#define LAST(text) NAME(text), NULL, NULL
#define TO(member) offsetof(struct head, member)

/*
 * The fields that matter: taken by a function, or kept as text at `to`.  With
 * a sentence in `twice` a second line is refused with it.
 */
static const struct field {
	const char *name;
	size_t len;
	const char *twice;
	int (*take)(struct parse *p, struct span v);
	size_t to;
} known[] = {
	{ LAST("Accept"),                    TO(accept) },
	{ LAST("Access-Control-Request-Headers"), TO(preflight_fields) },
	{ LAST("Access-Control-Request-Method"), TO(preflight_method) },
	{ LAST("Access-Control-Request-Private-Network"),
	  TO(preflight_private) },
	{ ONCE("Authorization"),       NULL, TO(authorization) },
	{ NAME("Connection"),          NULL, take_connection },
	{ NAME("Content-Digest"),      NULL, take_content_digest },
	{ NAME("Content-Disposition"), NULL, take_disposition },
	{ NAME("Content-Encoding"),    NULL, take_content_coding },
	{ ONCE("Content-Length"),            take_length },
	{ ONCE("Content-MD5"),         NULL, TO(content_md5) },
	{ ONCE("Content-Range"),       NULL, TO(content_range) },
	{ LAST("Content-Type"),              TO(content_type) },
	{ NAME("Expect"),              NULL, take_expect },
	{ NAME("Forwarded"),           NULL, take_forwarded_by },
	{ ONCE("Host"),                      take_host },
	{ ONCE("If-Match"),            NULL, TO(if_match) },
	{ ONCE("If-Modified-Since"),   NULL, TO(if_modified_since) },
	{ ONCE("If-None-Match"),       NULL, TO(if_none_match) },
	{ ONCE("If-Range"),            NULL, TO(if_range) },
	{ ONCE("If-Unmodified-Since"), NULL, TO(if_unmodified_since) },
	{ LAST("Incremental"),               TO(incremental) },
	{ ONCE("Origin"),              NULL, TO(origin) },
	{ ONCE("Range"),               NULL, TO(range) },
	{ LAST("Referer"),                   TO(referer) },
	{ NAME("Repr-Digest"),         NULL, take_repr_digest },
	{ LAST("Sec-Fetch-Mode"),            TO(sec_fetch_mode) },
	{ ONCE("Sec-Fetch-Site"),      NULL, TO(sec_fetch_site) },
	{ LAST("Trailer"),                   TO(trailer) },
	{ ONCE("Transfer-Encoding"),         take_coding },
	{ LAST("Tus-Resumable"),             TO(tus_resumable) },
	{ LAST("Upgrade-Insecure-Requests"), TO(upgrade_insecure) },
	{ ONCE("Upload-Checksum"),     NULL, TO(upload_checksum) },
	{ ONCE("Upload-Complete"),     NULL, TO(upload_complete) },
	{ ONCE("Upload-Concat"),       NULL, TO(upload_concat) },
	{ ONCE("Upload-Defer-Length"), NULL, TO(upload_defer_length) },
	{ LAST("Upload-Draft-Interop-Version"), TO(upload_version) },
	{ ONCE("Upload-Incomplete"),   NULL, TO(upload_incomplete) },
	{ ONCE("Upload-Length"),       NULL, TO(upload_length) },
	{ ONCE("Upload-Metadata"),     NULL, TO(upload_metadata) },
	{ ONCE("Upload-Offset"),       NULL, TO(upload_offset) },
	{ LAST("User-Agent"),                TO(user_agent) },
	{ NAME("Via"),                 NULL, take_forwarded },
	{ LAST("Want-Repr-Digest"),          TO(want_repr_digest) },
	{ LAST("X-Amz-Copy-Source"),         TO(amz_copy_source) },
	{ LAST("X-Amz-Decoded-Content-Length"), TO(amz_decoded_length) },
	{ NAME("X-Forwarded-For"),     NULL, take_forwarded_for },
	{ NAME("X-Forwarded-Host"),    NULL, take_forwarded_host },
	{ NAME("X-Forwarded-Proto"),   NULL, take_forwarded_proto },
	{ ONCE("X-HTTP-Method-Override"), NULL, TO(method_override) },
	{ NAME("X-Real-IP"),           NULL, take_real_ip },
};
/* clang-format on */

_Static_assert(COUNT_OF(known) <= 64, "parse.seen has a bit for each row");

/*
 * Rows by the length of their names, so that of the many rows few are compared
 * with a field: first_of[] has the first row of a length, next_of[] the next one
 * of the same length; both count from 1, 0 is the end.
 */
static unsigned char first_of[NAME_MAX_BYTES + 1], next_of[COUNT_OF(known) + 1];

static void
make_chains(void)
{
	for (unsigned i = COUNT_OF(known); i > 0; i--) {
		size_t len = known[i - 1].len;

		check(len <= NAME_MAX_BYTES);
		next_of[i] = first_of[len];
		first_of[len] = (unsigned char)i;
	}
}

/* Where the text of a row that has no function is kept. */
static struct span *
text_of(struct head *h, const struct field *f)
{
	return (struct span *)(void *)((char *)h + f->to);
}

static int
take_row(struct parse *p, unsigned row, struct span v)
{
	const struct field *f = &known[row];

	if (f->twice != NULL && (p->seen & UINT64_C(1) << row) != 0)
		return head_refuse(p, 400, f->twice);
	p->seen |= UINT64_C(1) << row;
	if (f->take != NULL)
		return f->take(p, v);
	*text_of(p->h, f) = v;
	return 0;
}

struct span
head_glimpse_origin(const char *buf, size_t len)
{
	static const char name[] = "Origin:";
	size_t n = sizeof(name) - 1;
	const char *end = buf + len, *lf, *next;

	for (lf = memchr(buf, '\n', len); lf != NULL; lf = next) {
		const char *line = lf + 1;

		next = memchr(line, '\n', (size_t)(end - line));
		if (next == NULL || (size_t)(next - line) <= n ||
		    !str_ieq(line, n, name))
			continue;
		len = (size_t)(next - line) - n;
		if (next[-1] == '\r')
			len--;
		return span_trim((struct span){line + n, len});
	}
	return (struct span){0};
}

int
head_take_field(struct parse *p, struct span name, struct span v)
{
	static bool made;

	if (!made)
		make_chains();
	made = true;
	if (name.len > NAME_MAX_BYTES)
		return 0;
	for (unsigned i = first_of[name.len]; i != 0; i = next_of[i])
		if (str_ieq_bytes(name.s, known[i - 1].name, name.len))
			return take_row(p, i - 1, v);
	return 0;
}

/* Have a text in the `len` bytes at `from` lie in their copy at `to`; one that is
 * static, or absent, stays. */
static void
move_text(struct span *text, const char *from, size_t len, const char *to)
{
	if (text->s != NULL && (uintptr_t)text->s >= (uintptr_t)from &&
	    (uintptr_t)text->s <= (uintptr_t)from + len)
		text->s = to + (text->s - from);
}

static void
move_lines(struct head_lines *l, const char *from, size_t len, const char *to)
{
	for (unsigned i = 0; i < l->count; i++)
		move_text(&l->line[i], from, len, to);
}

struct head *
head_copy(const struct head *h, const char *buf, size_t len)
{
	struct head *copy = malloc(sizeof(*copy) + len);
	char *to;

	if (copy == NULL)
		return NULL;
	to = (char *)(copy + 1);
	*copy = *h;
	memcpy(to, buf, len);
	move_text(&copy->method_text, buf, len, to);
	move_text(&copy->target, buf, len, to);
	move_text(&copy->path, buf, len, to);
	move_text(&copy->host, buf, len, to);
	move_lines(&copy->forwarded_host, buf, len, to);
	move_lines(&copy->forwarded_for, buf, len, to);
	move_lines(&copy->forwarded_by, buf, len, to);
	move_text(&copy->real_ip, buf, len, to);
	move_text(&copy->forwarded_proto, buf, len, to);
	move_lines(&copy->content_digest, buf, len, to);
	move_lines(&copy->repr_digest, buf, len, to);
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (known[i].take == NULL)
			move_text(text_of(copy, &known[i]), buf, len, to);
	return copy;
}
