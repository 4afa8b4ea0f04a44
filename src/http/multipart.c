#include "http/multipart.h"

#include <errno.h>
#include <string.h>

#include "base/block.h"
#include "disk/chunk.h"

enum {
	/* A part that may be here whole is waited for so many receives, each of
	 * which has all of it looked at again. */
	PEEKS_MAX = 4,
	ROOM_MIN = 4096, /* of `held`, or what is in it is moved down */
	DIRECT_MIN = 64, /* room in a chunk, to receive into it */
};

_Static_assert(MULTIPART_HEAD_MAX + ROOM_MIN < MULTIPART_HELD,
    "a head and what is received fit");

/* How far one step came. */
enum step {
	STEP_ON,    /* there may be more to do */
	STEP_WANTS, /* what is held is used up, or not enough: receive */
	STEP_FULL,  /* the chunk is */
	STEP_END,   /* the source that is read ends here */
	STEP_FAILED,
};

/* ---- failures ---- */

static enum step
multipart_fail(struct multipart *m, struct failure why)
{
	m->head.failure = m->part.failure = why;
	return STEP_FAILED;
}

static enum step
multipart_refuse(struct multipart *m, const char *why)
{
	m->why = why;
	return multipart_fail(m, failure_of(OUTCOME_BAD_FORM, 0));
}

/* ---- what is held ---- */

static size_t
held(const struct multipart *m)
{
	return m->held_len - m->held_at;
}

static void
drop_held(struct multipart *m)
{
	block_give(m->held, MULTIPART_HELD);
	m->held = NULL;
	m->held_at = m->held_len = 0;
}

/* Have room behind what is held; false: out of memory. */
static bool
make_room(struct multipart *m)
{
	if (m->held == NULL)
		m->held = block_take(MULTIPART_HELD);
	if (m->held == NULL)
		return false;
	if (held(m) == 0) {
		m->held_at = m->held_len = 0;
	} else if (MULTIPART_HELD - m->held_len < ROOM_MIN && m->held_at > 0) {
		memmove(m->held, m->held + m->held_at, held(m));
		m->held_len -= m->held_at;
		m->held_at = 0;
	}
	return true;
}

/* Keep bytes that were received into a chunk too early. */
static bool
keep(struct multipart *m, const unsigned char *bytes, size_t len)
{
	check(held(m) == 0 && len <= MULTIPART_HELD);
	if (len == 0)
		return true;
	if (!make_room(m))
		return false;
	memcpy(m->held, bytes, len);
	m->held_len = len;
	return true;
}

static enum source_result
receive_into(
    struct multipart *m, struct chunk *c, size_t size, struct reader *r)
{
	enum source_result result = m->inner->ops->read(m->inner, c, size, r);

	check(result != SOURCE_TAKEN);
	if (result == SOURCE_FAILED)
		(void)multipart_fail(m, m->inner->failure);
	return result;
}

/* Receive behind what is held. */
static enum source_result
receive_held(struct multipart *m, struct reader *r)
{
	struct chunk c = {0}; /* of no pool: a place and its length */
	enum source_result result;

	if (!make_room(m)) {
		(void)multipart_fail(m, failure_of(OUTCOME_NO_MEMORY, -ENOMEM));
		return SOURCE_FAILED;
	}
	check(m->held_len < MULTIPART_HELD);
	c.data = m->held + m->held_len;
	result = receive_into(m, &c, MULTIPART_HELD - m->held_len, r);
	m->held_len += c.len;
	if (held(m) == 0)
		drop_held(m);
	return result;
}

/* ---- delimiters ---- */

/*
 * Where the delimiter begins in these bytes, or, at their end, may begin; `len`: nowhere.
 * *ret_matched: how many bytes of it are there.  No byte is looked at more than twice: CR
 * is the first byte of a delimiter and no other, so what was compared in vain has none.
 */
static size_t
find_delimiter(const struct multipart *m, const unsigned char *bytes,
    size_t len, size_t *ret_matched)
{
	const unsigned char *p = bytes, *end = bytes + len;

	*ret_matched = 0;
	while (p < end && (p = memchr(p, '\r', (size_t)(end - p))) != NULL) {
		size_t most = (size_t)(end - p), k = 1;

		if (most > m->delimiter_len)
			most = m->delimiter_len;
		while (k < most && p[k] == (unsigned char)m->delimiter[k])
			k++;
		if (k == most) {
			*ret_matched = k;
			return (size_t)(p - bytes);
		}
		p += k;
	}
	return len;
}

