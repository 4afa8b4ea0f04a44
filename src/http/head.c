#include "http/head.h"

#include <http_parser.h>
#include <string.h>

#include "base/str.h"
#include "head_internal.h"

const char head_bare_cr[] =
    "a CR stands without LF in the head: end lines with CRLF";
const char head_bare_lf[] =
    "a line of the head ends with LF alone: end it with CRLF";
const char head_control[] =
    "a control character stands in the head: leave it out";
/*
 * The strict scan: what http-parser would let through.
 */

/* Take the query off `t`, which begins where the path does. */
static struct span
without_query(struct span t)
{
	const char *query = t.len > 0 ? memchr(t.s, '?', t.len) : NULL;

	if (query != NULL)
		t.len = (size_t)(query - t.s);
	return t;
}

/* absolute-form: the path may be missing (RFC 9112 3.2.2, 3.2.4). */
static int
take_absolute(struct parse *p, struct span path)
{
	struct head *h = p->h;

	if (!syntax_is_authority(p->authority))
		return refuse(p, 400, "the target's host is not host[:port]");
	h->path = without_query(path);
	if (h->path.len == 0) {
		bool any = h->method == METHOD_OPTIONS && path.len == 0;

		h->path = (struct span){any ? "*" : "/", 1};
	}
	return 0;
}

static int
take_target(struct parse *p)
{
	struct head *h = p->h;
	struct span t = h->target, path;

	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.s[i];

		if (c <= 0x20 || c >= 0x7f || c == '#')
			return refuse(p, 400,
			    "the target has a byte to be written as %XX: "
			    "a control, '#', or beyond ASCII");
	}
	if (h->method == METHOD_CONNECT) {
		h->path = (struct span){"", 0};
		return syntax_is_authority(t)
			   ? 0
			   : refuse(p, 400, "CONNECT takes a target host:port");
	}
	if (t.s[0] == '/' ||
	    (h->method == METHOD_OPTIONS && t.len == 1 && t.s[0] == '*')) {
		h->path = without_query(t);
		return 0;
	}
	if (syntax_split_absolute(t, &p->authority, &path))
		return take_absolute(p, path);
	return refuse(p, 400, "the target must begin with a slash");
}

/* What HTTP knows, and what becomes of it here. */
static enum head_method
method_of(unsigned known)
{
	switch (known) {
	case HTTP_GET:
		return METHOD_GET;
	case HTTP_HEAD:
		return METHOD_HEAD;
	case HTTP_POST:
		return METHOD_POST;
	case HTTP_PUT:
		return METHOD_PUT;
	case HTTP_OPTIONS:
		return METHOD_OPTIONS;
	case HTTP_CONNECT:
		return METHOD_CONNECT;
	default:
		return METHOD_OTHER;
	}
}

/* The method that `line` begins with. */
static int
take_method(struct parse *p, struct span line)
{
	static const char *const names[] = {
#define XX(num, name, string) [num] = #string,
	    HTTP_METHOD_MAP(XX)
#undef XX
	};
	const struct head_foreign *foreign;
	struct span m = p->h->method_text;

	if (!syntax_is_token(m))
		return refuse(p, 400, "the method is not a word");
	for (unsigned i = 0; i < COUNT_OF(names); i++) {
		if (strlen(names[i]) == m.len &&
		    memcmp(names[i], m.s, m.len) == 0) {
			p->h->method = method_of(i);
			return 0;
		}
	}
	foreign = head_foreign(line.s, line.len);
	if (foreign != NULL) {
		p->h->method_text = (struct span){0}; /* it is no method */
		return refuse(p, foreign->status, foreign->why);
	}
	return refuse(p, 501, "no such method is known; case matters");
}

