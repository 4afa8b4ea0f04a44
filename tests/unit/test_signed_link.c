/*
 * Links: good for what was signed, and for nothing that differs from it by a byte.
 */
#include "auth/signed_link.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cmocka_with.h"

#define KEY_1                                                                  \
	"k1 0001020304050607080900010203040506070809000102030405060708090001"
#define KEY_2                                                                  \
	"k-2 ff01020304050607080900010203040506070809000102030405060708090001"

static struct link_keys keys;

static void
parse(const char *text, const char *expected)
{
	struct str errors = {0};

	link_keys_fini(&keys);
	assert_int_equal(
	    link_keys_parse(&keys, text, strlen(text), &errors), 0);
	assert_string_equal(errors.s ? errors.s : "", expected);
	str_fini(&errors);
}

static int
set_up(void **state)
{
	(void)state;
	parse("# first\n" KEY_1 "\n\n" KEY_2, "");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	link_keys_fini(&keys);
	return 0;
}

static struct span
span_of(const char *s)
{
	return (struct span){s, strlen(s)};
}

static struct signed_link
link_of(const char *method, const char *path)
{
	return (struct signed_link){
	    .method = span_of(method), .path = span_of(path)};
}

static enum signed_link_answer
verify(const char *method, const char *path, struct span query, uint64_t now)
{
	const struct link_key *key = NULL;
	struct signed_link l = link_of(method, path);

	return signed_link_verify(&keys, query, &l, now, &key);
}

/* The query of a link for PUT /file/a until 1000. */
static struct str
sign(uint64_t max_size, bool once)
{
	struct signed_link l = link_of("PUT", "/file/a");
	struct str query = {0};

	l.expires_s = 1000;
	l.max_size = max_size;
	if (once)
		signed_link_make_once(&l);
	assert_true(signed_link_sign(&keys.keys[0], &l, &query));
	return query;
}

static void
it_is_good_for_what_was_signed(void **state)
{
	struct str q = sign(77, true);
	struct signed_link l = link_of("PUT", "/file/a");
	const struct link_key *key = NULL;

	(void)state;
	assert_true(signed_link_is(span_of(q.s)));
	assert_int_equal(signed_link_verify(&keys, span_of(q.s), &l, 999, &key),
	    SIGNED_LINK_GOOD);
	assert_string_equal(key->user, "link:k1");
	assert_int_equal(l.max_size, 77);
	assert_int_equal(l.expires_s, 1000);
	assert_int_equal(strlen(l.once), SIGNED_LINK_ONCE_HEX);
	str_fini(&q);
	q = sign(0, false);
	assert_int_equal(signed_link_verify(&keys, span_of(q.s), &l, 999, &key),
	    SIGNED_LINK_GOOD);
	assert_int_equal(l.max_size, 0);
	assert_string_equal(l.once, "");
	str_fini(&q);
}

static void
it_is_for_one_method_and_one_path(void **state)
{
	struct str q = sign(0, false);

	(void)state;
	assert_int_equal(
	    verify("PUT", "/file/a", span_of(q.s), 1), SIGNED_LINK_GOOD);
	assert_int_equal(
	    verify("POST", "/file/a", span_of(q.s), 1), SIGNED_LINK_BAD);
	assert_int_equal(
	    verify("GET", "/file/a", span_of(q.s), 1), SIGNED_LINK_BAD);
	assert_int_equal(
	    verify("PUT", "/file/ab", span_of(q.s), 1), SIGNED_LINK_BAD);
	assert_int_equal(
	    verify("PUT", "/file/a/b", span_of(q.s), 1), SIGNED_LINK_BAD);
	assert_int_equal(
	    verify("PUT", "/file/A", span_of(q.s), 1), SIGNED_LINK_BAD);
	assert_int_equal(
	    verify("PUT", "/file", span_of(q.s), 1), SIGNED_LINK_BAD);
	str_fini(&q);
}

static void
one_for_get_is_for_head_and_not_the_other_way_round(void **state)
{
	static const char *const methods[] = {"GET", "HEAD"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct signed_link l = link_of(methods[i], "/file/a");
		struct str q = {0};

		l.expires_s = 1000;
		assert_true(signed_link_sign(&keys.keys[1], &l, &q));
		assert_int_equal(verify("HEAD", "/file/a", span_of(q.s), 1),
		    SIGNED_LINK_GOOD);
		assert_int_equal(verify("GET", "/file/a", span_of(q.s), 1),
		    i == 0 ? SIGNED_LINK_GOOD : SIGNED_LINK_BAD);
		str_fini(&q);
	}
}

