#include "http/multipart.h"

#include <errno.h>
#include <string.h>

#include "multipart_steps.h"

enum {
	/* A part that may be here whole is waited for so many receives, each of
	 * which has all of it looked at again. */
	PEEKS_MAX = 4,
	DIRECT_MIN = 64, /* room in a chunk, to receive into it */
};

/* ---- reading ---- */

static enum source_result
receive_into(
    struct multipart *m, struct chunk *c, size_t size, struct reader *r)
{
	enum source_result result = m->inner->ops->read(m->inner, c, size, r);

	check(result != SOURCE_TAKEN);
	if (result == SOURCE_FAILED)
		(void)multipart_steps_fail(m, m->inner->failure);
	return result;
}

/* Receive behind what is held. */
static enum source_result
receive_held(struct multipart *m, struct reader *r)
{
	struct chunk c = {0}; /* of no pool: a place and its length */
	enum source_result result;

	if (!multipart_steps_make_room(m)) {
		(void)multipart_steps_fail(
		    m, failure_of(OUTCOME_NO_MEMORY, -ENOMEM));
		return SOURCE_FAILED;
	}
	check(m->held_len < MULTIPART_HELD);
	c.data = m->held + m->held_len;
	result = receive_into(m, &c, MULTIPART_HELD - m->held_len, r);
	m->held_len += c.len;
	if (multipart_held(m) == 0)
		multipart_steps_drop(m);
	return result;
}

/*
 * Receive payload into the chunk, behind what was held back of it, and take off what does
 * not belong to it.
 */
static enum source_result
receive_payload(
    struct multipart *m, struct chunk *c, size_t size, struct reader *r)
{
	size_t begin = c->len, before = begin + m->matched, n, matched;
	enum source_result result;

	memcpy(c->data + begin, m->delimiter, m->matched);
	c->len = before;
	if (size - before > MULTIPART_READ_MAX)
		size = before + MULTIPART_READ_MAX;
	result = receive_into(m, c, size, r);
	if (c->len == before) {
		c->len = begin;
		return result;
	}
	n = multipart_steps_find(m, c->data + begin, c->len - begin, &matched);
	before = begin + n + matched; /* what is behind it */
	m->matched = matched;
	if (matched == m->delimiter_len) {
		(void)multipart_steps_end_payload(m);
		if (!multipart_steps_keep(
			m, c->data + before, c->len - before)) {
			(void)multipart_steps_fail(
			    m, failure_of(OUTCOME_NO_MEMORY, -ENOMEM));
			result = SOURCE_FAILED;
		}
	}
	c->len = begin + n;
	return result;
}

/* Once. */
static enum source_result
receive(struct multipart *m, struct chunk *c, size_t size, struct reader *r)
{
	if (m->inner->ended) {
		(void)multipart_steps_refuse(
		    m, "the form ends before its last boundary");
		return SOURCE_FAILED;
	}
	if (m->state == MULTIPART_DATA && multipart_held(m) == 0 &&
	    m->unseen == 0 &&
	    multipart_room(c, size) >= m->matched + DIRECT_MIN) {
		multipart_steps_drop(m);
		return receive_payload(m, c, size, r);
	}
	return receive_held(m, r);
}

/* As the body is now, for the reader of `s`; `more`: it need not be waited for. */
static void
reflect(struct multipart *m, struct source *s, bool more)
{
	s->wants = m->inner->wants;
	s->ahead = m->inner->ahead + (uint32_t)multipart_held(m);
	s->ready = more || m->inner->ready || m->inner->ended;
}

/* What the step is to the reader; after STEP_WANTS: `received`. */
static enum source_result
tell(struct multipart *m, struct source *s, enum step step,
    enum source_result received)
{
	if (step == STEP_FAILED || received == SOURCE_FAILED)
		return SOURCE_FAILED;
	s->ended = step == STEP_END;
	reflect(m, s, step == STEP_FULL);
	return step == STEP_WANTS ? received : SOURCE_BYTES;
}

static enum source_result
multipart_read_part(
    struct source *s, struct chunk *c, size_t size, struct reader *r)
{
	struct multipart *m = container_of(s, struct multipart, part);
	enum source_result received = SOURCE_BYTES;
	size_t before = c->len;
	enum step step = multipart_steps_take(m, c, size);

	if (step == STEP_WANTS && c->len < size) {
		received = receive(m, c, size, r);
		if (received == SOURCE_BYTES)
			step = multipart_steps_take(m, c, size);
	}
	m->given += c->len - before;
	if (step != STEP_FAILED && m->given > m->given_max) {
		s->failure = failure_of(OUTCOME_TOO_LARGE, 0);
		return SOURCE_FAILED;
	}
	if (received == SOURCE_NONE && c->len > before)
		received = SOURCE_BYTES;
	return tell(m, s, step, received);
}

