/*
 * Who may send which requests, from the configuration to the answer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cmocka_with.h"
#include "lib/guarded.h"

/* ---- allow, deny ---- */

static void
the_first_rule_that_matches_counts(void **state)
{
	(void)state;
	guarded_use(
	    "deny 192.0.2.1; allow 192.0.2.0/24; allow unix:; deny all;");
	guarded_come_from("192.0.2.1:1");
	guarded_assert_status("GET", "/file/a", "403");
	guarded_come_from("192.0.2.2:1");
	guarded_assert_status("GET", "/file/a", "200");
	guarded_come_from("[::ffff:192.0.2.1]:1");
	guarded_assert_status("GET", "/file/a", "403");
	guarded_come_from("[::ffff:192.0.2.2]:1");
	guarded_assert_status("GET", "/file/a", "200");
	guarded_come_from("[2001:db8::1]:1");
	guarded_assert_status("GET", "/file/a", "403");
	guarded_come_from("unix:/x");
	guarded_assert_status("GET", "/file/a", "200");
}

static void
an_address_without_a_rule_may(void **state)
{
	(void)state;
	guarded_use("deny 192.0.2.0/24;");
	guarded_come_from("192.0.3.1:1");
	guarded_assert_status("GET", "/file/a", "200");
}

static void
nothing_is_stored_for_who_is_denied(void **state)
{
	(void)state;
	guarded_use("deny all;");
	test_web_put(&guarded, "/file/b", 100, "");
	test_web_await(&guarded, "HTTP/1.1 403 ");
	test_web_await(&guarded, "application/problem+json");
	assert_false(store_has_files(guarded.store));
	guarded_use("");
	guarded_come_from("192.0.2.1:1");
	guarded_assert_status("GET", "/file/b", "404");
}

/* ---- what proxies say ---- */

static void
rules_are_for_the_client_that_a_trusted_proxy_tells(void **state)
{
	(void)state;
	guarded_trust("10.0.0.0/8", REAL_IP_X_FORWARDED_FOR);
	guarded_use("allow 192.0.2.1; allow 10.0.0.1; deny all;");
	guarded_come_from("10.0.0.1:1");
	/* The proxy's own address would let in everybody that it serves. */
	guarded_assert_status("GET", "/file/a", "403");
	test_web_get(&guarded, "/file/a", "X-Forwarded-For: 192.0.2.1\r\n");
	test_web_await(&guarded, "HTTP/1.1 200 ");
	test_web_get(&guarded, "/file/a", "X-Forwarded-For: 192.0.2.2\r\n");
	test_web_await(&guarded, "HTTP/1.1 403 ");
	/* The client cannot say it. */
	test_web_get(
	    &guarded, "/file/a", "X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n");
	test_web_await(&guarded, "HTTP/1.1 403 ");
	guarded_come_from("192.0.2.7:1");
	test_web_get(&guarded, "/file/a", "X-Forwarded-For: 192.0.2.1\r\n");
	test_web_await(&guarded, "HTTP/1.1 403 ");
	guarded_trust(NULL, REAL_IP_OFF);
}

/* An address that is not known is in no network. */
static void
a_rule_for_all_is_also_for_who_is_not_known(void **state)
{
	(void)state;
	guarded_trust("10.0.0.0/8", REAL_IP_X_FORWARDED_FOR);
	guarded_use("allow 0.0.0.0/0; allow ::/0; allow unix:; deny all;");
	guarded_come_from("10.0.0.1:1");
	test_web_get(&guarded, "/file/a", "X-Forwarded-For: unknown\r\n");
	test_web_await(&guarded, "HTTP/1.1 403 ");
	guarded_trust(NULL, REAL_IP_OFF);
}

/* By a field that its proxy takes over as it is, and adds to, here a quote that is not
 * closed. */
static void
who_hides_its_address_is_denied_where_some_are(void **state)
{
	(void)state;
	guarded_trust("10.0.0.0/8", REAL_IP_FORWARDED);
	guarded_use("deny 192.0.2.1;");
	guarded_come_from("10.0.0.1:1");
	test_web_get(&guarded, "/file/a", "Forwarded: for=192.0.2.2\r\n");
	test_web_await(&guarded, "HTTP/1.1 200 ");
	test_web_get(
	    &guarded, "/file/a", "Forwarded: for=\"x, for=192.0.2.1\r\n");
	test_web_await(&guarded, "HTTP/1.1 403 ");
	guarded_use("deny 192.0.2.1; allow all;");
	guarded_come_from("10.0.0.1:1");
	test_web_get(&guarded, "/file/a", "Forwarded: for=unknown\r\n");
	test_web_await(&guarded, "HTTP/1.1 403 ");
	guarded_use("allow 192.0.2.1; allow all;");
	guarded_come_from("10.0.0.1:1");
	test_web_get(&guarded, "/file/a", "Forwarded: for=unknown\r\n");
	test_web_await(&guarded, "HTTP/1.1 200 ");
	guarded_trust(NULL, REAL_IP_OFF);
}

