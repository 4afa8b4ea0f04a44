/*
 * The router: each method on each kind of path, from the bytes of a head.
 */
#include "web/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] = "server { listen 127.0.0.1:8000;\n"
			   "location /file { output_dir /tmp/a; form off; }\n"
			   "location /file/deep { output_dir /tmp/b; }\n"
			   "location /drop { output_dir /tmp/c; read off; } }\n"
			   "server { listen 127.0.0.1:8001;\n"
			   "location / { output_dir /tmp/d; } }\n"
			   "server { listen 127.0.0.1:8002; resume on;\n"
			   "location /file { output_dir /tmp/e; }\n"
			   "location /tus { output_dir /tmp/f;\n"
			   "resume_versions tus; } }\n";

static struct config *conf;

static int
set_up(void **state)
{
	struct str errors = {0};

	(void)state;
	if (config_parse_text(
		"test.conf", text, sizeof(text) - 1, &errors, &conf) < 0) {
		print_error("%s", errors.s);
		return -1;
	}
	str_fini(&errors);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	config_free(&conf);
	return 0;
}

/* The route of a request with these field lines. */
static struct route
route_of(unsigned server, const char *line, const char *fields)
{
	static char buf[1024]; /* the route points into it */
	const char *why;
	struct route r;
	struct head h = {0};
	int len;

	len = snprintf(
	    buf, sizeof(buf), "%s HTTP/1.1\r\nHost: h\r\n%s\r\n", line, fields);
	if (head_parse(buf, (size_t)len, &h, &why) != 0)
		fail_msg("%s: %s", line, why);
	router_route(&conf->servers[server], &h, &r);
	return r;
}

#define ALL "GET, HEAD, POST, PUT, OPTIONS"
#define STORE_ONLY "POST, PUT, OPTIONS"
#define INDEX "GET, HEAD, OPTIONS"

