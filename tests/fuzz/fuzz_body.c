/*
 * The body of a request, from any stream in any pieces: the payload, the
 * outcome and what is left over are those of a plain decoder written beside
 * it, whatever the cuts, the chunk size and how much came with the head.
 */
#include "http/body.h"

#include <errno.h>
#include <strings.h>

#include "base/block.h"
#include "disk/chunk.h"
#include "fuzz.h"
#include "net/transport.h"

enum knob {
	LENGTH, /* 0: chunked, else by length */
	END,	/* what the client does at the end: enum end */
	SIZE,	/* bytes in a chunk of ours; 0: 4096 */
	LIMIT,	/* body_limit(); 0: none */
	PRE,	/* bytes that come with the head */
	PIECE,	/* the most in a piece; 0: any number */
	PIECES, /* which pieces */
	PAUSE,	/* so many receives, then nothing is there; 0: never */
	HASTE,	/* the reader gives away what it has, not only full chunks */
	TIMES,	/* fuzz_stretch(): how often, and the two bytes of where */
	AT_LOW,
	AT_HIGH,
	LEN_LOW, /* the Content-Length */
	LEN_HIGH,
	LEN_HUGE, /* it is so far below 2^63 */
	KNOBS,
};

enum end { END_SILENT, END_CLOSED, END_RESET, END_COUNT };

/*
 * base/block.h, from the heap: the length given back is the one taken, and
 * LeakSanitizer sees what is not given back.
 */

enum {
	HEADER = 16, /* the length; keeps the alignment */
};

void *
block_take(size_t len)
{
	unsigned char *p = fuzz_alloc(HEADER + len);

	memcpy(p, &len, sizeof(len));
	return p + HEADER;
}

void
block_give(void *block, size_t len)
{
	size_t taken;

	if (block == NULL)
		return;
	memcpy(&taken, (unsigned char *)block - HEADER, sizeof(taken));
	check(taken == len);
	free((unsigned char *)block - HEADER);
}

/* A client: its stream, delivered in pieces. */
struct fake {
	struct transport transport;
	const unsigned char *bytes;
	size_t len, at;
	size_t piece; /* the most at once */
	uint32_t pieces;
	unsigned pause, calls;
	enum end end;
	bool dry; /* it was told that nothing more comes */
	const struct body *body;
};

/* No more is asked for than body.h says. */
static void
check_asked(const struct body *b, size_t len)
{
	enum { LAST_CHUNK = 7 };

	check(len > 0);
	if (!b->chunked)
		check(len <= b->owed);
	else if (len > BODY_OVERREAD_MAX)
		check(len <= b->owed + LAST_CHUNK);
}

/* All of it may be written; ASan looks at its last byte.  How long it is. */
static size_t
scribble(const struct iovec *iov, int count)
{
	size_t len = 0;

	for (int i = 0; i < count; i++) {
		size_t part = iov[i].iov_len;
		unsigned char *at = iov[i].iov_base;

		check(part > 0);
		memset(at, 0xa5, part < 64 ? part : 64);
		at[part - 1] = 0xa5;
		len += part;
	}
	return len;
}

static ssize_t
fake_recv(struct transport *t, const struct iovec *iov, int count)
{
	static const int ends[] = {[END_SILENT] = -EAGAIN,
	    [END_CLOSED] = 0,
	    [END_RESET] = -ECONNRESET};
	struct fake *f = container_of(t, struct fake, transport);
	size_t n = f->len - f->at, len = scribble(iov, count);

	check_asked(f->body, len);
	if (n == 0) {
		f->dry = true;
		return ends[f->end];
	}
	if (f->pause > 0 && ++f->calls % (f->pause + 1) == 0)
		return -EAGAIN;
	if (f->piece > 0) {
		size_t most = fuzz_piece(&f->pieces, f->piece);

		n = n < most ? n : most;
	}
	n = n < len ? n : len;
	for (size_t left = n, part; left > 0; left -= part, iov++) {
		part = left < iov->iov_len ? left : iov->iov_len;
		memcpy(iov->iov_base, f->bytes + f->at, part);
		f->at += part;
	}
	return (ssize_t)n;
}

/* Bytes that came with the head wait to be read. */
static bool
has_held(const struct body *b)
{
	return b->held != NULL && !b->source.ended;
}

static const struct transport_ops fake_ops = {.recv = fake_recv};

/* What becomes of a stream: what body.h promises, or what it did. */
struct result {
	unsigned char *payload; /* malloc'ed */
	size_t payload_len;
	size_t at; /* bytes of the stream that were the body's */
	bool ended;
	enum outcome outcome; /* else; NONE: it waits */
	const char *why;
};

/*
 * The plain decoder: all of the stream is there (RFC 9112 7.1, body.h).
 */

