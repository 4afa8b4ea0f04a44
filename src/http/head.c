#include "http/head.h"

#include <string.h>

#include "head_internal.h"

/* What needs more than one field. */
static int
conclude(struct parse *p)
{
	struct head *h = p->h;

	if (h->host.s == NULL && h->minor > 0)
		return head_refuse(p, 400, "HTTP/1.1 needs a Host field");
	if (h->has_length && h->chunked)
		return head_refuse(p, 400, head_two_lengths);
	if (p->authority.s != NULL)
		h->host = p->authority;
	h->keep_alive = !p->close && (h->minor > 0 || p->keep);
	return 0;
}

enum { HEAD_METHOD_LEN = 5 };

/* How much of the method HEAD, and the space behind it, is there; -1: it is another one. */
static int
match_head(const char *buf, size_t len)
{
	static const char method[] = "HEAD ";

	while (len >= 2 && buf[0] == '\r' && buf[1] == '\n') {
		buf += 2;
		len -= 2;
	}
	if (len > HEAD_METHOD_LEN)
		len = HEAD_METHOD_LEN;
	return len == 0 || memcmp(buf, method, len) == 0 ? (int)len : -1;
}

bool
head_is_head(const char *buf, size_t len)
{
	return match_head(buf, len) == HEAD_METHOD_LEN;
}

bool
head_may_be_head(const char *buf, size_t len)
{
	return match_head(buf, len) > 0;
}

int
head_parse(const char *buf, size_t len, struct head *ret, const char **ret_why)
{
	const char *s = buf, *end = buf + len;
	struct parse p = {.h = ret};

	*ret = (struct head){.method = METHOD_OTHER};
	while (end - s >= 2 && s[0] == '\r' && s[1] == '\n')
		s += 2;
	if (head_scan_lines(&p, s, end) == 0 &&
	    head_run_parser(&p, s, (size_t)(end - s)) == 0)
		(void)conclude(&p);
	if (p.status != 0) {
		*ret_why = p.why;
		ret->origin = head_glimpse_origin(buf, len);
	}
	return p.status;
}