/* clang-format off */
static const struct row {
	unsigned server;
	const char *line;
	enum route_kind kind;
	int status; /* of a refused one */
	const char *allow;
	const char *prefix; /* of the location; NULL: none */
	const char *name;
} rows[] = {
	{ 0, "GET /", ROUTE_INDEX, 0, INDEX, NULL, "" },
	{ 0, "HEAD /", ROUTE_INDEX, 0, INDEX, NULL, "" },
	{ 0, "GET /?x=/file", ROUTE_INDEX, 0, INDEX, NULL, "" },
	{ 0, "OPTIONS /", ROUTE_OPTIONS, 0, INDEX, NULL, "" },
	{ 0, "PUT /", ROUTE_REFUSED, 405, INDEX, NULL, "" },
	{ 0, "POST /", ROUTE_REFUSED, 405, INDEX, NULL, "" },
	{ 0, "DELETE /", ROUTE_REFUSED, 405, INDEX, NULL, "" },
	/* a location */
	{ 0, "PUT /file", ROUTE_STORE_NEW, 0, ALL, "/file", "" },
	{ 0, "POST /file", ROUTE_STORE_NEW, 0, ALL, "/file", "" },
	{ 0, "POST /file?name=x", ROUTE_STORE_NEW, 0, ALL, "/file", "" },
	{ 0, "GET /file", ROUTE_READ_NEWEST, 0, ALL, "/file", "" },
	{ 0, "HEAD /file", ROUTE_READ_NEWEST, 0, ALL, "/file", "" },
	{ 0, "OPTIONS /file", ROUTE_OPTIONS, 0, ALL, "/file", "" },
	{ 0, "DELETE /file", ROUTE_REFUSED, 405, ALL, "/file", "" },
	{ 0, "PATCH /file", ROUTE_REFUSED, 405, ALL, "/file", "" },
	{ 0, "PUT http://h/file", ROUTE_STORE_NEW, 0, ALL, "/file", "" },
	/* a name in it */
	{ 0, "PUT /file/a", ROUTE_STORE_NAMED, 0, ALL, "/file", "a" },
	{ 0, "PUT /file/a/b.bin", ROUTE_STORE_NAMED, 0, ALL, "/file", "a/b.bin" },
	{ 0, "PUT /file/a%2Fb?x", ROUTE_STORE_NAMED, 0, ALL, "/file", "a%2Fb" },
	{ 0, "PUT /file//a", ROUTE_STORE_NAMED, 0, ALL, "/file", "/a" },
	{ 0, "GET /file/a", ROUTE_READ_NAMED, 0, ALL, "/file", "a" },
	{ 0, "HEAD /file/a", ROUTE_READ_NAMED, 0, ALL, "/file", "a" },
	{ 0, "OPTIONS /file/a", ROUTE_OPTIONS, 0, ALL, "/file", "a" },
	{ 0, "POST /file/a", ROUTE_STORE_NAMED, 0, ALL, "/file", "a" },
	{ 0, "POST /file/a/b.bin?x", ROUTE_STORE_NAMED, 0, ALL, "/file", "a/b.bin" },
	{ 0, "DELETE /file/a", ROUTE_REFUSED, 405, ALL, "/file", "a" },
	/* neither: the slash alone */
	{ 0, "PUT /file/", ROUTE_REFUSED, 400, ALL, "/file", "" },
	{ 0, "GET /file/", ROUTE_REFUSED, 404, ALL, "/file", "" },
	{ 0, "POST /file/", ROUTE_STORE_NEW, 0, ALL, "/file", "" },
	{ 0, "OPTIONS /file/", ROUTE_OPTIONS, 0, ALL, "/file", "" },
	/* the longest prefix, at a slash only */
	{ 0, "PUT /file/deep", ROUTE_STORE_NEW, 0, ALL, "/file/deep", "" },
	{ 0, "PUT /file/deep/a", ROUTE_STORE_NAMED, 0, ALL, "/file/deep", "a" },
	{ 0, "PUT /file/deeper", ROUTE_STORE_NAMED, 0, ALL, "/file", "deeper" },
	{ 0, "PUT /files", ROUTE_REFUSED, 404, NULL, NULL, "" },
	{ 0, "GET /fil", ROUTE_REFUSED, 404, NULL, NULL, "" },
	{ 0, "GET /other/file", ROUTE_REFUSED, 404, NULL, NULL, "" },
	{ 0, "OPTIONS /other", ROUTE_REFUSED, 404, NULL, NULL, "" },
	/* read off */
	{ 0, "PUT /drop", ROUTE_STORE_NEW, 0, STORE_ONLY, "/drop", "" },
	{ 0, "GET /drop", ROUTE_REFUSED, 405, STORE_ONLY, "/drop", "" },
	{ 0, "HEAD /drop", ROUTE_REFUSED, 405, STORE_ONLY, "/drop", "" },
	{ 0, "OPTIONS /drop", ROUTE_OPTIONS, 0, STORE_ONLY, "/drop", "" },
	{ 0, "PUT /drop/a", ROUTE_STORE_NAMED, 0, STORE_ONLY, "/drop", "a" },
	{ 0, "POST /drop/a", ROUTE_STORE_NAMED, 0, STORE_ONLY, "/drop", "a" },
	{ 0, "POST /drop/", ROUTE_STORE_NEW, 0, STORE_ONLY, "/drop", "" },
	{ 0, "GET /drop/a", ROUTE_REFUSED, 405, STORE_ONLY, "/drop", "a" },
	{ 0, "HEAD /drop/a", ROUTE_REFUSED, 405, STORE_ONLY, "/drop", "a" },
	{ 0, "GET /drop/", ROUTE_REFUSED, 405, STORE_ONLY, "/drop", "" },
	/* the server itself, and proxies */
	{ 0, "OPTIONS *", ROUTE_OPTIONS, 0, ALL, NULL, "" },
	{ 0, "CONNECT h:443", ROUTE_REFUSED, 405, ALL, NULL, "" },
	/* location / is all there is */
	{ 1, "PUT /", ROUTE_STORE_NEW, 0, ALL, "/", "" },
	{ 1, "POST /", ROUTE_STORE_NEW, 0, ALL, "/", "" },
	{ 1, "GET /", ROUTE_READ_NEWEST, 0, ALL, "/", "" },
	{ 1, "PUT /a", ROUTE_STORE_NAMED, 0, ALL, "/", "a" },
	{ 1, "POST /a", ROUTE_STORE_NAMED, 0, ALL, "/", "a" },
	{ 1, "PUT /a/b", ROUTE_STORE_NAMED, 0, ALL, "/", "a/b" },
	{ 1, "GET /a", ROUTE_READ_NAMED, 0, ALL, "/", "a" },
	{ 1, "OPTIONS /a", ROUTE_OPTIONS, 0, ALL, "/", "a" },
};
/* clang-format on */

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
each_method_on_each_path(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *w = &rows[i];
		struct route r =
		    route_of(w->server, w->line, "Content-Length: 1\r\n");
		const char *prefix = r.location ? r.location->prefix : NULL;

		if (r.kind == w->kind &&
		    (r.kind != ROUTE_REFUSED || r.status == w->status) &&
		    same(r.allow, w->allow) && same(prefix, w->prefix) &&
		    r.name.len == strlen(w->name) &&
		    (r.name.len == 0 ||
			memcmp(r.name.s, w->name, r.name.len) == 0))
			continue;
		wrong++;
		print_error("%s: kind %d status %d allow %s in %s name %.*s\n",
		    w->line, (int)r.kind, r.status, r.allow ? r.allow : "-",
		    prefix ? prefix : "-", (int)r.name.len,
		    r.name.s ? r.name.s : "");
	}
	assert_int_equal(wrong, 0);
}