/* All of a delimiter has come. */
static enum step
end_payload(struct multipart *m)
{
	if (m->unseen > 0)
		return multipart_refuse(m,
		    "the head of a part is followed by a boundary: an empty "
		    "part has one more CRLF before it");
	m->matched = 0;
	m->state = MULTIPART_AFTER;
	return STEP_ON;
}

/* ---- the steps, from what is held ---- */

static enum step
take_start(struct multipart *m)
{
	while (held(m) > 0) {
		if (m->held[m->held_at] !=
		    (unsigned char)m->delimiter[m->matched])
			return multipart_refuse(m,
			    "the form does not begin with the boundary that "
			    "its Content-Type names");
		m->held_at++;
		if (++m->matched < m->delimiter_len)
			continue;
		m->matched = m->unseen = 0;
		m->state = MULTIPART_AFTER;
		return STEP_ON;
	}
	return STEP_WANTS;
}

static enum step
take_after(struct multipart *m)
{
	const unsigned char *p;

	if (held(m) < 2)
		return STEP_WANTS;
	p = m->held + m->held_at;
	if (p[0] == '\r' && p[1] == '\n')
		m->state = MULTIPART_HEAD;
	else if (p[0] == '-' && p[1] == '-')
		m->state = MULTIPART_EPILOGUE;
	else
		return multipart_refuse(m,
		    "a line begins with the boundary of the form, and goes on "
		    "otherwise than with CRLF or --");
	m->held_at += 2;
	m->scanned = 0;
	return m->state == MULTIPART_HEAD ? STEP_END : STEP_ON;
}

static enum step
take_epilogue(struct multipart *m)
{
	for (; held(m) > 0; m->held_at++, m->epilogue++)
		if (m->epilogue == 2 ||
		    m->held[m->held_at] != "\r\n"[m->epilogue])
			return multipart_refuse(m,
			    "there are bytes behind the last boundary of the "
			    "form");
	if (!m->inner->ended)
		return STEP_WANTS;
	if (m->epilogue == 1)
		return multipart_refuse(
		    m, "there is half a line end behind the last boundary");
	drop_held(m);
	m->state = MULTIPART_DONE;
	return STEP_END;
}

/* The head is the first `len` bytes that are held. */
static enum step
end_head(struct multipart *m, size_t len)
{
	const char *bytes = (const char *)m->held + m->held_at;

	if (m->parts_max > 0 && m->parts == m->parts_max)
		return multipart_fail(m, failure_of(OUTCOME_FORM_LIMIT, 0));
	m->parts++;
	if (!part_head_parse(bytes, len, &m->said, &m->why))
		return multipart_refuse(m, m->why);
	m->held_at += len + 2; /* the empty line */
	m->found = true;
	m->given = 0;
	/* Its CRLF might be that of a delimiter. */
	m->matched = m->unseen = 2;
	m->state = MULTIPART_DATA;
	return STEP_ON;
}

static enum step
take_head(struct multipart *m)
{
	size_t i = m->scanned, len = held(m);
	const unsigned char *p;

	if (len == 0)
		return STEP_WANTS;
	p = m->held + m->held_at;
	for (; i < len && i <= MULTIPART_HEAD_MAX; i++) {
		if (p[i] == '\n')
			return multipart_refuse(m,
			    "a line in the head of a part ends with LF "
			    "alone");
		if (p[i] != '\r')
			continue;
		if (i + 1 == len)
			break;
		if (p[i + 1] != '\n')
			return multipart_refuse(m,
			    "a CR in the head of a part has no LF behind "
			    "it");
		if (i == 0 || p[i - 1] == '\n')
			return end_head(m, i);
		i++;
	}
	m->scanned = i;
	return i <= MULTIPART_HEAD_MAX
		   ? STEP_WANTS
		   : multipart_refuse(m, "the head of a part is over 8 KiB");
}

static size_t
room_in(const struct chunk *c, size_t size)
{
	return size - c->len;
}

