/*
 * Forms taken apart: wherever their bytes are cut and however large our chunks are, the parts
 * are the same; what clients send is understood, and what is hostile refused.
 */
#include "http/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "disk/chunk.h"

#define TEXT(s) s, sizeof(s) - 1

enum {
	CHUNK_MAX = 300 * 1024,
	READS_MAX = 4000000, /* of one form: else it does not come to its end */
};

/* A body: its bytes, delivered in pieces. */
struct fake {
	struct source source;
	const char *bytes;
	size_t len, at;
	size_t cut;    /* nothing is there at this place until asked again */
	size_t step;   /* at most so many bytes at once; 0: any number */
	bool waited;   /* for the rest, at the cut */
	bool late_end; /* it is told by one more read, as of a chunked body */
	bool breaks;   /* it fails at its end */
};

static enum source_result
fake_read(struct source *s, struct chunk *c, size_t size, struct reader *r)
{
	struct fake *f = container_of(s, struct fake, source);
	size_t n = f->len - f->at;

	(void)r;
	assert_false(s->ended);
	assert_true(c->len < size);
	if (n == 0 && f->breaks) {
		s->failure = failure_of(OUTCOME_CLIENT_GONE, 0);
		return SOURCE_FAILED;
	}
	if (f->at == f->cut && !f->waited) {
		f->waited = true;
		return SOURCE_NONE;
	}
	if (f->at < f->cut && n > f->cut - f->at)
		n = f->cut - f->at;
	if (f->step > 0 && n > f->step)
		n = f->step;
	if (n > size - c->len)
		n = size - c->len;
	s->ended = !f->breaks &&
		   (f->at == f->len || (f->at + n == f->len && !f->late_end));
	memcpy(c->data + c->len, f->bytes + f->at, n);
	c->len += n;
	f->at += n;
	return SOURCE_BYTES;
}

static const struct source_ops fake_ops = {.read = fake_read};

/* ---- a reader of all of it ---- */

struct reading {
	struct fake fake;
	struct multipart m;
	unsigned char *memory;
	size_t size; /* of a chunk */
	bool hasty;  /* chunks are put as soon as there is anything in them */
	struct str *out;
	unsigned reads;
};

/* Read a source to its end; true unless it fails. */
static bool
drain(struct reading *r, struct source *s, struct str *out)
{
	struct chunk c = {.data = r->memory};

	for (;;) {
		enum source_result result = s->ops->read(s, &c, r->size, NULL);

		assert_true(++r->reads < READS_MAX);
		if (result == SOURCE_FAILED)
			return false;
		assert_true(c.len <= r->size);
		if (c.len == r->size || s->ended || r->hasty) {
			if (out != NULL)
				str_add(out, c.data, c.len);
			else
				assert_int_equal(c.len, 0);
			c.len = 0;
		}
		if (s->ended)
			return true;
		/* Whoever is to wait must not have what would go on. */
		if (result == SOURCE_NONE)
			assert_false(s->ready);
	}
}

/* All of the form, as text: NAME[=FILENAME][!]:LENGTH:payload| ... end or why not. */
static void
read_form(struct reading *r)
{
	struct multipart *m = &r->m;

	while (!multipart_is_done(m)) {
		struct str payload = {0};

		if (!drain(r, multipart_next(m), NULL))
			break;
		if (!m->found)
			continue;
		str_printf(r->out, "%s%s%s%s:", m->said.name,
		    m->said.has_filename ? "=" : "", m->said.filename,
		    m->said.is_binary ? "!" : "");
		if (!drain(r, multipart_part(m, 0), &payload)) {
			str_fini(&payload);
			break;
		}
		assert_int_equal(payload.len, multipart_given(m));
		if (m->empty)
			assert_int_equal(payload.len, 0);
		if (m->length != MULTIPART_LENGTH_UNKNOWN)
			assert_int_equal(payload.len, m->length);
		str_add(r->out, payload.s ? payload.s : "", payload.len);
		str_puts(r->out, "|");
		str_fini(&payload);
	}
	if (failure_is(m->head.failure))
		str_printf(r->out, "<%s> %s",
		    outcome_word(m->head.failure.outcome),
		    m->why ? m->why : "");
}

struct plan {
	size_t cut, step, size;
	bool late_end, hasty, breaks;
};

