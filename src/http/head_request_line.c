/*
 * The request line: method, target and version, strictly.
 */
#include <string.h>

#include "head_internal.h"

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
		return head_refuse(
		    p, 400, "the target's host is not host[:port]");
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
			return head_refuse(p, 400,
			    "the target has a byte to be written as %XX: "
			    "a control, '#', or beyond ASCII");
	}
	if (h->method == METHOD_CONNECT) {
		h->path = (struct span){"", 0};
		return syntax_is_authority(t)
			   ? 0
			   : head_refuse(
				 p, 400, "CONNECT takes a target host:port");
	}
	if (t.s[0] == '/' ||
	    (h->method == METHOD_OPTIONS && t.len == 1 && t.s[0] == '*')) {
		h->path = without_query(t);
		return 0;
	}
	if (syntax_split_absolute(t, &p->authority, &path))
		return take_absolute(p, path);
	return head_refuse(p, 400, "the target must begin with a slash");
}

/* The method that `line` begins with. */
static int
take_method(struct parse *p, struct span line)
{
	const struct head_foreign *foreign;
	struct span m = p->h->method_text;

	if (!syntax_is_token(m))
		return head_refuse(p, 400, "the method is not a word");
	if (head_find_method(m, &p->h->method))
		return 0;
	foreign = head_foreign(line.s, line.len);
	if (foreign != NULL) {
		p->h->method_text = (struct span){0}; /* it is no method */
		return head_refuse(p, foreign->status, foreign->why);
	}
	return head_refuse(p, 501, "no such method is known; case matters");
}

static int
take_version(struct parse *p, struct span v)
{
	if (v.len != 8 || memcmp(v.s, "HTTP/", 5) != 0 || v.s[6] != '.' ||
	    v.s[5] < '0' || v.s[5] > '9' || v.s[7] < '0' || v.s[7] > '9')
		return head_refuse(p, 400,
		    "the request line must be: method, target, HTTP/1.1, "
		    "with one space between; a space in the target is %20");
	if (v.s[5] != '1' || v.s[7] > '1')
		return head_refuse(
		    p, 505, "only HTTP/1.1 and HTTP/1.0 are spoken");
	p->h->minor = v.s[7] == '1';
	return 0;
}

int
head_scan_request_line(struct parse *p, struct span line)
{
	struct head *h = p->h;
	const char *end = line.s + line.len;
	const char *sp1 = memchr(line.s, ' ', line.len), *sp2;

	if (sp1 == NULL)
		return head_refuse(p, 400,
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
		return head_refuse(p, 400,
		    "the target of the request is empty: write / at least");
	if (sp2 < end)
		sp2++;
	if (take_version(p, (struct span){sp2, (size_t)(end - sp2)}) != 0)
		return p->status;
	return take_target(p);
}