static void
it_expires_a_little_late(void **state)
{
	struct str q = sign(0, false);

	(void)state;
	assert_int_equal(
	    verify("PUT", "/file/a", span_of(q.s), 1029), SIGNED_LINK_GOOD);
	assert_int_equal(
	    verify("PUT", "/file/a", span_of(q.s), 1030), SIGNED_LINK_EXPIRED);
	assert_int_equal(verify("PUT", "/file/a", span_of(q.s), UINT64_MAX),
	    SIGNED_LINK_EXPIRED);
	str_fini(&q);
}

/* Each byte of the query, to each other value that a URL may have there. */
static void
no_byte_can_be_changed(void **state)
{
	struct str q = sign(77, true);

	(void)state;
	for (size_t i = 0; i < q.len; i++) {
		char was = q.s[i];

		for (int c = '!'; c < 127; c++) {
			/* Hexadecimal digits of the signature have two forms. */
			if (c == was || (c | 0x20) == (was | 0x20))
				continue;
			q.s[i] = (char)c;
			assert_int_equal(
			    verify("PUT", "/file/a", span_of(q.s), 1),
			    SIGNED_LINK_BAD);
		}
		q.s[i] = was;
	}
	for (size_t i = 0; i < q.len; i++)
		assert_int_equal(
		    verify("PUT", "/file/a", (struct span){q.s, i}, 1),
		    SIGNED_LINK_BAD);
	assert_int_equal(
	    verify("PUT", "/file/a", span_of(q.s), 1), SIGNED_LINK_GOOD);
	str_fini(&q);
}

static void
other_parameters_do_not_matter_but_twice_the_same_does(void **state)
{
	struct str q = sign(0, false), more = {0};

	(void)state;
	str_printf(&more, "a=b&%s&c", q.s);
	assert_int_equal(
	    verify("PUT", "/file/a", span_of(more.s), 1), SIGNED_LINK_GOOD);
	str_clear(&more);
	str_printf(&more, "%s&exp=1000", q.s);
	assert_int_equal(
	    verify("PUT", "/file/a", span_of(more.s), 1), SIGNED_LINK_BAD);
	str_clear(&more);
	str_printf(&more, "%s&max=5", q.s);
	assert_int_equal(
	    verify("PUT", "/file/a", span_of(more.s), 1), SIGNED_LINK_BAD);
	assert_false(signed_link_is(span_of("a=b&asig=1")));
	assert_true(signed_link_is_cut(span_of("exp=1000")));
	assert_false(signed_link_is_cut(span_of("a=exp=1")));
	assert_false(signed_link_is_cut(span_of(q.s)));
	assert_false(signed_link_is_cut((struct span){0}));
	assert_false(signed_link_is((struct span){0}));
	str_fini(&more);
	str_fini(&q);
}

static void
a_key_that_is_gone_verifies_nothing(void **state)
{
	struct str q = sign(0, false);

	(void)state;
	assert_false(signed_link_key_is_gone(&keys, span_of(q.s)));
	parse(KEY_2, "");
	assert_int_equal(
	    verify("PUT", "/file/a", span_of(q.s), 1), SIGNED_LINK_BAD);
	assert_true(signed_link_key_is_gone(&keys, span_of(q.s)));
	assert_false(signed_link_key_is_gone(&keys, span_of("sig=1")));
	parse("k1 ff01020304050607080900010203040506070809000102030405060708"
	      "090001",
	    "");
	assert_int_equal(
	    verify("PUT", "/file/a", span_of(q.s), 1), SIGNED_LINK_BAD);
	str_fini(&q);
}

static void
mistakes_are_told(void **state)
{
	static const char name[] = "line 1: the name of the key has 1 to 64 "
				   "letters, digits, and - . _\n";
	static const char key[] = "line 1: behind the name stands a key of 64 "
				  "hexadecimal digits: let `penstock key` make "
				  "the line\n";

	(void)state;
	parse("k1", key);
	parse("k1 00", key);
	parse(KEY_1 "0", key);
	parse(KEY_1 " more", key);
	parse("k&1 00", name);
	parse("k@1 00", name);
	parse(KEY_1 "\n" KEY_1, "line 2: this name stands in an earlier "
				"line\n");
	assert_int_equal(keys.count, 1);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(it_is_good_for_what_was_signed),
	    TEST(it_is_for_one_method_and_one_path),
	    TEST(one_for_get_is_for_head_and_not_the_other_way_round),
	    TEST(it_expires_a_little_late),
	    TEST(no_byte_can_be_changed),
	    TEST(other_parameters_do_not_matter_but_twice_the_same_does),
	    TEST(a_key_that_is_gone_verifies_nothing),
	    TEST(mistakes_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