static void
read_planned(
    const char *bytes, size_t len, const struct plan *p, struct str *out)
{
	static unsigned char memory[CHUNK_MAX];
	struct reading r = {
	    .fake = {.source = {.ops = &fake_ops, .fd = 3},
		.bytes = bytes,
		.len = len,
		.cut = p->cut,
		.step = p->step,
		.late_end = p->late_end,
		.breaks = p->breaks},
	    .memory = memory,
	    .size = p->size,
	    .hasty = p->hasty,
	    .out = out,
	};

	str_clear(out);
	multipart_init(&r.m, &r.fake.source, "B", 5);
	read_form(&r);
	multipart_fini(&r.m);
}

/* Fails unless the form comes to `want`, however it is cut. */
static void
assert_form(const char *bytes, size_t len, const char *want, size_t want_len)
{
	static const size_t sizes[] = {1, 2, 3, 7, 64, 68, 70, 75, 90, 4096};
	struct str out = {0};

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		for (size_t cut = 0; cut <= len + 1; cut++) {
			struct plan p = {.cut = cut,
			    .size = sizes[i],
			    .late_end = cut % 2 == 1,
			    .hasty = cut % 3 == 1};

			read_planned(bytes, len, &p, &out);
			if (out.len != want_len ||
			    memcmp(out.s, want, want_len) != 0)
				fail_msg("cut %zu, chunk %zu: \"%s\", not "
					 "\"%s\"",
				    cut, sizes[i], out.s, want);
		}
		for (size_t step = 1; step < 9; step++) {
			struct plan p = {.cut = SIZE_MAX,
			    .step = step,
			    .size = sizes[i],
			    .hasty = step % 2 == 1};

			read_planned(bytes, len, &p, &out);
			assert_int_equal(out.len, want_len);
			assert_memory_equal(out.s, want, want_len);
		}
	}
	str_fini(&out);
}

#define FORM(bytes, want) assert_form(TEXT(bytes), TEXT(want))

#define UP "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
#define FILE_UP                                                                \
	"--B\r\nContent-Disposition: form-data; name=\"a\"; "                  \
	"filename=\"f\"\r\n"                                                   \
	"Content-Type: text/plain\r\n\r\n"
#define END "\r\n--B--\r\n"

static void
parts_are_the_same_wherever_they_are_cut(void **state)
{
	(void)state;
	FORM(UP "1" END, "a:1|");
	FORM(UP "" END, "a:|");
	FORM(FILE_UP "hello\r\n" END, "a=f:hello\r\n|");
	FORM(UP "1\r\n" FILE_UP "\r\n\r\n\r\n" UP "3" END,
	    "a:1|a=f:\r\n\r\n|a:3|");
	FORM("--B--\r\n", "");
	FORM(UP "\0\0" END, "a:\0\0|");
}

static void
what_looks_like_a_boundary_is_payload(void **state)
{
	(void)state;
	FORM(UP "\r" END, "a:\r|");
	FORM(UP "\r\r\r" END, "a:\r\r\r|");
	FORM(UP "\r\n" END, "a:\r\n|");
	FORM(UP "x\r\n-" END, "a:x\r\n-|");
	FORM(UP "x\r\n--" END, "a:x\r\n--|");
	FORM(UP "x\r\r\n--\r\n-B\r\n--C\r\n--\r" END,
	    "a:x\r\r\n--\r\n-B\r\n--C\r\n--\r|");
	FORM(UP "x--B--\r\n" END, "a:x--B--\r\n|");
	FORM(UP "x\n--B\r\ny\r--B--" END, "a:x\n--B\r\ny\r--B--|");
	FORM(UP "--" END, "a:--|");
	FORM(UP "-" END, "a:-|");
	FORM(UP "--A" END, "a:--A|");
}

static void
behind_the_last_boundary_there_may_be_one_line_end(void **state)
{
	(void)state;
	FORM(UP "1\r\n--B--", "a:1|");
	FORM("--B--", "");
	FORM(UP "1\r\n--B--\r",
	    "a:<bad-form> there is half a line end behind the last boundary");
	FORM(UP "1\r\n--B--\r\n\r\n",
	    "a:<bad-form> there are bytes behind the last boundary of the "
	    "form");
	FORM(UP "1\r\n--B--x",
	    "a:<bad-form> there are bytes behind the last boundary of the "
	    "form");
	FORM(UP "1\r\n--B--\n",
	    "a:<bad-form> there are bytes behind the last boundary of the "
	    "form");
}

static void
a_form_without_its_end_is_refused(void **state)
{
	static const char whole[] = UP "one\r\n" FILE_UP "two\r\n--B--";
	struct str out = {0};

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		struct plan p = {.cut = SIZE_MAX, .size = 64};

		read_planned(whole, len, &p, &out);
		if (strstr(out.s, "<bad-form> the form ends before its last "
				  "boundary") == NULL)
			fail_msg("%zu bytes: %s", len, out.s);
	}
	str_fini(&out);
}

