/*
 * What a request for an upload asks, by its head; and what each protocol says when it
 * cannot be.
 */
#include <stdio.h>
#include <string.h>

#include "lib/cmocka_with.h"
#include "web/resume_ask.h"

static const struct conf_location all = {.resume_versions = 127};

/* A head stays as long as the next one is not asked for. */
static struct head
head_of(const char *method, const char *fields)
{
	static char text[2048];
	const char *why;
	struct head h;

	snprintf(text, sizeof(text), "%s /f HTTP/1.1\r\nHost: h\r\n%s\r\n",
	    method, fields);
	if (head_parse(text, strlen(text), &h, &why) != 0)
		fail_msg("%s: %s", fields, why);
	return h;
}

#define TUS "Tus-Resumable: 1.0.0\r\n"
#define TYPE "Content-Type: application/offset+octet-stream\r\n"
#define PART "Content-Type: application/partial-upload\r\n"
#define V(n) "Upload-Draft-Interop-Version: " #n "\r\n"
#define LEN(n) "Content-Length: " #n "\r\n"
#define UNKNOWN RESUME_UNKNOWN

/* clang-format off */
static const struct creation {
	const char *fields;
	int status; /* 0: it fits */
	uint64_t length;
	const char *type; /* of the problem, its end */
} creations[] = {
	/* tus */
	{ TUS "Upload-Length: 11\r\n", 0, 11, NULL },
	{ TUS "Upload-Length: 0\r\n", 0, 0, NULL },
	{ TUS "Upload-Length: 0\r\n" TYPE "Transfer-Encoding: chunked\r\n", 0, 0, NULL },
	{ TUS "Upload-Defer-Length: 1\r\n", 0, UNKNOWN, NULL },
	{ TUS "Upload-Defer-Length: 2\r\n", 400, 0, NULL },
	{ TUS "Upload-Defer-Length: 1\r\nUpload-Length: 5\r\n", 400, 0, NULL },
	{ TUS, 400, 0, NULL },
	{ TUS "Upload-Length: -1\r\n", 400, 0, NULL },
	{ TUS "Upload-Length: +1\r\n", 400, 0, NULL },
	{ TUS "Upload-Length: 01\r\n", 400, 0, NULL },
	{ TUS "Upload-Length: 1a\r\n", 400, 0, NULL },
	{ TUS "Upload-Length: 9223372036854775808\r\n", 400, 0, NULL },
	{ TUS "Upload-Length: 101\r\n", 413, 0, NULL },
	{ TUS "Upload-Length: 11\r\n" LEN(5) TYPE, 0, 11, NULL },
	{ TUS "Upload-Length: 11\r\n" LEN(12) TYPE, 413, 0, NULL },
	{ TUS "Upload-Defer-Length: 1\r\n" LEN(101) TYPE, 413, 0, NULL },
	{ TUS "Upload-Length: 11\r\n" LEN(5) "Content-Type: text/plain\r\n", 415, 0, NULL },
	{ TUS "Upload-Length: 11\r\n" LEN(5), 415, 0, NULL },
	/* some clients set a type without a body */
	{ TUS "Upload-Length: 11\r\n" LEN(0) "Content-Type: text/plain\r\n", 0, 11, NULL },
	{ TUS "Upload-Length: 11\r\nUpload-Metadata: a,a\r\n", 400, 0, NULL },
	{ TUS "Upload-Length: 11\r\nUpload-Metadata:\r\n", 0, 11, NULL },
	{ TUS "Upload-Length: 11\r\nUpload-Checksum: sha3 AAAA\r\n" LEN(1) TYPE, 400, 0, NULL },
	{ TUS "Upload-Concat: partial\r\nUpload-Length: 5\r\n", 0, 5, NULL },
	{ TUS "Upload-Concat: partial\r\n", 400, 0, NULL },
	{ TUS "Upload-Concat: final;/a\r\n", 0, UNKNOWN, NULL },
	{ TUS "Upload-Concat: final;/a\r\nUpload-Length: 5\r\n", 400, 0, NULL },
	{ TUS "Upload-Concat: final;/a\r\n" LEN(5) TYPE, 400, 0, NULL },
	{ TUS "Upload-Concat: whole\r\nUpload-Length: 5\r\n", 400, 0, NULL },
	/* the drafts */
	{ V(8) "Upload-Complete: ?1\r\n" LEN(11), 0, 11, NULL },
	{ V(8) "Upload-Complete: ?0\r\n" LEN(11), 0, UNKNOWN, NULL },
	{ V(8) "Upload-Complete: ?0\r\nUpload-Length: 20\r\n" LEN(11), 0, 20, NULL },
	{ V(8) "Upload-Complete: ?1\r\nUpload-Length: 11\r\n" LEN(11), 0, 11, NULL },
	{ V(8) "Upload-Complete: ?1\r\nUpload-Length: 12\r\n" LEN(11), 400, 0, "inconsistent-upload-length" },
	{ V(8) "Upload-Complete: ?0\r\nUpload-Length: 10\r\n" LEN(11), 400, 0, "inconsistent-upload-length" },
	/* what is no such number is ignored */
	{ V(8) "Upload-Complete: ?0\r\nUpload-Length: -1\r\n" LEN(11), 0, UNKNOWN, NULL },
	{ V(8) "Upload-Complete: ?0\r\nUpload-Length: ?1\r\n" LEN(11), 0, UNKNOWN, NULL },
	{ V(8) "Upload-Complete: ?1\r\n" LEN(101), 413, 0, NULL },
	{ V(8) "Upload-Complete: ?0\r\nUpload-Length: 101\r\n" LEN(1), 413, 0, NULL },
	{ V(8) "Upload-Complete: ?1\r\nTransfer-Encoding: chunked\r\n", 0, UNKNOWN, NULL },
	{ V(8) "Upload-Complete: ?1\r\nUpload-Length: 3\r\nTransfer-Encoding: chunked\r\n", 0, 3, NULL },
	{ V(8) "Upload-Complete: ?0\r\n", 0, UNKNOWN, NULL },
	{ V(8) "Upload-Complete: yes\r\n", 400, 0, NULL },
	{ V(5) "Upload-Complete: ?1\r\nUpload-Length: 12\r\n" LEN(11), 400, 0, NULL },
	{ V(3) "Upload-Incomplete: ?0\r\n" LEN(11), 0, 11, NULL },
	{ V(3) "Upload-Incomplete: ?1\r\n" LEN(11), 0, UNKNOWN, NULL },
	{ V(3) "Upload-Complete: ?1\r\n" LEN(11), 400, 0, NULL },
	{ V(10) "Upload-Complete: ?1\r\nContent-Digest: nonsense=\r\n" LEN(1), 400, 0, NULL },
};