static int
take_version(struct parse *p, struct span v)
{
	if (v.len != 8 || memcmp(v.s, "HTTP/", 5) != 0 || v.s[6] != '.' ||
	    v.s[5] < '0' || v.s[5] > '9' || v.s[7] < '0' || v.s[7] > '9')
		return refuse(p, 400,
		    "the request line must be: method, target, HTTP/1.1, "
		    "with one space between; a space in the target is %20");
	if (v.s[5] != '1' || v.s[7] > '1')
		return refuse(p, 505, "only HTTP/1.1 and HTTP/1.0 are spoken");
	p->h->minor = v.s[7] == '1';
	return 0;
}

static int
scan_request_line(struct parse *p, struct span line)
{
	struct head *h = p->h;
	const char *end = line.s + line.len;
	const char *sp1 = memchr(line.s, ' ', line.len), *sp2;

	if (sp1 == NULL)
		return refuse(p, 400,
		    "the request line must be: method, target, HTTP/1.1");
	h->method_text = (struct span){line.s, (size_t)(sp1 - line.s)};
	sp1++;
	sp2 = memchr(sp1, ' ', (size_t)(end - sp1));
	if (sp2 == NULL)
		sp2 = end; /* HTTP/0.9: the version is empty */
	h->target = (struct span){sp1, (size_t)(sp2 - sp1)};
	if (take_method(p, line) != 0)
		return p->status;
	if (h->target.len == 0)
		return refuse(p, 400,
		    "the target of the request is empty: write / at least");
	if (sp2 < end)
		sp2++;
	if (take_version(p, (struct span){sp2, (size_t)(end - sp2)}) != 0)
		return p->status;
	return take_target(p);
}

/* The white space behind a length, if there is a TAB in it: see run_parser(). */
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
		return refuse(p, 400, "a header line has no colon");
	if (i > 0 && line.s[i] == ':') {
		note_length(p, line, i);
		return 0;
	}
	if (line.s[i] != ' ' && line.s[i] != '\t')
		return refuse(p, 400, "a header name has a wrong byte");
	return refuse(p, 400,
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

		if (c == '\r')
			return refuse(p, 400, head_bare_cr);
		if (syntax_is_control(c))
			return refuse(p, 400, head_control);
	}
	return first ? scan_request_line(p, line) : scan_field_line(p, line);
}

/* Look at all lines of the head; http-parser has not seen them yet. */
static int
scan_lines(struct parse *p, const char *s, const char *end)
{
	static const char unfinished[] = "the head ends too early or too late";

	for (bool first = true;; first = false) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		size_t len;

		if (lf == NULL)
			return refuse(p, 400, unfinished);
		if (lf == s || lf[-1] != '\r')
			return refuse(p, 400, head_bare_lf);
		len = (size_t)(lf - s) - 1;
		if (len == 0)
			return !first && lf + 1 == end
				   ? 0
				   : refuse(p, 400, unfinished);
		if (scan_line(p, (struct span){s, len}, first) != 0)
			return p->status;
		s = lf + 1;
	}
}

static const char disagree[] = "the head is malformed";

static int
on_url(http_parser *parser, const char *at, size_t len)
{
	struct parse *p = parser->data;

	if (at != p->h->target.s || len != p->h->target.len)
		return refuse(p, 400, disagree);
	return 0;
}

static int
on_header_field(http_parser *parser, const char *at, size_t len)
{
	struct parse *p = parser->data;

	/* It is where the scan has seen a name: all of it, at a line start. */
	if (at[-1] != '\n' || at[len] != ':')
		return refuse(p, 400, disagree);
	p->name = (struct span){at, len};
	p->fields++;
	return 0;
}

static int
on_header_value(http_parser *parser, const char *at, size_t len)
{
	struct parse *p = parser->data;
	struct span name = p->name;

	/* Nothing but white space can follow what was delivered. */
	if (name.s == NULL)
		return syntax_trim((struct span){at, len}).len == 0
			   ? 0
			   : refuse(p, 400, disagree);
	p->name = (struct span){0};
	return head_take_field(p, name, syntax_trim((struct span){at, len}));
}

static int
on_headers_complete(http_parser *parser)
{
	struct parse *p = parser->data;

	p->complete = true;
	return 2; /* the body is ours */
}