/* ---- limit_except ---- */

static void
limit_except_is_for_the_other_methods(void **state)
{
	(void)state;
	guarded_use("limit_except GET { deny all; }");
	guarded_assert_status("GET", "/file/a", "200");
	guarded_assert_status("HEAD", "/file/a", "200");
	guarded_assert_status("PUT", "/file/c", "403");
	guarded_come_from("192.0.2.1:1");
	guarded_assert_status("POST", "/file", "403");
	guarded_use("deny all; limit_except PUT POST { allow all; }");
	guarded_come_from("192.0.2.1:1");
	guarded_assert_status("GET", "/file/a", "200");
	guarded_assert_status("PUT", "/file/c", "403");
}

/* ---- where rules stand ---- */

static void
rules_of_a_block_replace_those_around_it(void **state)
{
	(void)state;
	guarded_use_server("deny all;", "");
	guarded_assert_status("GET", "/file/a", "403");
	guarded_use_server("deny all;", "allow all;");
	guarded_assert_status("GET", "/file/a", "200");
	guarded_use_server("allow all;", "deny all;");
	guarded_assert_status("GET", "/file/a", "403");
	/* One rule replaces all, the `deny` as well. */
	guarded_use_server("deny all;", "deny 192.0.2.9;");
	guarded_assert_status("GET", "/file/a", "200");
	guarded_use_server("deny all;", "limit_except GET { allow all; }");
	guarded_assert_status("GET", "/file/a", "403");
	guarded_assert_status("PUT", "/file/c", "201");
}

/* ---- names ---- */

/* With these, decoding the path leads elsewhere than the path itself. */
static void
an_escaped_prefix_is_no_way_around(void **state)
{
	static struct conf_location both[2];
	static char root[] = "/", deep[] = "/file/deep";

	(void)state;
	guarded_use("");
	both[0] = both[1] = guarded.location;
	both[0].prefix = deep;
	guarded_use("deny all;");
	both[0].rights = guarded.location.rights;
	both[1].rights = (struct conf_rights){0};
	guarded.stores[0] = guarded.store;
	guarded.context.stores =
	    (struct store *[]){guarded.store, guarded.store};
	guarded.server.conf.locations = both;
	guarded.server.conf.location_count = 2;
	guarded_apply();
	guarded_assert_status("GET", "/file/a", "200");
	guarded_assert_status("GET", "/file/%61", "200");
	guarded_assert_status("GET", "/file/deep/a", "403");
	guarded_assert_status("GET", "/file/d%65ep/a", "400");
	guarded_assert_status("PUT", "/file/deep%2fa", "400");
	guarded_come_from("192.0.2.1:1");
	guarded_assert_status("GET", "/file/d%65ep", "400");
	guarded_assert_status("GET", "/file/deepe", "404");
	both[1].prefix = root;
	guarded_assert_status("GET", "/%66ile/deep/a", "400");
	guarded_assert_status("GET", "/file/d%65ep", "400");
	guarded_assert_status("GET", "/file/%64eep/a", "400");
	guarded.server.conf.locations = &guarded.location;
	guarded.server.conf.location_count = 1;
}

/* ---- the configuration ---- */

static void
mistakes_are_told(void **state)
{
	(void)state;
	guarded_assert_mistake(
	    "allow 1.2.3;", "t:1:30: allow: \"1.2.3\": write an");
	guarded_assert_mistake("deny 10.0.0.1/8;",
	    "deny: \"10.0.0.1/8\": the address "
	    "has bits behind");
	guarded_assert_mistake(
	    "allow;", "allow: a value is missing; allowed: an addr");
	guarded_assert_mistake(
	    "allow all all;", "allow: takes one value, 2 given");
	guarded_assert_mistake("allow_origin *; deny all;",
	    "t:1:10: allow_origin: * lets pages of all sites in");
	guarded_assert_mistake(
	    "allow_origin *; limit_except GET { allow ::1; }",
	    "allow_origin: * lets");
	guarded_assert_mistake("satisfy some;", "allowed: all or any");
	/* What would let in more than it seems to. */
	guarded_assert_mistake("allow 10.0.0.0/8;",
	    "t:1:24: allow: nobody is kept out, since whom no rule is for");
	guarded_assert_mistake(
	    "satisfy any; allow ::1;", "t:1:37: allow: nobody is kept out");
	guarded_assert_mistake(
	    "satisfy any; auth_bearer_file /x; allow ::1; allow all;",
	    "allow all: nobody is kept out, since with satisfy any the "
	    "address is enough");
	guarded_assert_mistake("deny all; limit_except GET { allow ::1; }",
	    "t:1:53: allow: nobody is kept out");
	guarded_assert_mistake("deny all; allow 10.0.0.0/8;",
	    "t:1:24: deny all: the first rule that matches counts, and this");
	guarded_assert_mistake("deny ::1; allow all; deny all;",
	    "allow all: the first rule that matches");
	guarded_assert_mistake("signed_link_spent /x;",
	    "t:1:24: signed_link_spent: nobody is asked for a link");
	guarded_assert_mistake(
	    "output_dir /up; signed_link_keys /up/keys; signed_link_spent /up;",
	    "t:1:40: signed_link_keys: it lies in an output_dir");
	guarded_assert_mistake(
	    "output_dir /up; signed_link_keys /k; signed_link_spent /up;",
	    "signed_link_spent: it lies in an output_dir");
	guarded_assert_mistake("output_dir /up; auth_bearer_file /up/a/tokens;",
	    "auth_bearer_file: it lies in an output_dir");
	guarded_assert_mistake(
	    "limit_except { }", "a value is missing; allowed: METH");
	guarded_assert_mistake("limit_except get { }",
	    "t:1:37: limit_except: this is no method; allowed: GET, HEAD, PO");
	guarded_assert_mistake("limit_except GET;", "a block must follow");
	guarded_assert_mistake("limit_except GET { sync on; }",
	    "sync: not allowed in limit_except; allowed at top level, in "
	    "server or in location");
	guarded_assert_mistake("limit_except GET { } limit_except PUT { }",
	    "t:1:45: limit_except: a location has one at most");
	guarded_assert_mistake("limit_except GET { location /x { } }",
	    "location: not allowed in limit_except");
}