/* clang-format off */
#define TUS "Tus-Resumable: 1.0.0\r\n"
#define V8 "Upload-Draft-Interop-Version: 8\r\n"
#define ID "0123456789abcdef0123456789abcdef"
static const struct resume_row {
	const char *line, *fields;
	enum route_kind kind;
	int status;
	const char *name;
	enum head_method method; /* of ROUTE_RESUME */
} resumes[] = {
	{ "POST /file", TUS, ROUTE_RESUME_NEW, 0, "", 0 },
	{ "POST /file/", TUS, ROUTE_RESUME_NEW, 0, "", 0 },
	{ "POST /file/a/b", TUS, ROUTE_RESUME_NEW, 0, "a/b", 0 },
	{ "PUT /file/a", TUS, ROUTE_REFUSED, 405, "a", 0 },
	{ "HEAD /file/a", TUS, ROUTE_REFUSED, 404, "a", 0 },
	{ "PATCH /file/a", TUS, ROUTE_REFUSED, 404, "a", 0 },
	{ "GET /file/a", TUS, ROUTE_READ_NAMED, 0, "a", 0 },
	{ "POST /file", "Tus-Resumable: 1.0\r\n", ROUTE_REFUSED, 412, "", 0 },
	{ "HEAD /file/.penstock/" ID, TUS, ROUTE_RESUME, 0, ID, METHOD_HEAD },
	{ "HEAD /file/.penstock/" ID, "", ROUTE_RESUME, 0, ID, METHOD_HEAD },
	{ "GET /file/.penstock/" ID "?a", "", ROUTE_RESUME, 0, ID, METHOD_GET },
	{ "PATCH /file/.penstock/" ID, V8, ROUTE_RESUME, 0, ID, METHOD_PATCH },
	{ "DELETE /file/.penstock/" ID, TUS, ROUTE_RESUME, 0, ID, METHOD_DELETE },
	{ "POST /file/.penstock/" ID, TUS "X-HTTP-Method-Override: PATCH\r\n", ROUTE_RESUME, 0, ID, METHOD_PATCH },
	{ "POST /file/.penstock/" ID, TUS "X-HTTP-Method-Override: PUT\r\n", ROUTE_REFUSED, 405, ID, 0 },
	{ "GET /file/.penstock/" ID, "X-HTTP-Method-Override: DELETE\r\n", ROUTE_RESUME, 0, ID, METHOD_GET },
	{ "POST /file/.penstock/" ID, TUS, ROUTE_REFUSED, 405, ID, 0 },
	{ "PUT /file/.penstock/" ID, "", ROUTE_REFUSED, 405, ID, 0 },
	{ "OPTIONS /file/.penstock/" ID, TUS, ROUTE_OPTIONS, 0, ID, 0 },
	{ "HEAD /file/.penstock/" ID, "Tus-Resumable: 9\r\n", ROUTE_REFUSED, 412, ".penstock/" ID, 0 },
	{ "PATCH /file/.penstock/..%2f" ID, TUS, ROUTE_RESUME, 0, "..%2f" ID, METHOD_PATCH },
	{ "HEAD /file/.penstock%2f" ID, "", ROUTE_READ_NAMED, 0, ".penstock%2f" ID, 0 },
	/* the drafts */
	{ "PUT /file/a", V8 "Upload-Complete: ?1\r\n", ROUTE_RESUME_NEW, 0, "a", 0 },
	{ "PUT /file/a", V8 "Upload-Complete: ?0\r\n", ROUTE_RESUME_NEW, 0, "a", 0 },
	{ "PUT /file/a", "Upload-Complete: ?0\r\n", ROUTE_RESUME_NEW, 0, "a", 0 },
	{ "PUT /file/a", "Upload-Complete: ?1\r\nContent-Length: 1\r\n", ROUTE_STORE_NAMED, 0, "a", 0 },
	{ "PUT /file/a", "Upload-Draft-Interop-Version: 7\r\nUpload-Complete: ?1\r\nContent-Length: 1\r\n", ROUTE_STORE_NAMED, 0, "a", 0 },
	{ "PUT /file/a", V8 "Content-Length: 1\r\n", ROUTE_STORE_NAMED, 0, "a", 0 },
	{ "PUT /file/a", V8 "Upload-Complete: ?0\r\nUpload-Offset: 1\r\nContent-Length: 1\r\n", ROUTE_REFUSED, 400, "a", 0 },
	{ "PUT /file/a", V8 "Upload-Complete: ?1\r\nContent-Encoding: gzip\r\n", ROUTE_REFUSED, 415, "a", 0 },
	{ "PUT /tus/a", V8 "Upload-Complete: ?0\r\nContent-Length: 1\r\n", ROUTE_REFUSED, 400, "a", 0 },
	{ "POST /tus", TUS, ROUTE_RESUME_NEW, 0, "", 0 },
};
/* clang-format on */

