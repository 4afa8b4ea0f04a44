#include "multipart_steps.h"

#include <string.h>

#include "base/block.h"

enum {
	ROOM_MIN = 4096, /* of `held`, or what is in it is moved down */
};

_Static_assert(MULTIPART_HEAD_MAX + ROOM_MIN < MULTIPART_HELD,
    "a head and what is received fit");

/* ---- failures ---- */

enum step
multipart_steps_fail(struct multipart *m, struct failure why)
{
	m->head.failure = m->part.failure = why;
	return STEP_FAILED;
}

enum step
multipart_steps_refuse(struct multipart *m, const char *why)
{
	m->why = why;
	return multipart_steps_fail(m, failure_of(OUTCOME_BAD_FORM, 0));
}

/* ---- what is held ---- */

void
multipart_steps_drop(struct multipart *m)
{
	block_give(m->held, MULTIPART_HELD);
	m->held = NULL;
	m->held_at = m->held_len = 0;
}

bool
multipart_steps_make_room(struct multipart *m)
{
	if (m->held == NULL)
		m->held = block_take(MULTIPART_HELD);
	if (m->held == NULL)
		return false;
	if (multipart_held(m) == 0) {
		m->held_at = m->held_len = 0;
	} else if (MULTIPART_HELD - m->held_len < ROOM_MIN && m->held_at > 0) {
		memmove(m->held, m->held + m->held_at, multipart_held(m));
		m->held_len -= m->held_at;
		m->held_at = 0;
	}
	return true;
}

bool
multipart_steps_keep(
    struct multipart *m, const unsigned char *bytes, size_t len)
{
	check(multipart_held(m) == 0 && len <= MULTIPART_HELD);
	if (len == 0)
		return true;
	if (!multipart_steps_make_room(m))
		return false;
	memcpy(m->held, bytes, len);
	m->held_len = len;
	return true;
}

/* ---- delimiters ---- */

size_t
multipart_steps_find(const struct multipart *m, const unsigned char *bytes,
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

enum step
multipart_steps_end_payload(struct multipart *m)
{
	if (m->unseen > 0)
		return multipart_steps_refuse(m,
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
	while (multipart_held(m) > 0) {
		if (m->held[m->held_at] !=
		    (unsigned char)m->delimiter[m->matched])
			return multipart_steps_refuse(m,
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

	if (multipart_held(m) < 2)
		return STEP_WANTS;
	p = m->held + m->held_at;
	if (p[0] == '\r' && p[1] == '\n')
		m->state = MULTIPART_HEAD;
	else if (p[0] == '-' && p[1] == '-')
		m->state = MULTIPART_EPILOGUE;
	else
		return multipart_steps_refuse(m,
		    "a line begins with the boundary of the form, and goes on "
		    "otherwise than with CRLF or --");
	m->held_at += 2;
	m->scanned = 0;
	return m->state == MULTIPART_HEAD ? STEP_END : STEP_ON;
}

static enum step
take_epilogue(struct multipart *m)
{
	for (; multipart_held(m) > 0; m->held_at++, m->epilogue++)
		if (m->epilogue == 2 ||
		    m->held[m->held_at] != (unsigned char)"\r\n"[m->epilogue])
			return multipart_steps_refuse(m,
			    "there are bytes behind the last boundary of the "
			    "form");
	if (!m->inner->ended)
		return STEP_WANTS;
	if (m->epilogue == 1)
		return multipart_steps_refuse(
		    m, "there is half a line end behind the last boundary");
	multipart_steps_drop(m);
	m->state = MULTIPART_DONE;
	return STEP_END;
}

/* The head is the first `len` bytes that are held. */
static enum step
end_head(struct multipart *m, size_t len)
{
	const char *bytes = (const char *)m->held + m->held_at;

	if (m->parts_max > 0 && m->parts == m->parts_max)
		return multipart_steps_fail(
		    m, failure_of(OUTCOME_FORM_LIMIT, 0));
	m->parts++;
	if (!part_head_parse(bytes, len, &m->said, &m->why))
		return multipart_steps_refuse(m, m->why);
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
	size_t i = m->scanned, len = multipart_held(m);
	const unsigned char *p;

	if (len == 0)
		return STEP_WANTS;
	p = m->held + m->held_at;
	for (; i < len && i <= MULTIPART_HEAD_MAX; i++) {
		if (p[i] == '\n')
			return multipart_steps_refuse(m,
			    "a line in the head of a part ends with LF "
			    "alone");
		if (p[i] != '\r')
			continue;
		if (i + 1 == len)
			break;
		if (p[i + 1] != '\n')
			return multipart_steps_refuse(m,
			    "a CR in the head of a part has no LF behind "
			    "it");
		if (i == 0 || p[i - 1] == '\n')
			return end_head(m, i);
		i++;
	}
	m->scanned = i;
	return i <= MULTIPART_HEAD_MAX
		   ? STEP_WANTS
		   : multipart_steps_refuse(
			 m, "the head of a part is over 8 KiB");
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

	if (n > multipart_room(c, size))
		n = multipart_room(c, size);
	give(c, m->delimiter + m->spill, n);
	m->spill += n;
}

/* Bytes that go on with the delimiter, or do not. */
static enum step
go_on_matching(struct multipart *m)
{
	while (multipart_held(m) > 0) {
		if (m->held[m->held_at] !=
		    (unsigned char)m->delimiter[m->matched]) {
			m->spill = m->unseen;
			m->spill_end = m->matched;
			m->matched = m->unseen = 0;
			return STEP_ON;
		}
		m->held_at++;
		if (++m->matched == m->delimiter_len)
			return multipart_steps_end_payload(m);
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
	if (multipart_held(m) == 0)
		return STEP_WANTS;
	if (m->matched > 0)
		return go_on_matching(m);
	if (multipart_room(c, size) == 0)
		return STEP_FULL;
	n = multipart_steps_find(
	    m, m->held + m->held_at, multipart_held(m), &matched);
	if (n > multipart_room(c, size)) {
		n = multipart_room(c, size);
		matched = 0;
	}
	give(c, m->held + m->held_at, n);
	m->held_at += n + matched;
	m->matched = matched;
	return matched == m->delimiter_len ? multipart_steps_end_payload(m)
					   : STEP_ON;
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

enum step
multipart_steps_take(struct multipart *m, struct chunk *c, size_t size)
{
	enum step step;

	do
		step = multipart_step(m, c, size);
	while (step == STEP_ON && (c != NULL || m->state != MULTIPART_DATA));
	return step;
}