/* What is appended to an upload of 20 bytes, or of unknown length, that has 10. */
static const struct appended {
	uint64_t had; /* the length that is known */
	const char *fields;
	int status;
	uint64_t length;
	const char *type;
} appends[] = {
	/* tus */
	{ 20, TUS TYPE "Upload-Offset: 10\r\n" LEN(10), 0, 20, NULL },
	{ 20, TUS TYPE "Upload-Offset: 10\r\n" LEN(0), 0, 20, NULL },
	{ 20, TUS TYPE "Upload-Offset: 10\r\n", 0, 20, NULL },
	{ 20, TUS "Upload-Offset: 10\r\n" LEN(10), 415, 0, NULL },
	{ 20, TUS PART "Upload-Offset: 10\r\n" LEN(10), 415, 0, NULL },
	{ 20, TUS TYPE LEN(10), 400, 0, NULL },
	{ 20, TUS TYPE "Upload-Offset: x\r\n" LEN(10), 400, 0, NULL },
	{ 20, TUS TYPE "Upload-Offset: -10\r\n" LEN(10), 400, 0, NULL },
	{ 20, TUS TYPE "Upload-Offset: 010\r\n" LEN(10), 400, 0, NULL },
	{ 20, TUS TYPE "Upload-Offset: 9\r\n" LEN(10), 409, 0, NULL },
	{ 20, TUS TYPE "Upload-Offset: 11\r\n" LEN(1), 409, 0, NULL },
	{ 20, TUS TYPE "Upload-Offset: 9223372036854775807\r\n" LEN(1), 409, 0, NULL },
	{ 20, TUS TYPE "Upload-Offset: 10\r\n" LEN(11), 413, 0, NULL },
	/* the length is said once; again, if it is the same: the answer may be lost */
	{ UNKNOWN, TUS TYPE "Upload-Offset: 10\r\nUpload-Length: 15\r\n" LEN(5), 0, 15, NULL },
	{ UNKNOWN, TUS TYPE "Upload-Offset: 10\r\n" LEN(5), 0, UNKNOWN, NULL },
	{ 20, TUS TYPE "Upload-Offset: 10\r\nUpload-Length: 20\r\n" LEN(5), 0, 20, NULL },
	{ 20, TUS TYPE "Upload-Offset: 10\r\nUpload-Length: 21\r\n" LEN(5), 400, 0, NULL },
	{ UNKNOWN, TUS TYPE "Upload-Offset: 10\r\nUpload-Length: 9\r\n" LEN(0), 400, 0, NULL },
	{ UNKNOWN, TUS TYPE "Upload-Offset: 10\r\nUpload-Length: 101\r\n" LEN(1), 413, 0, NULL },
	{ UNKNOWN, TUS TYPE "Upload-Offset: 10\r\n" LEN(91), 413, 0, NULL },
	{ 20, TUS TYPE "Upload-Offset: 10\r\nUpload-Checksum: sha9 AAAA\r\n" LEN(1), 400, 0, NULL },
	/* the drafts */
	{ 20, V(8) PART "Upload-Offset: 10\r\nUpload-Complete: ?1\r\n" LEN(10), 0, 20, NULL },
	{ 20, V(8) PART "Upload-Offset: 10\r\nUpload-Complete: ?0\r\n" LEN(10), 0, 20, NULL },
	{ 20, V(8) PART "Upload-Offset: 10\r\nUpload-Complete: ?0\r\n" LEN(5), 0, 20, NULL },
	{ UNKNOWN, V(8) PART "Upload-Offset: 10\r\nUpload-Complete: ?1\r\n" LEN(5), 0, 15, NULL },
	{ 20, V(8) PART "Upload-Offset: 10\r\nUpload-Complete: ?1\r\n" LEN(5), 400, 0, "inconsistent-upload-length" },
	{ 20, V(8) PART "Upload-Offset: 10\r\nUpload-Complete: ?0\r\nUpload-Length: 21\r\n" LEN(5), 400, 0, "inconsistent-upload-length" },
	{ 20, V(8) PART "Upload-Offset: 10\r\nUpload-Complete: ?1\r\n" LEN(11), 400, 0, "inconsistent-upload-length" },
	{ 20, V(8) PART "Upload-Offset: 9\r\nUpload-Complete: ?1\r\n" LEN(10), 409, 0, "mismatching-upload-offset" },
	{ 20, V(8) PART "Upload-Complete: ?1\r\n" LEN(10), 400, 0, NULL },
	{ 20, V(8) PART "Upload-Offset: 10\r\n" LEN(10), 400, 0, NULL },
	{ 20, V(8) "Upload-Offset: 10\r\nUpload-Complete: ?1\r\n" LEN(10), 415, 0, NULL },
	{ 20, V(6) "Upload-Offset: 10\r\nUpload-Complete: ?1\r\n" LEN(10), 415, 0, NULL },
	/* these have no type of their own, and none of problems */
	{ 20, V(5) "Upload-Offset: 10\r\nUpload-Complete: ?1\r\n" LEN(10), 0, 20, NULL },
	{ 20, V(3) "Upload-Offset: 10\r\nUpload-Incomplete: ?0\r\n" LEN(10), 0, 20, NULL },
	{ 20, V(5) "Upload-Offset: 9\r\nUpload-Complete: ?1\r\n" LEN(10), 409, 0, NULL },
	{ 20, V(9) PART "Upload-Offset: 9\r\nUpload-Complete: ?1\r\n" LEN(10), 409, 0, "mismatching-upload-offset" },
	{ 20, V(10) PART "Upload-Offset: 10\r\nUpload-Complete: ?1\r\nContent-Digest: x=\r\n" LEN(10), 400, 0, NULL },
};
/* clang-format on */

