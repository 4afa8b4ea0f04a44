/*
 * Words of other servers in a configuration: each gets the place, what it is
 * called here or what to do instead; and the table of them does not outlive
 * what it names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/directives.h"
#include "config/hints.h"

static void
assert_directives(const char *const names[HINTS_NAMES_MAX])
{
	for (size_t i = 0; i < HINTS_NAMES_MAX && names[i] != NULL; i++)
		if (directives_find(names[i]) == NULL)
			fail_msg("%s is no directive", names[i]);
}

static void
test_each_row_names_what_there_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < hints_count; i++) {
		const struct hint *h = &hints[i];

		if (i > 0)
			assert_true(strcmp(hints[i - 1].name, h->name) < 0);
		assert_null(directives_find(h->name));
		assert_ptr_equal(hints_find(h->name), h);
		assert_true(h->here[0] != NULL || h->more != NULL);
		for (const char *p = h->name; *p != '\0'; p++) {
			assert_false(*p >= 'A' && *p <= 'Z');
			assert_true(*p != '*' || p[1] == '\0');
		}
		assert_directives(h->here);
		assert_directives(h->see);
	}
}

static void
test_a_name_in_any_case_and_all_that_begin_so(void **state)
{
	(void)state;
	assert_string_equal(
	    hints_find("LimitRequestBody")->here[0], "max_body_size");
	assert_string_equal(hints_find("proxy_set_header")->name, "proxy_*");
	assert_string_equal(hints_find("PROXY_")->name, "proxy_*");
	assert_string_equal(hints_find("aio")->name, "aio");
	/* The whole name goes before one that only begins so. */
	assert_string_equal(hints_find("option")->name, "option");
	assert_null(hints_find("proxy"));
	assert_null(hints_find("aiox"));
	assert_null(hints_find("nonsense"));
	assert_null(hints_find(""));
}

static void
expect(const char *text, const char *expected)
{
	struct config *c = NULL;
	struct str errors = {0};

	assert_int_equal(
	    config_parse_text("t", text, strlen(text), &errors, &c), -EINVAL);
	assert_null(c);
	assert_string_equal(errors.s, expected);
	str_fini(&errors);
}

#define LOC "server { location /f { } }"

static void
test_what_is_said_of_names(void **state)
{
	(void)state;
	expect("\n client_max_body_size 1g; " LOC,
	    "t:2:2: client_max_body_size: here it is max_body_size\n");
	expect("large_client_header_buffers 4 8k; " LOC,
	    "t:1:1: large_client_header_buffers: here these are "
	    "max_header_size and max_request_line\n");
	expect("timeout 5s; " LOC,
	    "t:1:1: timeout: here these are header_timeout, body_timeout and "
	    "send_timeout\n");
	expect("SSLCertificateFile x; " LOC,
	    "t:1:1: SSLCertificateFile: here it is ssl_certificate\n");
	expect("ssl_dhparam x; " LOC,
	    "t:1:1: ssl_dhparam: there is nothing to set: leave it out; see "
	    "ssl_protocols and ssl_ciphers\n");
	expect("ssl_session_cache shared:SSL:10m; " LOC,
	    "t:1:1: ssl_session_cache: there is nothing to set, tickets and "
	    "their keys are made by themselves: leave it out; see "
	    "ssl_session_tickets\n");
	expect("limit_req zone=a; " LOC,
	    "t:1:1: limit_req: requests are not counted by time: let a proxy "
	    "in front do that; see max_connections_per_ip and max_uploads\n");
}

/* One hint for a directive, whatever else its values would be blamed for. */
static void
test_a_hint_is_all_that_is_said(void **state)
{
	(void)state;
	expect("proxy_pass http://$backend; " LOC,
	    "t:1:1: proxy_pass: penstock passes nothing on, it stores uploads "
	    "itself: this belongs into the proxy in front of it\n");
	expect("server { location ~ \\.php$ { } location /f { } }",
	    "t:1:19: location: a location is of a prefix only, location "
	    "/PREFIX { }, and the longest that matches is the one\n");
	expect("server { location ~\\.php$ { } location /f { } }",
	    "t:1:19: location: a location is of a prefix only, location "
	    "/PREFIX { }, and the longest that matches is the one\n");
	expect("server { location = /x { sync maybe; } location /f { } }",
	    "t:1:19: location: a location is of a prefix only, location "
	    "/PREFIX { }, and the longest that matches is the one\n"
	    "t:1:31: sync: \"maybe\" is neither on nor off; allowed: on or "
	    "off\n");
}

