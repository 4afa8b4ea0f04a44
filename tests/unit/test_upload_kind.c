/*
 * What a body is, by its head: what is no file must not be stored with 201 as
 * if it were one (an envelope, a part, a request that begins something), and what
 * is one must not be refused because a client describes it badly.
 */
#include "http/upload_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/media_type.h"

/* clang-format off */
static const struct type_row {
	const char *field; /* NULL: absent */
	bool form;	   /* multipart/form-data */
} types[] = {
	{ "multipart/form-data", true },
	{ "Multipart/FORM-Data", true },
	{ "multipart/form-data; boundary=x", true },
	{ "multipart/form-data;boundary=x", true },
	{ "multipart/form-data \t ; boundary=x", true },
	{ "multipart/form-data;", true },
	{ "multipart/form-data; boundary=\"a;b, multipart/mixed\"", true },
	{ "multipart/form-data; boundary=\"a\\\"b\"; charset=utf-8", true },
	/* the parameters are wrong, and it is a form all the same */
	{ "multipart/form-data; boundary=a/b=", true },
	{ "multipart/form-data; boundary", true },
	{ "multipart/form-data;;;", true },
	/* other types, also when they speak of forms */
	{ NULL, false },
	{ "", false },
	{ ";", false },
	{ "multipart/mixed; boundary=x", false },
	{ "multipart/related; type=\"multipart/form-data\"", false },
	{ "application/octet-stream; was=\"multipart/form-data\"", false },
	{ "x; multipart/form-data", false },
	{ "multipart/form-data2", false },
	{ "xmultipart/form-data", false },
	/* no media type at all */
	{ "multipart/form-data boundary=x", false },
	{ "multipart/form-data, text/plain", false },
	{ "multipart / form-data", false },
	{ "multipart/ form-data", false },
	{ "multipart", false },
	{ "multipart/", false },
	{ "\"multipart/form-data\"", false },
};

#define LEN "Content-Length: 5\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define URLENC "Content-Type: application/x-www-form-urlencoded\r\n"