enum plain {
	PLAIN_FINE,
	PLAIN_MORE, /* the stream is over */
	PLAIN_BAD,
	PLAIN_LARGE,
};

struct stream {
	const unsigned char *s;
	size_t len, at;
	uint64_t limit;
	size_t extension, trailer; /* bytes so far */
	struct result *out;
};

/* The next byte; -1: there is none. */
static int
next(struct stream *st)
{
	return st->at < st->len ? st->s[st->at++] : -1;
}

static enum plain
plain_byte(struct stream *st, int want)
{
	int c = next(st);

	if (c == -1)
		return PLAIN_MORE;
	return c == want ? PLAIN_FINE : PLAIN_BAD;
}

static bool
may_stand_in_text(int c)
{
	return c == '\t' || (c >= ' ' && c != 0x7f);
}

/* chunk-size [ ";" anything ] CRLF */
static enum plain
plain_size_line(struct stream *st, uint64_t *ret_size)
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";
	uint64_t size = 0;
	unsigned digits;
	int c;

	for (digits = 0;; digits++) {
		const char *digit;

		c = next(st);
		if (c == -1)
			return PLAIN_MORE;
		digit = c != 0 ? strchr(hex, c) : NULL;
		if (digit == NULL)
			break;
		if (digits == 16)
			return PLAIN_BAD;
		size = size * 16 + (uint64_t)(digit - hex) % 16;
	}
	if (digits == 0 || (c != ';' && c != '\r'))
		return PLAIN_BAD;
	while (c != '\r') {
		c = next(st);
		if (c == -1)
			return PLAIN_MORE;
		if (c == '\r')
			break;
		if (!may_stand_in_text(c) ||
		    ++st->extension > BODY_EXTENSION_MAX)
			return PLAIN_BAD;
	}
	*ret_size = size;
	return plain_byte(st, '\n');
}

static bool
is_forbidden(const char *name, size_t len)
{
	static const char *const never[] = {"connection", "expect", "host",
	    "te", "trailer", "transfer-encoding", "upgrade"};

	for (size_t i = 0; i < COUNT_OF(never); i++)
		if (len == strlen(never[i]) &&
		    strncasecmp(name, never[i], len) == 0)
			return true;
	return len >= 8 && strncasecmp(name, "content-", 8) == 0 &&
	       !(len == 14 && strncasecmp(name, "content-digest", 14) == 0);
}

/* One line of the trailer section; *ret_last: it was the empty one. */
static enum plain
plain_trailer(struct stream *st, bool *ret_last)
{
	static const char tchars[] =
	    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *line = (const char *)st->s + st->at;
	size_t name = 0;
	int c;

	/* Up to the colon, then up to CR. */
	for (bool in_name = true;; name += in_name) {
		c = next(st);
		if (c == -1)
			return PLAIN_MORE;
		if (++st->trailer > BODY_TRAILER_MAX)
			return PLAIN_BAD;
		if (c == '\r' && (!in_name || name == 0))
			break;
		if (in_name && c == ':' && name > 0) {
			if (is_forbidden(line, name))
				return PLAIN_BAD;
			in_name = false;
		} else if (in_name && (c == 0 || strchr(tchars, c) == NULL)) {
			return PLAIN_BAD;
		} else if (!in_name && !may_stand_in_text(c)) {
			return PLAIN_BAD;
		}
	}
	*ret_last = name == 0;
	return plain_byte(st, '\n');
}

static enum plain
plain_data(struct stream *st, uint64_t size)
{
	struct result *out = st->out;
	size_t n = st->len - st->at;
	enum plain got;

	n = size < n ? (size_t)size : n;
	memcpy(out->payload + out->payload_len, st->s + st->at, n);
	out->payload_len += n;
	st->at += n;
	if (n < size)
		return PLAIN_MORE;
	got = plain_byte(st, '\r');
	return got == PLAIN_FINE ? plain_byte(st, '\n') : got;
}

static enum plain
plain_body(struct stream *st)
{
	enum plain got;
	bool last = false;

	for (;;) {
		uint64_t size;

		got = plain_size_line(st, &size);
		if (got != PLAIN_FINE)
			return got;
		if (size == 0)
			break;
		if (size > INT64_MAX - st->out->payload_len)
			return PLAIN_BAD;
		if (st->limit > 0 && size > st->limit - st->out->payload_len)
			return PLAIN_LARGE;
		got = plain_data(st, size);
		if (got != PLAIN_FINE)
			return got;
	}
	while (got == PLAIN_FINE && !last)
		got = plain_trailer(st, &last);
	return got;
}

/* How the client's end is reported. */
static enum outcome
gone(enum end end)
{
	return end == END_SILENT ? OUTCOME_NONE : OUTCOME_CLIENT_GONE;
}

