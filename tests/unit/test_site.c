/*
 * Whose page asks: from what a browser sends, and from what is left of it
 * behind a proxy.
 */
#include "http/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

static char named[] = "files.example", beneath[] = "*.names.example";
static char *names[] = {named, beneath};
static const struct conf_list own = {names, COUNT_OF(names)};

#define SITE(s) "Sec-Fetch-Site: " s "\r\n"
#define ORIGIN(s) "Origin: " s "\r\n"
#define HOST(s) "Host: " s "\r\n"
#define XFH(s) "X-Forwarded-Host: " s "\r\n"

/* clang-format off */
static const struct {
	enum site site;
	const char *fields;
} rows[] = {
	/* No browser. */
	{ SITE_NONE,    HOST("a") },
	{ SITE_NONE,    HOST("a") XFH("b") },

	/* A browser that says it. */
	{ SITE_OWN,     HOST("a") SITE("same-origin") },
	{ SITE_OWN,     HOST("a") SITE("Same-Origin") },
	{ SITE_NONE,    HOST("a") SITE("none") },
	{ SITE_FOREIGN, HOST("a") SITE("cross-site") },
	{ SITE_FOREIGN, HOST("a") SITE("same-site") },
	{ SITE_FOREIGN, HOST("a") SITE("cross-site") ORIGIN("http://a") },
	{ SITE_FOREIGN, HOST("a") SITE("same-site") ORIGIN("http://a") },
	{ SITE_OWN,     HOST("backend:1") SITE("same-origin")
			ORIGIN("http://public") },

	/* A word that is not known yet does not decide. */
	{ SITE_OWN,     HOST("a") SITE("x") ORIGIN("http://a") },
	{ SITE_FOREIGN, HOST("a") SITE("x") ORIGIN("http://b") },
	{ SITE_FOREIGN, HOST("a") SITE("x") },
	{ SITE_FOREIGN, HOST("a") SITE("") },
	{ SITE_FOREIGN, HOST("a") SITE("same-origin, cross-site") },

	/* One that says its origin only. */
	{ SITE_OWN,     HOST("a") ORIGIN("http://a") },
	{ SITE_OWN,     HOST("A:80") ORIGIN("http://a") },
	{ SITE_OWN,     HOST("a") ORIGIN("https://a") },
	{ SITE_OWN,     HOST("a:443") ORIGIN("https://a") },
	{ SITE_OWN,     HOST("127.0.0.1:8000") ORIGIN("http://127.0.0.1:8000") },
	{ SITE_OWN,     HOST("[0::1]:8000") ORIGIN("http://[::1]:8000") },
	{ SITE_FOREIGN, HOST("127.0.0.1:8000") ORIGIN("http://127.0.0.1:9000") },
	{ SITE_FOREIGN, HOST("127.0.0.1:8000") ORIGIN("http://127.0.0.1") },
	{ SITE_FOREIGN, HOST("127.0.0.1:8000") ORIGIN("http://localhost:8000") },
	{ SITE_FOREIGN, HOST("a") ORIGIN("http://a:8000") },
	{ SITE_FOREIGN, HOST("a") ORIGIN("http://b.a") },
	{ SITE_FOREIGN, HOST("a") ORIGIN("http://a.b") },
	{ SITE_FOREIGN, HOST("a") ORIGIN("null") },
	{ SITE_FOREIGN, HOST("null") ORIGIN("null") },
	{ SITE_FOREIGN, HOST("a") ORIGIN("") },
	{ SITE_FOREIGN, HOST("a") ORIGIN("a") },
	{ SITE_FOREIGN, HOST("a") ORIGIN("http://b http://a") },
	{ SITE_FOREIGN, HOST("a") ORIGIN("http://a, http://a") },
	{ SITE_FOREIGN, HOST("a") ORIGIN("capacitor://a") },

	/* Behind a proxy that has a Host of its own. */
	{ SITE_OWN,     HOST("backend:1") XFH("a:80") ORIGIN("http://a") },
	{ SITE_OWN,     HOST("backend:1") XFH("x, a") ORIGIN("https://a") },
	{ SITE_OWN,     HOST("backend:1") XFH("a, inner") ORIGIN("https://a") },
	{ SITE_OWN,     HOST("backend:1") XFH("x") XFH("a") ORIGIN("http://a") },
	{ SITE_FOREIGN, HOST("backend:1") XFH("a") ORIGIN("http://a:8080") },
	{ SITE_FOREIGN, HOST("backend:1") XFH("a b") ORIGIN("http://a") },
	{ SITE_FOREIGN, HOST("backend:1") XFH("") ORIGIN("http://a") },
	{ SITE_FOREIGN, HOST("backend:1") XFH("a") ORIGIN("null") },
	{ SITE_FOREIGN, HOST("backend:1") XFH("a") SITE("cross-site")
			ORIGIN("http://a") },

	/* And says nothing: then the server's own names. */
	{ SITE_OWN,     HOST("backend:1") ORIGIN("http://files.example") },
	{ SITE_OWN,     HOST("backend:1") ORIGIN("https://files.example") },
	{ SITE_OWN,     HOST("backend:1") ORIGIN("https://a.names.example") },
	{ SITE_FOREIGN, HOST("backend:1") ORIGIN("http://files.example:81") },
	{ SITE_FOREIGN, HOST("backend:1") ORIGIN("https://names.example") },
	{ SITE_FOREIGN, HOST("backend:1") ORIGIN("x://files.example") },
};
/* clang-format on */

