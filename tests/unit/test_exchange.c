/*
 * An invented handler and its exchanges: it keeps them in hand, reads their heads
 * later, and answers with content whose length is not known.
 */
#include "http/exchange.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/client.h"
#include "lib/cmocka_with.h"
#include "lib/flow.h"

enum {
	CHUNK = 4096,
	TURNS = 20000,
};

/* Content: so many pieces, the first of one byte, each next a byte longer. */
struct pieces {
	struct source source;
	unsigned left, given;
	bool fails; /* behind the last */
};

static struct fixture {
	struct test_loop l;
	struct test_server server;
	struct test_client client;
	int wake[2];
	unsigned gone;
	bool drops;		   /* the head, at once */
	struct exchange *exchange; /* in hand; NULL: none */
	struct test_flow flow;
	struct pieces pieces;
} f;

/* ---- the handler ---- */

static enum outcome
on_gone(void *owner)
{
	assert_ptr_equal(owner, &f);
	f.gone++;
	f.exchange = NULL;
	flow_stop(&f.flow.flow);
	return OUTCOME_STOPPED;
}

static const struct exchange_ops ops = {
    .on_gone = on_gone,
};

static void
on_request(struct exchange *x)
{
	f.exchange = x;
	exchange_take(x, &ops, &f);
	if (f.drops)
		exchange_drop_head(x);
}

static void
add_fields(struct str *out)
{
	str_puts(out, "X-Any: 1\r\n");
}

/* ---- the content ---- */

static enum source_result
pieces_read(struct source *s, struct chunk *c, size_t size, struct reader *r)
{
	struct pieces *p = container_of(s, struct pieces, source);

	(void)r;
	if (p->left == 0 && p->fails) {
		s->failure = failure_of_errno(-EIO);
		return SOURCE_FAILED;
	}
	if (p->left > 0) {
		p->left--;
		p->given++;
		assert_true(c->len + p->given <= size);
		memset(c->data + c->len, 'a' + (int)p->given - 1, p->given);
		c->len += p->given;
	}
	s->ended = p->left == 0 && !p->fails;
	return SOURCE_BYTES;
}

static void
pieces_abandon(struct source *s)
{
	(void)s;
	fail();
}

static const struct source_ops pieces_ops = {
    .read = pieces_read,
    .abandon = pieces_abandon,
};

static void
end_stream(struct test_flow *t)
{
	struct exchange *x = f.exchange;

	f.exchange = NULL;
	flow_stop(&t->flow);
	exchange_streamed(x, t->drained, OUTCOME_SENT);
}

/* Stream this many pieces. */
static void
stream(unsigned pieces)
{
	struct response r = {
	    .status = 200,
	    .content_type = "text/plain",
	    .streamed = true,
	    .stream_length = RESPONSE_LENGTH_UNKNOWN,
	};

	f.pieces.source.ops = &pieces_ops;
	f.pieces.source.fd = f.wake[0]; /* always ready */
	f.pieces.source.wants = EV_READ;
	f.pieces.left = pieces;
	f.flow.on_end = end_stream;
	test_flow_start(&f.flow, &f.l,
	    &(struct flow_setup){
		.source = &f.pieces.source,
		.sink = exchange_stream(f.exchange, &r),
		.queue_depth = 2,
		.write_depth = 1,
	    });
}

/* ---- the client ---- */

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	assert_int_equal(pipe(f.wake), 0);
	assert_int_equal(write(f.wake[1], "x", 1), 1);
	test_loop_begin(&f.l, CHUNK, 16);
	flow_init(&f.flow.flow);
	test_server_begin(&f.server, &f.l, on_request);
	f.server.add_fields = add_fields;
	test_client_connect(&f.client, &f.server);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	test_server_end(&f.server); /* all are closed */
	assert_true(f.server.closed > 0);
	test_client_hang_up(&f.client);
	close(f.wake[0]);
	close(f.wake[1]);
	test_loop_end(&f.l);
	return 0;
}

static void
turn(void)
{
	test_loop_turn(&f.l, 1);
	test_client_hear(&f.client);
}

static void
say(const char *text)
{
	unsigned before = f.server.requests;

	test_client_say(&f.client, text);
	for (int i = 0; i < TURNS && f.server.requests == before; i++)
		turn();
	assert_int_equal(f.server.requests, before + 1);
}

/* All turns that it takes until nothing happens any more. */
static void
settle(void)
{
	for (int i = 0; i < 200; i++)
		turn();
}

static bool
has_heard(const char *text)
{
	return test_client_has_heard(&f.client, text);
}

static char *
content(void)
{
	return test_client_content(&f.client);
}

/* Take the framing out of the chunks at `s` (RFC 9112 7.1): what is behind their
 * end, or NULL when there is no end. */