static void
expect_chunked(const unsigned char *bytes, size_t len, uint64_t limit,
    enum end end, struct result *ret)
{
	struct stream st = {.s = bytes, .len = len, .limit = limit, .out = ret};
	const enum outcome outcomes[] = {
	    [PLAIN_FINE] = OUTCOME_NONE,
	    [PLAIN_MORE] = gone(end),
	    [PLAIN_BAD] = OUTCOME_BAD_FRAMING,
	    [PLAIN_LARGE] = OUTCOME_TOO_LARGE,
	};
	enum plain got;

	*ret = (struct result){.payload = fuzz_alloc(len + 1)};
	got = plain_body(&st);
	ret->at = st.at;
	ret->ended = got == PLAIN_FINE;
	ret->outcome = outcomes[got];
}

static void
expect_length(const unsigned char *bytes, size_t len, uint64_t length,
    uint64_t limit, enum end end, struct result *ret)
{
	*ret = (struct result){.payload = fuzz_copy(bytes, len)};
	if (limit > 0 && length > limit) {
		ret->outcome = OUTCOME_TOO_LARGE;
		return;
	}
	ret->ended = length <= len;
	ret->at = ret->ended ? (size_t)length : len;
	ret->payload_len = ret->at;
	ret->outcome = ret->ended ? OUTCOME_NONE : gone(end);
}

/*
 * The module itself, read as a reader reads it.
 */

enum {
	SEVERAL_MAX = 4, /* chunks of one read */
};

/* How to read. */
struct way {
	size_t size; /* of our chunks */
	size_t pre;
	size_t piece;
	uint32_t pieces;
	unsigned pause;
	bool haste;
};

/* Append what the chunk has, and give a new one. */
static void
give_away(struct chunk *c, size_t size, struct result *out)
{
	memcpy(out->payload + out->payload_len, c->data, c->len);
	out->payload_len += c->len;
	free(c->data);
	c->data = fuzz_alloc(size);
	c->len = 0;
}

/* The bytes of `from`, which follow those of `c`, are in `c`, which was given away. */
static void
go_on_with(
    struct chunk *c, const struct chunk *from, size_t size, struct result *out)
{
	check(c->len == size && from->len <= size);
	give_away(c, size, out);
	memcpy(c->data, from->data, from->len);
	c->len = from->len;
}

/* Read into `c` and others behind it; only the last that has bytes is kept. */
static enum source_result
read_several(struct body *b, struct chunk *c, const struct way *w,
    unsigned count, struct result *out)
{
	struct chunk others[SEVERAL_MAX], *chunks[SEVERAL_MAX] = {c};
	size_t was = c->len;
	enum source_result r;

	for (unsigned i = 1; i < count; i++) {
		others[i] = (struct chunk){.data = fuzz_alloc(w->size)};
		chunks[i] = &others[i];
	}
	r = b->source.ops->read_several(&b->source, chunks, count, w->size);
	check(c->len >= was);
	for (unsigned i = 1; i < count; i++) {
		if (others[i].len > 0)
			go_on_with(c, &others[i], w->size, out);
		free(others[i].data);
	}
	return r;
}

/* Into one chunk, or into several where that is possible. */
static enum source_result
read_once(struct body *b, struct chunk *c, const struct way *w, size_t reads,
    struct result *out)
{
	size_t was = c->len;
	enum source_result r;

	if (b->source.several)
		return read_several(b, c, w, 1 + reads % SEVERAL_MAX, out);
	r = b->source.ops->read(&b->source, c, w->size, NULL);
	check(c->len >= was);
	return r;
}

static void
drain(struct body *b, struct fake *f, const struct way *w, struct result *out)
{
	struct chunk c = {.data = fuzz_alloc(w->size)};
	size_t reads = 0;

	while (!out->ended && out->outcome == OUTCOME_NONE) {
		size_t was = c.len, at = f->at;
		bool held = has_held(b);
		enum source_result r;

		check(!held || b->source.ready);
		r = read_once(b, &c, w, reads, out);
		check(c.len <= w->size);
		check(r != SOURCE_TAKEN);
		check(!held || f->at == at);
		check(held || b->source.ended || !b->source.ready);
		check(r != SOURCE_NONE || (c.len == was && f->at == at));
		/* Each read that is not in vain uses a byte, or gives one. */
		check(++reads < 4 * f->len + 16);
		if (r == SOURCE_FAILED)
			out->outcome = b->source.failure.outcome;
		out->ended = r == SOURCE_BYTES && b->source.ended;
		if (r == SOURCE_NONE && f->dry)
			break;
		if (c.len == w->size || w->haste)
			give_away(&c, w->size, out);
	}
	give_away(&c, w->size, out);
	free(c.data);
	out->at = (size_t)b->received;
	out->why = out->outcome == OUTCOME_BAD_FRAMING ? b->why : NULL;
	check(b->payload == out->payload_len);
	check(out->outcome != OUTCOME_BAD_FRAMING || out->why != NULL);
}

