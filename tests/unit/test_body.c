/*
 * The framing of bodies: whatever the cuts of the stream and the size of our
 * chunks, the payload is the same, hostile framing is refused, and what
 * belongs to the next request comes back whole.
 */
#include "http/body.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "disk/chunk.h"
#include "net/transport.h"

#define TEXT(s) s, sizeof(s) - 1

/* A client: its stream, delivered in pieces. */
struct fake {
	struct transport transport;
	const char *bytes;
	size_t len, at;
	size_t cut;  /* nothing is there at this place until asked again */
	size_t step; /* at most so many bytes at once; 0: any number */
	int end;     /* what recv says behind the last byte */
	bool waited; /* for the rest, at the cut */
	size_t asked_most, calls;
};

static ssize_t
fake_recv(struct transport *t, const struct iovec *iov, int count)
{
	struct fake *f = container_of(t, struct fake, transport);
	size_t n = f->len - f->at, len = 0;

	f->calls++;
	for (int i = 0; i < count; i++) {
		assert_true(iov[i].iov_len > 0);
		len += iov[i].iov_len;
	}
	assert_true(len > 0);
	if (len > f->asked_most)
		f->asked_most = len;
	if (n == 0)
		return f->end;
	if (f->at == f->cut && !f->waited) {
		f->waited = true;
		return -EAGAIN;
	}
	if (f->at < f->cut && n > f->cut - f->at)
		n = f->cut - f->at;
	if (f->step > 0 && n > f->step)
		n = f->step;
	if (n > len)
		n = len;
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

/* Into a pipe, which nobody looks at. */
static ssize_t
fake_splice(struct transport *t, const struct pipe *p, size_t most)
{
	struct fake *f = container_of(t, struct fake, transport);
	size_t n = f->len - f->at;

	(void)p;
	assert_true(most > 0);
	f->asked_most = most;
	if (n == 0)
		return f->end;
	if (f->step > 0 && n > f->step)
		n = f->step;
	if (n > most)
		n = most;
	f->at += n;
	return (ssize_t)n;
}

static const struct transport_ops splicing_ops = {
    .recv = fake_recv, .splice = fake_splice};

static void
fake_init(struct fake *f, const char *bytes, size_t len)
{
	*f = (struct fake){
	    .transport = {.ops = &fake_ops, .fd = 7},
	    .bytes = bytes,
	    .len = len,
	    .cut = SIZE_MAX,
	    .end = -EAGAIN,
	};
}

/* What a reader got out of a body. */
struct got {
	char *payload;
	size_t len;
	struct failure failure; /* none: ended or waits */
	bool ended;
	size_t none;
};

/* Read to the end with chunks of `size` bytes, each malloc'ed, for ASan. */
static struct got
drain(struct body *b, size_t size)
{
	struct got g = {.payload = malloc(1)};
	struct chunk c = {.data = malloc(size)};
	unsigned stuck = 0;

	assert_non_null(g.payload);
	assert_non_null(c.data);
	while (!g.ended && !failure_is(g.failure) && stuck < 3) {
		enum source_result r;
		size_t was = c.len;

		r = b->source.ops->read(&b->source, &c, size, NULL);
		assert_true(c.len >= was && c.len <= size);
		assert_true(r != SOURCE_TAKEN);
		if (r == SOURCE_NONE)
			g.none++;
		stuck = r == SOURCE_NONE ? stuck + 1 : 0;
		if (r == SOURCE_FAILED)
			g.failure = b->source.failure;
		assert_int_equal(r == SOURCE_FAILED, failure_is(g.failure));
		g.ended = r == SOURCE_BYTES && b->source.ended;
		if (c.len < size && !g.ended)
			continue;
		g.payload = realloc(g.payload, g.len + c.len + 1);
		assert_non_null(g.payload);
		memcpy(g.payload + g.len, c.data, c.len);
		g.len += c.len;
		c.len = 0;
		free(c.data);
		c.data = malloc(size);
		assert_non_null(c.data);
	}
	free(c.data);
	return g;
}

/* clang-format off */
static const struct good {
	const char *stream;
	size_t len;
	const char *payload;
	size_t rest; /* bytes of the next request at its end */
} good[] = {
	{ TEXT("0\r\n\r\n"), "", 0 },
	{ TEXT("0\r\n\r\nGET / HTTP/1.1\r\n"), "", 16 },
	{ TEXT("5\r\nhello\r\n0\r\n\r\n"), "hello", 0 },
	{ TEXT("5\r\nhello\r\n0\r\n\r\n\r\n"), "hello", 2 },
	{ TEXT("5\r\nhello\r\n1\r\n,\r\n6\r\n world\r\n0\r\n\r\nP"),
	  "hello, world", 1 },
	{ TEXT("000000000000000b\r\nhello world\r\n0000\r\n\r\n"),
	  "hello world", 0 },
	{ TEXT("B\r\nhello\r\nworl\r\n0\r\n\r\nPOST"), "hello\r\nworl", 4 },
	{ TEXT("1a;x=\"y;z\";q\r\nabcdefghijklmnopqrstuvwxyz\r\n"
	       "0;last\t \xff\r\n\r\nGET"), "abcdefghijklmnopqrstuvwxyz", 3 },
	{ TEXT("1\r\na\r\n0\r\nDigest: x\r\nContent-Digest:\r\n"
	       "X-Very-Long-Name-Of-A-Trailer-Field: \t\x80\r\n"
	       "Hosts: y\r\nTransfer-Encodings: z\r\n\r\nGET"), "a", 3 },
	{ TEXT("28\r\n0123456789012345678901234567890123456789\r\n"
	       "21\r\nabcdefghijklmnopqrstuvwxyzABCDEFG\r\n0\r\n\r\n"),
	  "0123456789012345678901234567890123456789"
	  "abcdefghijklmnopqrstuvwxyzABCDEFG", 0 },
};

static const struct bad {
	const char *stream;
	size_t len;
} bad[] = {
	/* sizes */
	{ TEXT("\r\n") },
	{ TEXT(";a\r\n") },
	{ TEXT("-5\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("+5\r\nhello\r\n0\r\n\r\n") },
	{ TEXT(" 5\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("5 \r\nhello\r\n0\r\n\r\n") },
	{ TEXT("5\t\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("5 ;a\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("0x5\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("5_0\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("g\r\n") },
	{ TEXT("5\0\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("00000000000000005\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("10000000000000005\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("8000000000000000\r\nhello") },
	{ TEXT("ffffffffffffffff\r\nhello") },
	{ TEXT("1\r\na\r\n7fffffffffffffff\r\nhello") },
	/* line ends */
	{ TEXT("5\nhello\r\n0\r\n\r\n") },
	{ TEXT("5\rXhello\r\n0\r\n\r\n") },
	{ TEXT("5\r\rhello\r\n0\r\n\r\n") },
	{ TEXT("5\r\nhelloXX0\r\n\r\n") },
	{ TEXT("5\r\nhello\n0\r\n\r\n") },
	{ TEXT("5\r\nhello\r0\r\n\r\n") },
	{ TEXT("5\r\nhello\rX0\r\n\r\n") },
	{ TEXT("5\r\nhelloo\r\n0\r\n\r\n") },
	{ TEXT("6\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("5\r\nhello0\r\n\r\n") },
	{ TEXT("0\n\r\n") },
	{ TEXT("0\r\n\n") },
	{ TEXT("0\r\n\rX") },
	{ TEXT("0\r\nXX\r\n") },
	/* extensions */
	{ TEXT("5;a=b\nhello\nHELLO\r\n0\r\n\r\n") },
	{ TEXT("5;a=\0b\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("5;a=\x01\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("5;a\rb\r\nhello\r\n0\r\n\r\n") },
	{ TEXT("0;a\n\r\n") },
	/* trailers */
	{ TEXT("0\r\nTransfer-Encoding: chunked\r\n\r\n") },
	{ TEXT("0\r\nCONTENT-LENGTH: 5\r\n\r\n") },
	{ TEXT("0\r\nContent-Range: x\r\n\r\n") },
	{ TEXT("0\r\nContent-Digests: x\r\n\r\n") },
	{ TEXT("0\r\nX: y\r\nHost: h\r\n\r\n") },
	{ TEXT("0\r\nConnection: close\r\n\r\n") },
	{ TEXT("0\r\nTE: x\r\n\r\n") },
	{ TEXT("0\r\nX : y\r\n\r\n") },
	{ TEXT("0\r\n X: y\r\n\r\n") },
	{ TEXT("0\r\n: y\r\n\r\n") },
	{ TEXT("0\r\nX: y\r\n folded\r\n\r\n") },
	{ TEXT("0\r\nX: y\n\r\n") },
	{ TEXT("0\r\nX: y\rZ\r\n\r\n") },
	{ TEXT("0\r\nX: \0\r\n\r\n") },
	{ TEXT("0\r\nX\xc3: y\r\n\r\n") },
	{ TEXT("0\r\nnocolon\r\n\r\n") },
};
/* clang-format on */

static const size_t sizes[] = {1, 2, 3, 7, 16, 17, 40, 64, 8192};

/* One good stream in one way: `pre` bytes came with the head. */
static void
try_good(const struct good *g, size_t pre, size_t cut, size_t step, size_t size)
{
	const unsigned char *rest;
	size_t rest_len, read_rest;
	struct fake f;
	struct body b;
	struct got got;

	fake_init(&f, g->stream, g->len);
	f.at = pre;
	f.cut = cut;
	f.step = step;
	assert_int_equal(
	    body_init_chunked(&b, &f.transport, g->stream, pre), 0);
	assert_int_equal(b.pre_taken, pre);
	assert_int_equal(b.source.fd, 7);
	got = drain(&b, size);
	if (!got.ended)
		fail_msg("%s: pre %zu cut %zu step %zu size %zu: %d %s",
		    g->stream, pre, cut, step, size, (int)got.failure.outcome,
		    b.why ? b.why : "");
	assert_int_equal(got.len, strlen(g->payload));
	assert_memory_equal(got.payload, g->payload, got.len);
	assert_int_equal(b.payload, got.len);
	assert_int_equal(b.received, g->len - g->rest);
	assert_false(has_held(&b));

	body_leftover(&b, &rest, &rest_len);
	read_rest = f.at - (g->len - g->rest);
	assert_int_equal(rest_len, read_rest);
	if (rest_len > 0)
		assert_memory_equal(
		    rest, g->stream + g->len - g->rest, rest_len);
	free(got.payload);
	body_fini(&b);
	body_fini(&b);
}

static void
chunked_payload_is_the_same_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		const struct good *g = &good[i];

		for (size_t k = 0; k < COUNT_OF(sizes); k++) {
			for (size_t at = 0; at <= g->len; at++) {
				try_good(g, at, SIZE_MAX, 0, sizes[k]);
				try_good(g, at, SIZE_MAX, 1, sizes[k]);
				try_good(g, 0, at, 0, sizes[k]);
				try_good(g, at / 2, at, 3, sizes[k]);
			}
		}
	}
}

static void
hostile_framing_is_refused_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		for (size_t at = 0; at <= 3 * bad[i].len; at++) {
			struct fake f;
			struct body b;
			struct got got;
			size_t pre = at <= bad[i].len ? at : 0;

			fake_init(&f, bad[i].stream, bad[i].len);
			f.at = pre;
			f.cut = at % (bad[i].len + 1);
			f.step = at > 2 * bad[i].len;
			assert_int_equal(body_init_chunked(&b, &f.transport,
					     bad[i].stream, pre),
			    0);
			got = drain(&b, at % 2 ? 16 : 4096);
			if (got.failure.outcome != OUTCOME_BAD_FRAMING)
				fail_msg("%zu at %zu: %s: %d", i, at,
				    bad[i].stream, (int)got.failure.outcome);
			assert_non_null(b.why);
			free(got.payload);
			body_fini(&b);
		}
	}
}

/* At every place where the client can leave, and in both ways. */
static void
an_early_end_is_the_clients(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		const struct good *g = &good[i];

		for (size_t at = 0; at < g->len - g->rest; at++) {
			struct fake f;
			struct body b;
			struct got got;

			fake_init(&f, g->stream, at);
			f.at = at / 2;
			f.end = at % 2 ? 0 : -ECONNRESET;
			assert_int_equal(body_init_chunked(&b, &f.transport,
					     g->stream, at / 2),
			    0);
			got = drain(&b, 16);
			assert_int_equal(
			    got.failure.outcome, OUTCOME_CLIENT_GONE);
			assert_int_equal(got.failure.err, f.end);
			assert_false(b.source.ended);
			assert_int_equal(b.received, at);
			free(got.payload);
			body_fini(&b);
		}
	}
}

static void
a_length_is_read_to_its_end_and_no_further(void **state)
{
	static const char text[] = "0123456789012345678901234567890123456789";

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 4; n++) {
		for (size_t pre = 0; pre < sizeof(text) - 1; pre++) {
			struct fake f;
			struct body b;
			struct got got;
			const unsigned char *rest;
			size_t rest_len, mine = pre < n ? pre : n;

			fake_init(&f, text, sizeof(text) - 1);
			f.at = mine;
			f.cut = (n + pre) / 2;
			f.step = pre % 5;
			assert_int_equal(
			    body_init_length(&b, &f.transport, n, text, pre),
			    0);
			assert_int_equal(b.pre_taken, mine);
			assert_int_equal(has_held(&b), mine > 0);
			got = drain(&b, sizes[n % COUNT_OF(sizes)]);
			assert_true(got.ended);
			assert_int_equal(got.len, n);
			assert_memory_equal(got.payload, text, n);
			assert_int_equal(f.at, n);
			assert_int_equal(b.received, n);
			assert_int_equal(b.payload, n);
			body_leftover(&b, &rest, &rest_len);
			assert_int_equal(rest_len, 0);
			free(got.payload);
			body_fini(&b);
		}
	}
}

static void
a_length_that_is_not_reached_is_the_clients(void **state)
{
	struct fake f;
	struct body b;
	struct got got;

	(void)state;
	for (size_t at = 0; at < 5; at++) {
		fake_init(&f, "hello", at);
		f.end = at % 2 ? 0 : -ECONNRESET;
		assert_int_equal(
		    body_init_length(&b, &f.transport, 5, NULL, 0), 0);
		got = drain(&b, 16);
		assert_int_equal(got.failure.outcome, OUTCOME_CLIENT_GONE);
		assert_int_equal(got.failure.err, f.end);
		free(got.payload);
		body_fini(&b);
	}
}

static void
silence_is_not_an_end(void **state)
{
	struct fake f;
	struct body b;
	struct got got;

	(void)state;
	fake_init(&f, "5\r\nhel", 6);
	assert_int_equal(body_init_chunked(&b, &f.transport, NULL, 0), 0);
	got = drain(&b, 16);
	assert_true(!failure_is(got.failure) && !got.ended && got.none == 3);
	free(got.payload);
	body_fini(&b);
}

static void
limits_of_size_are_exact(void **state)
{
	static const char stream[] = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
	struct fake f;
	struct body b;
	struct got got;

	(void)state;
	for (uint64_t max = 0; max < 14; max++) {
		bool fits = max == 0 || max >= 11;

		fake_init(&f, stream, sizeof(stream) - 1);
		f.step = 1;
		assert_int_equal(
		    body_init_chunked(&b, &f.transport, NULL, 0), 0);
		body_limit(&b, max);
		got = drain(&b, 16);
		assert_int_equal(got.ended, fits);
		assert_int_equal(got.failure.outcome,
		    fits ? OUTCOME_NONE : OUTCOME_TOO_LARGE);
		/* Known at the size line, before a byte too many. */
		assert_true(fits || b.payload <= max);
		free(got.payload);
		body_fini(&b);

		fake_init(&f, "hello world", 11);
		assert_int_equal(
		    body_init_length(&b, &f.transport, 11, "hello", 5), 0);
		body_limit(&b, max);
		f.at = 5;
		got = drain(&b, 16);
		assert_int_equal(got.ended, fits);
		assert_int_equal(got.failure.outcome,
		    fits ? OUTCOME_NONE : OUTCOME_TOO_LARGE);
		free(got.payload);
		body_fini(&b);
	}
}

enum {
	MANY = 4,
	MANY_SIZE = 16, /* of a chunk */
};

/* The next read asks for `asked` bytes, in chunks of which the first has `had`, and
 * gets `step` of them. */
static void
assert_read(
    struct body *b, struct fake *f, size_t had, size_t step, size_t asked)
{
	struct chunk chunks[MANY] = {{.len = had}}, *at[MANY];
	size_t got = had + step, from = f->at;
	unsigned char byte;

	for (size_t i = 0; i < MANY; i++) {
		at[i] = &chunks[i];
		chunks[i].data = malloc(MANY_SIZE); /* for ASan */
		assert_non_null(chunks[i].data);
	}
	f->asked_most = 0;
	f->step = step;
	assert_int_equal(
	    b->source.ops->read_several(&b->source, at, MANY, MANY_SIZE),
	    SOURCE_BYTES);
	assert_int_equal(f->asked_most, asked);
	for (size_t i = 0; i < MANY; i++) {
		size_t len = got < MANY_SIZE ? got : MANY_SIZE;

		assert_int_equal(chunks[i].len, len);
		for (size_t k = i > 0 ? 0 : had; k < len; k++) {
			byte = chunks[i].data[k];
			assert_int_equal(byte, (unsigned char)f->bytes[from++]);
		}
		got -= len;
		free(chunks[i].data);
	}
	assert_int_equal(from, f->at);
}

/* Within the first one, at an edge, in the third: one after the other is filled, and
 * nothing behind the end is asked for. */
static void
a_length_is_read_into_several_chunks(void **state)
{
	enum { LEN = 200, PRE = 5, MOST = MANY * MANY_SIZE };
	char text[LEN + 50];
	struct chunk c = {.data = (unsigned char[MANY_SIZE]){0}};
	struct fake f;
	struct body b;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	fake_init(&f, text, sizeof(text));
	f.at = PRE;
	assert_int_equal(body_init_length(&b, &f.transport, LEN, text, PRE), 0);
	assert_false(b.source.several); /* it is not known yet */
	assert_int_equal(
	    b.source.ops->read(&b.source, &c, MANY_SIZE, NULL), SOURCE_BYTES);
	assert_int_equal(c.len, PRE);
	assert_true(b.source.several);
	assert_read(&b, &f, PRE, 3, MOST - PRE);
	assert_read(&b, &f, 8, 8, MOST - 8);
	assert_read(&b, &f, 0, MANY_SIZE, MOST);
	assert_read(&b, &f, 0, 3 * MANY_SIZE, MOST);
	assert_read(&b, &f, 6, 2 * MANY_SIZE, MOST - 6);
	assert_read(&b, &f, 6, MOST - 6, MOST - 6);
	assert_true(b.source.several);
	assert_int_equal(b.owed, 30);
	assert_read(&b, &f, 1, 14, 30);
	/* The rest goes into one chunk, or two: not worth it. */
	assert_false(b.source.several);
	assert_read(&b, &f, 15, 16, 16);
	assert_true(b.source.ended);
	assert_int_equal(f.at, LEN);
	body_fini(&b);
}

static void
a_read_into_several_chunks_may_bring_nothing(void **state)
{
	unsigned char data[2][16];
	struct chunk c[2] = {{.data = data[0]}, {.data = data[1]}};
	struct chunk *const at[] = {&c[0], &c[1]};
	struct fake f;
	struct body b;

	(void)state;
	fake_init(&f, "", 0);
	assert_int_equal(body_init_length(&b, &f.transport, 100, NULL, 0), 0);
	assert_int_equal(
	    b.source.ops->read_several(&b.source, at, 2, 16), SOURCE_NONE);
	f.end = 0;
	assert_int_equal(
	    b.source.ops->read_several(&b.source, at, 2, 16), SOURCE_FAILED);
	assert_int_equal(b.source.failure.outcome, OUTCOME_CLIENT_GONE);
	assert_int_equal(c[0].len + c[1].len, 0);
	body_fini(&b);
}

static enum source_result
splice(struct body *b, size_t most, size_t want)
{
	struct chunk c = {.data = NULL};
	enum source_result r;

	b->source.splices = true;
	r = b->source.ops->splice(&b->source, &c, most);

	assert_int_equal(c.len, want);
	return r;
}

/* Behind what came with the head, while enough is to come, and not beyond the end. */
static void
a_length_is_read_into_pipes(void **state)
{
	enum { LEN = 3 * BODY_SPLICE_MIN, MANY_MORE = 100 };
	char *text = calloc(1, LEN + MANY_MORE);
	struct chunk c = {.data = malloc(LEN)};
	struct fake f;
	struct body b;

	(void)state;
	assert_true(text != NULL && c.data != NULL);
	fake_init(&f, text, LEN + MANY_MORE);
	f.transport.ops = &splicing_ops;
	f.at = 5;
	assert_int_equal(body_init_length(&b, &f.transport, LEN, text, 5), 0);
	assert_false(b.source.splices);
	assert_int_equal(
	    b.source.ops->read(&b.source, &c, LEN, NULL), SOURCE_BYTES);
	assert_true(b.source.splices);
	f.step = 1000;
	assert_int_equal(splice(&b, LEN, 1000), SOURCE_BYTES);
	assert_int_equal(f.asked_most, LEN - 5);
	assert_int_equal(b.payload, 1005);
	assert_int_equal(b.received, 1005);
	f.step = 0;
	assert_int_equal(splice(&b, LEN - 1005 - BODY_SPLICE_MIN,
			     LEN - 1005 - BODY_SPLICE_MIN),
	    SOURCE_BYTES);
	assert_int_equal(b.owed, BODY_SPLICE_MIN);
	assert_true(b.source.splices && !b.source.ended);
	f.step = 1;
	assert_int_equal(splice(&b, LEN, 1), SOURCE_BYTES);
	assert_false(b.source.splices || b.source.ended);
	f.step = 0;
	assert_int_equal(
	    b.source.ops->read(&b.source, &c, LEN, NULL), SOURCE_BYTES);
	assert_true(b.source.ended);
	assert_int_equal(f.at, LEN);
	body_fini(&b);

	fake_init(&f, text, LEN);
	f.transport.ops = &splicing_ops;
	assert_int_equal(body_init_length(&b, &f.transport, LEN, NULL, 0), 0);
	assert_true(b.source.splices);
	assert_int_equal(splice(&b, 2 * LEN, LEN), SOURCE_BYTES);
	assert_true(b.source.ended);
	assert_false(b.source.splices);
	body_fini(&b);
	free(c.data);
	free(text);
}

static void
a_read_into_a_pipe_may_bring_nothing(void **state)
{
	struct fake f;
	struct body b;

	(void)state;
	fake_init(&f, "", 0);
	f.transport.ops = &splicing_ops;
	assert_int_equal(
	    body_init_length(&b, &f.transport, BODY_SPLICE_MIN, NULL, 0), 0);
	assert_int_equal(splice(&b, SIZE_MAX, 0), SOURCE_NONE);
	assert_true(b.source.splices);
	f.transport.copies = true; /* it was found out */
	assert_int_equal(splice(&b, SIZE_MAX, 0), SOURCE_NONE);
	assert_false(b.source.splices);
	f.transport.copies = false;
	assert_int_equal(splice(&b, SIZE_MAX, 0), SOURCE_NONE);
	f.end = 0;
	assert_int_equal(splice(&b, SIZE_MAX, 0), SOURCE_FAILED);
	assert_int_equal(b.source.failure.outcome, OUTCOME_CLIENT_GONE);
	body_fini(&b);

	assert_int_equal(
	    body_init_length(&b, &f.transport, BODY_SPLICE_MIN, NULL, 0), 0);
	body_limit(&b, BODY_SPLICE_MIN - 1);
	assert_int_equal(splice(&b, SIZE_MAX, 0), SOURCE_FAILED);
	assert_int_equal(b.source.failure.outcome, OUTCOME_TOO_LARGE);
	body_fini(&b);
}

/* Small ones, chunked ones, and those of a transport that cannot. */
static void
other_bodies_are_read_into_memory(void **state)
{
	struct fake f;
	struct body b;

	(void)state;
	fake_init(&f, "", 0);
	assert_int_equal(
	    body_init_length(&b, &f.transport, 1 << 30, NULL, 0), 0);
	assert_false(b.source.splices);
	body_fini(&b);
	f.transport.ops = &splicing_ops;
	assert_int_equal(
	    body_init_length(&b, &f.transport, BODY_SPLICE_MIN - 1, NULL, 0),
	    0);
	assert_false(b.source.splices);
	body_fini(&b);
	assert_int_equal(body_init_chunked(&b, &f.transport, NULL, 0), 0);
	assert_false(b.source.splices);
	body_fini(&b);
}

/* Behind what came with the head the rest may be there already: the socket is looked at
 * once before it is waited for. */
static void
the_socket_is_read_at_once_behind_the_head(void **state)
{
	static const char chunked[] = "5\r\nhello\r\n0\r\n\r\n";
	struct chunk c = {.data = (unsigned char[64]){0}};
	struct fake f;
	struct body b;

	(void)state;
	for (int k = 0; k < 2; k++) {
		int err;

		fake_init(&f, k ? chunked : "hello, world", k ? 15 : 12);
		err = k ? body_init_chunked(&b, &f.transport, chunked, 6)
			: body_init_length(&b, &f.transport, 12, "hello", 5);
		assert_int_equal(err, 0);
		f.at = b.pre_taken;
		f.cut = f.at; /* nothing more is there the first time */
		c.len = 0;
		assert_int_equal(
		    b.source.ops->read(&b.source, &c, 64, NULL), SOURCE_BYTES);
		assert_int_equal(f.calls, 0);
		assert_true(b.source.ready);
		assert_int_equal(
		    b.source.ops->read(&b.source, &c, 64, NULL), SOURCE_NONE);
		assert_false(b.source.ready);
		assert_int_equal(
		    b.source.ops->read(&b.source, &c, 64, NULL), SOURCE_BYTES);
		assert_true(b.source.ended);
		body_fini(&b);
	}
}

/* `count` times `piece`, between `head` and `tail`; what became of it. */
static enum outcome
repeated(const char *head, const char *piece, size_t count, const char *tail)
{
	size_t len = strlen(piece), at = strlen(head);
	char *s = malloc(at + len * count + strlen(tail) + 1);
	struct fake f;
	struct body b;
	struct got got;

	assert_non_null(s);
	memcpy(s, head, at);
	for (size_t i = 0; i < count; i++, at += len)
		memcpy(s + at, piece, len);
	memcpy(s + at, tail, strlen(tail) + 1);
	fake_init(&f, s, strlen(s));
	assert_int_equal(body_init_chunked(&b, &f.transport, NULL, 0), 0);
	got = drain(&b, 512);
	free(got.payload);
	free(s);
	body_fini(&b);
	return got.ended ? OUTCOME_NONE : got.failure.outcome;
}

static void
extensions_and_trailers_are_limited_in_total(void **state)
{
	(void)state;
	/* The semicolon does not count. */
	assert_int_equal(
	    repeated("1;", "e", BODY_EXTENSION_MAX, "\r\na\r\n0\r\n\r\n"),
	    OUTCOME_NONE);
	assert_int_equal(
	    repeated("1;", "e", BODY_EXTENSION_MAX + 1, "\r\na\r\n0\r\n\r\n"),
	    OUTCOME_BAD_FRAMING);
	/* Many chunks do not make more of it. */
	assert_int_equal(repeated("", "1;12345678\r\na\r\n",
			     BODY_EXTENSION_MAX / 8, "0\r\n\r\n"),
	    OUTCOME_NONE);
	assert_int_equal(repeated("", "1;12345678\r\na\r\n",
			     BODY_EXTENSION_MAX / 8, "0;x\r\n\r\n"),
	    OUTCOME_BAD_FRAMING);
	/* Of each line all but its LF counts. */
	assert_int_equal(
	    repeated("0\r\n", "X: 4\r\n", BODY_TRAILER_MAX / 5 - 1, "\r\n"),
	    OUTCOME_NONE);
	assert_int_equal(
	    repeated("0\r\n", "X: 4\r\n", BODY_TRAILER_MAX / 5 + 1, "\r\n"),
	    OUTCOME_BAD_FRAMING);
	assert_int_equal(repeated("0\r\n", "x", BODY_TRAILER_MAX + 1, ""),
	    OUTCOME_BAD_FRAMING);
}

/* However the bytes are cut; of other trailers nothing is kept. */
static void
a_trailer_that_is_wanted_is_kept(void **state)
{
	static const char text[] = "1\r\na\r\n0\r\nX: y\r\n"
				   "Upload-CHECKSUM:  sha1 AA== \r\n"
				   "Upload-Checksums: z\r\n\r\n";

	(void)state;
	for (size_t step = 1; step < sizeof(text); step++) {
		struct body_trailer t = {.name = "upload-checksum"};
		struct fake f;
		struct body b;
		struct got got;

		fake_init(&f, text, sizeof(text) - 1);
		f.step = step;
		assert_int_equal(
		    body_init_chunked(&b, &f.transport, NULL, 0), 0);
		body_want_trailer(&b, &t);
		got = drain(&b, 64);
		assert_true(got.ended);
		assert_true(t.came && !t.cut);
		assert_int_equal(t.len, sizeof("  sha1 AA== ") - 1);
		assert_memory_equal(t.value, "  sha1 AA== ", t.len);
		free(got.payload);
		body_fini(&b);
	}
}

static void
a_trailer_that_is_wanted_is_sent_once_and_is_short(void **state)
{
	static const char twice[] = "0\r\nA: 1\r\na: 1\r\n\r\n";
	char text[BODY_TRAILER_KEPT + 20];
	struct body_trailer t = {.name = "a"};
	struct fake f;
	struct body b;
	struct got got;

	(void)state;
	fake_init(&f, twice, sizeof(twice) - 1);
	assert_int_equal(body_init_chunked(&b, &f.transport, NULL, 0), 0);
	body_want_trailer(&b, &t);
	got = drain(&b, 64);
	assert_int_equal(got.failure.outcome, OUTCOME_BAD_FRAMING);
	free(got.payload);
	body_fini(&b);
	for (int more = 0; more < 2; more++) {
		int len = snprintf(text, sizeof(text), "0\r\na:%0*d\r\n\r\n",
		    BODY_TRAILER_KEPT + more, 1);

		t = (struct body_trailer){.name = "a"};
		fake_init(&f, text, (size_t)len);
		assert_int_equal(
		    body_init_chunked(&b, &f.transport, NULL, 0), 0);
		body_want_trailer(&b, &t);
		got = drain(&b, 64);
		assert_true(got.ended && t.came);
		assert_int_equal(t.cut, more);
		free(got.payload);
		body_fini(&b);
	}
}

/* What is asked of the socket: large chunks whole, and never too much. */
static void
the_socket_is_asked_for_what_is_owed(void **state)
{
	enum { SIZE = 65536 };
	char *s = malloc(2 * SIZE);
	struct fake f;
	struct body b;
	struct got got;
	int n;

	(void)state;
	assert_non_null(s);
	n = snprintf(s, 16, "%x\r\n", (unsigned)SIZE);
	memset(s + n, 'x', SIZE);
	memcpy(s + n + SIZE, "\r\n0\r\n\r\n", 8);
	memset(s + n + SIZE + 7, 'N', SIZE / 2);
	fake_init(&f, s, (size_t)n + SIZE + 7 + SIZE / 2);
	assert_int_equal(body_init_chunked(&b, &f.transport, NULL, 0), 0);
	got = drain(&b, 2 * SIZE);
	assert_true(got.ended);
	assert_int_equal(got.len, SIZE);
	/* The size line, then the rest and the end, and not a byte more. */
	assert_int_equal(f.calls, 2);
	assert_int_equal(
	    f.asked_most, (size_t)n + SIZE + 7 - BODY_OVERREAD_MAX);
	assert_int_equal(f.at, (size_t)n + SIZE + 7);
	free(got.payload);
	body_fini(&b);

	/* A short body: what is read along is at most 4 KiB. */
	memcpy(s, "0\r\n\r\n", 5);
	memset(s + 5, 'N', SIZE);
	fake_init(&f, s, SIZE);
	assert_int_equal(body_init_chunked(&b, &f.transport, NULL, 0), 0);
	got = drain(&b, 2 * SIZE);
	assert_true(got.ended);
	assert_int_equal(f.at, BODY_OVERREAD_MAX);
	free(got.payload);
	body_fini(&b);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chunked_payload_is_the_same_however_it_is_cut),
	    cmocka_unit_test(hostile_framing_is_refused_however_it_is_cut),
	    cmocka_unit_test(an_early_end_is_the_clients),
	    cmocka_unit_test(a_length_is_read_to_its_end_and_no_further),
	    cmocka_unit_test(a_length_is_read_into_several_chunks),
	    cmocka_unit_test(a_read_into_several_chunks_may_bring_nothing),
	    cmocka_unit_test(a_length_is_read_into_pipes),
	    cmocka_unit_test(a_read_into_a_pipe_may_bring_nothing),
	    cmocka_unit_test(other_bodies_are_read_into_memory),
	    cmocka_unit_test(the_socket_is_read_at_once_behind_the_head),
	    cmocka_unit_test(a_length_that_is_not_reached_is_the_clients),
	    cmocka_unit_test(silence_is_not_an_end),
	    cmocka_unit_test(limits_of_size_are_exact),
	    cmocka_unit_test(extensions_and_trailers_are_limited_in_total),
	    cmocka_unit_test(a_trailer_that_is_wanted_is_kept),
	    cmocka_unit_test(
		a_trailer_that_is_wanted_is_sent_once_and_is_short),
	    cmocka_unit_test(the_socket_is_asked_for_what_is_owed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