static const char *
unframe(const char *s, char *ret)
{
	for (;;) {
		char *line;
		unsigned long len = strtoul(s, &line, 16);

		if (line == s)
			return NULL;
		assert_memory_equal(line, "\r\n", 2);
		memcpy(ret, line + 2, len);
		ret += len;
		*ret = '\0';
		s = line + 2 + len;
		assert_memory_equal(s, "\r\n", 2);
		s += 2;
		if (len == 0)
			return s;
	}
}

#define ASK(method, version) method " /x HTTP/" version "\r\nHost: h\r\n"

static void
content_of_unknown_length_comes_in_chunks(void **state)
{
	char text[256];

	(void)state;
	say(ASK("GET", "1.1") "\r\n");
	stream(5);
	settle();
	assert_true(has_heard("\r\nTransfer-Encoding: chunked\r\n"));
	assert_false(has_heard("Content-Length"));
	assert_true(has_heard("\r\nConnection: keep-alive\r\n"));
	assert_string_equal(unframe(content(), text), "");
	assert_string_equal(text, "abbcccddddeeeee");
	assert_false(f.client.ended);
	/* And the connection goes on. */
	f.client.len = 0;
	say(ASK("GET", "1.1") "\r\n");
	stream(1);
	settle();
	assert_string_equal(unframe(content(), text), "");
	assert_string_equal(text, "ffffff");
}

static void
content_of_unknown_length_may_be_none(void **state)
{
	(void)state;
	say(ASK("GET", "1.1") "\r\n");
	stream(0);
	settle();
	assert_true(has_heard("\r\nTransfer-Encoding: chunked\r\n"));
	assert_string_equal(content(), "0\r\n\r\n");
	assert_false(f.client.ended);
}

/* It knows no chunks: the end of the connection is the end of the content. */
static void
an_old_client_is_told_the_end_by_the_end(void **state)
{
	(void)state;
	say(ASK("GET", "1.0") "Connection: keep-alive\r\n\r\n");
	stream(3);
	settle();
	assert_false(has_heard("Transfer-Encoding"));
	assert_false(has_heard("Content-Length"));
	assert_true(has_heard("\r\nConnection: close\r\n"));
	assert_string_equal(content(), "abbccc");
	assert_true(f.client.ended);
}

static void
head_is_told_no_length(void **state)
{
	struct response r = {
	    .status = 200,
	    .streamed = true,
	    .stream_length = RESPONSE_LENGTH_UNKNOWN,
	};

	(void)state;
	say(ASK("HEAD", "1.1") "\r\n");
	exchange_respond(f.exchange, &r);
	f.exchange = NULL;
	settle();
	assert_false(has_heard("Transfer-Encoding"));
	assert_false(has_heard("Content-Length"));
	assert_true(has_heard("\r\nConnection: keep-alive\r\n"));
	assert_true(has_heard("\r\nX-Any: 1\r\n"));
	assert_string_equal(content(), "");
	assert_false(f.client.ended);
}

/* What was cut has no end that could be taken for one. */
static void
content_that_fails_has_no_end(void **state)
{
	char text[256] = "";

	(void)state;
	f.pieces.fails = true;
	say(ASK("GET", "1.1") "\r\n");
	stream(3);
	settle();
	if (f.client.len > 0 && strstr(f.client.got, "\r\n\r\n") != NULL)
		assert_null(unframe(content(), text));
	assert_false(has_heard("\r\n0\r\n"));
	assert_true(f.client.ended);
}

/* Other requests are read into the same buffer meanwhile. */
static void
the_head_lives_as_long_as_the_exchange(void **state)
{
	struct response r = {.status = 204};
	struct test_client other;
	struct exchange *first;

	(void)state;
	say("PUT /first HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
	    "If-Match: \"tag\"\r\n\r\n");
	first = f.exchange;
	test_client_connect(&other, &f.server);
	test_client_say(&other,
	    "DELETE /another HTTP/1.1\r\nHost: other.example\r\n"
	    "Accept: */*\r\nX-Padding: 0123456789abcdef\r\n\r\n");
	settle();
	assert_int_equal(f.server.requests, 2);
	exchange_respond(f.exchange, &r);
	f.exchange = first;
	assert_int_equal(exchange_head(f.exchange)->method, METHOD_PUT);
	assert_memory_equal(exchange_head(f.exchange)->target.s, "/first", 6);
	assert_memory_equal(
	    exchange_head(f.exchange)->if_match.s, "\"tag\"", 5);
	exchange_drop_head(f.exchange);
	exchange_respond(f.exchange, &r);
	settle();
	assert_true(has_heard("HTTP/1.1 204 "));
	test_client_hang_up(&other);
}

static void
a_head_may_be_dropped_at_once(void **state)
{
	struct response r = {.status = 204};

	(void)state;
	f.drops = true;
	say(ASK("GET", "1.1") "\r\n");
	settle();
	exchange_respond(f.exchange, &r);
	settle();
	assert_true(has_heard("HTTP/1.1 204 "));
	assert_false(f.client.ended);
}

