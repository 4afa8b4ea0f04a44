/*
 * Who sends it: tokens and their limits; with addresses, for some methods; and what is told
 * of files of secrets.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/signed_link.h"
#include "base/clock.h"
#include "lib/cmocka_with.h"
#include "lib/guarded.h"

/* ---- tokens ---- */

static void
who_has_no_token_is_asked_before_the_body(void **state)
{
	(void)state;
	guarded_make_token("");
	guarded_use("auth_bearer_file @/tokens;");
	test_web_say_head(&guarded, "PUT", "/file/b", 100, "");
	guarded_await("HTTP/1.1 401 Unauthorized\r\n");
	guarded_await("WWW-Authenticate: Bearer realm=\"penstock\"\r\n");
	guarded_await("Content-Type: application/problem+json\r\n");
	assert_false(store_has_files(guarded.store));
	guarded_come_from("192.0.2.1:1");
	test_web_say_head(
	    &guarded, "PUT", "/file/b", 100, "Expect: 100-continue\r\n");
	guarded_await("HTTP/1.1 401 ");
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
	guarded_make_token("");
	guarded_use("auth_bearer_file @/tokens;");
	guarded_bear("/file/b", 100);
	guarded_await("\"remote_user\":\"ci\"");
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_assert_not_heard("WWW-Authenticate");
	guarded_assert_not_heard(guarded_token.s);
	guarded_bear("/file/c", 100);
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
	guarded_make_token("");
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
	guarded_await("Authorization is given twice");
}

static void
a_token_allows_what_its_line_says(void **state)
{
	(void)state;
	guarded_make_token("methods=PUT prefix=/file/a max_size=100");
	guarded_use("auth_bearer_file @/tokens;");
	guarded_bear("/file/a/x", 100);
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_bear("/file/%61/y", 100);
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_bear("/file/ab/x", 0);
	guarded_assert_heard("HTTP/1.1 403 ");
	guarded_await("not for this path");
	guarded_bear("/file", 0);
	guarded_assert_heard("HTTP/1.1 403 ");
	guarded_bear("/file/a/x2", 101);
	guarded_assert_heard("HTTP/1.1 413 ");
	guarded_await("larger than the 100 bytes that this token allows");
	guarded_come_from("192.0.2.1:1");
	guarded_use("auth_bearer_file @/tokens; max_body_size 99;");
	guarded_bear("/file/a/x2", 100);
	guarded_await("larger than max_body_size 99 of location");
}

/* A body whose length is not known beforehand. */
static void
a_size_is_noticed_on_the_way(void **state)
{
	struct str field = {0};

	(void)state;
	guarded_make_token("max_size=10");
	guarded_use("auth_bearer_file @/tokens;");
	str_printf(&field,
	    "POST /file/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
	    "chunked\r\nAuthorization: BEARER %s\r\n\r\nb\r\n01234567890\r\n",
	    guarded_token.s);
	guarded.client.len = 0;
	test_client_say(&guarded.client, field.s);
	guarded_await("HTTP/1.1 413 ");
	guarded_await("larger than the 10 bytes that this token allows");
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
		{ "deny 192.0.2.9; allow 192.0.2.7;", "401", "201" },
		{ "deny 192.0.2.9;", "401", "201" },
		{ "satisfy any; deny 192.0.2.9; allow all;", "201", "201" },
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
	guarded_make_token("");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str rules = {0};

		str_printf(
		    &rules, "auth_bearer_file @/tokens; %s", rows[i].rules);
		guarded_use(rules.s);
		str_fini(&rules);
		guarded_come_from("192.0.2.1:1");
		guarded_assert_status("POST", "/file", rows[i].without);
		guarded_bear("/file/s", 0);
		if (memcmp(guarded.client.got + 9, "200", 3) != 0 &&
		    memcmp(guarded.client.got + 9, rows[i].with, 3) != 0)
			fail_msg("%s: %s", rows[i].rules, guarded.client.got);
	}
	/* Without persons the address alone decides. */
	guarded_use("satisfy any; deny all;");
	guarded_come_from("192.0.2.1:1");
	guarded_bear("/file/s", 0);
	guarded_assert_heard("HTTP/1.1 403 ");
}

