/*
 * Who sends it: tokens and their limits; with addresses, for some methods; and what is told
 * of files of secrets.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/bearer.h"
#include "lib/cmocka_with.h"
#include "lib/guarded.h"

static struct str token, hash; /* of the file `tokens` */

/* ---- tokens ---- */

static void
bear(const char *path, size_t len)
{
	struct str field = {0};

	str_printf(&field, "Authorization: Bearer %s\r\n", token.s);
	guarded_put(path, len, field.s);
	str_fini(&field);
}

static void
make_tokens(const char *limits)
{
	struct str line = {0};

	str_clear(&token);
	str_clear(&hash);
	assert_true(bearer_make(&token, &hash));
	str_printf(&line, "ci %s %s\n", hash.s, limits);
	guarded_write_file("tokens", 0600, line.s);
	str_fini(&line);
}

static void
who_has_no_token_is_asked_before_the_body(void **state)
{
	(void)state;
	make_tokens("");
	guarded_use("auth_bearer_file @/tokens;");
	test_web_say_head(&guarded, "PUT", "/file/b", 100, "");
	test_web_await(&guarded, "HTTP/1.1 401 Unauthorized\r\n");
	test_web_await(
	    &guarded, "WWW-Authenticate: Bearer realm=\"penstock\"\r\n");
	test_web_await(&guarded, "Content-Type: application/problem+json\r\n");
	assert_false(store_has_files(guarded.store));
	guarded_come_from("192.0.2.1:1");
	test_web_say_head(
	    &guarded, "PUT", "/file/b", 100, "Expect: 100-continue\r\n");
	test_web_await(&guarded, "HTTP/1.1 401 ");
	guarded_assert_not_heard("100 Continue");
	guarded_come_from("192.0.2.1:1");
	guarded_assert_status("GET", "/file/a", "401");
	guarded_assert_status("HEAD", "/file/a", "401");
	guarded_assert_status("GET", "/file", "401");
	guarded_assert_status("OPTIONS", "/file/a", "204");
}

static void
who_has_one_is_in_the_receipt(void **state)
{
	(void)state;
	make_tokens("");
	guarded_use("auth_bearer_file @/tokens;");
	bear("/file/b", 100);
	test_web_await(&guarded, "\"remote_user\":\"ci\"");
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_assert_not_heard("WWW-Authenticate");
	guarded_assert_not_heard(token.s);
	bear("/file/c", 100);
	guarded_assert_heard("HTTP/1.1 201 ");
}

static void
a_wrong_token_is_told_so(void **state)
{
	static const char *const fields[] = {
	    "Authorization: Bearer pst_00\r\n",
	    "Authorization: Bearer \r\n",
	    "Authorization: bearer\tx\r\n",
	    "Authorization: Basic Y2k6Y2k=\r\n",
	    "Authorization: Digest username=\"ci\"\r\n",
	};

	(void)state;
	make_tokens("");
	guarded_use("auth_bearer_file @/tokens;");
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		guarded_put("/file/b", 0, fields[i]);
		guarded_assert_heard("HTTP/1.1 401 ");
		guarded_assert_heard(i == 0
					 ? ", error=\"invalid_token\"\r\n"
					 : "WWW-Authenticate: Bearer realm=");
	}
	guarded_put("/file/b", 0,
	    "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n");
	guarded_assert_heard("HTTP/1.1 400 ");
	test_web_await(&guarded, "Authorization is given twice");
}

static void
a_token_allows_what_its_line_says(void **state)
{
	(void)state;
	make_tokens("methods=PUT prefix=/file/a max_size=100");
	guarded_use("auth_bearer_file @/tokens;");
	bear("/file/a/x", 100);
	guarded_assert_heard("HTTP/1.1 201 ");
	bear("/file/%61/y", 100);
	guarded_assert_heard("HTTP/1.1 201 ");
	bear("/file/ab/x", 0);
	guarded_assert_heard("HTTP/1.1 403 ");
	test_web_await(&guarded, "not for this path");
	bear("/file", 0);
	guarded_assert_heard("HTTP/1.1 403 ");
	bear("/file/a/x2", 101);
	guarded_assert_heard("HTTP/1.1 413 ");
	test_web_await(&guarded, "larger than max_size 100 of location /file");
	guarded_come_from("192.0.2.1:1");
	guarded_use("auth_bearer_file @/tokens; max_body_size 99;");
	bear("/file/a/x2", 100);
	test_web_await(&guarded, "larger than max_body_size 99 of location");
}

/* A body whose length is not known beforehand. */
static void
a_size_is_noticed_on_the_way(void **state)
{
	struct str field = {0};

	(void)state;
	make_tokens("max_size=10");
	guarded_use("auth_bearer_file @/tokens;");
	str_printf(&field,
	    "POST /file/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
	    "chunked\r\nAuthorization: BEARER %s\r\n\r\nb\r\n01234567890\r\n",
	    token.s);
	guarded.client.len = 0;
	test_client_say(&guarded.client, field.s);
	test_web_await(&guarded, "HTTP/1.1 413 ");
	test_web_await(&guarded, "larger than max_size 10 of");
	str_fini(&field);
}

