#include "http/body.h"

#include <errno.h>
#include <string.h>

#include "base/ascii.h"
#include "base/block.h"
#include "base/str.h"
#include "disk/chunk.h"
#include "net/transport.h"
#include "http/syntax.h"

enum {
	SIZE_DIGITS_MAX = 16,
	LAST_CHUNK = 7, /* CRLF behind the data, then 0 CRLF CRLF */
};

static enum source_result
body_fail(struct body *b, enum outcome e, int err)
{
	b->source.failure = failure_of(e, err);
	return SOURCE_FAILED;
}

/* Framing that cannot be: false, for the caller to return. */
static bool
body_refuse(struct body *b, const char *why)
{
	(void)body_fail(b, OUTCOME_BAD_FRAMING, 0);
	b->why = why;
	return false;
}

/* The size line ended: `owed` is the chunk's size. */
static bool
end_size(struct body *b)
{
	b->digits = 0;
	if (b->owed > INT64_MAX - b->payload)
		return body_refuse(b, "a chunk is longer than any file can be");
	if (b->owed > b->limit - b->payload) {
		(void)body_fail(b, OUTCOME_TOO_LARGE, 0);
		return false;
	}
	b->state = b->owed > 0 ? BODY_DATA : BODY_TRAILER;
	return true;
}

static bool
in_size(struct body *b, unsigned char c)
{
	int digit = ascii_hex_digit(c);

	if (digit >= 0) {
		if (b->digits++ == SIZE_DIGITS_MAX)
			return body_refuse(
			    b, "a chunk size has over 16 digits");
		b->owed = b->owed << 4 | (unsigned)digit;
		return true;
	}
	if (b->digits == 0 || (c != '\r' && c != ';'))
		return body_refuse(b,
		    "a chunk size must be hexadecimal digits, "
		    "then CRLF");
	b->state = c == ';' ? BODY_EXTENSION : BODY_SIZE_LF;
	return true;
}

static bool
in_extension(struct body *b, unsigned char c)
{
	if (c == '\r') {
		b->state = BODY_SIZE_LF;
		return true;
	}
	if (syntax_is_control(c))
		return body_refuse(
		    b, "a chunk extension has a control character");
	if (++b->extension_len > BODY_EXTENSION_MAX)
		return body_refuse(b, "the chunk extensions are over 16 KiB");
	return true;
}

/*
 * Trailer fields are dropped.  A request whose trailer has a field about framing,
 * routing or the meaning of the payload is refused: it belongs in the head
 * (RFC 9110 6.5.1).  Digests are allowed in trailers.
 */
static bool
is_forbidden(const struct body *b)
{
	static const char *const words[] = {"connection", "expect", "host",
	    "te", "trailer", "transfer-encoding", "upgrade"};
	static const char content[] = "content-";

	if (b->name_len >= sizeof(content) - 1 &&
	    memcmp(b->name, content, sizeof(content) - 1) == 0)
		return !str_ieq(b->name, b->name_len, "content-digest");
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_ieq(b->name, b->name_len, words[i]))
			return true;
	return false;
}

/* Its name is whole: is it the one that is wanted? */
static bool
begin_trailer_text(struct body *b)
{
	struct body_trailer *t = b->wanted;

	b->keeps = t != NULL && str_ieq(b->name, b->name_len, t->name);
	if (b->keeps && t->came)
		return body_refuse(b, "a trailer is given twice: send it once");
	if (b->keeps)
		t->came = true;
	b->state = BODY_TRAILER_TEXT;
	return true;
}

static void
keep_trailer(struct body_trailer *t, unsigned char c)
{
	t->cut |= t->len == sizeof(t->value);
	if (!t->cut)
		t->value[t->len++] = (char)c;
}

static bool
in_trailer_name(struct body *b, unsigned char c)
{
	if (c == ':' && b->name_len > 0) {
		if (is_forbidden(b))
			return body_refuse(b,
			    "a trailer names a field that only "
			    "the head may have");
		return begin_trailer_text(b);
	}
	if (!syntax_is_tchar(c))
		return body_refuse(
		    b, "a trailer line must be: name, colon, value");
	/* A clipped name is longer than all those that are looked for. */
	if (b->name_len < sizeof(b->name))
		b->name[b->name_len++] = ascii_lower((char)c);
	b->state = BODY_TRAILER_NAME;
	return true;
}

