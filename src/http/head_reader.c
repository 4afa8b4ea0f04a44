#include "http/head_reader.h"

#include <errno.h>
#include <stdio.h>

#include "base/num.h"
#include "net/transport.h"

enum {
	/* One receive takes a head and a small body with it. */
	SHARED_SIZE = 16 * 1024,
};

static char shared[SHARED_SIZE];

bool
head_reader_has_begun(const struct head_reader *in)
{
	return in->scan.lines > 0 || in->scan.at > in->scan.line;
}

static enum head_reader_result
head_reader_refuse(struct head_reader_head *ret, int status, const char *why)
{
	ret->status = status;
	ret->outcome = head_refusal_outcome(why);
	snprintf(ret->why, sizeof(ret->why), "%s", why);
	return HEAD_READER_REFUSED;
}

/* Name the limit that was passed. */
static enum head_reader_result
refuse_size(struct head_reader_head *ret, int status, const char *what,
    const char *limit, uint32_t bytes)
{
	char text[NUM_TEXT_MAX];

	num_format_size(bytes, text);
	ret->status = status;
	snprintf(ret->why, sizeof(ret->why),
	    "%s is longer than %s %s: shorten it, or have the limit raised",
	    what, limit, text);
	return HEAD_READER_REFUSED;
}

/* Look at ret->len bytes at ret->buf. */
static enum head_reader_result
scan(struct head_reader *in, const struct head_limits *limits,
    struct head_reader_head *ret)
{
	const char *why = NULL;

	ret->is_head = head_is_head(ret->buf, ret->len);
	switch (head_scan(&in->scan, limits, ret->buf, ret->len, &why)) {
	case HEAD_INCOMPLETE:
		return HEAD_READER_PART;
	case HEAD_COMPLETE:
		ret->head_len = in->scan.at;
		return HEAD_READER_HEAD;
	case HEAD_LINE_LONG:
		return refuse_size(ret, 414, "the request line",
		    "max_request_line", limits->line);
	case HEAD_LARGE:
		return refuse_size(ret, 431, "the head of the request",
		    "max_header_size", limits->size);
	case HEAD_MANY:
		ret->status = 431;
		snprintf(ret->why, sizeof(ret->why),
		    "the request has more header fields than "
		    "max_header_fields %u: send fewer, or have the limit "
		    "raised",
		    (unsigned)limits->fields);
		return HEAD_READER_REFUSED;
	case HEAD_MALFORMED:
	default:
		return head_reader_refuse(ret, 400, why);
	}
}

/* Look at what is held, which is all there is. */
static enum head_reader_result
scan_held(struct head_reader *in, const struct head_limits *limits,
    struct head_reader_head *ret)
{
	enum head_reader_result result;

	if (str_failed(&in->held))
		return HEAD_READER_FAILED;
	ret->buf = in->held.s;
	ret->len = in->held.len;
	result = scan(in, limits, ret);
	if (result == HEAD_READER_HEAD) {
		ret->own = in->held;
		in->held = (struct str){0};
	}
	return result;
}

/* Look at `len` bytes in the shared buffer, the first of this head. */
static enum head_reader_result
scan_shared(struct head_reader *in, const struct head_limits *limits,
    size_t len, struct head_reader_head *ret)
{
	enum head_reader_result result;

	ret->buf = shared;
	ret->len = len;
	result = scan(in, limits, ret);
	if (result == HEAD_READER_PART && head_reader_hold(in, shared, len) < 0)
		return HEAD_READER_FAILED;
	return result;
}

enum head_reader_result
head_reader_read(struct head_reader *in, const struct head_limits *limits,
    struct transport *t, struct head_reader_head *ret)
{
	ssize_t n;

	ret->own = (struct str){0};
	ret->head_len = ret->len = 0;
	ret->outcome = OUTCOME_REFUSED;
	if (t == NULL)
		return scan_held(in, limits, ret);
	n = transport_recv(t, shared, sizeof(shared));
	if (n == -EAGAIN)
		return HEAD_READER_NOTHING;
	if (n <= 0)
		return HEAD_READER_FAILED;
	if (in->held.len == 0)
		return scan_shared(in, limits, (size_t)n, ret);
	str_add(&in->held, shared, (size_t)n);
	return scan_held(in, limits, ret);
}

void
head_reader_release(struct head_reader_head *h)
{
	str_fini(&h->own);
	h->buf = NULL;
}

int
head_reader_hold(struct head_reader *in, const void *bytes, size_t len)
{
	if (len > 0)
		str_add(&in->held, bytes, len);
	return str_failed(&in->held) ? -ENOMEM : 0;
}

void
head_reader_next(struct head_reader *in)
{
	in->scan = (struct head_scan){0};
}

void
head_reader_fini(struct head_reader *in)
{
	str_fini(&in->held);
}
