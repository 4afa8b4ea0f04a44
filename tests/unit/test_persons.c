/*
 * Who sends it: tokens and their limits; with addresses, for some methods; and what is told
 * of files of secrets.
 */
#include <crypt.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auth/bearer.h"
#include "auth/signed_link.h"
#include "base/base64.h"
#include "base/clock.h"
#include "lib/cmocka_with.h"
#include "lib/guarded.h"
#include "shared/attempts.h"

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
	make_tokens("");
	guarded_use("auth_bearer_file @/tokens;");
	bear("/file/b", 100);
	guarded_await("\"remote_user\":\"ci\"");
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
	guarded_await("Authorization is given twice");
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
	guarded_await("not for this path");
	bear("/file", 0);
	guarded_assert_heard("HTTP/1.1 403 ");
	bear("/file/a/x2", 101);
	guarded_assert_heard("HTTP/1.1 413 ");
	guarded_await("larger than max_size 100 of location /file");
	guarded_come_from("192.0.2.1:1");
	guarded_use("auth_bearer_file @/tokens; max_body_size 99;");
	bear("/file/a/x2", 100);
	guarded_await("larger than max_body_size 99 of location");
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
	guarded_await("HTTP/1.1 413 ");
	guarded_await("larger than max_size 10 of");
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

/* ---- names and passwords ---- */

#define LOGIN "auth_basic \"the \\\"lab\\\"\"; auth_basic_user_file @/users;"

/* ann's is `secret`, bob's is empty. */
static void
make_users(void)
{
	struct str text = {0};

	str_printf(
	    &text, "ann:%s\n", crypt("secret", "$6$rounds=1000$abcdefgh$"));
	str_printf(
	    &text, "bob:%s:more\n", crypt("", "$6$rounds=1000$abcdefgh$"));
	guarded_write_file("users", 0600, text.s);
	str_fini(&text);
}

static void
log_in(const char *path, const char *login, size_t len)
{
	struct str field = {0};

	str_puts(&field, "Authorization: Basic ");
	base64_add(&field, login, len);
	str_puts(&field, "\r\n");
	guarded_put(path, 10, field.s);
	str_fini(&field);
}

static void
who_knows_the_password_may(void **state)
{
	(void)state;
	make_users();
	guarded_use(LOGIN);
	for (int i = 0; i < 3; i++) {
		log_in("/file/b", "ann:secret", 10);
		guarded_await("\"remote_user\":\"ann\"");
		log_in("/file/c", "bob:", 4);
		guarded_await("\"remote_user\":\"bob\"");
	}
	test_web_get(
	    &guarded, "/file/a", "Authorization: basic YW5uOnNlY3JldA==\r\n");
	guarded_await("HTTP/1.1 200 ");
}

static void
who_does_not_is_asked(void **state)
{
	static const struct {
		const char *login;
		size_t len;
	} rows[] = {{"ann:secre", 9}, {"ann:secrets", 11}, {"ann:", 4},
	    {"ann", 3}, {"", 0}, {":", 1}, {"bob:secret", 10}, {"eve:x", 5},
	    {"ann:secret\0x", 12}, {"ann\0:secret", 11}, {"bob:\0", 5},
	    {"Ann:secret", 10}, {"ann :secret", 11}};

	(void)state;
	make_users();
	guarded_use(LOGIN);
	guarded_assert_status("PUT", "/file/b", "401");
	guarded_assert_heard("WWW-Authenticate: Basic realm=\"the "
			     "\\\"lab\\\"\", charset=\"UTF-8\"\r\n");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		log_in("/file/b", rows[i].login, rows[i].len);
		if (memcmp(guarded.client.got + 9, "401", 3) != 0)
			fail_msg("%zu: %s", i, guarded.client.got);
		guarded_come_from("unix:/x");
	}
	guarded_assert_status("GET", "/file/b", "401");
}