/* What http-parser refuses by itself, before a field reached us. */
static int
refuse_parsed(struct parse *p, enum http_errno err)
{
	if (err == HPE_UNEXPECTED_CONTENT_LENGTH)
		return refuse(p, 400,
		    "send one Content-Length, or Transfer-Encoding: chunked, "
		    "not both");
	if (err == HPE_INVALID_CONTENT_LENGTH)
		return refuse(p, 400, head_bad_length);
	if (err == HPE_INVALID_TRANSFER_ENCODING)
		return refuse(p, 400, "Transfer-Encoding must be: chunked");
	if (err == HPE_INVALID_URL)
		return refuse(p, 400, "the target is malformed");
	return refuse(p, 400, disagree);
}

/* True: it took all of it. */
static bool
feed(http_parser *parser, const char *s, size_t len)
{
	static const http_parser_settings settings = {
	    .on_url = on_url,
	    .on_header_field = on_header_field,
	    .on_header_value = on_header_value,
	    .on_headers_complete = on_headers_complete,
	};

	return http_parser_execute(parser, &settings, s, len) == len &&
	       HTTP_PARSER_ERRNO(parser) == HPE_OK;
}

/* The same, with one space in place of the `padding`.  Behind a length
 * http-parser takes spaces only, but white space is TABs as well (RFC 9110
 * 5.6.3). */
static bool
feed_padded(http_parser *parser, const char *s, size_t len, struct span padding)
{
	const char *rest = padding.s + padding.len;

	return feed(parser, s, (size_t)(padding.s - s)) &&
	       feed(parser, " ", 1) &&
	       feed(parser, rest, (size_t)(s + len - rest));
}

static int
run_parser(struct parse *p, const char *s, size_t len)
{
	http_parser parser;
	bool whole;

	http_parser_init(&parser, HTTP_REQUEST);
	parser.data = p;
	if (p->padding.s == NULL)
		whole = feed(&parser, s, len);
	else
		whole = feed_padded(&parser, s, len, p->padding);
	if (p->status != 0)
		return p->status;
	if (HTTP_PARSER_ERRNO(&parser) != HPE_OK)
		return refuse_parsed(p, HTTP_PARSER_ERRNO(&parser));
	if (!whole || !p->complete || p->fields != p->lines ||
	    parser.http_major != 1 || parser.http_minor != p->h->minor ||
	    method_of(parser.method) != p->h->method)
		return refuse(p, 400, disagree);
	return 0;
}

/* What needs more than one field. */
static int
conclude(struct parse *p)
{
	struct head *h = p->h;

	if (h->host.s == NULL && h->minor > 0)
		return refuse(p, 400, "HTTP/1.1 needs a Host field");
	if (h->has_length && h->chunked)
		return refuse_parsed(p, HPE_UNEXPECTED_CONTENT_LENGTH);
	if (p->authority.s != NULL)
		h->host = p->authority;
	h->keep_alive = !p->close && (h->minor > 0 || p->keep);
	return 0;
}

bool
head_is_head(const char *buf, size_t len)
{
	static const char method[] = "HEAD ";

	while (len >= 2 && buf[0] == '\r' && buf[1] == '\n') {
		buf += 2;
		len -= 2;
	}
	return len >= sizeof(method) - 1 &&
	       memcmp(buf, method, sizeof(method) - 1) == 0;
}

int
head_parse(const char *buf, size_t len, struct head *ret, const char **ret_why)
{
	const char *s = buf, *end = buf + len;
	struct parse p = {.h = ret};

	*ret = (struct head){.method = METHOD_OTHER};
	while (end - s >= 2 && s[0] == '\r' && s[1] == '\n')
		s += 2;
	if (scan_lines(&p, s, end) == 0 &&
	    run_parser(&p, s, (size_t)(end - s)) == 0)
		(void)conclude(&p);
	if (p.status != 0) {
		*ret_why = p.why;
		ret->origin = head_glimpse_origin(buf, len);
	}
	return p.status;
}