static void
a_client_that_leaves_is_told_from_a_form_that_ends(void **state)
{
	struct plan p = {.cut = SIZE_MAX, .size = 64, .breaks = true};
	struct str out = {0};

	(void)state;
	read_planned(TEXT(UP "1\r\n" FILE_UP "hel"), &p, &out);
	assert_string_equal(out.s, "a:1|<client-gone> ");
	str_fini(&out);
}

static void
what_comes_before_the_first_boundary_is_refused(void **state)
{
	static const char why[] = "<bad-form> the form does not begin with the "
				  "boundary that its Content-Type names";

	(void)state;
	assert_form(TEXT("preamble\r\n" UP "1" END), TEXT(why));
	assert_form(TEXT("\r\n" UP "1" END), TEXT(why));
	assert_form(TEXT("--C\r\n"), TEXT(why));
	assert_form(TEXT("-B"), TEXT(why));
}

static void
a_boundary_that_some_would_not_see_is_refused(void **state)
{
	static const char why[] =
	    "a:<bad-form> a line begins with the boundary of the form, and "
	    "goes on otherwise than with CRLF or --";

	(void)state;
	assert_form(TEXT(UP "1\r\n--B \r\n--B--"), TEXT(why));
	assert_form(TEXT(UP "1\r\n--Bx\r\n--B--"), TEXT(why));
	assert_form(TEXT(UP "1\r\n--B\n--B--"), TEXT(why));
	assert_form(TEXT(UP "1\r\n--B-\r\n--B--"), TEXT(why));
	FORM(UP "--B--\r\n",
	    "a:<bad-form> the head of a part is followed by a boundary: an "
	    "empty part has one more CRLF before it");
}

static void
line_ends_in_heads_are_crlf(void **state)
{
	(void)state;
	FORM("--B\r\nA: b\nC: d\r\n\r\n1" END,
	    "<bad-form> a line in the head of a part ends with LF alone");
	FORM("--B\r\nA: b\rC: d\r\n\r\n1" END,
	    "<bad-form> a CR in the head of a part has no LF behind it");
	FORM(
	    "--B\r\n\r\n1" END, "<bad-form> a part has no Content-Disposition");
}

/* A form whose one part has a large payload of this byte over and over. */
static struct str
large_form(size_t len, const char *unit)
{
	struct str form = {0};

	str_puts(&form, FILE_UP);
	for (size_t n = 0; n < len; n += strlen(unit))
		str_puts(&form, unit);
	str_puts(&form, END);
	return form;
}

static void
large_payloads_pass_whole_in_chunks_of_any_size(void **state)
{
	static const char *const units[] = {
	    "x", "\r", "\r\n", "\r\n--", "0123456789abcde\r"};
	static const size_t sizes[] = {4096, 65536, 70000, CHUNK_MAX};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		struct str form = large_form(700000, units[i]), out = {0};
		size_t len = form.len - sizeof(FILE_UP END) + 1;

		for (size_t k = 0; k < 2 * COUNT_OF(sizes); k++) {
			struct plan p = {.cut = 300000 + k,
			    .step = k % 2 == 0 ? 0 : 10007,
			    .size = sizes[k / 2]};

			read_planned(form.s, form.len, &p, &out);
			assert_int_equal(out.len, len + sizeof("a=f:|") - 1);
			assert_memory_equal(
			    out.s + 4, form.s + sizeof(FILE_UP) - 1, len);
		}
		str_fini(&form);
		str_fini(&out);
	}
}

static void
the_length_of_a_small_part_is_known_when_all_of_it_is_there(void **state)
{
	static const char form[] = FILE_UP "hello\r\n" UP "" END;
	static unsigned char memory[4096];
	struct str payload = {0};
	struct reading r = {
	    .fake = {.source = {.ops = &fake_ops, .fd = 3},
		.bytes = form,
		.len = sizeof(form) - 1,
		.cut = SIZE_MAX},
	    .memory = memory,
	    .size = sizeof(memory),
	};

	(void)state;
	multipart_init(&r.m, &r.fake.source, "B", 0);
	assert_true(drain(&r, multipart_next(&r.m), NULL));
	assert_int_equal(r.m.length, 5);
	assert_false(r.m.empty);
	assert_true(drain(&r, multipart_part(&r.m, 0), &payload));
	assert_true(drain(&r, multipart_next(&r.m), NULL));
	assert_int_equal(r.m.length, 0);
	assert_true(r.m.empty);
	multipart_fini(&r.m);
	str_fini(&payload);
}