enum {
	MAX = 100,
};

static bool
ends_with(const char *text, const char *end)
{
	if (text == NULL || end == NULL)
		return text == end;
	return strlen(text) >= strlen(end) &&
	       strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void
creations_say_what_they_begin(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(creations); i++) {
		const struct creation *c = &creations[i];
		struct head h = head_of("POST", c->fields);
		const struct resume_dialect *d = resume_dialect_of(&h, &all);
		struct resume_refusal refusal = {0};
		struct resume_ask a;

		assert_non_null(d);
		if (resume_ask_creation(&h, d, &a, &refusal) &&
		    resume_ask_fits(&a, 0, RESUME_UNKNOWN, MAX, &refusal))
			refusal.status = 0;
		if (refusal.status != c->status ||
		    !ends_with(refusal.type, c->type) ||
		    (c->status == 0 && a.length != c->length))
			fail_msg("%s: %d %s", c->fields, refusal.status,
			    refusal.type ? refusal.type : "");
		if (refusal.status != 0 && refusal.status != 413)
			assert_non_null(refusal.why);
	}
}

static void
parts_fit_to_what_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(appends); i++) {
		const struct appended *c = &appends[i];
		struct head h = head_of("PATCH", c->fields);
		const struct resume_dialect *d = resume_dialect_of(&h, &all);
		struct resume_refusal refusal = {0};
		struct resume_ask a;

		assert_non_null(d);
		if (resume_ask_append(&h, d, &a, &refusal) &&
		    resume_ask_fits(&a, 10, c->had, MAX, &refusal))
			refusal.status = 0;
		if (refusal.status != c->status ||
		    !ends_with(refusal.type, c->type) ||
		    (c->status == 0 && a.length != c->length))
			fail_msg("%s: %d %s", c->fields, refusal.status,
			    refusal.type ? refusal.type : "");
	}
}

