/*
 * Forms, from any bytes in any pieces: the parts, their payload and how it ends are those of
 * a plain decoder written beside it, which has all bytes before it, whatever the cuts and the
 * chunk size; and a boundary is one by a plain look at it.
 *
 * Behind the knobs stands a line, the Content-Type, and behind that the body.
 */
#include "http/multipart.h"

#include "base/block.h"
#include "base/str.h"
#include "disk/chunk.h"
#include "fuzz.h"

enum knob {
	SIZE,	/* bytes in a chunk of ours; 0: 4096 */
	PIECE,	/* the most in a piece; 0: any number */
	PIECES, /* which pieces */
	PAUSE,	/* so many reads, then nothing is there; 0: never */
	HASTE,	/* the reader gives away what it has, not only full chunks */
	LATE,	/* the end of the body is told by a read of its own */
	PARTS,	/* at most; 0: any number */
	LARGE,	/* bytes of a part, then it is read on anew; 0: any number */
	TIMES,	/* fuzz_stretch(): how often, and the two bytes of where */
	AT_LOW,
	AT_HIGH,
	KNOBS,
};

/*
 * base/block.h, from the heap: LeakSanitizer sees what is not given back.
 */

void *
block_take(size_t len)
{
	return fuzz_alloc(len);
}

void
block_give(void *block, size_t len)
{
	if (block != NULL)
		memset(block, 0xa5, len);
	free(block);
}

/* ---- a body ---- */

struct fake {
	struct source source;
	const unsigned char *bytes;
	size_t len, at;
	size_t piece; /* the most at once */
	uint32_t pieces;
	unsigned pause, calls;
	bool late;
};

static enum source_result
fake_read(struct source *s, struct chunk *c, size_t size, struct reader *r)
{
	struct fake *f = container_of(s, struct fake, source);
	size_t n = f->len - f->at;

	(void)r;
	check(!s->ended && c->len < size);
	/* All of it may be written; ASan looks at its last byte. */
	c->data[size - 1] = 0xa5;
	if (f->pause > 0 && ++f->calls % (f->pause + 1) == 0)
		return SOURCE_NONE;
	if (f->piece > 0) {
		size_t most = fuzz_piece(&f->pieces, f->piece);

		n = n < most ? n : most;
	}
	n = n < size - c->len ? n : size - c->len;
	s->ended = f->at == f->len || (f->at + n == f->len && !f->late);
	memcpy(c->data + c->len, f->bytes + f->at, n);
	c->len += n;
	f->at += n;
	return SOURCE_BYTES;
}

static const struct source_ops fake_ops = {.read = fake_read};

/* ---- the plain decoder: all parts, as text ---- */

struct plain {
	const char *s;
	size_t len;
	const char *boundary;
	unsigned parts_max;
	struct str *out;
};

static bool
begins_with(const struct plain *p, size_t at, const char *what, size_t len)
{
	return len <= p->len - at && memcmp(p->s + at, what, len) == 0;
}

static void
add_part(struct str *out, const struct part_head *h)
{
	str_printf(out, "[%s,%d,%s,%d]", h->name, h->has_filename, h->filename,
	    h->is_binary);
}

static void
add_refusal(struct str *out, enum outcome e)
{
	str_printf(out, "<%s>", outcome_word(e));
}

/* Where the head that begins at `at` ends, its empty line not counted; `len`: it is refused, or
 * never ends. */
static size_t
plain_head(const struct plain *p, size_t at)
{
	for (size_t i = at; i + 1 < p->len; i += 2) {
		size_t line = i;

		while (i < p->len && p->s[i] != '\r' && p->s[i] != '\n')
			i++;
		if (i - at > MULTIPART_HEAD_MAX ||
		    !begins_with(p, i, "\r\n", 2))
			return p->len;
		if (i == line)
			return i;
	}
	return p->len;
}

/* Where the payload that begins at `at` ends, before its CRLF; `len`: nowhere. */
static size_t
plain_payload(const struct plain *p, const struct str *delimiter, size_t at)
{
	while (at < p->len && !begins_with(p, at, delimiter->s, delimiter->len))
		at++;
	return at;
}