static void
nothing_is_kept_while_a_large_part_is_waited_for(void **state)
{
	struct str form = large_form(300000, "x");
	static unsigned char memory[CHUNK_MAX];
	struct chunk c = {.data = memory};
	struct reading r = {
	    .fake = {.source = {.ops = &fake_ops, .fd = 3},
		.bytes = form.s,
		.len = form.len,
		.cut = 250000},
	    .memory = memory,
	    .size = sizeof(memory),
	};
	struct source *s;

	(void)state;
	multipart_init(&r.m, &r.fake.source, "B", 0);
	assert_true(drain(&r, multipart_next(&r.m), NULL));
	assert_int_equal(r.m.length, MULTIPART_LENGTH_UNKNOWN);
	s = multipart_part(&r.m, 0);
	while (s->ops->read(s, &c, r.size, NULL) == SOURCE_BYTES)
		;
	assert_true(r.fake.waited);
	assert_null(r.m.held);
	multipart_fini(&r.m);
	str_fini(&form);
}

static void
a_part_that_is_too_large_can_be_read_on(void **state)
{
	struct str form = large_form(300000, "x");
	struct str first = {0}, rest = {0};
	static unsigned char memory[CHUNK_MAX];
	struct reading r = {
	    .fake = {.source = {.ops = &fake_ops, .fd = 3},
		.bytes = form.s,
		.len = form.len,
		.cut = SIZE_MAX,
		.step = 1000},
	    .memory = memory,
	    .size = 4096,
	};

	(void)state;
	multipart_init(&r.m, &r.fake.source, "B", 0);
	assert_true(drain(&r, multipart_next(&r.m), NULL));
	assert_false(drain(&r, multipart_part(&r.m, 100000), &first));
	assert_int_equal(r.m.part.failure.outcome, OUTCOME_TOO_LARGE);
	assert_false(failure_is(r.m.head.failure));
	assert_true(multipart_is_within(&r.m));
	assert_true(drain(&r, multipart_part(&r.m, 200000), &rest));
	assert_int_equal(multipart_given(&r.m), 300000);
	assert_true(multipart_is_done(&r.m));
	multipart_fini(&r.m);
	str_fini(&form);
	str_fini(&first);
	str_fini(&rest);
}

static void
there_are_limits_on_parts_and_on_their_heads(void **state)
{
	struct plan p = {.cut = SIZE_MAX, .size = 4096};
	struct str form = {0}, out = {0};

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		str_puts(&form, UP "1\r\n");
	str_puts(&form, "--B--");
	read_planned(form.s, form.len, &p, &out);
	assert_string_equal(out.s, "a:1|a:1|a:1|a:1|a:1|");
	form.len -= 5;
	str_puts(&form, UP "1\r\n--B--");
	read_planned(form.s, form.len, &p, &out);
	assert_string_equal(out.s, "a:1|a:1|a:1|a:1|a:1|<form-limit> ");

	str_clear(&form);
	str_puts(&form, "--B\r\nContent-Disposition: form-data; name=a\r\nX: ");
	while (form.len < MULTIPART_HEAD_MAX + 3)
		str_puts(&form, "x");
	str_puts(&form, "\r\n\r\n1" END);
	read_planned(form.s, form.len, &p, &out);
	assert_string_equal(out.s, "a:1|");
	str_clear(&form);
	str_puts(&form, "--B\r\nX: ");
	while (form.len < 20000)
		str_puts(&form, "x");
	read_planned(form.s, form.len, &p, &out);
	assert_string_equal(
	    out.s, "<bad-form> the head of a part is over 8 KiB");
	str_fini(&form);
	str_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts_are_the_same_wherever_they_are_cut),
	    cmocka_unit_test(what_looks_like_a_boundary_is_payload),
	    cmocka_unit_test(
		behind_the_last_boundary_there_may_be_one_line_end),
	    cmocka_unit_test(a_form_without_its_end_is_refused),
	    cmocka_unit_test(
		a_client_that_leaves_is_told_from_a_form_that_ends),
	    cmocka_unit_test(what_comes_before_the_first_boundary_is_refused),
	    cmocka_unit_test(a_boundary_that_some_would_not_see_is_refused),
	    cmocka_unit_test(line_ends_in_heads_are_crlf),
	    cmocka_unit_test(large_payloads_pass_whole_in_chunks_of_any_size),
	    cmocka_unit_test(
		the_length_of_a_small_part_is_known_when_all_of_it_is_there),
	    cmocka_unit_test(nothing_is_kept_while_a_large_part_is_waited_for),
	    cmocka_unit_test(a_part_that_is_too_large_can_be_read_on),
	    cmocka_unit_test(there_are_limits_on_parts_and_on_their_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