static bool
in_trailer(struct body *b, unsigned char c)
{
	if (++b->trailer_len > BODY_TRAILER_MAX)
		return body_refuse(b, "the trailers are over 8 KiB");
	if (b->state == BODY_TRAILER && c == '\r') {
		b->state = BODY_END_LF;
		return true;
	}
	if (b->state == BODY_TRAILER)
		b->name_len = 0;
	if (b->state != BODY_TRAILER_TEXT)
		return in_trailer_name(b, c);
	if (c == '\r')
		b->state = BODY_TRAILER_LF;
	else if (syntax_is_control(c))
		return body_refuse(b, "a trailer has a control character");
	else if (b->keeps)
		keep_trailer(b->wanted, c);
	return true;
}

/* The byte that must come now, and what comes behind it. */
static bool
expect(
    struct body *b, unsigned char c, unsigned char want, enum body_state next)
{
	if (c != want)
		return body_refuse(
		    b, b->state == BODY_DATA_CR
			   ? "a chunk is longer than its size says"
			   : "a line of the framing does not end with CRLF");
	b->state = next;
	return true;
}

/* Take one byte of framing.  False: it is malformed, and the failure says why. */
static bool
body_step(struct body *b, unsigned char c)
{
	switch (b->state) {
	case BODY_SIZE:
		return in_size(b, c);
	case BODY_EXTENSION:
		return in_extension(b, c);
	case BODY_SIZE_LF:
		return expect(b, c, '\n', b->state) && end_size(b);
	case BODY_DATA_CR:
		return expect(b, c, '\r', BODY_DATA_LF);
	case BODY_DATA_LF:
		return expect(b, c, '\n', BODY_SIZE);
	case BODY_TRAILER:
	case BODY_TRAILER_NAME:
	case BODY_TRAILER_TEXT:
		return in_trailer(b, c);
	case BODY_TRAILER_LF:
		return expect(b, c, '\n', BODY_TRAILER);
	case BODY_END_LF:
		return expect(b, c, '\n', BODY_DONE);
	case BODY_DATA:
	case BODY_DONE:
	case BODY_STATE_COUNT:
	default:
		die("body: a byte of framing in state %d", (int)b->state);
	}
}

/* Payload: as much as there is, is owed, and fits behind c->len. */
static size_t
move_payload(struct body *b, struct chunk *c, size_t size,
    const unsigned char *from, size_t len)
{
	size_t n = size - c->len;

	if (n > len)
		n = len;
	if (n > b->owed)
		n = (size_t)b->owed;
	if (from != c->data + c->len)
		memmove(c->data + c->len, from, n);
	c->len += n;
	b->payload += n;
	b->owed -= n;
	if (b->owed == 0)
		b->state = BODY_DATA_CR;
	return n;
}

/*
 * Decode `len` bytes at `from` (which may be the free part of `c` itself)
 * into `c` until they are used up, the body ends, or `c` is full and payload
 * comes next.  *ret_used says how far it came; false: refused.
 */
static bool
body_decode(struct body *b, struct chunk *c, size_t size,
    const unsigned char *from, size_t len, size_t *ret_used)
{
	size_t used = 0;
	bool good = true;

	while (good && used < len && b->state != BODY_DONE) {
		if (b->state != BODY_DATA) {
			good = body_step(b, from[used++]);
			continue;
		}
		if (c->len == size)
			break;
		used += move_payload(b, c, size, from + used, len - used);
	}
	b->source.ended = b->state == BODY_DONE;
	b->received += used;
	*ret_used = used;
	return good;
}

/* Keep a copy of `len` bytes; nothing is held yet. */
static int
hold(struct body *b, const void *bytes, size_t len)
{
	check(b->held == NULL);
	if (len == 0)
		return 0;
	b->held = block_take(len);
	if (b->held == NULL)
		return -ENOMEM;
	memcpy(b->held, bytes, len);
	b->held_len = len;
	b->held_at = 0;
	b->source.ready = true;
	return 0;
}

/* `n` of the bytes held are used. */
static void
use_held(struct body *b, size_t n)
{
	b->held_at += n;
	if (b->held_at == b->held_len) {
		/* More may have come meanwhile: look before waiting for it. */
		b->source.ready = true;
		body_fini(b);
	}
}