static const struct kind_row {
	const char *fields;
	enum upload_kind kind;
} kinds[] = {
	{ LEN, UPLOAD_FILE },
	{ CHUNKED, UPLOAD_FILE },
	{ "", UPLOAD_WITHOUT_LENGTH },
	{ LEN "Expect: a-miracle\r\n", UPLOAD_EXPECTING },
	{ LEN "Content-Encoding: gzip\r\n", UPLOAD_CODED },

	/* forms */
	{ LEN "Content-Type: multipart/form-data; boundary=x\r\n", UPLOAD_FORM },
	{ CHUNKED "Content-Type: multipart/form-data; boundary=x\r\n", UPLOAD_FORM },
	{ LEN "Content-Type: multipart/mixed; boundary=x\r\n", UPLOAD_FILE },
	{ LEN "Content-Type: multipart/related; boundary=x\r\n", UPLOAD_FILE },
	{ LEN URLENC, UPLOAD_FILE },
	{ LEN URLENC "Origin: http://h\r\n", UPLOAD_PAGE_FORM },
	{ LEN URLENC "Origin: null\r\n", UPLOAD_PAGE_FORM },
	{ LEN URLENC "Sec-Fetch-Mode: navigate\r\n", UPLOAD_PAGE_FORM },
	{ LEN URLENC "Sec-Fetch-Mode: cors\r\n", UPLOAD_PAGE_FORM },
	{ LEN "Content-Type: Application/X-WWW-Form-Urlencoded ; charset=UTF-8\r\nOrigin: http://h\r\n", UPLOAD_PAGE_FORM },
	{ LEN "Content-Type: text/plain\r\n", UPLOAD_FILE },
	{ LEN "Content-Type: text/plain\r\nSec-Fetch-Mode: navigate\r\nOrigin: http://h\r\n", UPLOAD_PAGE_FORM },
	{ LEN "Content-Type: text/plain;charset=UTF-8\r\nSec-Fetch-Mode: cors\r\nOrigin: http://h\r\n", UPLOAD_FILE },
	{ LEN "Content-Type: text/plain\r\nSec-Fetch-Mode: same-origin\r\n", UPLOAD_FILE },
	{ LEN "Content-Type: text/plain\r\nSec-Fetch-Mode: no-cors\r\nOrigin: http://h\r\n", UPLOAD_FILE },
	{ LEN "Content-Type: text/plain\r\nOrigin: http://h\r\nUpgrade-Insecure-Requests: 1\r\n", UPLOAD_PAGE_FORM },
	{ LEN "Content-Type: text/plain\r\nSec-Fetch-Mode: cors\r\nUpgrade-Insecure-Requests: 1\r\n", UPLOAD_FILE },
	{ LEN "Content-Type: text/plain\r\nOrigin: http://h\r\n", UPLOAD_FILE },
	{ LEN "Content-Type: image/png\r\nSec-Fetch-Mode: cors\r\nOrigin: http://h\r\n", UPLOAD_FILE },
	{ LEN "Sec-Fetch-Mode: cors\r\nOrigin: http://h\r\n", UPLOAD_FILE },

	/* tus */
	{ "Content-Length: 0\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 5\r\n", UPLOAD_TUS },
	{ "Tus-Resumable: 1.0.0\r\nUpload-Length: 5\r\n", UPLOAD_TUS },
	{ LEN "Tus-Resumable: 1.0.0\r\nUpload-Length: 5\r\nContent-Type: application/offset+octet-stream\r\n", UPLOAD_TUS },
	{ LEN "Tus-Resumable:\r\n", UPLOAD_TUS },

	/* the IETF drafts: whole ... */
	{ LEN "Upload-Draft-Interop-Version: 8\r\nUpload-Complete: ?1\r\nUpload-Length: 5\r\n", UPLOAD_FILE },
	{ LEN "Upload-Draft-Interop-Version: 6\r\nUpload-Complete: ?1\r\n", UPLOAD_FILE },
	{ LEN "Upload-Complete: ?1;q=1\r\n", UPLOAD_FILE },
	{ LEN "Upload-Draft-Interop-Version: 3\r\nUpload-Incomplete: ?0\r\n", UPLOAD_FILE },
	{ CHUNKED "Upload-Complete: ?1\r\n", UPLOAD_FILE },
	{ CHUNKED "Upload-Complete: ?1\r\nUpload-Length: 5\r\n", UPLOAD_FILE },
	{ CHUNKED "Upload-Incomplete: ?0\r\nUpload-Length: 5\r\n", UPLOAD_FILE },
	{ LEN "Upload-Length: 5\r\n", UPLOAD_FILE },
	{ LEN "Upload-Draft-Interop-Version: 8\r\n", UPLOAD_FILE },
	/* ... and not */
	{ "Content-Length: 0\r\nUpload-Draft-Interop-Version: 6\r\nUpload-Complete: ?0\r\n", UPLOAD_RESUMABLE_PART },
	{ LEN "Upload-Complete: ?0\r\n", UPLOAD_RESUMABLE_PART },
	{ CHUNKED "Upload-Complete: ?0\r\nUpload-Length: 5\r\n", UPLOAD_RESUMABLE_PART },
	{ LEN "Upload-Complete: true\r\n", UPLOAD_RESUMABLE_PART },
	{ LEN "Upload-Complete: ?10\r\n", UPLOAD_RESUMABLE_PART },
	{ LEN "Upload-Complete:\r\n", UPLOAD_RESUMABLE_PART },
	{ LEN "Upload-Incomplete: ?1\r\n", UPLOAD_RESUMABLE_PART },
	{ LEN "Upload-Offset: 5\r\n", UPLOAD_RESUMABLE_PART },
	{ LEN "Upload-Offset: 0\r\n", UPLOAD_RESUMABLE_PART },
	{ "Content-Length: 0\r\nUpload-Length: 5\r\n", UPLOAD_LENGTH_DIFFERS },
	{ LEN "Upload-Length: 6\r\n", UPLOAD_LENGTH_DIFFERS },
	{ LEN "Upload-Complete: ?1\r\nUpload-Length: 6\r\n", UPLOAD_LENGTH_DIFFERS },
	{ LEN "Upload-Length: five\r\n", UPLOAD_LENGTH_DIFFERS },
	{ CHUNKED "Upload-Length: 5\r\n", UPLOAD_LENGTH_DIFFERS },

	/* Content-Range: of the whole file ... */
	{ LEN "Content-Range: bytes 0-4/5\r\n", UPLOAD_FILE },
	{ LEN "Content-Range: BYTES 0-4/5\r\n", UPLOAD_FILE },
	{ "Content-Length: 1\r\nContent-Range: bytes 0-0/1\r\n", UPLOAD_FILE },
	{ "Content-Length: 0\r\nContent-Range: bytes 0--1/0\r\n", UPLOAD_FILE },
	/* ... and not */
	{ LEN "Content-Range: bytes 0-4/10\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes 5-9/10\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes 0-9/10\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes 0-5/5\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes 0-3/5\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes 1-5/5\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes 0-4/*\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes */5\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes 0-4\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes -0-4/5\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes 0-4/5, bytes 0-4/5\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes=0-4/5\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: items 0-4/5\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes\r\n", UPLOAD_RANGE },
	{ LEN "Content-Range: bytes \r\n", UPLOAD_RANGE },
	{ LEN "Content-Range:\r\n", UPLOAD_RANGE },
	{ "Content-Length: 0\r\nContent-Range: bytes 0-0/0\r\n", UPLOAD_RANGE },
	{ "Content-Length: 0\r\nContent-Range: bytes 0-18446744073709551615/0\r\n", UPLOAD_RANGE },
	{ CHUNKED "Content-Range: bytes 0-4/5\r\n", UPLOAD_RANGE },
	{ CHUNKED "Content-Range: bytes 0--2/-1\r\n", UPLOAD_RANGE },

	/* another method in the clothes of this one */
	{ "Content-Length: 0\r\nX-HTTP-Method-Override: DELETE\r\n", UPLOAD_OTHER_METHOD },
	{ LEN "X-HTTP-Method-Override: PATCH\r\n", UPLOAD_OTHER_METHOD },
	{ LEN "X-HTTP-Method-Override: PUT\r\n", UPLOAD_FILE },
	{ LEN "X-HTTP-Method-Override: post\r\n", UPLOAD_FILE },
};
/* clang-format on */