/* It is the password of then, and is not known for ever. */
static void
what_is_remembered_is_of_this_file(void **state)
{
	(void)state;
	make_users();
	guarded_use(LOGIN);
	log_in("/file/b", "ann:secret", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_write_file("users", 0600,
	    "ann:$6$rounds=1000$abcdefgh$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
	guarded_use(LOGIN);
	log_in("/file/b", "ann:secret", 10);
	guarded_assert_heard("HTTP/1.1 401 ");
}

/* As many as there may be at once wait for one computation. */
static void
a_client_that_leaves_meanwhile_is_forgotten(void **state)
{
	(void)state;
	make_users();
	guarded_use(LOGIN);
	for (int i = 0; i < 5; i++) {
		test_web_say_head(&guarded, "PUT", "/file/x", 10,
		    "Authorization: Basic YW5uOnNlY3JldA==\r\n");
		test_web_turn(&guarded, 1);
		connections_drop(&guarded.server.g);
		guarded.server.g.stopping = false;
		guarded_come_from("192.0.2.1:1");
	}
	log_in("/file/x", "ann:secret", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
}

static void
both_ways_may_be_offered(void **state)
{
	(void)state;
	make_users();
	make_tokens("");
	guarded_use(LOGIN "auth_bearer_file @/tokens;");
	guarded_assert_status("PUT", "/file/b", "401");
	guarded_assert_heard("WWW-Authenticate: Basic realm=");
	guarded_assert_heard(
	    "WWW-Authenticate: Bearer realm=\"the \\\"lab\\\"\"\r\n");
	bear("/file/b", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
	log_in("/file/c", "ann:secret", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
}

static void
who_guesses_is_slowed_and_others_are_not(void **state)
{
	(void)state;
	make_users();
	make_tokens("");
	guarded_use(LOGIN "auth_bearer_file @/tokens;");
	guarded_come_from("192.0.2.7:1");
	for (int i = 0; i < ATTEMPTS_BURST; i++) {
		if (i % 2 == 0)
			log_in("/file/b", "ann:x", 5);
		else
			guarded_put(
			    "/file/b", 10, "Authorization: Bearer x\r\n");
		guarded_assert_heard("HTTP/1.1 401 ");
		guarded_come_from("192.0.2.7:1");
	}
	log_in("/file/b", "ann:y", 5);
	guarded_assert_heard("HTTP/1.1 429 Too Many Requests\r\n");
	guarded_assert_heard("Retry-After: ");
	guarded_come_from("192.0.2.7:1");
	/* What costs much is not even looked at; what is known is. */
	log_in("/file/b", "ann:secret", 10);
	guarded_assert_heard("HTTP/1.1 429 ");
	guarded_come_from("192.0.2.7:1");
	bear("/file/b", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_come_from("192.0.2.8:1");
	log_in("/file/c", "ann:secret", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_come_from("192.0.2.7:1");
	log_in("/file/d", "ann:secret", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
}

static void
lines_that_are_no_users_are_told(void **state)
{
#define USERS "auth_basic x; auth_basic_user_file @/u;"
#define AT_U "t:2:15: auth_basic_user_file @/u: "
#define NO_HASH                                                                \
	"behind the colon stands a hash of bcrypt, SHA-512 or yescrypt: make " \
	"it with htpasswd -B or mkpasswd (others are guessed too fast)\n"
	(void)state;
	guarded_write_file("u", 0600,
	    "a:$apr1$abcdefgh$abcdefghijklmnopqrstuv\n"
	    "b:{SHA}abcdefghijklmnopqrstuvwxyz=\n"
	    "c:abcdefghijklm\n"
	    "d:\n"
	    "e\n"
	    "f g:$6$rounds=1000$abcdefgh$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	    "h:$6$rounds=1000$abcdefgh$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	    "h:$6$rounds=1000$abcdefgh$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	    "i:$2y$10$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	    "j:$y$j9T$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
	guarded_assert_secrets(USERS,
	    AT_U "line 1: " NO_HASH AT_U "line 2: " NO_HASH AT_U
		 "line 3: " NO_HASH AT_U "line 4: " NO_HASH AT_U
		 "line 5: " NO_HASH AT_U
		 "line 6: the name has 1 to 64 letters, digits, and - . _ @ "
		 "+, and a colon behind\n" AT_U
		 "line 8: this name stands in an earlier line\n",
	    "");
	guarded_assert_mistake(
	    "auth_basic x;", "auth_basic: nobody could know a password");
	guarded_assert_mistake("auth_basic_user_file /x;",
	    "auth_basic_user_file: nobody is asked for a password");
	guarded_assert_mistake("auth_basic \"a\\nb\"; auth_basic_user_file /x;",
	    "auth_basic: the name has a control character");
	guarded_assert_secrets(
	    "auth_basic off; auth_basic_user_file @/none;", "", "");
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
	/* There is no field with which the client could do better. */
	guarded_assert_status("PUT", "/file/b", "403");
	guarded_await("a signed link is needed here");
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
	str_fini(&put);
}

/* A bad link is no worse than none, for who has a token as well. */
static void
a_link_stands_beside_other_ways(void **state)
{
	struct str put = sign("PUT", "/file/b", 10, 0);

	(void)state;
	make_tokens("");
	guarded_write_file("links", 0600, KEY);
	guarded_use("signed_link_keys @/links; auth_bearer_file @/tokens;");
	guarded_put(put.s, 10, "");
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_put(put.s, 10, "Authorization: Bearer x\r\n");
	guarded_assert_heard("HTTP/1.1 200 ");
	bear("/file/c?sig=1", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
	/* What a bad one says does not bind who has another right. */
	bear("/file/e?exp=1&max=5&once=00112233445566778899aabbccddeeff"
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
	await_marks(before);
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
	    WEB_TEST(who_knows_the_password_may),
	    WEB_TEST(who_does_not_is_asked),
	    WEB_TEST(what_is_remembered_is_of_this_file),
	    WEB_TEST(a_client_that_leaves_meanwhile_is_forgotten),
	    WEB_TEST(both_ways_may_be_offered),
	    WEB_TEST(who_has_a_link_may_do_that),
	    WEB_TEST(a_link_is_for_the_name_however_it_is_spelt),
	    WEB_TEST(a_link_limits_the_size),
	    WEB_TEST(a_link_stands_beside_other_ways),
	    WEB_TEST(a_link_that_is_good_once_is_spent_by_an_upload),
	    WEB_TEST(what_is_not_stored_spends_nothing),
	    WEB_TEST(what_may_be_stored_spends_it),
	    WEB_TEST(of_two_uploads_at_once_one_is_stored),
	    WEB_TEST(without_a_place_for_marks_none_is_good_once),
	    WEB_TEST(who_guesses_is_slowed_and_others_are_not),
	    cmocka_unit_test(lines_that_are_no_users_are_told),
	    cmocka_unit_test(files_that_are_no_secret_are_told),
	};

	return cmocka_run_group_tests(tests, guarded_make_dir, end);
}