static void
uploads_that_are_resumed_have_routes_of_their_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(resumes); i++) {
		const struct resume_row *w = &resumes[i];
		struct route r = route_of(2, w->line, w->fields);

		if (r.kind != w->kind || r.name.len != strlen(w->name) ||
		    (r.name.len > 0 &&
			memcmp(r.name.s, w->name, r.name.len) != 0) ||
		    (r.kind == ROUTE_REFUSED && r.status != w->status) ||
		    (r.kind == ROUTE_RESUME && r.method != w->method))
			fail_msg("%s %s: kind %d status %d name %.*s", w->line,
			    w->fields, (int)r.kind, r.status, (int)r.name.len,
			    r.name.s ? r.name.s : "");
	}
}

static void
a_refusal_says_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct route r = route_of(
		    rows[i].server, rows[i].line, "Content-Length: 1\r\n");

		if (r.kind != ROUTE_REFUSED)
			continue;
		assert_non_null(r.why);
		assert_true(strlen(r.why) > 10);
		assert_true(r.outcome != OUTCOME_NONE && r.fields != NULL);
		if (r.status == 405)
			assert_non_null(r.allow);
	}
}

/* clang-format off */
static const struct store_row {
	const char *line, *fields;
	int status; /* 0: it is stored */
} stores[] = {
	{ "PUT /file/a", "Content-Length: 0\r\n", 0 },
	{ "PUT /file/a", "Transfer-Encoding: chunked\r\n", 0 },
	{ "POST /file", "Content-Length: 0\r\n", 0 },
	{ "PUT /file/a", "", 411 },
	{ "PUT /file", "", 411 },
	{ "POST /file", "", 411 },
	{ "PUT /file/a", "Content-Length: 1\r\nContent-Encoding: gzip\r\n", 415 },
	{ "POST /file", "Content-Length: 1\r\nContent-Encoding: gzip\r\n", 415 },
	{ "PUT /file/a", "Content-Length: 1\r\nContent-Encoding: identity\r\n", 0 },
	{ "PUT /file/a", "Content-Length: 1\r\nContent-Range: bytes 0-0/2\r\n", 400 },
	{ "POST /file", "Content-Length: 1\r\nContent-Range: bytes 0-0/2\r\n", 400 },
	{ "PUT /file/a", "Content-Length: 1\r\nExpect: 100-continue\r\n", 0 },
	{ "PUT /file/a", "Content-Length: 1\r\nExpect: a-miracle\r\n", 417 },
	{ "POST /file/a", "Content-Length: 1\r\n", 0 },
	{ "POST /file/a", "", 411 },
	{ "POST /file/", "", 411 },
	{ "POST /file/a", "Content-Length: 1\r\nContent-Range: bytes 0-0/1\r\n", 0 },
	{ "POST /file", "Content-Length: 1\r\nContent-Type: multipart/form-data; boundary=x\r\n", 415 },
	{ "PUT /file/a", "Content-Length: 1\r\nContent-Type: multipart/form-data\r\n", 415 },
	{ "POST /file/", "Content-Length: 0\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 9\r\n", 400 },
	{ "PATCH /file/a", "Content-Length: 1\r\nTus-Resumable: 1.0.0\r\n", 400 },
	{ "PATCH /file/a", "Content-Length: 1\r\n", 405 },
	{ "HEAD /file/a", "Tus-Resumable: 1.0.0\r\n", 400 },
	{ "GET /file/a", "Tus-Resumable: 1.0.0\r\n", 0 },
	/* what is wrong with the path comes first */
	{ "PUT /file/", "", 400 },
	{ "PUT /other", "", 404 },
	{ "POST /other", "Content-Length: 1\r\nContent-Type: multipart/form-data\r\n", 404 },
	{ "PUT /", "", 405 },
};
/* clang-format on */

