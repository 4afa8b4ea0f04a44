/*
 * http-parser, which no other file knows: it parses a head that was scanned
 * already, and where the two disagree the head is refused.
 */
#include <http_parser.h>
#include <string.h>

#include "head_internal.h"

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
	case HTTP_PATCH:
		return METHOD_PATCH;
	case HTTP_DELETE:
		return METHOD_DELETE;
	default:
		return METHOD_OTHER;
	}
}

bool
head_find_method(struct span name, enum head_method *ret)
{
	static const char *const names[] = {
#define XX(num, name, string) [num] = #string,
	    HTTP_METHOD_MAP(XX)
#undef XX
	};

	for (unsigned i = 0; i < COUNT_OF(names); i++) {
		if (strlen(names[i]) == name.len &&
		    memcmp(names[i], name.s, name.len) == 0) {
			*ret = method_of(i);
			return true;
		}
	}
	return false;
}

const char head_two_lengths[] =
    "send one Content-Length, or Transfer-Encoding: chunked, not both";

static const char disagree[] = "the head is malformed";

static int
on_url(http_parser *parser, const char *at, size_t len)
{
	struct parse *p = parser->data;

	if (at != p->h->target.s || len != p->h->target.len)
		return head_refuse(p, 400, disagree);
	return 0;
}

static int
on_header_field(http_parser *parser, const char *at, size_t len)
{
	struct parse *p = parser->data;

	/* It is where the scan has seen a name: all of it, at a line start. */
	if (at[-1] != '\n' || at[len] != ':')
		return head_refuse(p, 400, disagree);
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
		return span_trim((struct span){at, len}).len == 0
			   ? 0
			   : head_refuse(p, 400, disagree);
	p->name = (struct span){0};
	return head_take_field(p, name, span_trim((struct span){at, len}));
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
		return head_refuse(p, 400, head_two_lengths);
	if (err == HPE_INVALID_CONTENT_LENGTH)
		return head_refuse(p, 400, head_bad_length);
	if (err == HPE_INVALID_TRANSFER_ENCODING)
		return head_refuse(
		    p, 400, "Transfer-Encoding must be: chunked");
	if (err == HPE_INVALID_URL)
		return head_refuse(p, 400, "the target is malformed");
	return head_refuse(p, 400, disagree);
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

int
head_run_parser(struct parse *p, const char *s, size_t len)
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
		return head_refuse(p, 400, disagree);
	return 0;
}
