/*
 * A certificate that a client has shown stands for a person, where the rules say so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cmocka_with.h"
#include "lib/directory.h"
#include "lib/guarded.h"
#include "lib/tls.h"
#include "net/tls.h"
#include "shared/ticket_keys.h"

enum {
	TURNS = 5000,
};

static char dir[128];
static struct test_certificate ours, ca, ann;
static struct tls_context *context;
static struct tls_site site;
static struct tls_port port;
static struct test_tls c;

static int
set_up(void **state)
{
	struct tls_fault fault;
	struct tls_pair pair;

	assert_int_equal(guarded_begin(state), 0);
	context = tls_context_new();
	assert_non_null(context);
	assert_int_equal(
	    tls_context_add_pair(context, ours.cert, ours.key, &pair, &fault),
	    0);
	assert_int_equal(
	    tls_context_verify(context, TLS_VERIFY_OPTIONAL, ca.cert, &fault),
	    0);
	tls_context_resume(context, NULL, "x", 1);
	site =
	    (struct tls_site){.context = context, .owner = &guarded.server.g};
	port = (struct tls_port){.sites = &site, .count = 1};
	guarded.server.door.tls = &port;
	guarded.server.conf.ssl_verify_client = VERIFY_OPTIONAL;
	memset(&c, 0, sizeof(c));
	c.fd = -1;
	return 0;
}

static void
hang_up(void)
{
	if (c.ssl != NULL)
		test_tls_end(&c);
	SSL_SESSION_free(c.session);
	c.session = NULL;
}

static int
tear_down(void **state)
{
	int err;

	hang_up();
	err = guarded_end(state);
	tls_context_free(&context);
	return err;
}

/* A request over TLS, by who shows `own` (NULL: nothing), and what is heard. */
static void
ask(const struct test_certificate *own, const char *request, const char *heard)
{
	struct addr peer;
	const char *why;
	int ends[2];

	hang_up();
	memset(&c, 0, sizeof(c));
	c.own = own;
	assert_int_equal(addr_parse("192.0.2.1:1", &peer, &why), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	test_server_open(&guarded.server, ends[0], &peer);
	test_tls_begin(&c, ends[1], NULL);
	for (int i = 0; i < TURNS && strstr(c.got, heard) == NULL; i++) {
		(void)test_tls_push(&c, 4096);
		test_loop_turn(&guarded.l, 1);
		test_tls_hear(&c, 4096);
		if (i == 20)
			test_tls_say(&c, request, strlen(request));
	}
	if (strstr(c.got, heard) == NULL)
		fail_msg("instead of %s: %s", heard, c.got);
}

#define PUT "PUT /file/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"

static void
it_stands_for_a_person_with_its_name(void **state)
{
	(void)state;
	guarded_use_server("ssl_client_certificate /x; ssl_verify_client on;",
	    "auth_client_certificate on;");
	ask(&ann, PUT, "\"remote_user\":\"CN=ann\"");
	assert_non_null(strstr(c.got, "HTTP/1.1 201 "));
}

static void
without_one_nothing_is_stored(void **state)
{
	(void)state;
	guarded_use_server("ssl_client_certificate /x; ssl_verify_client on;",
	    "auth_client_certificate on;");
	ask(NULL, PUT,
	    "say who sends this: a certificate (curl: --cert FILE --key FILE) "
	    "is needed here");
	assert_non_null(strstr(c.got, "HTTP/1.1 403 "));
	assert_false(store_has_files(guarded.store));
}

static void
it_is_nothing_where_the_rules_do_not_say_so(void **state)
{
	(void)state;
	guarded_use("deny all;");
	ask(&ann, PUT, "HTTP/1.1 403 ");
	guarded_use_server("ssl_client_certificate /x; ssl_verify_client on;",
	    "deny all; auth_client_certificate on;");
	ask(&ann, PUT, "HTTP/1.1 403 ");
	guarded_use_server("ssl_client_certificate /x; ssl_verify_client on;",
	    "deny all; auth_client_certificate on; satisfy any;");
	ask(&ann, PUT, "HTTP/1.1 201 ");
}

static void
it_must_be_asked_for(void **state)
{
	(void)state;
	guarded_assert_mistake("auth_client_certificate on;",
	    "auth_client_certificate: no client is asked for a certificate: "
	    "write ssl_verify_client optional, or on");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_stands_for_a_person_with_its_name),
	    TEST(without_one_nothing_is_stored),
	    TEST(it_is_nothing_where_the_rules_do_not_say_so),
	    cmocka_unit_test(it_must_be_asked_for),
	};
	int failed;

	test_directory_make("test_rights_certificate", dir, sizeof(dir));
	test_certificate_make(
	    dir, &(struct test_certificate_plan){.name = "ours"}, &ours);
	test_certificate_make(dir,
	    &(struct test_certificate_plan){.name = "ca", .authority = true},
	    &ca);
	test_certificate_make(dir,
	    &(struct test_certificate_plan){.name = "ann", .issuer = &ca},
	    &ann);
	failed =
	    cmocka_run_group_tests(tests, guarded_make_dir, guarded_remove_dir);
	(void)test_directory_remove(dir);
	return failed;
}
