/*
 * Certificates of a configuration: what is wrong with them is told with its place, all of
 * it at once; what will be wrong soon is a warning.
 */
#include "proc/certificates.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "lib/cmocka_with.h"
#include "lib/directory.h"
#include "lib/tls.h"

enum {
	DAY_S = 24 * 60 * 60,
};

static char dir[128];
static struct test_certificate good, other, old, soon, later, early;
static char told[8192]; /* lines, each behind its level */

static bool
on_line(void *arg, enum log_level level, const char *message)
{
	size_t len = strlen(told);

	(void)arg;
	snprintf(told + len, sizeof(told) - len, "%s: %s\n",
	    log_level_name[level], message);
	return true;
}

static struct config *
parse(const char *text)
{
	struct config *c = NULL;
	struct str errors = {0};

	if (config_parse_text("t", text, strlen(text), &errors, &c) < 0)
		fail_msg("%s", errors.s);
	str_fini(&errors);
	return c;
}

static int
load(const struct config *conf, struct certificates *ret)
{
	int err;

	told[0] = '\0';
	log_listen(on_line, NULL);
	err = certificates_load(conf, NULL, ret);
	log_listen(NULL, NULL);
	return err;
}

static struct config *
parse_pair(const char *cert, const char *key)
{
	char text[1024];

	snprintf(text, sizeof(text),
	    "server { listen 443 ssl;\n ssl_certificate %s;\n"
	    "  ssl_certificate_key %s; location /f { } }",
	    cert, key);
	return parse(text);
}

/* What all servers with such a block do daily. */
static void
look(const struct certificates *c)
{
	told[0] = '\0';
	log_listen(on_line, NULL);
	certificates_look(c);
	log_listen(NULL, NULL);
}

/* Two blocks that share a file of lists. */
static struct config *
parse_revocations(const char *crl)
{
	char text[2048];

	snprintf(text, sizeof(text),
	    "ssl_certificate %s; ssl_certificate_key %s;\n"
	    "ssl_client_certificate %s;\n"
	    "ssl_verify_client on;\n"
	    "ssl_crl %s; server { listen 443 ssl; location /f { } }"
	    "server { listen 444 ssl; location /f { } }",
	    good.cert, good.key, later.cert, crl);
	return parse(text);
}

static void
assert_told(const char *text)
{
	if (strstr(told, text) == NULL)
		fail_msg("not told: %s, but: %s", text, told);
}

static void
expect(const char *cert, const char *key, int err, const char *text)
{
	struct config *conf = parse_pair(cert, key);
	struct certificates c = {0};

	assert_int_equal(load(conf, &c), err);
	assert_told(text);
	certificates_free(&c);
	config_free(&conf);
}

static void
a_good_pair_is_loaded_for_its_block(void **state)
{
	char text[1024];
	struct certificates c = {0};
	struct config *conf;
	struct str lines = {0};

	(void)state;
	snprintf(text, sizeof(text),
	    "ssl_certificate %s; ssl_certificate_key %s;"
	    "server { listen 80; location /f { } }"
	    "server { listen 443 ssl; location /f { } }",
	    later.cert, later.key);
	conf = parse(text);
	assert_int_equal(load(conf, &c), 0);
	assert_string_equal(told, "");
	assert_int_equal(c.count, 2);
	assert_null(c.of[0]);
	assert_non_null(c.of[1]);
	certificates_describe(&c, &lines);
	snprintf(text, sizeof(text),
	    "ssl_certificate %s: expires in 99 days, 2", later.cert);
	assert_int_equal(strncmp(lines.s, text, strlen(text)), 0);
	assert_int_equal(
	    lines.len, strlen(text) + strlen("026-01-01 00:00:00\n"));
	str_fini(&lines);
	certificates_free(&c);
	certificates_free(&c);
	config_free(&conf);
}

static void
what_is_wrong_has_its_place(void **state)
{
	char text[1024];

	(void)state;
	expect("/nowhere", good.key, -EINVAL,
	    "error: t:2:2: ssl_certificate /nowhere: cannot be read: No such "
	    "file or directory\n");
	snprintf(text, sizeof(text),
	    "error: t:3:3: ssl_certificate_key %s: it is not the key of the "
	    "certificate",
	    other.key);
	expect(good.cert, other.key, -EINVAL, text);
	snprintf(text, sizeof(text),
	    "error: t:2:2: ssl_certificate %s: it has expired, 2 days ago",
	    old.cert);
	expect(old.cert, old.key, -EINVAL, text);
}

static void
what_will_be_wrong_is_a_warning(void **state)
{
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text),
	    "warn: t:2:2: ssl_certificate %s: it expires in 9 days", soon.cert);
	expect(soon.cert, soon.key, 0, text);
	snprintf(text, sizeof(text),
	    "warn: t:2:2: ssl_certificate %s: it is not valid yet", early.cert);
	expect(early.cert, early.key, 0, text);
	assert_int_equal(chmod(later.key, 0604), 0);
	snprintf(text, sizeof(text),
	    "warn: t:3:3: ssl_certificate_key %s: every user of this machine "
	    "can read it",
	    later.key);
	expect(later.cert, later.key, 0, text);
	assert_int_equal(chmod(later.key, 0640), 0);
	expect(later.cert, later.key, 0, "");
	assert_string_equal(told, "");
}