static void
begin_asking(void)
{
	f.client.len = 0;
	say(ASK("GET", "1.1") "\r\n");
	assert_non_null(f.exchange);
}

static void
answer_it(void)
{
	struct response r = {.status = 204};

	exchange_respond(f.exchange, &r);
	f.exchange = NULL;
	settle();
}

static void
ask_once(void)
{
	begin_asking();
	answer_it();
}

static void
a_note_is_for_the_very_next_request(void **state)
{
	char *note;

	(void)state;
	for (int skipped = 0; skipped < 2; skipped++) {
		begin_asking();
		exchange_leave_note(f.exchange, strdup("note"));
		answer_it();
		if (skipped)
			ask_once();
		begin_asking();
		note = exchange_take_note(f.exchange);
		if (skipped)
			assert_null(note);
		else
			assert_string_equal(note, "note");
		free(note);
		assert_null(exchange_take_note(f.exchange));
		answer_it();
	}
}

static void
continue_is_said_once_to_a_client_that_waits_for_it(void **state)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

	(void)state;
	for (int expects = 0; expects < 2; expects++) {
		f.client.len = 0;
		say(expects ? ASK("PUT", "1.1") "Expect: 100-continue\r\n"
						"Content-Length: 1\r\n\r\n"
			    : ASK("GET", "1.1") "\r\n");
		exchange_continue(f.exchange);
		exchange_continue(f.exchange);
		settle();
		if (expects)
			assert_string_equal(f.client.got, interim);
		else
			assert_int_equal(f.client.len, 0);
		answer_it();
	}
}

/* Beside 100, in the order in which they are said. */
static void
interim_answers_go_to_clients_that_know_them(void **state)
{
	(void)state;
	say(ASK("PUT", "1.1") "Expect: 100-continue\r\n"
			      "Content-Length: 1\r\n\r\n");
	assert_true(exchange_interim(f.exchange, 104, "Location: /u\r\n"));
	exchange_continue(f.exchange);
	settle();
	assert_string_equal(f.client.got,
	    "HTTP/1.1 104 Upload Resumption Supported\r\n"
	    "Location: /u\r\n\r\n"
	    "HTTP/1.1 100 Continue\r\n\r\n");
	answer_it();
}

static void
no_interim_answer_goes_to_http_1_0(void **state)
{
	(void)state;
	say(ASK("GET", "1.0") "\r\n");
	assert_false(exchange_interim(f.exchange, 104, "Location: /u\r\n"));
	settle();
	assert_int_equal(f.client.len, 0);
	answer_it();
}

static void
the_last_request_of_a_connection_is_told_so(void **state)
{
	(void)state;
	f.server.conf.keepalive_requests = 2;
	ask_once();
	assert_true(has_heard("\r\nConnection: keep-alive\r\n"));
	assert_false(f.client.ended);
	ask_once();
	assert_true(has_heard("\r\nConnection: close\r\n"));
	assert_true(f.client.ended);
}

static void
its_handler_is_told_when_it_is_gone(void **state)
{
	(void)state;
	say(ASK("GET", "1.1") "\r\n");
	connections_drop(&f.server.g);
	assert_int_equal(f.gone, 1);
	assert_int_equal(f.server.closed, 1);
}

/* Which of two uploads came later must not depend on when it is asked: one is
 * written more slowly than the other. */
static void
when_a_request_came_does_not_change_while_it_is_in_hand(void **state)
{
	uint64_t received;

	(void)state;
	test_client_hang_up(&f.client);
	f.server.g.stamped = true;
	test_client_connect(&f.client, &f.server);
	say(ASK("PUT", "1.1") "Content-Length: 1\r\n\r\nx");
	received = clock_mono_ns();
	usleep(20 * 1000);
	assert_true(exchange_came_ns(f.exchange) <= received);
	assert_true(exchange_would_come_ns(f.exchange) <= received);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(content_of_unknown_length_comes_in_chunks),
	    TEST(content_of_unknown_length_may_be_none),
	    TEST(an_old_client_is_told_the_end_by_the_end),
	    TEST(head_is_told_no_length),
	    TEST(content_that_fails_has_no_end),
	    TEST(the_head_lives_as_long_as_the_exchange),
	    TEST(a_head_may_be_dropped_at_once),
	    TEST(a_note_is_for_the_very_next_request),
	    TEST(continue_is_said_once_to_a_client_that_waits_for_it),
	    TEST(interim_answers_go_to_clients_that_know_them),
	    TEST(no_interim_answer_goes_to_http_1_0),
	    TEST(the_last_request_of_a_connection_is_told_so),
	    TEST(its_handler_is_told_when_it_is_gone),
	    TEST(when_a_request_came_does_not_change_while_it_is_in_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
