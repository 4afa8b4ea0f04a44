/*
 * Who may send which requests, from the configuration to the answer.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "lib/cmocka_with.h"
#include "lib/web.h"

static struct test_web f;
static struct config *conf;

/* The rules of location /file, and what is in the server beside it. */
static void
use_server(const char *server, const char *rules)
{
	struct str text = {0}, errors = {0};

	str_printf(&text, "server { %s location /file { %s } }", server, rules);
	config_free(&conf);
	if (config_parse_text("t", text.s, text.len, &errors, &conf) < 0)
		fail_msg("%s", errors.s);
	str_fini(&text);
	for (size_t i = 0; i < conf->servers[0].location_count; i++)
		if (strcmp(conf->servers[0].locations[i].prefix, "/file") ==
		    0) {
			f.location.rights =
			    conf->servers[0].locations[i].rights;
			f.location.except =
			    conf->servers[0].locations[i].except;
		}
	dispatch_init(&f.dispatch, &f.context);
}

static void
use(const char *rules)
{
	use_server("", rules);
}

static int
set_up(void **state)
{
	(void)state;
	test_web_begin(&f);
	memory_store_add(f.store, "a", f.body, 100);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	test_web_end(&f);
	config_free(&conf);
	return 0;
}

/* A client at this address, as addr_parse() reads it. */
static void
come_from(const char *text)
{
	const char *why = NULL;
	struct addr a;

	test_client_hang_up(&f.client);
	test_web_turn(&f, 3);
	assert_int_equal(addr_parse(text, &a, &why), 0);
	test_client_connect_from(&f.client, &f.server, &a);
}

static void
assert_status(const char *method, const char *path, const char *status)
{
	test_web_say_head(&f, method, path, 0,
	    strcmp(method, "POST") == 0 ? "Content-Length: 0\r\n" : "");
	test_web_await(&f, "\r\n\r\n");
	if (memcmp(f.client.got + 9, status, 3) != 0)
		fail_msg(
		    "%s %s: not %s: %s", method, path, status, f.client.got);
}

/* ---- allow, deny ---- */

static void
the_first_rule_that_matches_counts(void **state)
{
	(void)state;
	use("deny 192.0.2.1; allow 192.0.2.0/24; allow unix:; deny all;");
	come_from("192.0.2.1:1");
	assert_status("GET", "/file/a", "403");
	come_from("192.0.2.2:1");
	assert_status("GET", "/file/a", "200");
	come_from("[::ffff:192.0.2.1]:1");
	assert_status("GET", "/file/a", "403");
	come_from("[::ffff:192.0.2.2]:1");
	assert_status("GET", "/file/a", "200");
	come_from("[2001:db8::1]:1");
	assert_status("GET", "/file/a", "403");
	come_from("unix:/x");
	assert_status("GET", "/file/a", "200");
}

static void
an_address_without_a_rule_may(void **state)
{
	(void)state;
	use("deny 192.0.2.0/24;");
	come_from("192.0.3.1:1");
	assert_status("GET", "/file/a", "200");
}

static void
nothing_is_stored_for_who_is_denied(void **state)
{
	(void)state;
	use("deny all;");
	test_web_put(&f, "/file/b", 100, "");
	test_web_await(&f, "HTTP/1.1 403 ");
	test_web_await(&f, "application/problem+json");
	assert_false(store_has_files(f.store));
	use("");
	come_from("192.0.2.1:1");
	assert_status("GET", "/file/b", "404");
}

/* ---- what proxies say ---- */

static void
trust(const char *proxies, enum conf_real_ip header)
{
	const char *why;

	networks_clear(&f.server.conf.trusted_proxies);
	assert_int_equal(
	    networks_add(&f.server.conf.trusted_proxies, proxies, true, &why),
	    0);
	f.server.conf.real_ip_header = header;
}

static void
rules_are_for_the_client_that_a_trusted_proxy_tells(void **state)
{
	(void)state;
	trust("10.0.0.0/8", REAL_IP_X_FORWARDED_FOR);
	use("allow 192.0.2.1; deny all;");
	come_from("10.0.0.1:1");
	assert_status("GET", "/file/a", "403");
	test_web_get(&f, "/file/a", "X-Forwarded-For: 192.0.2.1\r\n");
	test_web_await(&f, "HTTP/1.1 200 ");
	test_web_get(&f, "/file/a", "X-Forwarded-For: 192.0.2.2\r\n");
	test_web_await(&f, "HTTP/1.1 403 ");
	/* The client cannot say it. */
	test_web_get(
	    &f, "/file/a", "X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n");
	test_web_await(&f, "HTTP/1.1 403 ");
	come_from("192.0.2.7:1");
	test_web_get(&f, "/file/a", "X-Forwarded-For: 192.0.2.1\r\n");
	test_web_await(&f, "HTTP/1.1 403 ");
	networks_clear(&f.server.conf.trusted_proxies);
}

/* An address that is not known is in no network. */
static void
a_rule_for_all_is_also_for_who_is_not_known(void **state)
{
	(void)state;
	trust("10.0.0.0/8", REAL_IP_X_FORWARDED_FOR);
	use("allow 0.0.0.0/0; allow ::/0; allow unix:; deny all;");
	come_from("10.0.0.1:1");
	test_web_get(&f, "/file/a", "X-Forwarded-For: unknown\r\n");
	test_web_await(&f, "HTTP/1.1 403 ");
	networks_clear(&f.server.conf.trusted_proxies);
}

