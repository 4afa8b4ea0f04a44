/*
 * A gate whose step waits: the request is answered later, its head is there as
 * long, nothing of its body is read, and a client that leaves is seen.
 */
#include "web/gate.h"

#include <string.h>
#include <sys/socket.h>

#include "lib/client.h"
#include "lib/cmocka_with.h"
#include "set_clock.h"

enum {
	CHUNK = 4096,
	TURNS = 2000,
	TICK_NS = 10000000, /* a turn of the loop */
	LOOKS_TURNS = 80,   /* for some looks at the client */
};

/* What the steps of this test do. */
struct test_pass {
	struct gate_pass gate;
	char what[8]; /* is copied with it */
};

static struct fixture {
	struct test_loop l;
	struct test_server server;
	struct test_client client;
	unsigned judged, waits, forgotten, undone, passed;
	enum gate_verdict first, last; /* what those steps say */
	struct gate_pass *waiting;
} f;

static void
assert_pass(struct gate_pass *p)
{
	const struct head *h = exchange_head(p->exchange);

	assert_string_equal(
	    container_of(p, struct test_pass, gate)->what, "copied");
	assert_int_equal(h->target.len, 5);
	assert_memory_equal(h->target.s, "/file", 5);
	assert_memory_equal(h->host.s, "h", 1);
}

static enum gate_verdict
answer(struct gate_pass *p, enum gate_verdict v)
{
	if (v == GATE_ANSWERED)
		exchange_refuse(p->exchange, 403, "no", OUTCOME_REFUSED);
	return v;
}

static enum gate_verdict
judge_first(struct gate_pass *p)
{
	f.judged++;
	assert_pass(p);
	return answer(p, f.first);
}

static enum gate_verdict
judge_waiting(struct gate_pass *p)
{
	assert_pass(p);
	return GATE_WAIT;
}

static void
wait_for_test(struct gate_pass *p)
{
	f.waits++;
	f.waiting = p;
}

static void
forget(struct gate_pass *p)
{
	assert_ptr_equal(p, f.waiting);
	f.forgotten++;
	f.waiting = NULL;
}

static enum gate_verdict
judge_last(struct gate_pass *p)
{
	f.judged++;
	assert_pass(p);
	return answer(p, f.last);
}

static void
pass_all(struct gate_pass *p)
{
	struct response r = {.status = 204};

	assert_pass(p);
	f.passed++;
	exchange_respond(p->exchange, &r);
}

static void
undo(struct gate_pass *p)
{
	(void)p;
	f.undone++;
}

static const struct gate_step steps[] = {
    {.judge = judge_first},
    {.judge = judge_waiting, .wait = wait_for_test, .forget = forget},
    {.judge = judge_waiting, .wait = wait_for_test, .forget = forget},
    {.judge = judge_last},
};

static const struct gate gate = {
    .steps = steps,
    .count = COUNT_OF(steps),
    .pass_size = sizeof(struct test_pass),
    .passed = pass_all,
    .undo = undo,
};

static void
on_request(struct exchange *x)
{
	struct test_pass p = {.gate.exchange = x, .what = "copied"};

	gate_begin(&gate, &p.gate);
	memset(&p, '?', sizeof(p));
}

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	test_loop_begin(&f.l, CHUNK, 16);
	test_server_begin(&f.server, &f.l, on_request);
	test_client_connect(&f.client, &f.server);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	test_server_end(&f.server);
	assert_int_equal(f.server.closed, 1);
	test_client_hang_up(&f.client);
	test_loop_end(&f.l);
	return 0;
}

static void
turn(void)
{
	test_loop_turn(&f.l, 1);
	test_client_hear(&f.client);
	set_clock_pass(TICK_NS);
}

static void
say(const char *text)
{
	test_client_say(&f.client, text);
	for (int i = 0; i < 20; i++)
		turn();
}

static void
let_time_pass(void)
{
	for (int i = 0; i < LOOKS_TURNS; i++)
		turn();
}

static void
assert_heard(const char *begin)
{
	for (int i = 0; i < TURNS && f.client.len < strlen(begin); i++)
		turn();
	assert_memory_equal(f.client.got, begin, strlen(begin));
}

#define PUT "PUT /file HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
#define CHUNKED                                                                \
	"PUT /file HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

