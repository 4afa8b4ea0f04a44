/*
 * The heads of parts, as clients write them, and as nobody may; and boundaries.
 */
#include "http/part_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CD "Content-Disposition: form-data; "
#define TYPE(t) CD "name=a\r\nContent-Type: " t "\r\n"

/* clang-format off */
static const struct {
	const char *head;
	const char *name, *filename; /* NULL: it has none */
	bool binary;
} good[] = {
	{ CD "name=\"a\"\r\n", "a", NULL },
	{ CD "name=a\r\n", "a", NULL },
	{ "content-disposition:FORM-DATA;name=a\r\n", "a", NULL },
	{ CD "name=\"a\"; filename=\"b.txt\"\r\nContent-Type: text/plain\r\n", "a", "b.txt" },
	{ CD "filename=b ; name=a;\r\n", "a", "b" },
	{ CD "name=\"a\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n", "a", "", true },
	{ CD "name=\"a\"; filename=\"-\"\r\n", "a", "-" },
	/* node 18, of a file without a name */
	{ TYPE("application/octet-stream"), "a", NULL, true },
	{ TYPE("image/png"), "a", NULL, true },
	{ TYPE("text/plain; charset=utf-8"), "a", NULL },
	{ TYPE("Application/JSON"), "a", NULL },
	/* escapes: those three, in names, and no others */
	{ CD "name=\"a%22b\"; filename=\"c%0D%0a%22%25%41.txt\"\r\n", "a\"b", "c\r\n\"%25%41.txt" },
	{ CD "name=a%22; filename=b%2\r\n", "a\"", "b%2" },
	/* curl --form-escape; and backslashes as they are */
	{ CD "name=\"a\\\"b\"; filename=\"c\\\\d\"\r\n", "a\"b", "c\\\\d" },
	{ CD "name=a; filename=\"C:\\dir\\b.txt\"\r\n", "a", "C:\\dir\\b.txt" },
	{ CD "name=\"a;b=c\"; filename=\"d;e\"\r\n", "a;b=c", "d;e" },
	{ CD "name=\"\xc3\xa4\"; filename=\"\xff\"\r\n", "\xc3\xa4", "\xff" },
	/* filename* wins, wherever it stands */
	{ CD "name=a; filename=b; filename*=UTF-8''%c3%a4.txt\r\n", "a", "\xc3\xa4.txt" },
	{ CD "filename*=utf-8'de'%2e%2F; filename=b; name=a\r\n", "a", "./" },
	{ CD "name=a; filename*=ISO-8859-1'en'%e4x\r\n", "a", "\xc3\xa4x" },
	/* others are passed over, and so is what they say */
	{ CD "name=a; size=5; size=6\r\nContent-Length: 5\r\nX-A:\r\n", "a", NULL },
	{ CD "name=a\r\nContent-Transfer-Encoding: binary\r\n", "a", NULL },
	{ CD "name=a\r\nContent-Transfer-Encoding: 8BIT\r\n", "a", NULL },
	{ CD "name=a\r\nContent-Transfer-Encoding: 7bit\r\n", "a", NULL },
};