/* ---- limit_except ---- */

static void
limit_except_is_for_the_other_methods(void **state)
{
	(void)state;
	use("limit_except GET { deny all; }");
	assert_status("GET", "/file/a", "200");
	assert_status("HEAD", "/file/a", "200");
	assert_status("PUT", "/file/c", "403");
	come_from("192.0.2.1:1");
	assert_status("POST", "/file", "403");
	use("deny all; limit_except PUT POST { allow all; }");
	come_from("192.0.2.1:1");
	assert_status("GET", "/file/a", "200");
	assert_status("PUT", "/file/c", "403");
}

/* ---- where rules stand ---- */

static void
rules_of_a_block_replace_those_around_it(void **state)
{
	(void)state;
	use_server("deny all;", "");
	assert_status("GET", "/file/a", "403");
	use_server("deny all;", "allow all;");
	assert_status("GET", "/file/a", "200");
	use_server("allow all;", "deny all;");
	assert_status("GET", "/file/a", "403");
	/* One `allow` replaces all, the `deny` as well. */
	use_server("deny all;", "allow 192.0.2.1;");
	assert_status("GET", "/file/a", "200");
	use_server("deny all;", "limit_except GET { allow all; }");
	assert_status("GET", "/file/a", "403");
	assert_status("PUT", "/file/c", "201");
}

/* ---- names ---- */

/* With these, decoding the path leads elsewhere than the path itself. */
static void
an_escaped_prefix_is_no_way_around(void **state)
{
	static struct conf_location both[2];
	static char root[] = "/", deep[] = "/file/deep";

	(void)state;
	use("");
	both[0] = both[1] = f.location;
	both[0].prefix = deep;
	use("deny all;");
	both[0].rights = f.location.rights;
	f.stores[0] = f.store;
	f.context.stores = (struct store *[]){f.store, f.store};
	f.server.conf.locations = both;
	f.server.conf.location_count = 2;
	dispatch_init(&f.dispatch, &f.context);
	assert_status("GET", "/file/a", "200");
	assert_status("GET", "/file/%61", "200");
	assert_status("GET", "/file/deep/a", "403");
	assert_status("GET", "/file/d%65ep/a", "400");
	assert_status("PUT", "/file/deep%2fa", "400");
	come_from("192.0.2.1:1");
	assert_status("GET", "/file/d%65ep", "400");
	assert_status("GET", "/file/deepe", "404");
	both[1].prefix = root;
	assert_status("GET", "/%66ile/deep/a", "400");
	assert_status("GET", "/file/d%65ep", "400");
	assert_status("GET", "/file/%64eep/a", "400");
	f.server.conf.locations = &f.location;
	f.server.conf.location_count = 1;
}

/* ---- the configuration ---- */

static void
assert_mistake(const char *rules, const char *expected)
{
	struct str text = {0}, errors = {0};
	struct config *c = NULL;

	str_printf(&text, "server { location /f { %s } }", rules);
	assert_int_equal(
	    config_parse_text("t", text.s, text.len, &errors, &c), -EINVAL);
	if (strstr(errors.s, expected) == NULL)
		fail_msg("%s: no %s in: %s", rules, expected, errors.s);
	str_fini(&text);
	str_fini(&errors);
}

static void
mistakes_are_told(void **state)
{
	(void)state;
	assert_mistake("allow 1.2.3;", "t:1:30: allow: \"1.2.3\": write an");
	assert_mistake("deny 10.0.0.1/8;", "deny: \"10.0.0.1/8\": the address "
					   "has bits behind");
	assert_mistake("allow;", "allow: a value is missing; allowed: an addr");
	assert_mistake("allow all all;", "allow: takes one value, 2 given");
	assert_mistake("limit_except { }", "a value is missing; allowed: METH");
	assert_mistake("limit_except get { }",
	    "t:1:37: limit_except: this is no method; allowed: GET, HEAD, PO");
	assert_mistake("limit_except GET;", "a block must follow");
	assert_mistake("limit_except GET { sync on; }",
	    "sync: not allowed in limit_except; allowed at top level, in "
	    "server or in location");
	assert_mistake("limit_except GET { } limit_except PUT { }",
	    "t:1:45: limit_except: a location has one at most");
	assert_mistake("limit_except GET { location /x { } }",
	    "location: not allowed in limit_except");
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
#define WEB_TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    WEB_TEST(the_first_rule_that_matches_counts),
	    WEB_TEST(an_address_without_a_rule_may),
	    WEB_TEST(nothing_is_stored_for_who_is_denied),
	    WEB_TEST(rules_are_for_the_client_that_a_trusted_proxy_tells),
	    WEB_TEST(a_rule_for_all_is_also_for_who_is_not_known),
	    WEB_TEST(limit_except_is_for_the_other_methods),
	    WEB_TEST(rules_of_a_block_replace_those_around_it),
	    WEB_TEST(an_escaped_prefix_is_no_way_around),
	    cmocka_unit_test(mistakes_are_told),
	    cmocka_unit_test(what_is_printed_is_read_as_the_same),
	    cmocka_unit_test(the_command_line_replaces_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