static void
what_an_upload_must_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(stores); i++) {
		const struct store_row *w = &stores[i];
		struct route r = route_of(0, w->line, w->fields);

		if (r.status != w->status ||
		    (r.kind == ROUTE_REFUSED) != (w->status != 0))
			fail_msg(
			    "%s with %s is %d", w->line, w->fields, r.status);
	}
}

static void
a_form_is_one_where_forms_are_taken(void **state)
{
	static const char form[] =
	    "Content-Length: 1\r\nContent-Type: multipart/form-data\r\n";
	static const char file[] =
	    "Content-Length: 1\r\nContent-Type: text/plain\r\n";

	(void)state;
	assert_int_equal(route_of(0, "POST /drop", form).kind, ROUTE_STORE_NEW);
	assert_true(route_of(0, "POST /drop", form).form);
	assert_true(route_of(0, "PUT /drop/a/", form).form);
	assert_int_equal(
	    route_of(0, "PUT /drop/a/", form).kind, ROUTE_STORE_NAMED);
	assert_false(route_of(0, "POST /drop", file).form);
	assert_int_equal(route_of(0, "PUT /drop/", form).status, 400);
	/* What is said of any body is said of a form, too. */
	assert_int_equal(
	    route_of(0, "POST /drop", "Content-Type: multipart/form-data\r\n")
		.status,
	    411);
	assert_int_equal(route_of(0, "POST /drop",
			     "Content-Length: 1\r\nContent-Encoding: gzip\r\n"
			     "Content-Type: multipart/form-data\r\n")
			     .status,
	    415);
}

static void
reading_needs_none_of_that(void **state)
{
	(void)state;
	assert_int_equal(route_of(0, "GET /file", "").kind, ROUTE_READ_NEWEST);
	assert_int_equal(
	    route_of(0, "GET /file/a", "Content-Range: bytes 0-0/2\r\n").kind,
	    ROUTE_READ_NAMED);
	assert_int_equal(route_of(0, "OPTIONS /file", "").kind, ROUTE_OPTIONS);
	assert_int_equal(
	    route_of(0, "OPTIONS /file/", "Tus-Resumable: 1.0.0\r\n").kind,
	    ROUTE_OPTIONS);
	assert_int_equal(route_of(0, "GET /", "").kind, ROUTE_INDEX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_method_on_each_path),
	    cmocka_unit_test(uploads_that_are_resumed_have_routes_of_their_own),
	    cmocka_unit_test(a_refusal_says_why),
	    cmocka_unit_test(what_an_upload_must_say),
	    cmocka_unit_test(a_form_is_one_where_forms_are_taken),
	    cmocka_unit_test(reading_needs_none_of_that),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