static const struct {
	const char *head;
	const char *why; /* a part of it */
} bad[] = {
	{ "", "no Content-Disposition" },
	{ "Content-Type: text/plain\r\n", "no Content-Disposition" },
	{ "Content-Disposition: attachment; name=a\r\n", "not form-data" },
	{ "Content-Disposition: form-data\r\n", "no name" },
	{ CD "filename=b\r\n", "no name" },
	{ CD "name=\"\"\r\n", "an empty one" },
	{ CD "name=\r\n", "a parameter" },
	{ CD "name\r\n", "a parameter" },
	{ CD "name =a\r\n", "a parameter" },
	{ CD "name= a\r\n", "a parameter" },
	{ CD "name=a filename=b\r\n", "a parameter" },
	{ CD "name=a,filename=b\r\n", "a parameter" },
	{ CD "name=a; filename=b c\r\n", "a parameter" },
	{ CD "name=\"a\"b\r\n", "a parameter" },
	{ CD "name=\"a\r\n", "never closed" },
	{ CD "name=\"a\\\"\r\n", "never closed" },
	{ CD "name=a; name=b\r\n", "twice" },
	{ CD "name=a; filename=b; Filename=c\r\n", "twice" },
	{ CD "name=a; filename*=utf-8''b; filename*=utf-8''c\r\n", "twice" },
	{ CD "name=a\r\n" CD "name=a\r\n", "two lines of Content-Disposition" },
	{ TYPE("text/plain") "Content-Type: text/plain\r\n", "two lines of Content-Type" },
	{ CD "name=a\r\nContent-Transfer-Encoding: binary\r\nContent-Transfer-Encoding: binary\r\n", "two lines" },
	{ CD "name=a\r\nContent-Transfer-Encoding: base64\r\n", "is encoded" },
	{ CD "name=a\r\nContent-Transfer-Encoding: quoted-printable\r\n", "is encoded" },
	{ CD "name=a\r\nContent-Transfer-Encoding: \r\n", "is encoded" },
	{ TYPE("multipart/mixed; boundary=x"), "within the form" },
	{ TYPE("Multipart/Form-Data"), "within the form" },
	{ "Content-Disposition: form-data;\r\n name=a\r\n", "goes on in the next" },
	{ CD "name=a\r\n\tb\r\n", "goes on in the next" },
	{ CD "name=a\r\nX\r\n", "NAME: VALUE" },
	{ CD "name=a\r\n: x\r\n", "NAME: VALUE" },
	{ "Content-Disposition : form-data; name=a\r\n", "NAME: VALUE" },
	{ CD "name=a\r\n\r\n", "is empty" },
	{ CD "name=\"a\x01\"\r\n", "control" },
	{ CD "name=\"a\rb\"\r\n", "control" },
	{ CD "name=a\n", "CRLF" },
	{ CD "name=a", "CRLF" },
	{ CD "name=a; filename*=b\r\n", "filename*" },
	{ CD "name=a; filename*=utf-8'b\r\n", "filename*" },
	{ CD "name=a; filename*=utf-16''b\r\n", "filename*" },
	{ CD "name=a; filename*=utf-8''%4\r\n", "filename*" },
	{ CD "name=a; filename*=utf-8''%zz\r\n", "filename*" },
	{ CD "name=a; filename*=utf-8''b%00\r\n", "NUL" },
	{ CD "name=a; filename*=\"utf-8''b\"\r\n", "quotation" },
};

static const struct {
	const char *type;
	const char *boundary; /* NULL: none */
	const char *why;
} boundaries[] = {
	{ "multipart/form-data; boundary=x", "x" },
	{ "multipart/form-data;boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", "----WebKitFormBoundary7MA4YWxkTrZu0gW" },
	{ "multipart/form-data; charset=utf-8; BOUNDARY=\"a b'()+_,-./:=?\"", "a b'()+_,-./:=?" },
	{ "multipart/form-data; boundary=x;", "x" },
	{ "multipart/form-data; boundary=1234567890123456789012345678901234567890123456789012345678901234567890",
	  "1234567890123456789012345678901234567890123456789012345678901234567890" },
	{ "multipart/form-data; boundary=12345678901234567890123456789012345678901234567890123456789012345678901", NULL, "longer than 70" },
	{ "multipart/form-data", NULL, "names no boundary" },
	{ "multipart/form-data; charset=utf-8", NULL, "names no boundary" },
	{ "multipart/form-data; boundary=", NULL, "a parameter" },
	{ "multipart/form-data; boundary=\"\"", NULL, "is empty" },
	{ "multipart/form-data; boundary=a/b", NULL, "a parameter" },
	{ "multipart/form-data; boundary=a b", NULL, "a parameter" },
	{ "multipart/form-data; boundary=a, multipart/mixed", NULL, "a parameter" },
	{ "multipart/form-data; boundary=\"a", NULL, "never closed" },
	{ "multipart/form-data; boundary=\"a\\\"b\"", NULL, "no boundary may have" },
	{ "multipart/form-data; boundary=\"a \"", NULL, "ends with a space" },
	{ "multipart/form-data; boundary=\"a\tb\"", NULL, "no boundary may have" },
	{ "multipart/form-data; boundary=\"a\xc3\xa4\"", NULL, "no boundary may have" },
	{ "multipart/form-data; boundary=a*", NULL, "no boundary may have" },
	{ "multipart/form-data; boundary=a; boundary=a", NULL, "two boundaries" },
	{ "multipart/form-data; boundary=a; boundary=b", NULL, "two boundaries" },
	{ "multipart/form-data;;boundary=a", NULL, "a parameter" },
};
/* clang-format on */

static void
what_clients_send_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct part_head h;
		const char *why = NULL;

		if (!part_head_parse(
			good[i].head, strlen(good[i].head), &h, &why))
			fail_msg("%s: %s", good[i].head, why);
		assert_string_equal(h.name, good[i].name);
		assert_int_equal(h.has_filename, good[i].filename != NULL);
		assert_string_equal(
		    h.filename, good[i].filename ? good[i].filename : "");
		assert_int_equal(h.is_binary, good[i].binary);
	}
}