/* The address, a token, and satisfy. */
static void
satisfy_says_whether_both_are_needed(void **state)
{
	/* clang-format off */
	static const struct {
		const char *rules;
		const char *without, *with; /* a token */
	} rows[] = {
		{ "allow all;", "401", "201" },
		{ "deny all;", "403", "403" },
		{ "allow 192.0.2.9;", "401", "201" },
		{ "deny 192.0.2.9;", "401", "201" },
		{ "satisfy any; allow all;", "201", "201" },
		{ "satisfy any; deny all;", "401", "201" },
		{ "satisfy any; allow 192.0.2.1; deny all;", "201", "201" },
		{ "satisfy any; allow 192.0.2.9; deny all;", "401", "201" },
		{ "satisfy any; allow 192.0.2.9;", "401", "201" },
		{ "satisfy any; deny 192.0.2.9;", "401", "201" },
		{ "satisfy any;", "401", "201" },
		{ "", "401", "201" },
	};
	/* clang-format on */

	(void)state;
	make_tokens("");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str rules = {0};

		str_printf(
		    &rules, "auth_bearer_file @/tokens; %s", rows[i].rules);
		guarded_use(rules.s);
		str_fini(&rules);
		guarded_come_from("192.0.2.1:1");
		guarded_assert_status("POST", "/file", rows[i].without);
		bear("/file/s", 0);
		if (memcmp(guarded.client.got + 9, "200", 3) != 0 &&
		    memcmp(guarded.client.got + 9, rows[i].with, 3) != 0)
			fail_msg("%s: %s", rows[i].rules, guarded.client.got);
	}
	/* Without persons the address alone decides. */
	guarded_use("satisfy any; deny all;");
	guarded_come_from("192.0.2.1:1");
	bear("/file/s", 0);
	guarded_assert_heard("HTTP/1.1 403 ");
}

static void
tokens_may_be_for_some_methods_only(void **state)
{
	(void)state;
	make_tokens("");
	guarded_use("limit_except GET { auth_bearer_file @/tokens; }");
	guarded_assert_status("GET", "/file/a", "200");
	guarded_assert_status("PUT", "/file/b", "401");
	guarded_use("auth_bearer_file @/tokens; limit_except GET { "
		    "auth_bearer_file off; }");
	guarded_assert_status("GET", "/file/a", "401");
	guarded_assert_status("PUT", "/file/b", "201");
	guarded_use_server("auth_bearer_file @/tokens;", "");
	guarded_assert_status("GET", "/file/a", "401");
	guarded_use_server(
	    "auth_bearer_file @/tokens;", "auth_bearer_file off;");
	guarded_assert_status("GET", "/file/a", "200");
}

/* ---- files of secrets ---- */

static void
files_that_are_no_secret_are_told(void **state)
{
#define FILE_T "auth_bearer_file @/t;"
#define AT "t:2:1: auth_bearer_file @/t: "
	(void)state;
	guarded_write_file("t", 0600, "");
	guarded_assert_secrets(FILE_T, "", "");
	guarded_write_file("t", 0644, "");
	guarded_assert_secrets(
	    FILE_T, "", AT "any user of this machine can read it: chmod o-r\n");
	guarded_write_file("t", 0602, "");
	guarded_assert_secrets(FILE_T,
	    AT "any user of this machine can write it, and so let in whom he "
	       "likes: chmod o-w\n",
	    "");
	guarded_write_file("t", 0600, "a b\nc d\n");
	guarded_assert_secrets(FILE_T,
	    AT "line 1: behind the name stands sha256: and 64 hexadecimal "
	       "digits: let `penstock token` make the line\n" AT
	       "line 2: behind the name stands sha256: and 64 hexadecimal "
	       "digits: let `penstock token` make the line\n",
	    "");
	guarded_assert_secrets("auth_bearer_file @/none;",
	    "t:2:1: auth_bearer_file @/none: No such file or directory\n", "");
	guarded_assert_secrets("auth_bearer_file @;",
	    "t:2:1: auth_bearer_file @: it is not a regular file\n", "");
}

static int
end(void **state)
{
	str_fini(&token);
	str_fini(&hash);
	return guarded_remove_dir(state);
}

int
main(void)
{
#define WEB_TEST(t)                                                            \
	cmocka_unit_test_setup_teardown(t, guarded_begin, guarded_end)
	const struct CMUnitTest tests[] = {
	    WEB_TEST(who_has_no_token_is_asked_before_the_body),
	    WEB_TEST(who_has_one_is_in_the_receipt),
	    WEB_TEST(a_wrong_token_is_told_so),
	    WEB_TEST(a_token_allows_what_its_line_says),
	    WEB_TEST(a_size_is_noticed_on_the_way),
	    WEB_TEST(satisfy_says_whether_both_are_needed),
	    WEB_TEST(tokens_may_be_for_some_methods_only),
	    cmocka_unit_test(files_that_are_no_secret_are_told),
	};

	return cmocka_run_group_tests(tests, guarded_make_dir, end);
}
