/*
 * The fields of resumable uploads, each as its protocol writes it, and as clients do.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "http/resume_fields.h"
#include "lib/cmocka_with.h"

static struct span
span_of(const char *text)
{
	return (struct span){text, text != NULL ? strlen(text) : 0};
}

/* clang-format off */
static const struct number {
	const char *text;
	bool tus, sf;
	uint64_t value;
} numbers[] = {
	{ "0", true, true, 0 },
	{ "11", true, true, 11 },
	{ "999999999999999", true, true, 999999999999999 },
	{ "9223372036854775807", true, false, INT64_MAX },
	{ "9223372036854775808", false, false, 0 },
	{ "18446744073709551616", false, false, 0 },
	{ "01", false, true, 1 },
	{ "00", false, true, 0 },
	{ "+1", false, false, 0 },
	{ "-1", false, false, 0 },
	{ "-0", false, false, 0 },
	{ "1;a=b", false, true, 1 },
	{ "1 ", false, true, 1 },
	{ "1, 2", false, false, 0 },
	{ "1.0", false, false, 0 },
	{ "0x1", false, false, 0 },
	{ "?1", false, false, 0 },
	{ "", false, false, 0 },
	{ NULL, false, false, 0 },
};
/* clang-format on */

static void
numbers_are_digits_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		const struct number *n = &numbers[i];
		uint64_t value = 7;

		if (resume_fields_number(span_of(n->text), &value) != n->tus ||
		    value != (n->tus ? n->value : 7))
			fail_msg("tus: %s", n->text);
		value = 7;
		if (resume_fields_integer(span_of(n->text), &value) != n->sf)
			fail_msg("structured: %s", n->text);
		if (n->sf)
			assert_true(value == n->value);
	}
}

static void
booleans_are_structured(void **state)
{
	static const char *const none[] = {"1", "?2", "?", "true", "\"?1\"",
	    "?1?1", "?1, ?0", "(?1)", "", NULL};
	bool is = false;

	(void)state;
	assert_true(resume_fields_boolean(span_of("?1"), &is) && is);
	assert_true(resume_fields_boolean(span_of("?0"), &is) && !is);
	assert_true(resume_fields_boolean(span_of("?1;x=2"), &is) && is);
	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_false(resume_fields_boolean(span_of(none[i]), &is));
}

/* clang-format off */
static const struct metadata {
	const char *field;
	bool good;
	const char *filename; /* decoded; NULL: there is none */
} metadatas[] = {
	{ "filename YS50eHQ=", true, "a.txt" },
	{ "filename YS50eHQ=,is_confidential", true, "a.txt" },
	{ "is_confidential,filename YS50eHQ=", true, "a.txt" },
	/* a space behind the comma, a key with a space and no value (TUSKit, tus-js-client) */
	{ "a YQ==, filename YS50eHQ=", true, "a.txt" },
	{ "relativePath ,filename YS50eHQ=", true, "a.txt" },
	{ "filename ", true, NULL },
	{ "filename", true, NULL },
	{ "filename YS50eHQ=,", true, "a.txt" },
	{ ",,filename YS50eHQ=", true, "a.txt" },
	/* padding may be missing */
	{ "filename YS50eHQ", true, "a.txt" },
	{ "filename  YS50eHQ=", true, "a.txt" },
	/* an empty field is none (tuspy) */
	{ "", true, NULL },
	{ NULL, true, NULL },
	/* keys differ in case */
	{ "Filename YS50eHQ=", true, NULL },
	{ "filename Lg==,filename Lg==", false, NULL },
	{ "a,a", false, NULL },
	{ "filename !!!!", false, NULL },
	{ "filename YS50eHQ=extra", false, NULL },
	{ "filename YS50 eHQ=", false, NULL },
	{ "filename A", false, NULL },
	{ "filename YQ===", false, NULL },
};
/* clang-format on */

static void
metadata_is_read_as_clients_write_it(void **state)
{
	char buf[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(metadatas); i++) {
		const struct metadata *m = &metadatas[i];
		struct span field = span_of(m->field);
		size_t len;

		if ((resume_fields_metadata_fault(field) == NULL) != m->good)
			fail_msg("%s", m->field);
		if (!m->good)
			continue;
		len =
		    resume_fields_metadata(field, "filename", buf, sizeof(buf));
		if (len != (m->filename ? strlen(m->filename) : 0))
			fail_msg("%s: %zu", m->field, len);
		if (len > 0)
			assert_memory_equal(buf, m->filename, len);
	}
}

static void
values_of_metadata_are_any_bytes_that_fit(void **state)
{
	/* ../ CR LF NUL 0xff */
	struct span field = span_of("name Li4vDQoA/w==");
	char buf[8];

	(void)state;
	assert_int_equal(
	    resume_fields_metadata(field, "name", buf, sizeof(buf)), 7);
	assert_memory_equal(buf, "../\r\n\0\xff", 7);
	assert_int_equal(resume_fields_metadata(field, "name", buf, 7), 7);
	assert_int_equal(resume_fields_metadata(field, "name", buf, 6), 0);
	assert_int_equal(
	    resume_fields_metadata(field, "filename", buf, sizeof(buf)), 0);
}

static void
many_keys_are_refused(void **state)
{
	char field[64 * 4 + 8] = "";

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		snprintf(field + strlen(field), 8, "k%02u,", i);
	assert_null(resume_fields_metadata_fault(span_of(field)));
	strncat(field, "more", 5);
	assert_non_null(resume_fields_metadata_fault(span_of(field)));
}

