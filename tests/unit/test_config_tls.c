/*
 * Directives of TLS: pairs in their order, what blocks inherit, who may share an
 * address, and what is missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define LOC "location /f { } "
#define PAIR "ssl_certificate /c; ssl_certificate_key /k; "

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

static void
pairs_keep_their_order_and_places(void **state)
{
	struct config *c =
	    parse("server { listen 443 ssl; ssl_certificate /a;\n"
		  "ssl_certificate_key /b; ssl_certificate c;\n"
		  "ssl_certificate_key /d; " LOC "}");
	struct conf_server *s = &c->servers[0];

	(void)state;
	assert_true(s->listens[0].ssl);
	assert_int_equal(s->ssl_certificate.count, 2);
	assert_int_equal(s->ssl_certificate_key.count, 2);
	assert_string_equal(s->ssl_certificate.values[0].path, "/a");
	assert_int_equal(s->ssl_certificate.values[1].path[0], '/');
	assert_int_equal(s->ssl_certificate.values[1].place.line, 2);
	assert_int_equal(s->ssl_certificate.values[1].place.column, 25);
	assert_string_equal(s->ssl_certificate_key.values[1].path, "/d");
	config_free(&c);
}

static void
defaults_are_those_of_today(void **state)
{
	struct config *c = parse("server { " LOC "}");
	struct conf_server *s = &c->servers[0];

	(void)state;
	assert_false(s->listens[0].ssl);
	assert_int_equal(s->ssl_protocols, PROTOCOL_TLS_1_2 | PROTOCOL_TLS_1_3);
	assert_int_equal(s->ssl_verify_client, VERIFY_OFF);
	assert_true(s->ssl_session_tickets);
	assert_null(s->ssl_client_certificate);
	config_free(&c);
}

/* As all of the kind: those of the block, or else those around it. */
static void
a_block_inherits_pairs_unless_it_has_its_own(void **state)
{
	struct config *c = parse(PAIR "server { listen 443 ssl; " LOC "} "
				      "server { listen 444 ssl; "
				      "ssl_certificate /x; "
				      "ssl_certificate_key /y; " LOC "}");

	(void)state;
	assert_string_equal(c->servers[0].ssl_certificate.values[0].path, "/c");
	assert_int_equal(c->servers[1].ssl_certificate.count, 1);
	assert_string_equal(c->servers[1].ssl_certificate.values[0].path, "/x");
	config_free(&c);
}

static void
what_is_missing_is_told(void **state)
{
	(void)state;
	expect("server { listen 443 ssl; " LOC "}",
	    "t:1:10: listen: ssl needs an ssl_certificate FILE and its "
	    "ssl_certificate_key FILE, in this server block or at top level\n");
	expect("server { listen 443 ssl; ssl_certificate /a; " LOC "}",
	    "t:1:26: ssl_certificate: its ssl_certificate_key is missing: the "
	    "first key belongs to the first certificate, and so on\n");
	expect("server { listen 443 ssl; " PAIR "ssl_certificate_key /l; " LOC
	       "}",
	    "t:1:70: ssl_certificate_key: its ssl_certificate is missing: the "
	    "first key belongs to the first certificate, and so on\n");
	expect("server { listen 443 ssl; " PAIR "ssl_verify_client on; " LOC
	       "}",
	    "t:1:70: ssl_verify_client: an ssl_client_certificate FILE must "
	    "say who may have signed the certificates of clients\n");
	expect("server { listen 443 ssl; ssl_protocols TLSv1.1; " PAIR LOC "}",
	    "t:1:40: ssl_protocols: \"TLSv1.1\" is no such choice; allowed: "
	    "TLSv1.2 or TLSv1.3, one or more\n");
}