/* What is behind a delimiter: the end of the body, a further part, or what may not be. */
enum plain_next {
	PLAIN_END,
	PLAIN_PART,
	PLAIN_BAD,
};

static enum plain_next
plain_behind(const struct plain *p, size_t at)
{
	if (begins_with(p, at, "\r\n", 2))
		return PLAIN_PART;
	if (!begins_with(p, at, "--", 2))
		return PLAIN_BAD;
	at += 2;
	return at == p->len ||
		       (begins_with(p, at, "\r\n", 2) && at + 2 == p->len)
		   ? PLAIN_END
		   : PLAIN_BAD;
}

/* `at` is behind the CRLF of a boundary.  A part is whole when what is behind it is good. */
static enum outcome
plain_part(const struct plain *p, const struct str *delimiter, unsigned parts,
    size_t *at)
{
	size_t end = plain_head(p, *at), begin;
	struct part_head h;
	const char *why;

	if (end == p->len)
		return OUTCOME_BAD_FORM;
	if (p->parts_max > 0 && parts == p->parts_max)
		return OUTCOME_FORM_LIMIT;
	if (!part_head_parse(p->s + *at, end - *at, &h, &why))
		return OUTCOME_BAD_FORM;
	begin = end + 2;
	end = plain_payload(p, delimiter, begin);
	if (end == p->len ||
	    begins_with(p, begin, delimiter->s + 2, delimiter->len - 2))
		return OUTCOME_BAD_FORM;
	*at = end + delimiter->len;
	if (plain_behind(p, *at) == PLAIN_BAD)
		return OUTCOME_BAD_FORM;
	add_part(p->out, &h);
	str_add(p->out, p->s + begin, end - begin);
	return OUTCOME_NONE;
}

static enum outcome
plain_parts(const struct plain *p, const struct str *delimiter, size_t at)
{
	enum outcome e = OUTCOME_NONE;

	if (plain_behind(p, at) == PLAIN_BAD)
		return OUTCOME_BAD_FORM;
	for (unsigned n = 0; e == OUTCOME_NONE; n++) {
		if (plain_behind(p, at) == PLAIN_END)
			break;
		at += 2;
		e = plain_part(p, delimiter, n, &at);
	}
	return e;
}

/* Parts that are whole, and how it ends. */
static void
plain_form(const struct plain *p)
{
	struct str delimiter = {0};
	enum outcome e = OUTCOME_BAD_FORM;

	str_puts(&delimiter, "\r\n--");
	str_puts(&delimiter, p->boundary);
	if (begins_with(p, 0, delimiter.s + 2, delimiter.len - 2))
		e = plain_parts(p, &delimiter, delimiter.len - 2);
	add_refusal(p->out, e);
	str_fini(&delimiter);
}

/* ---- the form, as a reader reads it ---- */

struct reading {
	struct multipart m;
	struct fake fake;
	unsigned char *memory;
	size_t size;
	bool haste;
	size_t reads;
};

static bool
drain(struct reading *r, struct source *s, struct str *out)
{
	struct chunk c = {.data = r->memory};

	for (;;) {
		enum source_result result = s->ops->read(s, &c, r->size, NULL);

		check(c.len <= r->size && result != SOURCE_TAKEN);
		check(++r->reads < 8 * r->fake.len + 64);
		check(s->ahead <= MULTIPART_HELD);
		if (result == SOURCE_FAILED || c.len == r->size || s->ended ||
		    r->haste) {
			str_add(out, c.data, c.len);
			c.len = 0;
		}
		if (result == SOURCE_FAILED || s->ended)
			return result != SOURCE_FAILED;
	}
}

/* The payload, in one go or, when it is too large, in several. */
static bool
read_part(struct reading *r, unsigned large, struct str *out)
{
	bool good = false;

	do
		good = drain(r, multipart_part(&r->m, large), out);
	while (!good && !failure_is(r->m.head.failure) &&
	       multipart_is_within(&r->m));
	return good || !failure_is(r->m.head.failure);
}