/* What is held of a part whose head has just been read. */
enum peek {
	PEEK_UNSURE, /* not even whether it is empty can be told */
	PEEK_SOME,
	PEEK_WHOLE,
};

static enum peek
peek(struct multipart *m)
{
	size_t len = multipart_held(m), k = 0, n, matched;
	const unsigned char *p;

	if (len == 0)
		return PEEK_UNSURE;
	p = m->held + m->held_at;
	while (k < len && k + 2 < m->delimiter_len &&
	       p[k] == (unsigned char)m->delimiter[k + 2])
		k++;
	if (k + 2 == m->delimiter_len)
		return PEEK_SOME; /* it is refused soon */
	if (k == len)
		return PEEK_UNSURE;
	n = multipart_steps_find(m, p, len, &matched);
	if (matched == m->delimiter_len) {
		m->length = n;
		m->empty = n == 0;
		return PEEK_WHOLE;
	}
	return n > 0 ? PEEK_SOME : PEEK_UNSURE;
}

/* See what is there of the part: STEP_END when that is enough. */
static enum step
look_ahead(
    struct multipart *m, struct reader *r, enum source_result *ret_received)
{
	m->length = MULTIPART_LENGTH_UNKNOWN;
	m->empty = false;
	for (unsigned i = 0;; i++) {
		enum peek what = peek(m);

		if (what == PEEK_WHOLE || m->inner->ended ||
		    multipart_held(m) == MULTIPART_HELD ||
		    (what == PEEK_SOME && i == PEEKS_MAX))
			return STEP_END;
		*ret_received = receive_held(m, r);
		if (*ret_received == SOURCE_FAILED)
			return STEP_FAILED;
		if (*ret_received == SOURCE_NONE)
			return what == PEEK_SOME ? STEP_END : STEP_WANTS;
	}
}

/* On to the payload of the next part, or to the end of the form. */
static enum step
read_on(struct multipart *m, struct reader *r, enum source_result *ret_received)
{
	enum step step;

	do
		step = m->state == MULTIPART_DATA
			   ? look_ahead(m, r, ret_received)
			   : multipart_steps_take(m, NULL, 0);
	while (step == STEP_ON ||
	       (step == STEP_END && m->state == MULTIPART_HEAD));
	return step;
}

static enum source_result
multipart_read_head(
    struct source *s, struct chunk *c, size_t size, struct reader *r)
{
	struct multipart *m = container_of(s, struct multipart, head);
	enum source_result received = SOURCE_BYTES;
	enum step step = read_on(m, r, &received);

	if (step == STEP_WANTS && m->state != MULTIPART_DATA) {
		received = receive(m, c, size, r);
		if (received == SOURCE_BYTES)
			step = read_on(m, r, &received);
	}
	return tell(m, s, step, received);
}

static bool
has_bytes(struct multipart *m, const struct source *s)
{
	return s->ready || (m->inner->ops->has_bytes != NULL &&
			       m->inner->ops->has_bytes(m->inner));
}

static bool
part_has_bytes(struct source *s)
{
	return has_bytes(container_of(s, struct multipart, part), s);
}

static bool
head_has_bytes(struct source *s)
{
	return has_bytes(container_of(s, struct multipart, head), s);
}

static void
multipart_abandon(struct source *s)
{
	(void)s;
	die("multipart: abandoned with a chunk, which it never takes");
}

static const struct source_ops part_ops = {
    .read = multipart_read_part,
    .has_bytes = part_has_bytes,
    .abandon = multipart_abandon,
};

static const struct source_ops head_ops = {
    .read = multipart_read_head,
    .has_bytes = head_has_bytes,
    .abandon = multipart_abandon,
};

/* ---- what its owner calls ---- */

void
multipart_init(struct multipart *m, struct source *inner, const char *boundary,
    uint64_t parts_max)
{
	size_t len = strlen(boundary);

	check(len > 0 && len <= PART_BOUNDARY_MAX);
	*m = (struct multipart){.inner = inner, .parts_max = parts_max};
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary, len);
	m->delimiter_len = 4 + len;
	/* The first has no CRLF before it. */
	m->matched = 2;
}

/* Begin `s` anew. */
static struct source *
begin(struct multipart *m, struct source *s, const struct source_ops *ops)
{
	*s = (struct source){.ops = ops, .fd = m->inner->fd};
	reflect(m, s, multipart_held(m) > 0);
	return s;
}

struct source *
multipart_next(struct multipart *m)
{
	check(m->state == MULTIPART_START || m->state == MULTIPART_HEAD);
	m->found = false;
	return begin(m, &m->head, &head_ops);
}

struct source *
multipart_part(struct multipart *m, uint64_t max)
{
	check(multipart_is_within(m));
	m->given_max = max > 0 && max < UINT64_MAX - m->given ? m->given + max
							      : UINT64_MAX;
	return begin(m, &m->part, &part_ops);
}

void
multipart_fini(struct multipart *m)
{
	multipart_steps_drop(m);
}