static void
what_would_not_be_used_is_told(void **state)
{
	struct config *c;

	(void)state;
	expect("server { listen 443; " PAIR LOC "}",
	    "t:1:22: ssl_certificate: it would not be used, since no listen "
	    "has ssl: write ssl behind the address, as in listen 443 ssl\n");
	expect("server { listen 443 ssl; " PAIR "ssl_crl /a; " LOC "}",
	    "t:1:70: ssl_crl: no client is asked for a certificate that could "
	    "be revoked: write ssl_client_certificate FILE and "
	    "ssl_verify_client on, too\n");
	expect("server { listen 443 ssl; " PAIR
	       "ssl_client_certificate /a; " LOC "}",
	    "t:1:70: ssl_client_certificate: no client would be asked for a "
	    "certificate: write ssl_verify_client on, or optional (or off)\n");
	c = parse(
	    PAIR "ssl_client_certificate /a; server { listen 80; " LOC "} "
		 "server { listen 443 ssl; ssl_verify_client off; " LOC "}");
	config_free(&c);
}

static void
two_blocks_may_share_an_address_with_tls(void **state)
{
	struct config *c = parse(
	    PAIR "server { listen 443 ssl; " LOC "} "
		 "server { listen 443 ssl; server_name b.example; " LOC "}");

	(void)state;
	assert_int_equal(c->server_count, 2);
	config_free(&c);
}

static void
two_blocks_that_cannot_be_told_apart_are_a_mistake(void **state)
{
	(void)state;
	expect(PAIR "server { listen 443 ssl; " LOC "}\n"
		    "server { listen 443 ssl; " LOC "}",
	    "t:2:10: listen: the server block at t:1:45 listens there, too, "
	    "and is the one for clients that name none of them: without a "
	    "server_name this one would never be used\n");
	expect(PAIR "server { listen 443 ssl; server_name a.b; " LOC "}\n"
		    "server { listen 443 ssl; server_name c.d a.b; " LOC "}",
	    "t:2:10: listen: the server block at t:1:45 listens there, too, "
	    "and both have the server_name a.b\n");
	expect(PAIR "server { listen 443; " LOC "}\n"
		    "server { listen 443 ssl; server_name a.b; " LOC "}",
	    "t:2:10: listen: 0.0.0.0:443 is taken at t:1:54; each address may "
	    "be given once, unless both have ssl\n");
	expect(PAIR "server { listen 443 ssl; " LOC "}\n"
		    "server { listen 443 ssl backlog=5; server_name a.b; " LOC
		    "}",
	    "t:2:10: listen: both server blocks share one socket, so write "
	    "the same options as at t:1:54: 0.0.0.0:443 ssl\n");
	expect(PAIR "server { listen 443 ssl; listen 443 ssl; " LOC "}",
	    "t:1:70: listen: 0.0.0.0:443 is taken at t:1:54; each address may "
	    "be given once\n");
}

/* What -T prints is read again as the same. */
static void
all_of_it_is_printed(void **state)
{
	struct config *c =
	    parse(PAIR "ssl_certificate /c2; ssl_certificate_key /k2; "
		       "server { listen 443 ssl; ssl_protocols TLSv1.3; "
		       "ssl_client_certificate /ca; ssl_verify_client "
		       "optional; " LOC "}");
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct config *again;

	(void)state;
	config_print(c, out);
	fclose(out);
	assert_non_null(strstr(text, "0.0.0.0:443 ssl;"));
	again = parse(text);
	assert_int_equal(again->servers[0].ssl_certificate.count, 2);
	assert_string_equal(
	    again->servers[0].ssl_certificate_key.values[1].path, "/k2");
	assert_int_equal(again->servers[0].ssl_protocols, PROTOCOL_TLS_1_3);
	assert_int_equal(again->servers[0].ssl_verify_client, VERIFY_OPTIONAL);
	assert_string_equal(again->servers[0].ssl_client_certificate, "/ca");
	free(text);
	config_free(&c);
	config_free(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pairs_keep_their_order_and_places),
	    cmocka_unit_test(defaults_are_those_of_today),
	    cmocka_unit_test(a_block_inherits_pairs_unless_it_has_its_own),
	    cmocka_unit_test(what_is_missing_is_told),
	    cmocka_unit_test(what_would_not_be_used_is_told),
	    cmocka_unit_test(two_blocks_may_share_an_address_with_tls),
	    cmocka_unit_test(
		two_blocks_that_cannot_be_told_apart_are_a_mistake),
	    cmocka_unit_test(all_of_it_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