static void
read_form(struct reading *r, unsigned large, struct str *out)
{
	struct multipart *m = &r->m;
	struct str none = {0};
	uint32_t whole = 0;

	while (!multipart_is_done(m) && drain(r, multipart_next(m), &none)) {
		uint32_t before;

		check(none.len == 0);
		if (!m->found)
			continue;
		add_part(out, &m->said);
		before = out->len;
		if (!read_part(r, large, out))
			break;
		check(out->len - before == m->given);
		check(m->length == MULTIPART_LENGTH_UNKNOWN ||
		      m->length == m->given);
		check(!m->empty || m->given == 0);
		whole = out->len;
	}
	/* What was read of a part that is not whole does not count. */
	if (out->len > whole) {
		out->len = whole;
		out->s[whole] = '\0';
	}
	check(m->head.failure.outcome != OUTCOME_BAD_FORM || m->why != NULL);
	check(
	    (m->head.failure.outcome == OUTCOME_NONE) == multipart_is_done(m));
	add_refusal(out, m->head.failure.outcome);
	str_fini(&none);
}

static void
try_way(const unsigned char *bytes, size_t len, const char *boundary,
    const unsigned *k, size_t size, size_t piece, const struct str *want)
{
	struct str got = {0};
	struct reading r = {
	    .fake = {.source = {.ops = &fake_ops, .fd = 7},
		.bytes = bytes,
		.len = len,
		.piece = piece,
		.pieces = 1 + k[PIECES],
		.pause = piece == 0 ? 0 : k[PAUSE],
		.late = k[LATE] % 2 == 1},
	    .memory = fuzz_alloc(size),
	    .size = size,
	    .haste = k[HASTE] % 2 == 1,
	};

	multipart_init(&r.m, &r.fake.source, boundary, k[PARTS]);
	read_form(&r, k[LARGE], &got);
	check(got.len == want->len);
	check(memcmp(got.s, want->s, got.len) == 0);
	multipart_fini(&r.m);
	free(r.memory);
	str_fini(&got);
}

/* By a plain look. */
/* As the Content-Disposition of a request. */
static void
check_filename(struct span disposition)
{
	char name[FILE_NAME_SIZE];
	const char *why = NULL;

	if (part_head_filename(disposition, name, &why))
		check(strlen(name) < sizeof(name));
	else
		check(why != NULL);
}

static void
check_boundary(const char *boundary)
{
	size_t len = strlen(boundary);

	check(len >= 1 && len <= 70 && boundary[len - 1] != ' ');
	check(
	    strspn(boundary, "0123456789abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ") == len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char boundary[PART_BOUNDARY_MAX + 1] = "B";
	const char *line, *why = NULL;
	struct str want = {0};
	unsigned k[KNOBS];
	unsigned char *bytes;
	size_t len, type;

	if (size < KNOBS)
		return 0;
	for (size_t i = 0; i < KNOBS; i++)
		k[i] = fuzz_knob(data, i);
	data += KNOBS;
	size -= KNOBS;
	line = size > 0 ? memchr(data, '\n', size) : NULL;
	type = line != NULL ? (size_t)(line - (const char *)data) : 0;
	if (type > 0) {
		char *copy = fuzz_copy(data, type);

		check_filename((struct span){copy, type});
		if (part_head_boundary(
			(struct span){copy, type}, boundary, &why))
			check_boundary(boundary);
		else
			check(why != NULL);
		free(copy);
	}
	if (why != NULL)
		return 0;
	if (line != NULL) {
		data += type + 1;
		size -= type + 1;
	}
	bytes = fuzz_stretch(
	    data, size, k[AT_LOW] | k[AT_HIGH] << 8, k[TIMES], &len);
	plain_form(&(struct plain){
	    (const char *)bytes, len, boundary, k[PARTS], &want});
	try_way(bytes, len, boundary, k, 1 << 20, 0, &want);
	try_way(bytes, len, boundary, k, k[SIZE] > 0 ? k[SIZE] : 4096,
	    len < 8192 || k[PIECE] == 0 ? k[PIECE] : 97, &want);
	if (len < 8192)
		try_way(bytes, len, boundary, k, 1, 1, &want);
	str_fini(&want);
	free(bytes);
	return 0;
}