static struct head
head_of(const char *version, const char *fields, char text[1024])
{
	struct head h;
	const char *why = NULL;
	int n = snprintf(text, 1024,
	    "PUT /file/a HTTP/%s\r\nContent-Length: 0\r\n%s\r\n", version,
	    fields);

	if (head_parse(text, (size_t)n, &h, &why) != 0)
		fail_msg("%s: %s", fields, why);
	return h;
}

static void
each_row_is_judged(void **state)
{
	static const char *const says[] = {"none", "own", "foreign"};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct head h = head_of("1.1", rows[i].fields, text);
		enum site got = site_of(&h, &own);

		if (got != rows[i].site)
			fail_msg("row %zu: %s, not %s:\n%s", i, says[got],
			    says[rows[i].site], rows[i].fields);
	}
}

static void
a_request_without_host_has_no_page(void **state)
{
	char text[1024];
	struct head h;

	(void)state;
	h = head_of("1.0", "", text);
	assert_int_equal(site_of(&h, &own), SITE_NONE);
	assert_true(site_knows_host(&h, &own));
	h = head_of("1.0", ORIGIN("http://a"), text);
	assert_int_equal(site_of(&h, &own), SITE_FOREIGN);
}

static void
hosts_that_are_known(void **state)
{
	static const char *const good[] = {HOST("localhost"),
	    HOST("LOCALHOST:8000"), HOST("a.localhost."),
	    HOST("127.0.0.1:8000"), HOST("192.0.2.1"), HOST("[::1]:8000"),
	    HOST("files.example:1"), HOST("Files.Example."),
	    HOST("a.b.names.example")};
	static const char *const bad[] = {HOST("evil.example"),
	    HOST("localhost.evil.example"), HOST("127.0.0.1.nip.io"),
	    HOST("names.example"), HOST("files.example.evil"), HOST("%6c"),
	    HOST("localhost,evil")};
	char text[1024];
	struct head h;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		h = head_of("1.1", good[i], text);
		if (!site_knows_host(&h, &own))
			fail_msg("%s", good[i]);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		h = head_of("1.1", bad[i], text);
		if (site_knows_host(&h, &own))
			fail_msg("%s", bad[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_row_is_judged),
	    cmocka_unit_test(a_request_without_host_has_no_page),
	    cmocka_unit_test(hosts_that_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
