#include "lib/flow.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "lib/cmocka_with.h"

void
assert_fake_bytes(const unsigned char *got, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (got[i] != fake_byte(i))
			fail_msg("byte %zu is another", i);
}

/* ---- the source ---- */

static bool
fd_has_byte(int fd)
{
	return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) > 0;
}

/* How many bytes come next, where there is `room` for them in chunks of `size`. */
static size_t
piece(struct fake_source *s, size_t room, size_t size)
{
	size_t left = s->len - s->at, most = room > size ? room : size,
	       n = room;

	if (s->next > 0)
		n = s->next;
	else if (!s->whole)
		n = 1 + (size_t)rand_r(&s->seed) % (most / 2 + 1);
	s->next = 0;
	if (n > room)
		n = room;
	return n < left ? n : left;
}

/* The next bytes go into the chunks, one after the other. */
static void
fill(struct fake_source *s, struct chunk *const *chunks, unsigned count,
    size_t size)
{
	size_t room = 0, n;

	for (unsigned i = 0; i < count; i++)
		room += size - chunks[i]->len;
	for (n = piece(s, room, size); n > 0; n--, s->at++) {
		if ((*chunks)->len == size)
			chunks++;
		(*chunks)->data[(*chunks)->len++] = fake_byte(s->at);
	}
	s->source.ended = s->at == s->len;
}

static enum source_result
read_several(struct source *source, struct chunk *const *chunks, unsigned count,
    size_t size)
{
	struct fake_source *s =
	    container_of(source, struct fake_source, source);

	assert_true(source->several && !source->ended && !s->takes);
	assert_true(count > 0 && count <= SOURCE_CHUNKS_MAX);
	assert_true(chunks[0]->len < size);
	for (unsigned i = 1; i < count; i++)
		assert_int_equal(chunks[i]->len, 0);
	if (s->offered_most < count)
		s->offered_most = count;
	if (s->at >= s->fail_at) {
		source->failure = failure_of_errno(-ENETDOWN);
		return SOURCE_FAILED;
	}
	if (s->at >= s->pause_at)
		return SOURCE_NONE;
	fill(s, chunks, count, size);
	s->offered = count;
	return SOURCE_BYTES;
}

static enum source_result
source_splice(struct source *source, struct chunk *c, size_t most)
{
	static unsigned char bytes[FAKE_BODY_MAX];
	struct fake_source *s =
	    container_of(source, struct fake_source, source);
	size_t n;

	assert_true(source->splices && !source->ended && !s->takes);
	assert_true(chunk_is_pipe(c) && c->len == 0);
	if (s->at >= s->fail_at) {
		source->failure = failure_of_errno(-ENETDOWN);
		return SOURCE_FAILED;
	}
	if (s->at >= s->pause_at)
		return SOURCE_NONE;
	n = piece(s, most < sizeof(bytes) ? most : sizeof(bytes), 1);
	for (size_t i = 0; i < n; i++)
		bytes[i] = fake_byte(s->at + i);
	assert_int_equal(write(c->pipe.wr, bytes, n), n);
	c->len = n;
	s->at += n;
	s->spliced += n;
	source->ended = s->at == s->len;
	return SOURCE_BYTES;
}

static enum source_result
source_read(
    struct source *source, struct chunk *c, size_t size, struct reader *r)
{
	struct fake_source *s =
	    container_of(source, struct fake_source, source);

	assert_true(!source->ended || s->len == 0);
	assert_true(c->len < size);
	if (s->at >= s->fail_at) {
		source->failure = failure_of_errno(-ENETDOWN);
		return SOURCE_FAILED;
	}
	if (s->takes) {
		assert_null(s->taken);
		s->taken = c;
		s->taken_size = size;
		s->reader = r;
		return SOURCE_TAKEN;
	}
	if (s->framing) {
		s->framing = false;
		return SOURCE_BYTES;
	}
	if (s->at >= s->pause_at)
		return SOURCE_NONE;
	if (s->trickles) {
		if (!fd_has_byte(source->fd))
			return SOURCE_NONE;
		fake_source_fall_silent(s);
		size = c->len + 1;
	}
	fill(s, &c, 1, size);
	s->offered = 0;
	return SOURCE_BYTES;
}