static void
tokens_may_be_for_some_methods_only(void **state)
{
	(void)state;
	guarded_make_token("");
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

/* ---- links ---- */

#define KEY                                                                    \
	"k1 "                                                                  \
	"0001020304050607080900010203040506070809000102030405060708090001\n"

/* The target with a link for this method and path, which is good for `seconds` more. */
static struct str
sign(const char *method, const char *path, int seconds, uint64_t max_size)
{
	struct link_keys keys = {0};
	struct signed_link l = {
	    .method = {method, strlen(method)},
	    .path = {path, strlen(path)},
	    .expires_s = (uint64_t)(clock_wall_s() + seconds),
	    .max_size = max_size,
	};
	struct str target = {0}, errors = {0};

	assert_int_equal(link_keys_parse(&keys, KEY, strlen(KEY), &errors), 0);
	str_printf(&target, "%s?", path);
	assert_true(signed_link_sign(&keys.keys[0], &l, &target));
	link_keys_fini(&keys);
	return target;
}

static void
who_has_a_link_may_do_that(void **state)
{
	struct str put = sign("PUT", "/file/b", 10, 0);
	struct str get = sign("GET", "/file/a", 10, 0);
	struct str late = sign("PUT", "/file/b", -100, 0);
	struct str post = sign("POST", "/file", 10, 0);

	(void)state;
	guarded_write_file("links", 0600, KEY);
	guarded_use("signed_link_keys @/links;");
	guarded_put(put.s, 10, "");
	guarded_await("\"remote_user\":\"link:k1\"");
	guarded_assert_not_heard("sig=");
	guarded_assert_status("GET", get.s, "200");
	guarded_assert_status("HEAD", get.s, "200");
	guarded_assert_status("PUT", get.s, "403");
	guarded_assert_status("GET", put.s, "403");
	guarded_assert_status("POST", post.s, "201");
	guarded_assert_status("PUT", late.s, "403");
	guarded_await("the link has expired");
	guarded_assert_status("PUT", "/file/b?exp=1798761600", "403");
	guarded_await("the link is not whole: in a shell put it in quotes");
	guarded_assert_status("PUT",
	    "/file/b?exp=1&key=k0&sig=000102030405060708090001020304050607080"
	    "9000102030405060708090001",
	    "403");
	guarded_await("the link's key is not known here (any more)");
	/* There is no field with which the client could do better. */
	guarded_assert_status("PUT", "/file/b", "403");
	guarded_await("say who sends this: a signed link (penstock sign makes "
		      "them) is needed here");
	guarded_assert_not_heard("WWW-Authenticate");
	str_fini(&put);
	str_fini(&get);
	str_fini(&late);
	str_fini(&post);
}

static void
a_link_is_for_the_name_however_it_is_spelt(void **state)
{
	struct str put = sign("PUT", "/file/b c", 10, 0), target = {0};

	(void)state;
	guarded_write_file("links", 0600, KEY);
	guarded_use("signed_link_keys @/links;");
	str_printf(&target, "/file/%%62%%20c%s", strchr(put.s, '?'));
	guarded_put(target.s, 10, "");
	guarded_assert_heard("HTTP/1.1 201 ");
	str_clear(&target);
	str_printf(&target, "/file/b%%2520c%s", strchr(put.s, '?'));
	guarded_put(target.s, 10, "");
	guarded_assert_heard("HTTP/1.1 403 ");
	str_fini(&put);
	str_fini(&target);
}

static void
a_link_limits_the_size(void **state)
{
	struct str put = sign("PUT", "/file/b", 10, 9);

	(void)state;
	guarded_write_file("links", 0600, KEY);
	guarded_use("signed_link_keys @/links; max_body_size 20;");
	guarded_put(put.s, 9, "");
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_put(put.s, 10, "");
	guarded_assert_heard("HTTP/1.1 413 ");
	guarded_await("larger than the 9 bytes that this link allows");
	str_fini(&put);
}

/* A bad link is no worse than none, for who has a token as well. */
static void
a_link_stands_beside_other_ways(void **state)
{
	struct str put = sign("PUT", "/file/b", 10, 0);

	(void)state;
	guarded_make_token("");
	guarded_write_file("links", 0600, KEY);
	guarded_use("signed_link_keys @/links; auth_bearer_file @/tokens;");
	guarded_put(put.s, 10, "");
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_put(put.s, 10, "Authorization: Bearer x\r\n");
	guarded_assert_heard("HTTP/1.1 200 ");
	guarded_bear("/file/c?sig=1", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
	/* What a bad one says does not bind who has another right. */
	guarded_bear(
	    "/file/e?exp=1&max=5&once=00112233445566778899aabbccddeeff"
	    "&key=k1&sig=0001020304050607080900010203040506070809000102030405"
	    "060708090001",
	    10);
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_put("/file/d?sig=1", 10, "");
	guarded_assert_heard("HTTP/1.1 403 ");
	guarded_come_from("192.0.2.1:1");
	guarded_put("/file/d", 10, "");
	guarded_assert_heard("HTTP/1.1 401 ");
	/* The address still matters. */
	guarded_use("signed_link_keys @/links; deny 192.0.2.1;");
	guarded_come_from("192.0.2.1:1");
	guarded_put(put.s, 10, "");
	guarded_assert_heard("HTTP/1.1 403 ");
	str_fini(&put);
}

/* ---- links that are good once ---- */

#define ONCE "signed_link_keys @/links; signed_link_spent @/spent;"

static struct str
sign_once(const char *method, const char *path)
{
	struct link_keys keys = {0};
	struct signed_link l = {
	    .method = {method, strlen(method)},
	    .path = {path, strlen(path)},
	    .expires_s = (uint64_t)(clock_wall_s() + 100),
	};
	struct str target = {0}, errors = {0};

	signed_link_make_once(&l);
	assert_int_equal(link_keys_parse(&keys, KEY, strlen(KEY), &errors), 0);
	str_printf(&target, "%s?", path);
	assert_true(signed_link_sign(&keys.keys[0], &l, &target));
	link_keys_fini(&keys);
	return target;
}

/* Marks that are there. */
static unsigned
count_marks(void)
{
	struct str path = {0};
	unsigned count = 0;
	DIR *d;

	guarded_add_text(&path, "@/spent");
	d = opendir(path.s);
	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		count += e->d_name[0] != '.';
	closedir(d);
	str_fini(&path);
	return count;
}

static void
begin_once(void)
{
	struct str path = {0};

	guarded_write_file("links", 0600, KEY);
	guarded_add_text(&path, "@/spent");
	(void)mkdir(path.s, 0700);
	str_fini(&path);
	guarded_use(ONCE);
}

static void
await_marks(unsigned count)
{
	for (int i = 0; i < 2000 && count_marks() != count; i++)
		test_web_turn(&guarded, 1);
	assert_int_equal(count_marks(), count);
}

static void
a_link_that_is_good_once_is_spent_by_an_upload(void **state)
{
	struct str put = sign_once("PUT", "/file/o");
	unsigned before;

	(void)state;
	begin_once();
	before = count_marks();
	guarded_put(put.s, 10, "");
	guarded_assert_heard("HTTP/1.1 201 ");
	assert_int_equal(count_marks(), before + 1);
	for (int i = 0; i < 2; i++) {
		test_web_say_head(&guarded, "PUT", put.s, 10, "");
		guarded_await("HTTP/1.1 403 ");
		guarded_await("good for one upload");
		guarded_come_from("192.0.2.1:1");
	}
	str_fini(&put);
}

static bool
is_there(const char *name)
{
	struct str path = {0};
	bool is;

	str_puts(&path, guarded_dir);
	str_puts(&path, name);
	is = access(path.s, F_OK) == 0;
	str_fini(&path);
	return is;
}

/* Nothing else is removed, should the directory have been somebody's. */
static void
old_marks_are_removed(void **state)
{
#define ID "00112233445566778899aabbccddeeff"
	struct str put = sign_once("PUT", "/file/o");

	(void)state;
	begin_once();
	guarded_write_file("spent/1000-" ID, 0600, "");
	guarded_write_file("spent/99999999999-" ID, 0600, "");
	guarded_write_file("spent/20200101-report.csv", 0600, "");
	guarded_write_file("spent/1000-" ID "0", 0600, "");
	guarded_put(put.s, 10, "");
	guarded_assert_heard("HTTP/1.1 201 ");
	assert_false(is_there("/spent/1000-" ID));
	assert_true(is_there("/spent/99999999999-" ID));
	assert_true(is_there("/spent/20200101-report.csv"));
	assert_true(is_there("/spent/1000-" ID "0"));
	str_fini(&put);
}

static void
what_is_not_stored_spends_nothing(void **state)
{
	struct str put = sign_once("PUT", "/file/a");
	unsigned before;

	(void)state;
	begin_once();
	before = count_marks();
	/* Refused before its body; by its store; and given up by its client. */
	guarded_put(put.s, 10, "If-None-Match: *\r\n");
	guarded_assert_heard("HTTP/1.1 412 ");
	guarded_come_from("192.0.2.1:1");
	test_web_plan(&guarded)->why[MEMORY_COMMIT] =
	    (struct failure){.outcome = OUTCOME_DISK_FULL};
	guarded_put(put.s, 10, "");
	guarded_assert_heard("HTTP/1.1 507 ");
	/* At once: who is told so may use the link again. */
	assert_int_equal(count_marks(), before);
	test_web_plan(&guarded)->why[MEMORY_COMMIT] = (struct failure){0};
	guarded_come_from("192.0.2.1:1");
	test_web_say_head(&guarded, "PUT", put.s, 10, "");
	test_web_turn(&guarded, 20);
	guarded_come_from("192.0.2.1:1");
	await_marks(before);
	guarded_put(put.s, 10, "");
	guarded_assert_heard("HTTP/1.1 200 ");
	await_marks(before + 1);
	str_fini(&put);
}

static void
what_may_be_stored_spends_it(void **state)
{
	struct str put = sign_once("PUT", "/file/u");
	unsigned before;

	(void)state;
	begin_once();
	before = count_marks();
	test_web_plan(&guarded)->why[MEMORY_COMMIT] =
	    (struct failure){.outcome = OUTCOME_OUTCOME_UNKNOWN};
	guarded_put(put.s, 10, "");
	guarded_assert_heard("HTTP/1.1 500 ");
	await_marks(before + 1);
	str_fini(&put);
}

/* Both have passed the gate before one of them is stored. */
static void
of_two_uploads_at_once_one_is_stored(void **state)
{
	static struct test_client other;
	struct str put = sign_once("PUT", "/file/t"), head = {0};

	(void)state;
	begin_once();
	str_printf(&head,
	    "PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
	    "5000\r\n\r\n",
	    put.s);
	test_client_connect(&other, &guarded.server);
	guarded.client.len = 0;
	test_client_say(&guarded.client, head.s);
	test_client_say(&other, head.s);
	for (int i = 0; i < 50; i++)
		test_web_turn(&guarded, 1);
	test_web_say_body(&guarded, 0, 5000);
	guarded.body[5000] = '\0';
	test_client_say(&other, guarded.body);
	guarded_await("\r\n\r\n");
	for (int i = 0; i < 20000 && other.len == 0; i++) {
		test_web_turn(&guarded, 1);
		test_client_hear(&other);
	}
	assert_int_equal(test_client_has_heard(&guarded.client, " 201 ") +
			     test_client_has_heard(&other, " 201 "),
	    1);
	assert_int_equal(test_client_has_heard(&guarded.client, " 403 ") +
			     test_client_has_heard(&other, " 403 "),
	    1);
	test_client_hang_up(&other);
	str_fini(&put);
	str_fini(&head);
}

static void
without_a_place_for_marks_none_is_good_once(void **state)
{
	struct str put = sign_once("PUT", "/file/o"),
		   get = sign_once("GET", "/file/a");

	(void)state;
	begin_once();
	guarded_assert_status("GET", get.s, "403");
	guarded_use("signed_link_keys @/links;");
	guarded_assert_status("PUT", put.s, "403");
	guarded_await("an operator has to set signed_link_spent");
	guarded_assert_secrets(
	    "signed_link_spent @/none; signed_link_keys off;",
	    "t:2:1: signed_link_spent @/none: No such file or directory\n", "");
	guarded_assert_secrets(
	    "signed_link_spent @/links; signed_link_keys off;",
	    "t:2:1: signed_link_spent @/links: it is not a directory\n", "");
	str_fini(&put);
	str_fini(&get);
}

/* ---- files of secrets ---- */

static void
files_that_are_no_secret_are_told(void **state)
{
#define FILE_T "auth_bearer_file @/t;"
#define AT "t:2:1: auth_bearer_file @/t: "
#define ONE                                                                    \
	"a "                                                                   \
	"sha256:"                                                              \
	"0001020304050607080900010203040506070809000102030405060708090001"
	(void)state;
	guarded_write_file("t", 0600, ONE);
	guarded_assert_secrets(FILE_T, "", "");
	guarded_write_file("t", 0644, ONE);
	guarded_assert_secrets(
	    FILE_T, "", AT "any user of this machine can read it: chmod o-r\n");
	guarded_write_file("t", 0640, ONE);
	guarded_assert_secrets(FILE_T, "", "");
	guarded_write_file("t", 0660, ONE);
	/* The group of root may, as root may. */
	if (guarded_give_to_group("t", 0)) {
		guarded_assert_secrets(FILE_T, "", "");
		assert_true(guarded_give_to_group("t", 12345));
	}
	guarded_assert_secrets(FILE_T,
	    AT "its group can write it, and so let in whom it likes: chmod "
	       "g-w\n",
	    "");
	guarded_write_file("t", 0602, ONE);
	guarded_assert_secrets(FILE_T,
	    AT "any user of this machine can write it, and so let in whom he "
	       "likes: chmod o-w\n",
	    "");
	/* Whom nobody could show a token for. */
	guarded_write_file("t", 0600, "# none\n");
	guarded_assert_secrets(FILE_T, "",
	    AT "nobody is let in by it: it has no line but empty ones and "
	       "comments\n");
	guarded_write_file("t", 0600, ONE " expires=2020-01-01\n");
	guarded_assert_secrets(FILE_T, "",
	    AT "nobody is let in by it: all of its tokens have expired\n");
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
	    WEB_TEST(who_has_a_link_may_do_that),
	    WEB_TEST(a_link_is_for_the_name_however_it_is_spelt),
	    WEB_TEST(a_link_limits_the_size),
	    WEB_TEST(a_link_stands_beside_other_ways),
	    WEB_TEST(a_link_that_is_good_once_is_spent_by_an_upload),
	    WEB_TEST(old_marks_are_removed),
	    WEB_TEST(what_is_not_stored_spends_nothing),
	    WEB_TEST(what_may_be_stored_spends_it),
	    WEB_TEST(of_two_uploads_at_once_one_is_stored),
	    WEB_TEST(without_a_place_for_marks_none_is_good_once),
	    cmocka_unit_test(files_that_are_no_secret_are_told),
	};

	return cmocka_run_group_tests(
	    tests, guarded_make_dir, guarded_remove_dir);
}
