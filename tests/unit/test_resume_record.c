/*
 * What is kept with an upload reads back as it was written; and what was not written so is
 * refused, or counts as nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/cmocka_with.h"
#include "web/resume_record.h"

#define TEXT(t) ((struct span){t, sizeof(t) - 1})

static const struct resume_record sample = {
    .dialect = 64,
    .named = true,
    .partial = true,
    .method = {"PUT", 3},
    .name = {"a/b.txt", 7},
    .owner = {"alice", 5},
    .metadata = {"filename YS50eHQ=", 17},
    .if_none_match = {"*", 1},
};

static struct span
bytes_of(const struct str *s)
{
	return (struct span){s->s, s->len};
}

static void
assert_same(struct span a, struct span b)
{
	assert_int_equal(a.s == NULL, b.s == NULL);
	assert_int_equal(a.len, b.len);
	if (a.len > 0)
		assert_memory_equal(a.s, b.s, a.len);
}

static void
a_record_reads_back(void **state)
{
	struct resume_record r = sample, back;
	struct str bytes = {0};

	(void)state;
	r.whole.set = digest_bit(DIGEST_SHA256);
	r.whole.wanted = digest_bit(DIGEST_SHA512);
	memset(r.whole.value[DIGEST_SHA256], 'x', 32);
	resume_record_encode(&r, &bytes);
	assert_true(bytes.len < PARTIAL_RECORD_MAX);
	assert_true(resume_record_decode(bytes_of(&bytes), &back));
	assert_int_equal(back.dialect, 64);
	assert_true(back.named && back.partial);
	assert_same(back.method, r.method);
	assert_same(back.name, r.name);
	assert_same(back.owner, r.owner);
	assert_same(back.metadata, r.metadata);
	assert_same(back.if_none_match, r.if_none_match);
	assert_null(back.if_match.s);
	assert_null(back.concat.s);
	assert_int_equal(back.whole.set, r.whole.set);
	assert_int_equal(back.whole.wanted, r.whole.wanted);
	assert_memory_equal(
	    back.whole.value[DIGEST_SHA256], r.whole.value[DIGEST_SHA256], 32);
	str_fini(&bytes);
}

/* Cut anywhere, or of another format, it is none; of what is beyond nothing is read. */
static void
no_beginning_of_a_record_is_one(void **state)
{
	struct resume_record back;
	struct str bytes = {0};

	(void)state;
	resume_record_encode(&sample, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		char *copy = malloc(len + 1);
		bool good;

		assert_non_null(copy);
		memcpy(copy, bytes.s, len);
		good = resume_record_decode((struct span){copy, len}, &back);
		/* Between two values it lacks the last ones only. */
		if (good)
			assert_true(back.name.len > 0 && back.method.len > 0);
		free(copy);
	}
	bytes.s[0] = 2;
	assert_false(resume_record_decode(bytes_of(&bytes), &back));
	str_fini(&bytes);
}

static void
a_record_without_a_name_is_none(void **state)
{
	struct resume_record r = sample, back;
	struct str bytes = {0};

	(void)state;
	r.name = (struct span){0};
	resume_record_encode(&r, &bytes);
	assert_false(resume_record_decode(bytes_of(&bytes), &back));
	str_clear(&bytes);
	r.name = TEXT("a\0b");
	resume_record_encode(&r, &bytes);
	assert_false(resume_record_decode(bytes_of(&bytes), &back));
	str_fini(&bytes);
}

/* A newer program may keep more. */
static void
unknown_tags_are_passed_over(void **state)
{
	static const char more[] = {(char)200, 3, 0, 0, 0, 'a', 'b', 'c'};
	struct resume_record back;
	struct str bytes = {0};

	(void)state;
	resume_record_encode(&sample, &bytes);
	str_add(&bytes, more, sizeof(more));
	assert_true(resume_record_decode(bytes_of(&bytes), &back));
	assert_same(back.name, sample.name);
	str_fini(&bytes);
}

static void
times_are_summed_over_parts(void **state)
{
	struct meter m = {.start = 1000, .end = 5000}, whole;
	struct resume_times t = {0}, back;
	struct str bytes = {0};

	(void)state;
	m.reader_ns[READER_NETWORK] = 30;
	m.writer_ns[WRITER_SYNC] = 7;
	m.hash_ns = 2;
	resume_times_add(&t, &m);
	resume_times_add(&t, &m);
	resume_times_encode(&t, &bytes);
	assert_in_range(bytes.len, 1, PARTIAL_STATE_MAX);
	resume_times_decode(bytes_of(&bytes), &back);
	assert_memory_equal(&back, &t, sizeof(t));
	assert_int_equal(back.parts, 2);
	resume_times_meter(&back, &whole);
	assert_int_equal(meter_total_ns(&whole), 8000);
	assert_int_equal(whole.reader_ns[READER_NETWORK], 60);
	assert_int_equal(whole.writer_ns[WRITER_SYNC], 14);
	assert_int_equal(whole.hash_ns, 4);
	bytes.len--;
	resume_times_decode(bytes_of(&bytes), &back);
	assert_int_equal(back.parts, 0);
	assert_int_equal(back.total_ns, 0);
	str_fini(&bytes);
}

static void
an_answer_reads_back(void **state)
{
	struct response r = {.status = 201, .content_type = "application/json"};
	struct response back = {0}, none = {0};
	struct str bytes = {0};

	(void)state;
	str_puts(&r.fields, "ETag: \"1\"\r\n");
	str_puts(&r.content, "{}\n");
	resume_answer_encode(&r, &bytes);
	assert_true(resume_answer_decode(bytes_of(&bytes), &back));
	assert_int_equal(back.status, 201);
	assert_string_equal(back.content_type, "application/json");
	assert_string_equal(back.fields.s, "ETag: \"1\"\r\n");
	assert_string_equal(back.content.s, "{}\n");
	for (size_t len = 0; len < bytes.len; len++)
		assert_false(
		    resume_answer_decode((struct span){bytes.s, len}, &none));
	response_fini(&r);
	response_fini(&back);
	str_fini(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_reads_back),
	    cmocka_unit_test(no_beginning_of_a_record_is_one),
	    cmocka_unit_test(a_record_without_a_name_is_none),
	    cmocka_unit_test(unknown_tags_are_passed_over),
	    cmocka_unit_test(times_are_summed_over_parts),
	    cmocka_unit_test(an_answer_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