static void
media_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		const char *s = types[i].field;
		struct span v = {s, s ? strlen(s) : 0};

		if (media_type_is(v, "multipart/form-data") != types[i].form)
			fail_msg("\"%s\"", s ? s : "(absent)");
	}
}

/* A head of `method` with these fields; it points into a static buffer. */
static struct head
head_of(const char *method, const char *fields)
{
	static char buf[1024];
	const char *why = "";
	struct head h;
	int len = snprintf(buf, sizeof(buf),
	    "%s /file/a HTTP/1.1\r\nHost: h\r\n%s\r\n", method, fields);

	if (head_parse(buf, (size_t)len, &h, &why) != 0)
		fail_msg("%s: %s", fields, why);
	return h;
}

static void
kinds_of_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const char *const methods[] = {"PUT", "POST"};

		for (size_t m = 0; m < COUNT_OF(methods); m++) {
			struct head h = head_of(methods[m], kinds[i].fields);

			if (upload_kind_of(&h) != kinds[i].kind)
				fail_msg("%s is %d, not %d", kinds[i].fields,
				    (int)upload_kind_of(&h),
				    (int)kinds[i].kind);
		}
	}
}

static void
parts_by_their_queries(void **state)
{
	/* clang-format off */
	static const struct {
		const char *line;
		enum upload_kind kind;
	} rows[] = {
		{ "POST /file/a?uploads", UPLOAD_S3 },
		{ "POST /file/a?uploads=", UPLOAD_S3 },
		{ "POST http://h/file/a?x=1&uploads", UPLOAD_S3 },
		{ "POST /file?delete", UPLOAD_S3 },
		{ "POST /file?delete&x", UPLOAD_S3 },
		{ "PUT /file/a?partNumber=1&uploadId=x", UPLOAD_S3 },
		{ "PUT /file/a?uploadId=x&partNumber=1", UPLOAD_S3 },
		/* what others may say there */
		{ "POST /file/a?uploads=5", UPLOAD_FILE },
		{ "POST /file/a?uploadsx", UPLOAD_FILE },
		{ "POST /file/a?xuploads", UPLOAD_FILE },
		{ "POST /file/a?upload", UPLOAD_FILE },
		{ "POST /file/a?x=uploads", UPLOAD_FILE },
		{ "POST /file/uploads", UPLOAD_FILE },
		{ "POST /file/a?", UPLOAD_FILE },
		{ "POST /file/a?&&", UPLOAD_FILE },
		{ "PUT /file/a?uploads", UPLOAD_FILE },
		{ "PUT /file/a?uploadId=x", UPLOAD_FILE },
		{ "POST /file/a?uploadId=x", UPLOAD_S3 },
		{ "POST /file/a?uploadId=", UPLOAD_FILE },
		{ "PUT /file/a?partNumber=1", UPLOAD_FILE },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char buf[256];
		const char *why = "";
		struct head h;
		int len = snprintf(buf, sizeof(buf),
		    "%s HTTP/1.1\r\nHost: h\r\n" LEN "\r\n", rows[i].line);

		assert_int_equal(head_parse(buf, (size_t)len, &h, &why), 0);
		if (upload_kind_of(&h) != rows[i].kind)
			fail_msg(
			    "%s is %d", rows[i].line, (int)upload_kind_of(&h));
	}
}

static void
tus_by_its_methods(void **state)
{
	static const char tus[] = "Tus-Resumable: 1.0.0\r\n";
	/* clang-format off */
	static const struct {
		const char *method;
		bool tus;
	} rows[] = {
		{ "POST", true }, { "PATCH", true }, { "HEAD", true },
		{ "DELETE", true }, { "PUT", true },
		/* Reading does no harm; the protocol wants it ignored there. */
		{ "GET", false }, { "OPTIONS", false },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct head h = head_of(rows[i].method, tus);

		assert_int_equal(upload_kind_is_tus(&h), rows[i].tus);
		h = head_of(rows[i].method, "");
		assert_false(upload_kind_is_tus(&h));
	}
}

static void
each_refusal_is_complete(void **state)
{
	(void)state;
	for (int k = UPLOAD_FILE + 1; k < UPLOAD_KIND_COUNT; k++) {
		const struct upload_refusal *r =
		    upload_kind_refusal((enum upload_kind)k);

		assert_true(r->status >= 400 && r->status < 500);
		assert_true(strlen(outcome_word(r->outcome)) > 3 &&
			    strlen(r->why) > 40);
		assert_non_null(r->fields);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(media_types),
	    cmocka_unit_test(kinds_of_bodies),
	    cmocka_unit_test(parts_by_their_queries),
	    cmocka_unit_test(tus_by_its_methods),
	    cmocka_unit_test(each_refusal_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