/* clang-format off */
static const struct checksum {
	const char *field;
	enum resume_checksum result;
	unsigned algo;
} checksums[] = {
	{ "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", RESUME_CHECKSUM_READ, DIGEST_SHA1 },
	{ "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", RESUME_CHECKSUM_READ, DIGEST_SHA1 },
	{ "md5 1B2M2Y8AsgTpgAmY7PhCfg==", RESUME_CHECKSUM_READ, DIGEST_MD5 },
	{ "crc32c AAAAAA==", RESUME_CHECKSUM_READ, DIGEST_CRC32C },
	{ "sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", RESUME_CHECKSUM_READ, DIGEST_SHA256 },
	/* 21 bytes of it */
	{ "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0A", RESUME_CHECKSUM_DIFFERS, 0 },
	{ "sha1 AAAA", RESUME_CHECKSUM_DIFFERS, 0 },
	{ "sha3 AAAA", RESUME_CHECKSUM_UNKNOWN, 0 },
	{ "sha1", RESUME_CHECKSUM_MALFORMED, 0 },
	{ "sha1 ", RESUME_CHECKSUM_MALFORMED, 0 },
	{ "sha1 !!!!", RESUME_CHECKSUM_MALFORMED, 0 },
	{ " AAAA", RESUME_CHECKSUM_MALFORMED, 0 },
	{ "", RESUME_CHECKSUM_MALFORMED, 0 },
};
/* clang-format on */

static void
checksums_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(checksums); i++) {
		struct digest_claims claims = {0};

		if (resume_fields_checksum(span_of(checksums[i].field),
			&claims) != checksums[i].result)
			fail_msg("%s", checksums[i].field);
		if (checksums[i].result == RESUME_CHECKSUM_READ)
			assert_int_equal(claims.set,
			    digest_bit((enum digest_algo)checksums[i].algo));
	}
}

static void
final_uploads_name_their_parts(void **state)
{
	struct span urls, url;

	(void)state;
	assert_int_equal(resume_fields_concat(span_of("partial"), &urls),
	    RESUME_CONCAT_PARTIAL);
	assert_int_equal(
	    resume_fields_concat(span_of("final;/a  http://h/b"), &urls),
	    RESUME_CONCAT_FINAL);
	assert_true(resume_fields_next_url(&urls, &url));
	assert_int_equal(url.len, 2);
	assert_true(resume_fields_next_url(&urls, &url));
	assert_memory_equal(url.s, "http://h/b", url.len);
	assert_false(resume_fields_next_url(&urls, &url));
	assert_int_equal(resume_fields_concat(span_of("final;"), &urls),
	    RESUME_CONCAT_MALFORMED);
	assert_int_equal(resume_fields_concat(span_of("final; "), &urls),
	    RESUME_CONCAT_MALFORMED);
	assert_int_equal(resume_fields_concat(span_of("final"), &urls),
	    RESUME_CONCAT_MALFORMED);
	assert_int_equal(
	    resume_fields_concat(span_of(""), &urls), RESUME_CONCAT_MALFORMED);
}

/* clang-format off */
static const struct url {
	const char *url, *prefix, *id; /* NULL: none */
} urls[] = {
	{ "/file/.penstock/abc", "/file", "abc" },
	{ "/.penstock/abc", "/", "abc" },
	{ "http://h:8/file/.penstock/abc", "/file", "abc" },
	{ "https://h/file/.penstock/abc?key=1", "/file", "abc" },
	{ "/file/.penstock/a/b", "/file", "a/b" },
	{ "/other/.penstock/abc", "/file", NULL },
	{ "/file/abc", "/file", NULL },
	{ "/files/.penstock/abc", "/file", NULL },
	{ "ftp://h/file/.penstock/abc", "/file", NULL },
	{ "file/.penstock/abc", "/file", NULL },
	{ "", "/file", NULL },
};
/* clang-format on */

static void
the_id_of_a_url_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct span id =
		    resume_fields_id(span_of(urls[i].url), urls[i].prefix);

		if ((id.s == NULL) != (urls[i].id == NULL) ||
		    (id.s != NULL && (id.len != strlen(urls[i].id) ||
					 memcmp(id.s, urls[i].id, id.len))))
			fail_msg("%s", urls[i].url);
	}
}

static void
the_digest_that_is_wanted_most_is_chosen(void **state)
{
	(void)state;
	assert_int_equal(resume_fields_wanted(span_of("sha-256=1")),
	    digest_bit(DIGEST_SHA256));
	assert_int_equal(resume_fields_wanted(span_of("sha-256=1, sha-512=3")),
	    digest_bit(DIGEST_SHA512));
	assert_int_equal(resume_fields_wanted(span_of("sha-256=0, md5=10")), 0);
	assert_int_equal(resume_fields_wanted(span_of("sha-256")), 0);
	assert_int_equal(resume_fields_wanted(span_of("sha-256=1,")), 0);
	assert_int_equal(resume_fields_wanted(span_of(NULL)), 0);
}

static void
trailers_are_announced_in_a_list(void **state)
{
	(void)state;
	assert_true(resume_fields_announces(
	    span_of("Expires, upload-checksum"), "Upload-Checksum"));
	assert_false(resume_fields_announces(
	    span_of("Upload-Checksum-More"), "Upload-Checksum"));
	assert_false(resume_fields_announces(span_of(NULL), "Upload-Checksum"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_digits_alone),
	    cmocka_unit_test(booleans_are_structured),
	    cmocka_unit_test(metadata_is_read_as_clients_write_it),
	    cmocka_unit_test(values_of_metadata_are_any_bytes_that_fit),
	    cmocka_unit_test(many_keys_are_refused),
	    cmocka_unit_test(checksums_are_told_apart),
	    cmocka_unit_test(final_uploads_name_their_parts),
	    cmocka_unit_test(the_id_of_a_url_is_found),
	    cmocka_unit_test(the_digest_that_is_wanted_most_is_chosen),
	    cmocka_unit_test(trailers_are_announced_in_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