/* Authorities of clients, and what they have revoked. */
static void
lists_of_revocations_are_looked_at(void **state)
{
	char path[200];
	const struct {
		const char *crl;
		const struct test_certificate *issuer;
		long next_s;
		int err;
		const char *told;
	} rows[] = {
	    {path, &later, 3600, 0, NULL},
	    {path, &later, -2 * DAY_S - 5, 0,
		": the next list was due 2 days ago, and certificates of "
		"clients are refused until it is here"},
	    {path, &other, 3600, -EINVAL,
		": it has no list that CN=later has signed"},
	    {later.cert, &later, 3600, -EINVAL,
		": there is no revocation list in it"},
	};

	(void)state;
	snprintf(path, sizeof(path), "%s/crl", dir);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct config *conf = parse_revocations(rows[i].crl);
		struct certificates c = {0};
		char text[1024];

		test_revocations_make(
		    path, rows[i].issuer, &soon, rows[i].next_s);
		assert_int_equal(load(conf, &c), rows[i].err);
		snprintf(text, sizeof(text), "%s: t:4:1: ssl_crl %s%s",
		    rows[i].err < 0 ? "error" : "warn", rows[i].crl,
		    rows[i].told != NULL ? rows[i].told : "");
		if (rows[i].told != NULL)
			assert_told(text);
		else
			assert_string_equal(told, "");
		/* Once, though two blocks share it. */
		if (rows[i].err == 0 && rows[i].told != NULL)
			assert_null(strstr(strchr(told, '\n'), rows[i].told));
		certificates_free(&c);
		config_free(&conf);
	}
}

/* Later on, too: clients are locked out by then, and nobody has changed anything.  What
 * two blocks share is told once. */
static void
it_is_told_until_when_lists_are_good(void **state)
{
	struct str lines = {0};
	struct certificates c = {0};
	struct config *conf;
	char path[200], text[400];

	(void)state;
	snprintf(path, sizeof(path), "%s/crl", dir);
	test_revocations_make(path, &later, NULL, 5 * DAY_S + 60);
	conf = parse_revocations(path);
	assert_int_equal(load(conf, &c), 0);
	assert_int_equal(c.term_count, 2);
	certificates_describe(&c, &lines);
	snprintf(text, sizeof(text),
	    "\nssl_crl %s: the next list is due in 5 days, 2", path);
	assert_non_null(strstr(lines.s, text));
	str_fini(&lines);
	look(&c);
	assert_string_equal(told, "");
	c.terms[1].ends_s -= 5 * DAY_S + 7200 + 60;
	look(&c);
	assert_told("warn: t:4:1: ssl_crl ");
	assert_told(": the next list was due 2 hours ago");
	certificates_describe(&c, &lines);
	assert_non_null(
	    strstr(lines.s, ": the next list was due 2 hours ago, 2"));
	assert_non_null(
	    strstr(lines.s, "; certificates of clients are refused\n"));
	str_fini(&lines);
	certificates_free(&c);
	config_free(&conf);
}

/* Clients would see it, and -t cannot ask them. */
static void
a_chain_out_of_order_is_a_warning(void **state)
{
	char path[200], text[400], line[200];
	const char *from[] = {good.cert, later.cert};
	FILE *out, *in;

	(void)state;
	snprintf(path, sizeof(path), "%s/chain", dir);
	out = fopen(path, "w");
	for (int i = 0; i < 2; i++) {
		in = fopen(from[i], "r");
		while (fgets(line, sizeof(line), in) != NULL)
			fputs(line, out);
		fclose(in);
	}
	fclose(out);
	snprintf(text, sizeof(text),
	    "warn: t:2:2: ssl_certificate %s: the certificates in it are out "
	    "of order",
	    path);
	expect(path, good.key, 0, text);
}

static void
all_mistakes_are_told_at_once(void **state)
{
	struct certificates c = {0};
	struct config *conf;
	char text[2048];

	(void)state;
	snprintf(text, sizeof(text),
	    "server { listen 443 ssl; ssl_ciphers nonsense;\n"
	    "ssl_certificate %s; ssl_certificate_key %s;\n"
	    "ssl_client_certificate /nobody; ssl_verify_client on;\n"
	    "location /f { } }\n"
	    "server { listen 444 ssl; ssl_certificate /nowhere;\n"
	    "ssl_certificate_key %s; location /f { } }",
	    good.cert, other.key, good.key);
	conf = parse(text);
	assert_int_equal(load(conf, &c), -EINVAL);
	assert_null(c.of);
	assert_told("t:1:26: ssl_ciphers nonsense: OpenSSL cannot use it");
	assert_told("t:2:");
	assert_told("t:3:1: ssl_client_certificate /nobody: cannot be read");
	assert_told("t:5:26: ssl_certificate /nowhere: cannot be read");
	config_free(&conf);
}

static void
make(const char *name, long from_s, long to_s, struct test_certificate *ret)
{
	test_certificate_make(dir,
	    &(struct test_certificate_plan){
		.name = name, .from_s = from_s, .to_s = to_s},
	    ret);
	assert_int_equal(chmod(ret->key, 0600), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_pair_is_loaded_for_its_block),
	    cmocka_unit_test(what_is_wrong_has_its_place),
	    cmocka_unit_test(what_will_be_wrong_is_a_warning),
	    cmocka_unit_test(lists_of_revocations_are_looked_at),
	    cmocka_unit_test(it_is_told_until_when_lists_are_good),
	    cmocka_unit_test(a_chain_out_of_order_is_a_warning),
	    cmocka_unit_test(all_mistakes_are_told_at_once),
	};
	int failed;

	test_directory_make("test_certificates", dir, sizeof(dir));
	make("good", -60, 30 * DAY_S, &good);
	make("other", -60, 30 * DAY_S, &other);
	make("old", -9 * DAY_S, -2 * DAY_S - 60, &old);
	make("soon", -60, 10 * DAY_S - 60, &soon);
	make("later", -60, 100 * DAY_S - 60, &later);
	make("early", DAY_S, 30 * DAY_S, &early);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)test_directory_remove(dir);
	return failed;
}