static void
give(struct chunk *c, const void *bytes, size_t len)
{
	memcpy(c->data + c->len, bytes, len);
	c->len += len;
}

/* What was held back is payload after all. */
static void
give_spill(struct multipart *m, struct chunk *c, size_t size)
{
	size_t n = m->spill_end - m->spill;

	if (n > room_in(c, size))
		n = room_in(c, size);
	give(c, m->delimiter + m->spill, n);
	m->spill += n;
}

/* Bytes that go on with the delimiter, or do not. */
static enum step
go_on_matching(struct multipart *m)
{
	while (held(m) > 0) {
		if (m->held[m->held_at] !=
		    (unsigned char)m->delimiter[m->matched]) {
			m->spill = m->unseen;
			m->spill_end = m->matched;
			m->matched = m->unseen = 0;
			return STEP_ON;
		}
		m->held_at++;
		if (++m->matched == m->delimiter_len)
			return end_payload(m);
	}
	return STEP_WANTS;
}

static enum step
take_data(struct multipart *m, struct chunk *c, size_t size)
{
	size_t n, matched;

	if (m->spill < m->spill_end) {
		give_spill(m, c, size);
		return m->spill < m->spill_end ? STEP_FULL : STEP_ON;
	}
	if (held(m) == 0)
		return STEP_WANTS;
	if (m->matched > 0)
		return go_on_matching(m);
	if (room_in(c, size) == 0)
		return STEP_FULL;
	n = find_delimiter(m, m->held + m->held_at, held(m), &matched);
	if (n > room_in(c, size)) {
		n = room_in(c, size);
		matched = 0;
	}
	give(c, m->held + m->held_at, n);
	m->held_at += n + matched;
	m->matched = matched;
	return matched == m->delimiter_len ? end_payload(m) : STEP_ON;
}

static enum step
multipart_step(struct multipart *m, struct chunk *c, size_t size)
{
	switch (m->state) {
	case MULTIPART_START:
		return take_start(m);
	case MULTIPART_AFTER:
		return take_after(m);
	case MULTIPART_HEAD:
		return take_head(m);
	case MULTIPART_DATA:
		return take_data(m, c, size);
	case MULTIPART_EPILOGUE:
		return take_epilogue(m);
	case MULTIPART_DONE:
	default:
		die("multipart: a step in state %d", (int)m->state);
	}
}

/* ---- reading ---- */

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
	n = find_delimiter(m, c->data + begin, c->len - begin, &matched);
	before = begin + n + matched; /* what is behind it */
	m->matched = matched;
	if (matched == m->delimiter_len) {
		(void)end_payload(m);
		if (!keep(m, c->data + before, c->len - before)) {
			(void)multipart_fail(
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
		(void)multipart_refuse(
		    m, "the form ends before its last boundary");
		return SOURCE_FAILED;
	}
	if (m->state == MULTIPART_DATA && held(m) == 0 && m->unseen == 0 &&
	    room_in(c, size) >= m->matched + DIRECT_MIN) {
		drop_held(m);
		return receive_payload(m, c, size, r);
	}
	return receive_held(m, r);
}

/* As the body is now, for the reader of `s`; `more`: it need not be waited for. */
static void
reflect(struct multipart *m, struct source *s, bool more)
{
	s->wants = m->inner->wants;
	s->ahead = m->inner->ahead + (uint32_t)held(m);
	s->ready = more || m->inner->ready || m->inner->ended;
}

/* Steps as far as what is held leads. */
static enum step
take_steps(struct multipart *m, struct chunk *c, size_t size)
{
	enum step step;

	do
		step = multipart_step(m, c, size);
	while (step == STEP_ON);
	return step;
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
	enum step step = take_steps(m, c, size);

	if (step == STEP_WANTS && c->len < size) {
		received = receive(m, c, size, r);
		if (received == SOURCE_BYTES)
			step = take_steps(m, c, size);
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
	size_t len = held(m), k = 0, n, matched;
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
	n = find_delimiter(m, p, len, &matched);
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
		    held(m) == MULTIPART_HELD ||
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
			   : multipart_step(m, NULL, 0);
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
	reflect(m, s, held(m) > 0);
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
	drop_held(m);
}