static bool
source_has_bytes(struct source *source)
{
	return fd_has_byte(source->fd);
}

static void
source_abandon(struct source *source)
{
	struct fake_source *s =
	    container_of(source, struct fake_source, source);

	assert_non_null(s->taken);
	s->reader = NULL;
	chunk_disown(s->taken);
}

/* Bring back what was taken. */
static void
bring_back(struct fake_source *s)
{
	struct chunk *c = s->taken;

	if (c == NULL || s->at >= s->pause_at)
		return;
	s->taken = NULL;
	if (s->reader == NULL) {
		chunk_give(c);
		return;
	}
	fill(s, &c, 1, s->taken_size);
	reader_filled(s->reader, c,
	    s->at >= s->fail_at ? failure_of_errno(-EIO) : failure_none());
}

void
fake_source_open(struct fake_source *s)
{
	assert_int_equal(pipe(s->ends), 0);
	fake_source_speak_up(s);
}

void
fake_source_close(struct fake_source *s)
{
	close(s->ends[0]);
	close(s->ends[1]);
}

void
fake_source_begin(struct fake_source *s, size_t len, bool takes)
{
	static const struct source_ops ops = {
	    .read = source_read,
	    .read_several = read_several,
	    .splice = source_splice,
	    .has_bytes = source_has_bytes,
	    .abandon = source_abandon,
	};
	int ends[2] = {s->ends[0], s->ends[1]};

	*s = (struct fake_source){
	    .source = {.ops = &ops,
		.fd = takes ? -1 : ends[0],
		.wants = EV_READ},
	    .len = len,
	    .fail_at = SIZE_MAX,
	    .pause_at = SIZE_MAX,
	    .takes = takes,
	    .ends = {ends[0], ends[1]},
	};
}

void
fake_source_turn(struct fake_source *s)
{
	if (s->trickles &&
	    clock_mono_ns() - s->trickled_ns >= FAKE_TRICKLE_MS * NS_PER_MS) {
		s->trickled_ns = clock_mono_ns();
		fake_source_speak_up(s);
	}
	bring_back(s);
}

void
fake_source_fall_silent(struct fake_source *s)
{
	char byte;

	assert_int_equal(read(s->ends[0], &byte, 1), 1);
}

void
fake_source_speak_up(struct fake_source *s)
{
	assert_int_equal(write(s->ends[1], "x", 1), 1);
}

void
fake_source_stop_trickling(struct fake_source *s)
{
	s->trickles = false;
	while (fd_has_byte(s->ends[0]))
		fake_source_fall_silent(s);
	fake_source_speak_up(s);
}

/* ---- the sink ---- */

/* Its bytes are appended to what the sink has. */
static void
keep_bytes(struct fake_sink *s, struct chunk *c)
{
	if (chunk_is_pipe(c)) {
		assert_true(s->sink.takes_pipes);
		assert_int_equal(
		    read(c->pipe.rd, s->got + s->len, c->len), c->len);
		c->taken = c->len;
		s->piped++;
	} else {
		memcpy(s->got + s->len, c->data, c->len);
	}
	s->len += c->len;
}

static void
sink_write(struct sink *sink, struct chunk *c, struct writer *w)
{
	struct fake_sink *s = container_of(sink, struct fake_sink, sink);

	assert_true(c->len > 0);
	assert_true(s->len + c->len <= s->size);
	assert_true(s->count < s->depth);
	keep_bytes(s, c);
	s->has[s->count].chunk = c;
	s->has[s->count++].due = s->turns + s->lag;
	s->writer = w;
	s->writes++;
	s->unflushed++;
	if (s->count > s->most)
		s->most = s->count;
}

/* Never without a write. */
static void
sink_flush(struct sink *sink)
{
	struct fake_sink *s = container_of(sink, struct fake_sink, sink);

	assert_true(s->unflushed > 0);
	s->unflushed = 0;
	s->flushes++;
}

static void
sink_abandon(struct sink *sink)
{
	struct fake_sink *s = container_of(sink, struct fake_sink, sink);

	assert_true(s->count > 0);
	s->writer = NULL;
	for (unsigned i = 0; i < s->count; i++)
		chunk_disown(s->has[i].chunk);
}

