/*
 * Who has a name and a password: files of them, what is computed and remembered, and who
 * guesses.
 */
#include <crypt.h>
#include <stddef.h>
#include <string.h>

#include "auth/htpasswd.h"
#include "base/base64.h"
#include "lib/cmocka_with.h"
#include "lib/guarded.h"
#include "shared/attempts.h"

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
	guarded_make_token("");
	guarded_use(LOGIN "auth_bearer_file @/tokens;");
	guarded_assert_status("PUT", "/file/b", "401");
	guarded_assert_heard("WWW-Authenticate: Basic realm=");
	guarded_assert_heard(
	    "WWW-Authenticate: Bearer realm=\"the \\\"lab\\\"\"\r\n");
	guarded_bear("/file/b", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
	log_in("/file/c", "ann:secret", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
}

static void
who_guesses_is_slowed_and_others_are_not(void **state)
{
	(void)state;
	make_users();
	guarded_make_token("");
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
	guarded_await("so this password was not looked at, and may be right: "
		      "try again in 3 seconds");
	guarded_assert_heard("Retry-After: ");
	guarded_come_from("192.0.2.7:1");
	/* What costs much is not even looked at; what is known is. */
	log_in("/file/b", "ann:secret", 10);
	guarded_assert_heard("HTTP/1.1 429 ");
	guarded_come_from("192.0.2.7:1");
	guarded_bear("/file/b", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_come_from("192.0.2.8:1");
	log_in("/file/c", "ann:secret", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
	guarded_come_from("192.0.2.7:1");
	log_in("/file/d", "ann:secret", 10);
	guarded_assert_heard("HTTP/1.1 201 ");
}

/* They are known by nothing else, so they are one. */
static void
who_hides_the_address_is_slowed_like_all_who_do(void **state)
{
	(void)state;
	guarded_make_token("");
	guarded_use("auth_bearer_file @/tokens;");
	guarded_trust("192.0.2.7", REAL_IP_FORWARDED);
	for (int i = 0; i <= ATTEMPTS_BURST; i++) {
		guarded_come_from("192.0.2.7:1");
		guarded_put("/file/b", 10,
		    i % 2 == 0 ? "Authorization: Bearer x\r\n"
				 "Forwarded: for=unknown\r\n"
			       : "Authorization: Bearer x\r\n"
				 "Forwarded: for=\", for=192.0.2.1\r\n");
		guarded_assert_heard(
		    i < ATTEMPTS_BURST ? "HTTP/1.1 401 " : "HTTP/1.1 429 ");
	}
	guarded_come_from("192.0.2.7:1");
	guarded_put("/file/b", 10,
	    "Authorization: Bearer x\r\nForwarded: for=192.0.2.1\r\n");
	guarded_assert_heard("HTTP/1.1 401 ");
	guarded_trust(NULL, REAL_IP_OFF);
}

static void
lines_that_are_no_users_are_told(void **state)
{
#define USERS "auth_basic x; auth_basic_user_file @/u;"
#define AT_U "t:2:15: auth_basic_user_file @/u: "
#define NO_HASH                                                                \
	"behind the colon stands a hash of bcrypt, SHA-512 or yescrypt: make " \
	"it with openssl passwd -6, htpasswd -B or mkpasswd (others are "      \
	"guessed too fast)\n"
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

/* Else what takes as long as the hash of no user would be told to be none; so would what
 * takes another time each time. */
static void
a_name_that_is_none_costs_what_one_of_the_others_does(void **state)
{
	static const char text[] = "a:$2y$04$aaaaaaaaaaaaaaaaaaaaaaaa\n"
				   "b:$2y$12$aaaaaaaaaaaaaaaaaaaaaaaa\n"
				   "c:$2y$14$aaaaaaaaaaaaaaaaaaaaaaaa\n";
	struct htpasswd h = {0}, again = {0}, none = {0};
	struct str errors = {0};
	unsigned seen[3] = {0};

	(void)state;
	assert_int_equal(htpasswd_parse(&h, text, strlen(text), &errors), 0);
	assert_int_equal(
	    htpasswd_parse(&again, text, strlen(text), &errors), 0);
	for (unsigned i = 0; i < 90; i++) {
		char name[] = {(char)('!' + i)};
		struct span one = {name, 1};
		ptrdiff_t at = htpasswd_stand_in(&h, one) - h.users;

		assert_int_equal(
		    htpasswd_stand_in(&again, one) - again.users, at);
		seen[at]++;
	}
	for (unsigned i = 0; i < 3; i++)
		assert_in_range(seen[i], 10, 60);
	assert_null(htpasswd_stand_in(&none, (struct span){"x", 1}));
	htpasswd_fini(&h);
	htpasswd_fini(&again);
	str_fini(&errors);
}

int
main(void)
{
#define WEB_TEST(t)                                                            \
	cmocka_unit_test_setup_teardown(t, guarded_begin, guarded_end)
	const struct CMUnitTest tests[] = {
	    WEB_TEST(who_knows_the_password_may),
	    WEB_TEST(who_does_not_is_asked),
	    WEB_TEST(what_is_remembered_is_of_this_file),
	    WEB_TEST(a_client_that_leaves_meanwhile_is_forgotten),
	    WEB_TEST(both_ways_may_be_offered),
	    WEB_TEST(who_guesses_is_slowed_and_others_are_not),
	    WEB_TEST(who_hides_the_address_is_slowed_like_all_who_do),
	    cmocka_unit_test(lines_that_are_no_users_are_told),
	    cmocka_unit_test(
		a_name_that_is_none_costs_what_one_of_the_others_does),
	};

	return cmocka_run_group_tests(
	    tests, guarded_make_dir, guarded_remove_dir);
}