/* A rule around two locations is one mistake; and a directory may be named like another. */
static void
a_mistake_is_told_once(void **state)
{
	static const char twice[] =
	    "allow ::1; server { location /a { } location /b { } }";
	static const char good[] =
	    "output_dir /up; auth_bearer_file /uploads/tokens; server { "
	    "location /a { satisfy any; allow ::1; } "
	    "location /b { allow ::1; allow all; } }";
	struct str errors = {0};
	struct config *c = NULL;

	(void)state;
	assert_int_equal(
	    config_parse_text("t", twice, strlen(twice), &errors, &c), -EINVAL);
	assert_ptr_equal(
	    strchr(errors.s, '\n'), errors.s + strlen(errors.s) - 1);
	str_clear(&errors);
	if (config_parse_text("t", good, strlen(good), &errors, &c) < 0)
		fail_msg("%s", errors.s);
	config_free(&c);
	str_fini(&errors);
}

static void
what_is_printed_is_read_as_the_same(void **state)
{
	static const char text[] =
	    "allow 10.0.0.0/8; deny all; server { location /a { } location /b "
	    "{ deny unix:; limit_except GET PUT { allow ::1; deny all; } } }";
	char *once = NULL, *twice = NULL;
	struct str errors = {0};
	struct config *c = NULL;
	char **to[] = {&once, &twice};

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *from = i == 0 ? text : once;
		size_t len = 0;
		FILE *out;

		if (config_parse_text("t", from, strlen(from), &errors, &c) < 0)
			fail_msg("%s", errors.s);
		out = open_memstream(to[i], &len);
		config_print(c, out);
		fclose(out);
		config_free(&c);
	}
	assert_string_equal(once, twice);
	assert_non_null(strstr(once, "        allow                   "
				     "10.0.0.0/8;"));
	assert_non_null(strstr(once, "        limit_except GET PUT {\n"));
	assert_non_null(
	    strstr(once, "            allow                   ::1"));
	free(once);
	free(twice);
}

static void
the_command_line_replaces_rules(void **state)
{
	struct str errors = {0};
	struct config *c = NULL;
	const char *name = "conf/penstock.conf";

	(void)state;
	assert_int_equal(
	    config_load_with(name, "deny 192.0.2.1; allow all;", &errors, &c),
	    0);
	assert_int_equal(c->servers[0].locations[0].rights.access.count, 2);
	assert_false(c->servers[0].locations[0].rights.access.list[0].allow);
	config_free(&c);
}

int
main(void)
{
#define WEB_TEST(t)                                                            \
	cmocka_unit_test_setup_teardown(t, guarded_begin, guarded_end)
	const struct CMUnitTest tests[] = {
	    WEB_TEST(the_first_rule_that_matches_counts),
	    WEB_TEST(an_address_without_a_rule_may),
	    WEB_TEST(nothing_is_stored_for_who_is_denied),
	    WEB_TEST(rules_are_for_the_client_that_a_trusted_proxy_tells),
	    WEB_TEST(a_rule_for_all_is_also_for_who_is_not_known),
	    WEB_TEST(who_hides_its_address_is_denied_where_some_are),
	    WEB_TEST(limit_except_is_for_the_other_methods),
	    WEB_TEST(rules_of_a_block_replace_those_around_it),
	    WEB_TEST(an_escaped_prefix_is_no_way_around),
	    cmocka_unit_test(mistakes_are_told),
	    cmocka_unit_test(a_mistake_is_told_once),
	    cmocka_unit_test(what_is_printed_is_read_as_the_same),
	    cmocka_unit_test(the_command_line_replaces_rules),
	};

	return cmocka_run_group_tests(
	    tests, guarded_make_dir, guarded_remove_dir);
}