static void
test_what_is_said_of_values(void **state)
{
	(void)state;
	expect("server { listen 443 http2; location /f { } }",
	    "t:1:21: listen: HTTP/1.1 is all that is spoken here, and all "
	    "clients speak it: leave it out\n");
	expect("server { listen https://x:443; location /f { } }",
	    "t:1:17: listen: write an address without https://, and ssl "
	    "behind it, such as 0.0.0.0:443 ssl\n");
	expect("user a b; " LOC,
	    "t:1:8: user: the group is that of the user: leave out the second "
	    "name\n");
	expect("keepalive_timeout 75s 60s; " LOC,
	    "t:1:23: keepalive_timeout: it takes one time: a Keep-Alive field "
	    "is not sent, so leave out the second\n");
	expect("access_log /l main; " LOC,
	    "t:1:15: access_log: there is no log_format: write text, json or "
	    "combined\n");
	expect("error_log /l crit; " LOC,
	    "t:1:14: error_log: the levels here end at error: write that\n");
	expect("error_log syslog:server=a; " LOC,
	    "t:1:11: error_log: syslog is not written to: write stderr or "
	    "stdout, which systemd or Docker take, or a file\n");
}

/* What stands in a block that we do without is told at once, too. */
static void
test_blocks_that_are_looked_through(void **state)
{
	static const char no_block[] =
	    "there is no such block here: write what is in it at top level\n";
	char told[512];

	(void)state;
	snprintf(told, sizeof(told),
	    "t:1:1: http: %st:1:8: root: here it is output_dir; written inside "
	    "of a location: PREFIX/NAME is output_dir/NAME\n"
	    "t:1:45: sync: \"x\" is neither on nor off; allowed: on or off\n",
	    no_block);
	expect("http { root /a; server { location /f { sync x; } } }", told);
	snprintf(told, sizeof(told),
	    "t:1:1: events: %st:1:1: server: there is none; write server { "
	    "location /PREFIX { } }\n",
	    no_block);
	expect("events { worker_connections 5; }", told);
	/* Only where its contents may stand, and only to its end. */
	expect("server { http { sync x; } location /f { } }",
	    "t:1:10: http: there is no such block here: write what is in it at "
	    "top level\n");
	snprintf(told, sizeof(told),
	    "t:1:1: http: %st:1:1: http: the block is never closed; } is "
	    "missing\n",
	    no_block);
	expect("http { " LOC, told);
}

static void
test_a_dollar_is_no_variable(void **state)
{
#define NO_VARIABLES                                                           \
	"there are no variables: if the $ belongs to the name, write it in "   \
	"quotes\n"
	(void)state;
	expect(
	    "output_dir /s/$host/x; " LOC, "t:1:12: output_dir: " NO_VARIABLES);
	expect("pid_file /s/${host}/x; access_log a$; " LOC,
	    "t:1:10: pid_file: " NO_VARIABLES
	    "t:1:35: access_log: " NO_VARIABLES);
	expect("server { location /f$x { } location /f { } }",
	    "t:1:19: location: " NO_VARIABLES);
	expect("include $dir/x; " LOC, "t:1:9: include: " NO_VARIABLES);
	/* A brace that closes no variable is a brace. */
	expect("pid_file /s$",
	    "t:1:10: pid_file: " NO_VARIABLES
	    "t:1:1: server: there is none; write server { location /PREFIX { } "
	    "}\n");
}

static void
test_no_more_than_so_many(void **state)
{
	struct str text = {0}, errors = {0};
	struct config *c = NULL;
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < CONFIG_MISTAKES_MAX; i++)
		str_puts(&text, "zzzzzz 1;\n");
	str_puts(&text, LOC "\n");
	str_puts(&errors, "what was there before\n");
	assert_int_equal(
	    config_parse_text("t", text.s, text.len, &errors, &c), -EINVAL);
	assert_null(strstr(errors.s, "more"));
	assert_non_null(strstr(errors.s, "\nt:20:1: zzzzzz: "));
	str_clear(&errors);
	for (int i = 0; i < 300; i++)
		str_puts(&text, "zzzzzz 1;\n");
	str_puts(&errors, "what was there before\n");
	assert_int_equal(
	    config_parse_text("t", text.s, text.len, &errors, &c), -EINVAL);
	for (const char *p = errors.s; *p != '\0'; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 1 + CONFIG_MISTAKES_MAX + 1);
	assert_int_equal(errors.len, strlen(errors.s));
	assert_string_equal(strstr(errors.s, "\nand "), "\nand 300 more\n");
	str_fini(&text);
	str_fini(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_row_names_what_there_is),
	    cmocka_unit_test(test_a_name_in_any_case_and_all_that_begin_so),
	    cmocka_unit_test(test_what_is_said_of_names),
	    cmocka_unit_test(test_a_hint_is_all_that_is_said),
	    cmocka_unit_test(test_what_is_said_of_values),
	    cmocka_unit_test(test_blocks_that_are_looked_through),
	    cmocka_unit_test(test_a_dollar_is_no_variable),
	    cmocka_unit_test(test_no_more_than_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