/* What was received and is not the body's comes back, all of it. */
static void
check_leftover(const struct body *b, const struct fake *f, const struct way *w)
{
	const unsigned char *rest;
	size_t len, most = w->pre;

	body_leftover(b, &rest, &len);
	check(!has_held(b));
	check(b->received <= f->at);
	check(len == f->at - b->received);
	check((rest == NULL) == (len == 0));
	if (len > 0)
		check(memcmp(rest, f->bytes + b->received, len) == 0);
	check(len <= (most > BODY_OVERREAD_MAX ? most : BODY_OVERREAD_MAX));
	check(b->chunked || len == 0);
}

/* Read the stream in one way, and hold it against what was expected. */
static const char *
try_way(const unsigned char *bytes, size_t len, const uint64_t *length,
    uint64_t limit, enum end end, const struct way *w,
    const struct result *want)
{
	struct body b;
	struct fake f = {
	    .transport = {.ops = &fake_ops, .fd = 7},
	    .bytes = bytes,
	    .len = len,
	    .piece = w->piece,
	    .pieces = w->pieces,
	    .pause = w->pause,
	    .end = end,
	    .body = &b,
	};
	unsigned char *pre = fuzz_copy(bytes, w->pre);
	struct result got = {.payload = fuzz_alloc(len + 1)};

	if (length != NULL)
		check(body_init_length(
			  &b, &f.transport, *length, pre, w->pre) == 0);
	else
		check(body_init_chunked(&b, &f.transport, pre, w->pre) == 0);
	free(pre); /* it was copied */
	f.at = b.pre_taken;
	check(f.at == (length != NULL && *length < w->pre ? *length : w->pre));
	body_limit(&b, limit);
	drain(&b, &f, w, &got);

	check(got.ended == want->ended);
	check(got.outcome == want->outcome);
	check(got.payload_len == want->payload_len);
	check(memcmp(got.payload, want->payload, got.payload_len) == 0);
	check(got.at == want->at);
	if (got.ended)
		check_leftover(&b, &f, w);
	body_fini(&b);
	free(got.payload);
	return got.why;
}

/* Plainly, byte by byte, as the knobs say, all at once with the head. */
static void
try_ways(const unsigned char *bytes, size_t len, const unsigned *k,
    const uint64_t *length, enum end end, const struct result *want)
{
	size_t chunk = k[SIZE] > 0 ? k[SIZE] : 4096;
	size_t pre = k[PRE] < len ? k[PRE] : len;
	uint32_t pieces = 1 + k[PIECES];
	/* Long streams are not taken to crumbs: it would only be slow. */
	size_t least = len < 8192 ? 1 : 97;
	size_t piece = k[PIECE] > 0 && k[PIECE] < least ? least : k[PIECE];
	bool haste = k[HASTE] % 2 == 1 && least == 1;
	const struct way ways[] = {
	    {len + 8192, 0, 0, 1, 0, false},
	    {chunk, 0, least, 1, 1, false},
	    {chunk, pre, piece, pieces, k[PAUSE], haste},
	    {chunk, len, 0, 1, 1, haste},
	    {4096, len / 2, 4096, pieces, 2, false},
	};
	const char *why = NULL;

	for (size_t i = 0; i < (least == 1 ? COUNT_OF(ways) : 3); i++) {
		const char *also;

		also =
		    try_way(bytes, len, length, k[LIMIT], end, &ways[i], want);
		check(i == 0 || also == why);
		why = also;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned k[KNOBS];
	struct result want;
	unsigned char *bytes;
	uint64_t length, *by_length = NULL;
	enum end end;
	size_t len;

	if (size < KNOBS)
		return 0;
	for (size_t i = 0; i < KNOBS; i++)
		k[i] = fuzz_knob(data, i);
	bytes = fuzz_stretch(data + KNOBS, size - KNOBS,
	    k[AT_LOW] | k[AT_HIGH] << 8, k[TIMES], &len);
	end = k[END] % END_COUNT;
	if (k[LENGTH] != 0) {
		length = k[LEN_LOW] | k[LEN_HIGH] << 8;
		if (k[LEN_HUGE] != 0)
			length = INT64_MAX - (k[LEN_HUGE] - 1);
		by_length = &length;
		expect_length(bytes, len, length, k[LIMIT], end, &want);
	} else {
		expect_chunked(bytes, len, k[LIMIT], end, &want);
	}

	try_ways(bytes, len, k, by_length, end, &want);
	free(want.payload);
	free(bytes);
	return 0;
}