/* What the transport has returned: >0, or the result is in *ret. */
static size_t
received(struct body *b, ssize_t n, enum source_result *ret)
{
	size_t inside = transport_inside(b->transport);
	bool grew = inside > b->source.ahead;

	b->source.ahead = inside < UINT32_MAX ? (uint32_t)inside : UINT32_MAX;
	b->source.ready = b->transport->holds;
	b->source.wants = b->transport->recv_wants;
	if (n > 0)
		return (size_t)n;
	*ret = grew ? SOURCE_BYTES : SOURCE_NONE;
	if (n == -EAGAIN || n == -EWOULDBLOCK)
		return 0;
	*ret = body_fail(b, OUTCOME_CLIENT_GONE, (int)n);
	return 0;
}

/* Receive into `count` pieces; as received(). */
static size_t
receive(
    struct body *b, const struct iovec *iov, int count, enum source_result *ret)
{
	return received(
	    b, transport_recv_pieces(b->transport, iov, count), ret);
}

/* As much of `most` as fits behind c->len. */
static size_t
fits(const struct chunk *c, size_t size, uint64_t most)
{
	return most < size - c->len ? (size_t)most : size - c->len;
}

/* Receive into the chunks, as far as the body goes; as receive(). */
static size_t
receive_length(struct body *b, struct chunk *const *chunks, unsigned count,
    size_t size, enum source_result *ret)
{
	struct iovec iov[SOURCE_CHUNKS_MAX];
	uint64_t left = b->owed;
	unsigned pieces = 0;
	size_t n, part;

	check(count <= SOURCE_CHUNKS_MAX);
	for (; pieces < count && left > 0; pieces++) {
		struct chunk *c = chunks[pieces];

		part = fits(c, size, left);
		iov[pieces] = (struct iovec){c->data + c->len, part};
		left -= part;
	}
	n = receive(b, iov, (int)pieces, ret);
	check(n <= b->owed - left);
	for (size_t rest = n; rest > 0; rest -= part) {
		part = fits(*chunks, size, rest);
		(*chunks++)->len += part;
	}
	return n;
}

/* Bytes that came with the head go into `c`. */
static size_t
take_held(struct body *b, struct chunk *c, size_t size)
{
	size_t n = fits(c, size, b->owed);

	if (n > b->held_len - b->held_at)
		n = b->held_len - b->held_at;
	memcpy(c->data + c->len, b->held + b->held_at, n);
	use_held(b, n);
	c->len += n;
	return n;
}

/* What comes next may go into a pipe. */
static bool
splices(const struct body *b)
{
	return transport_splices(b->transport) && b->held == NULL &&
	       b->owed >= BODY_SPLICE_MIN;
}

/* `n` bytes of a body with a length have come. */
static void
count_length(struct body *b, size_t n)
{
	b->owed -= n;
	b->payload += n;
	b->received += n;
	b->source.ended = b->owed == 0;
	b->source.splices = splices(b);
}

static enum source_result
read_length(
    struct body *b, struct chunk *const *chunks, unsigned count, size_t size)
{
	enum source_result result = SOURCE_BYTES;
	size_t n = 0;

	if (b->owed > b->limit - b->payload)
		return body_fail(b, OUTCOME_TOO_LARGE, 0);
	if (b->held != NULL && b->owed > 0)
		n = take_held(b, chunks[0], size);
	else if (b->owed > 0)
		n = receive_length(b, chunks, count, size, &result);
	if (n == 0 && b->owed > 0)
		return result;
	count_length(b, n);
	b->source.several = b->owed > size;
	return SOURCE_BYTES;
}

/* How much to ask the socket for. */
static size_t
body_ask(const struct body *b, size_t room)
{
	uint64_t n = BODY_OVERREAD_MAX;

	if (b->state == BODY_DATA || b->state == BODY_DATA_CR ||
	    b->state == BODY_DATA_LF)
		n = b->owed + LAST_CHUNK;
	return n < room ? (size_t)n : room;
}