static void
who_brings_nothing_asks_again(void **state)
{
	static const struct {
		const char *fields;
		bool asks;
		uint64_t offset;
	} rows[] = {
	    {V(5) "Upload-Offset: 20\r\nUpload-Complete: ?1\r\n", true, 20},
	    {V(5) "Transfer-Encoding: chunked\r\n", true, 20},
	    {V(10), true, 20},
	    {V(10) LEN(0), true, 20},
	    {V(10) PART "Upload-Offset: 19\r\n", true, 19},
	    {V(3) "Upload-Offset: -1\r\n", true, 20},
	    {V(10) "Content-Type: text/plain\r\n", false, 0},
	    {V(5) LEN(1), false, 0},
	    {V(10) PART "Upload-Offset: 20\r\n" LEN(1), false, 0},
	    {TUS TYPE, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct head h = head_of("PATCH", rows[i].fields);
		const struct resume_dialect *d = resume_dialect_of(&h, &all);
		struct resume_ask a;

		assert_non_null(d);
		if (resume_ask_again(&h, d, 20, &a) != rows[i].asks ||
		    (rows[i].asks && a.offset != rows[i].offset))
			fail_msg("%s", rows[i].fields);
	}
}

static void
the_version_says_which_words_are_meant(void **state)
{
	static const struct {
		const char *fields;
		int bit; /* 0: none */
	} rows[] = {
	    {TUS, RESUME_TUS},
	    {V(3), RESUME_DRAFT_3},
	    {V(5) "Upload-Complete: ?1\r\n", RESUME_DRAFT_5},
	    {V(6), RESUME_DRAFT_6},
	    {V(8), RESUME_DRAFT_8},
	    {V(9), RESUME_DRAFT_9},
	    {V(10), RESUME_DRAFT_10},
	    {V(7), 0},
	    {V(11), 0},
	    {V(x), 0},
	    {"Upload-Complete: ?0\r\n", RESUME_DRAFT_10},
	    {"Upload-Incomplete: ?0\r\n", 0},
	    {TUS V(8), RESUME_TUS},
	    {"", 0},
	};
	struct conf_location some = {.resume_versions = RESUME_DRAFT_6};
	struct head h;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct resume_dialect *d;

		h = head_of("PUT", rows[i].fields);
		d = resume_dialect_of(&h, &all);
		if ((d != NULL ? d->bit : 0) != rows[i].bit)
			fail_msg("%s", rows[i].fields);
		if (d != NULL)
			assert_ptr_equal(resume_dialect_by_bit(d->bit), d);
	}
	h = head_of("PUT", V(8));
	assert_null(resume_dialect_of(&h, &some));
	h = head_of("PUT", TUS);
	assert_null(resume_dialect_of(&h, &some));
	h = head_of("PUT", "Upload-Complete: ?0\r\n");
	assert_int_equal(resume_dialect_of(&h, &some)->bit, RESUME_DRAFT_6);
}

static void
the_room_of_a_body_is_the_least_that_is_known(void **state)
{
	struct resume_ask a = {.offset = 10, .length = 30};

	(void)state;
	assert_int_equal(resume_ask_room(&a, 0), 20);
	assert_int_equal(resume_ask_room(&a, 15), 5);
	assert_int_equal(resume_ask_room(&a, 5), 0);
	a.length = RESUME_UNKNOWN;
	assert_int_equal(resume_ask_room(&a, 15), 5);
	assert_true(resume_ask_room(&a, 0) == RESUME_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(creations_say_what_they_begin),
	    cmocka_unit_test(parts_fit_to_what_is_there),
	    cmocka_unit_test(who_brings_nothing_asks_again),
	    cmocka_unit_test(the_version_says_which_words_are_meant),
	    cmocka_unit_test(the_room_of_a_body_is_the_least_that_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