static void
it_passes_when_all_have_said_so(void **state)
{
	(void)state;
	say(PUT);
	assert_int_equal(f.waits, 1);
	assert_int_equal(f.judged, 1);
	let_time_pass();
	assert_int_equal(f.client.len, 0);
	gate_go_on(f.waiting, GATE_PASS); /* to the second that waits */
	assert_int_equal(f.waits, 2);
	assert_int_equal(f.judged, 1);
	gate_go_on(f.waiting, GATE_PASS);
	assert_int_equal(f.judged, 2);
	assert_int_equal(f.passed, 1);
	assert_int_equal(f.undone, 0);
	assert_int_equal(f.forgotten, 0);
	assert_heard("HTTP/1.1 204 ");
}

static void
what_waits_may_say_no(void **state)
{
	(void)state;
	say(PUT);
	exchange_refuse(f.waiting->exchange, 403, "no", OUTCOME_REFUSED);
	gate_go_on(f.waiting, GATE_ANSWERED);
	assert_heard("HTTP/1.1 403 ");
	assert_int_equal(f.undone, 1);
	assert_int_equal(f.passed, 0);
}

static void
a_step_behind_it_may_say_no(void **state)
{
	(void)state;
	f.last = GATE_ANSWERED;
	say(PUT);
	gate_go_on(f.waiting, GATE_PASS);
	gate_go_on(f.waiting, GATE_PASS);
	assert_heard("HTTP/1.1 403 ");
	assert_int_equal(f.undone, 1);
	assert_int_equal(f.passed, 0);
}

static void
a_step_before_it_may_say_no(void **state)
{
	(void)state;
	f.first = GATE_ANSWERED;
	say(PUT);
	assert_heard("HTTP/1.1 403 ");
	assert_int_equal(f.undone, 1);
	assert_int_equal(f.waits, 0);
}

/* And it is seen while bytes wait that are not read. */
static void
a_client_that_leaves_is_seen(void **state)
{
	(void)state;
	say(PUT);
	say("abc");
	let_time_pass();
	assert_int_equal(f.forgotten, 0);
	test_client_hang_up(&f.client);
	for (int i = 0; i < TURNS && f.forgotten == 0; i++)
		turn();
	assert_int_equal(f.forgotten, 1);
	assert_int_equal(f.undone, 1);
	assert_int_equal(f.server.closed, 1);
	assert_true(list_is_empty(&f.server.g.conns));
}

/* It has sent all, and waits for what becomes of it. */
static void
a_client_that_sends_no_more_may_wait(void **state)
{
	(void)state;
	say(PUT "abcde");
	assert_int_equal(shutdown(f.client.fd, SHUT_WR), 0);
	let_time_pass();
	assert_int_equal(f.forgotten, 0);
	gate_go_on(f.waiting, GATE_PASS);
	gate_go_on(f.waiting, GATE_PASS);
	assert_heard("HTTP/1.1 204 ");
}

static void
a_client_that_cannot_have_sent_all_is_gone(void **state)
{
	(void)state;
	say(CHUNKED);
	assert_int_equal(shutdown(f.client.fd, SHUT_WR), 0);
	for (int i = 0; i < TURNS && f.forgotten == 0; i++)
		turn();
	assert_int_equal(f.forgotten, 1);
	assert_int_equal(f.undone, 1);
}

static void
the_server_may_stop_meanwhile(void **state)
{
	(void)state;
	say(PUT);
	connections_cut(&f.server.g);
	assert_heard("HTTP/1.1 503 ");
	assert_int_equal(f.forgotten, 1);
	assert_int_equal(f.undone, 1);
}

static void
a_connection_may_be_dropped_meanwhile(void **state)
{
	(void)state;
	say(PUT);
	connections_drop(&f.server.g);
	assert_int_equal(f.forgotten, 1);
	assert_int_equal(f.undone, 1);
	assert_int_equal(f.server.closed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_passes_when_all_have_said_so),
	    TEST(what_waits_may_say_no),
	    TEST(a_step_behind_it_may_say_no),
	    TEST(a_step_before_it_may_say_no),
	    TEST(a_client_that_leaves_is_seen),
	    TEST(a_client_that_sends_no_more_may_wait),
	    TEST(a_client_that_cannot_have_sent_all_is_gone),
	    TEST(the_server_may_stop_meanwhile),
	    TEST(a_connection_may_be_dropped_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