static enum source_result
read_chunked(struct body *b, struct chunk *c, size_t size)
{
	enum source_result result = SOURCE_BYTES;
	unsigned char *from;
	struct iovec iov;
	size_t n, used;
	bool good;

	if (b->source.ended)
		return SOURCE_BYTES;
	if (b->held != NULL) {
		n = b->held_len - b->held_at;
		good = body_decode(b, c, size, b->held + b->held_at, n, &used);
		use_held(b, used);
		return good ? SOURCE_BYTES : SOURCE_FAILED;
	}
	from = c->data + c->len;
	iov = (struct iovec){from, body_ask(b, size - c->len)};
	n = receive(b, &iov, 1, &result);
	check(n <= iov.iov_len);
	if (n == 0)
		return result;
	/* Squeezing makes room, so all of it is used unless it is too much. */
	if (!body_decode(b, c, size, from, n, &used))
		return SOURCE_FAILED;
	check(used == n || b->source.ended);
	if (hold(b, from + used, n - used) < 0)
		return body_fail(b, OUTCOME_NO_MEMORY, -ENOMEM);
	return SOURCE_BYTES;
}

static enum source_result
body_read(struct source *s, struct chunk *c, size_t size, struct reader *r)
{
	struct body *b = container_of(s, struct body, source);

	(void)r;
	check(!failure_is(s->failure));
	check(c->len < size);
	return b->chunked ? read_chunked(b, c, size)
			  : read_length(b, &c, 1, size);
}

static enum source_result
body_read_several(
    struct source *s, struct chunk *const *chunks, unsigned count, size_t size)
{
	struct body *b = container_of(s, struct body, source);

	check(!failure_is(s->failure) && !b->chunked);
	check(chunks[0]->len < size);
	return read_length(b, chunks, count, size);
}

static enum source_result
body_splice(struct source *s, struct chunk *c, size_t most)
{
	struct body *b = container_of(s, struct body, source);
	enum source_result result = SOURCE_BYTES;
	size_t n;

	check(!failure_is(s->failure) && !b->chunked && s->splices);
	check(c->len == 0);
	if (b->owed > b->limit - b->payload)
		return body_fail(b, OUTCOME_TOO_LARGE, 0);
	if (most > b->owed)
		most = (size_t)b->owed;
	n = received(
	    b, transport_splice(b->transport, &c->pipe, most), &result);
	check(n <= most);
	s->splices = splices(b);
	if (n == 0)
		return result;
	c->len = n;
	count_length(b, n);
	return SOURCE_BYTES;
}

static void
body_abandon(struct source *s)
{
	(void)s;
	die("body: abandoned with a chunk, which it never takes");
}

static bool
body_has_bytes(struct source *s)
{
	struct body *b = container_of(s, struct body, source);

	return b->held != NULL || transport_has_bytes(b->transport);
}

static const struct source_ops body_ops = {
    .read = body_read,
    .read_several = body_read_several,
    .splice = body_splice,
    .has_bytes = body_has_bytes,
    .abandon = body_abandon,
};

static int
init(struct body *b, struct transport *t, const void *pre, size_t pre_len)
{
	*b = (struct body){
	    .source = {.ops = &body_ops, .fd = t->fd, .wants = t->recv_wants},
	    .pre_taken = pre_len,
	    .transport = t,
	    .limit = UINT64_MAX,
	};
	return hold(b, pre, pre_len);
}

int
body_init_length(struct body *b, struct transport *t, uint64_t len,
    const void *pre, size_t pre_len)
{
	int err;

	check(len <= INT64_MAX);
	err = init(b, t, pre, pre_len < len ? pre_len : (size_t)len);
	b->owed = len;
	b->source.splices = splices(b);
	return err;
}

int
body_init_chunked(
    struct body *b, struct transport *t, const void *pre, size_t pre_len)
{
	int err = init(b, t, pre, pre_len);

	b->chunked = true;
	b->state = BODY_SIZE;
	return err;
}

void
body_limit(struct body *b, uint64_t max)
{
	check(b->payload == 0);
	b->limit = max > 0 ? max : UINT64_MAX;
}

void
body_want_trailer(struct body *b, struct body_trailer *t)
{
	check(strlen(t->name) < sizeof(b->name));
	b->wanted = t;
}

void
body_leftover(
    const struct body *b, const unsigned char **ret_bytes, size_t *ret_len)
{
	check(b->source.ended);
	*ret_len = b->held_len - b->held_at;
	*ret_bytes = *ret_len > 0 ? b->held + b->held_at : NULL;
}

void
body_fini(struct body *b)
{
	block_give(b->held, b->held_len);
	b->held = NULL;
	b->held_at = b->held_len = 0;
}