void
fake_sink_begin(struct fake_sink *s, size_t size, unsigned depth)
{
	static const struct sink_ops ops = {
	    .write = sink_write,
	    .flush = sink_flush,
	    .abandon = sink_abandon,
	};

	assert_true(size <= FAKE_BODY_MAX && depth <= FAKE_SINK_MAX);
	s->sink = (struct sink){.ops = &ops};
	s->size = size;
	s->depth = depth;
	s->fail_at = SIZE_MAX;
	s->len = s->count = s->lag = s->writes = s->piped = 0;
	s->most = s->flushes = s->unflushed = 0;
	s->stalled = s->backwards = false;
	s->writer = NULL;
}

void
fake_sink_turn(struct fake_sink *s)
{
	s->turns++;
	while (s->count > 0 && !s->stalled && s->has[0].due <= s->turns) {
		unsigned i = s->backwards ? s->count - 1 : 0;

		chunk_give(s->has[i].chunk);
		s->count--;
		memmove(s->has + i, s->has + i + 1,
		    (s->count - i) * sizeof(s->has[0]));
		if (s->writer == NULL)
			continue;
		writer_done(s->writer, 1);
		if (s->len >= s->fail_at)
			writer_failed(s->writer, failure_of_errno(-ENOSPC));
	}
}

/* ---- the owner ---- */

static void
on_read_all(void *owner)
{
	struct test_flow *t = owner;

	assert_false(t->read_all || t->drained);
	t->read_all = true;
}

static void
on_drained(void *owner)
{
	struct test_flow *t = owner;

	assert_true(t->read_all);
	assert_false(t->drained || (failure_is(t->failed) && !t->drains));
	t->drained = true;
	if (t->on_end != NULL)
		t->on_end(t);
}

/* Each side is told once; both may fail before they are stopped. */
static void
note_failure(struct test_flow *t, enum flow_side side, struct failure why)
{
	assert_true(failure_is(why));
	assert_false(failure_is(t->failed_of[side]));
	t->failed_of[side] = why;
	if (!failure_is(t->failed)) {
		t->failed = why;
		t->failed_side = side;
	}
	if (t->on_end != NULL)
		t->on_end(t);
}

static void
on_read_failed(void *owner, struct failure why)
{
	struct test_flow *t = owner;
	bool drains = t->drains;

	note_failure(t, READING, why);
	if (drains)
		flow_drain(&t->flow);
}

static void
on_write_failed(void *owner, struct failure why)
{
	note_failure(owner, WRITING, why);
}

void
test_flow_start(
    struct test_flow *t, struct test_loop *l, const struct flow_setup *setup)
{
	flow_init(&t->flow);
	test_flow_go_on(t, l, setup);
}

void
test_flow_go_on(
    struct test_flow *t, struct test_loop *l, const struct flow_setup *setup)
{
	struct flow_setup s = *setup;

	t->read_all = t->drained = t->drains = false;
	t->failed = failure_none();
	t->failed_of[READING] = t->failed_of[WRITING] = t->failed;
	t->failed_side = READING;
	s.loop = l->loop;
	s.pool = l->pool;
	s.account = &l->account;
	s.owner = t;
	s.on_read_all = on_read_all;
	s.on_drained = on_drained;
	s.on_read_failed = on_read_failed;
	s.on_write_failed = on_write_failed;
	flow_start(&t->flow, &s);
}

/* ---- all of it ---- */

static struct faked_flow *faked;

static void
turn_fakes(void)
{
	fake_source_turn(&faked->source);
	fake_sink_turn(&faked->sink);
}

void
faked_flow_set_up(struct faked_flow *f, size_t chunk_size, size_t chunks)
{
	memset(f, 0, sizeof(*f));
	faked = f;
	test_loop_begin(&f->l, chunk_size, chunks);
	f->l.on_turn = turn_fakes;
	fake_source_open(&f->source);
}

void
faked_flow_tear_down(struct faked_flow *f)
{
	flow_stop(&f->t.flow);
	f->sink.stalled = false;
	test_loop_turn(&f->l, 1);
	fake_source_close(&f->source);
	test_loop_end(&f->l);
}