static void
what_two_programs_could_read_differently_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct part_head h;
		const char *why = NULL;

		if (part_head_parse(bad[i].head, strlen(bad[i].head), &h, &why))
			fail_msg("%s is taken", bad[i].head);
		if (strstr(why, bad[i].why) == NULL)
			fail_msg("%s: %s", bad[i].head, why);
	}
}

static void
requests_say_a_filename_in_the_same_line(void **state)
{
	static const struct {
		const char *value, *name; /* NULL: refused */
	} rows[] = {
	    {"attachment", ""},
	    {"inline; size=5", ""},
	    {"inline; filename=\"\"", ""},
	    {"inline; filename=a.txt", "a.txt"},
	    {"Attachment;FileName=\"a \\\"b.txt\"", "a \"b.txt"},
	    {"inline; filename*=UTF-8''%C3%A9; filename=e", "\xc3\xa9"},
	    {"inline; filename=e; filename*=iso-8859-1'en'%E9", "\xc3\xa9"},
	    {"form-data; name=\"up\"; filename=\"a\"", "a"},
	    {"; filename=a", "a"},
	    {"inline; filename=a b", NULL},
	    {"inline filename=a", NULL},
	    {"inline; filename=\"a", NULL},
	    {"inline; filename=a; filename=a", NULL},
	    {"inline; filename*=UTF-8''%00", NULL},
	    {"inline; filename*=a", NULL},
	};
	char name[FILE_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct span v = {rows[i].value, strlen(rows[i].value)};
		const char *why = NULL;
		bool read = part_head_filename(v, name, &why);

		if (read != (rows[i].name != NULL) || (!read && why == NULL))
			fail_msg("%s: %s", rows[i].value, why ? why : name);
		if (read)
			assert_string_equal(name, rows[i].name);
	}
}

static void
names_have_limits(void **state)
{
	char name[PART_NAME_MAX + 2], filename[FILE_NAME_MAX + 2];
	char head[2048];
	struct part_head h;
	const char *why;
	int len;

	(void)state;
	memset(name, 'n', sizeof(name));
	memset(filename, 'f', sizeof(filename));
	for (int name_over = 0; name_over < 2; name_over++) {
		for (int file_over = 0; file_over < 2; file_over++) {
			len = snprintf(head, sizeof(head),
			    CD "name=%.*s; filename=%.*s\r\n",
			    PART_NAME_MAX + name_over, name,
			    FILE_NAME_MAX + file_over, filename);
			assert_int_equal(
			    part_head_parse(head, (size_t)len, &h, &why),
			    !name_over && !file_over);
		}
	}
	len = snprintf(head, sizeof(head),
	    CD "name=a; filename*=iso-8859-1''%.*s%%e4\r\n", FILE_NAME_MAX - 1,
	    filename);
	assert_false(part_head_parse(head, (size_t)len, &h, &why));
	assert_non_null(strstr(why, "too long"));
	len = snprintf(head, sizeof(head),
	    CD "name=a; filename*=iso-8859-1''%.*s%%e4\r\n", FILE_NAME_MAX - 2,
	    filename);
	assert_true(part_head_parse(head, (size_t)len, &h, &why));
	assert_int_equal(strlen(h.filename), FILE_NAME_MAX);
}

static void
a_nul_is_in_no_head(void **state)
{
	static const char head[] = CD "name=\"a\0b\"\r\n";
	struct part_head h;
	const char *why;

	(void)state;
	assert_false(part_head_parse(head, sizeof(head) - 1, &h, &why));
	assert_non_null(strstr(why, "control"));
}

static void
boundaries_are_those_of_rfc_2046(void **state)
{
	char boundary[PART_BOUNDARY_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(boundaries); i++) {
		struct span type = {
		    boundaries[i].type, strlen(boundaries[i].type)};
		const char *why = NULL;
		bool is = part_head_boundary(type, boundary, &why);

		if (is != (boundaries[i].boundary != NULL))
			fail_msg("%s: %s", type.s, is ? boundary : why);
		if (is)
			assert_string_equal(boundary, boundaries[i].boundary);
		else if (strstr(why, boundaries[i].why) == NULL)
			fail_msg("%s: %s", type.s, why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_clients_send_is_understood),
	    cmocka_unit_test(
		what_two_programs_could_read_differently_is_refused),
	    cmocka_unit_test(requests_say_a_filename_in_the_same_line),
	    cmocka_unit_test(names_have_limits),
	    cmocka_unit_test(a_nul_is_in_no_head),
	    cmocka_unit_test(boundaries_are_those_of_rfc_2046),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
