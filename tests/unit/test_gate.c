/*
 * A gate whose step waits: the request is answered later, its head is there as
 * long, nothing of its body is read, and a client that leaves is seen.
 */
#include "web/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/connections.h"
#include "set_clock.h"
#include "shared/shm.h"

enum {
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
	struct ev_loop *loop;
	struct connections g;
	struct handler handler;
	struct slot slot;
	uint64_t ids;
	int client;
	unsigned judged, waits, forgotten, undone, passed, closed;
	enum gate_verdict first, last; /* what those steps say */
	struct gate_pass *waiting;
	char got[4096];
	size_t len;
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
		exchange_refuse(p->exchange, 403, "no", "refused");
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
on_request(struct handler *h, struct exchange *x)
{
	struct test_pass p = {.gate.exchange = x, .what = "copied"};

	(void)h;
	gate_begin(&gate, &p.gate);
	memset(&p, '?', sizeof(p));
}

static void
add_fields(struct handler *h, const struct head *head, struct str *out)
{
	(void)h;
	(void)head;
	(void)out;
}

static void
on_closed(void *arg)
{
	(void)arg;
	f.closed++;
}

static int
set_up(void **state)
{
	static const struct conf_server conf = {
	    .header_timeout_s = 60,
	    .keepalive_timeout_s = 60,
	    .keepalive_requests = 100,
	    .send_timeout_s = 60,
	    .lingering_time_s = 60,
	    .lingering_timeout_s = 60,
	    .max_request_line = 1000,
	    .max_header_size = 10000,
	    .max_header_fields = 100,
	};
	struct addr peer = {.ss.ss_family = AF_UNIX};
	int ends[2];

	(void)state;
	memset(&f, 0, sizeof(f));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fcntl(ends[i], F_SETFL, O_NONBLOCK), 0);
	f.client = ends[1];
	f.loop = ev_loop_new(EVFLAG_AUTO);
	f.handler.on_request = on_request;
	f.handler.add_fields = add_fields;
	f.g.loop = f.loop;
	f.g.conf = &conf;
	f.g.handler = &f.handler;
	f.g.slot = &f.slot;
	f.g.on_closed = on_closed;
	f.g.ids = &f.ids;
	connections_init(&f.g);
	connections_open(&f.g, ends[0], &peer, false);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	connections_drop(&f.g);
	assert_true(list_is_empty(&f.g.conns));
	assert_int_equal(f.closed, 1);
	if (f.client != -1)
		close(f.client);
	ev_loop_destroy(f.loop);
	return 0;
}

static void
turn(void)
{
	ssize_t n = -1;

	ev_run(f.loop, EVRUN_NOWAIT);
	if (f.client != -1)
		n = recv(f.client, f.got + f.len, sizeof(f.got) - 1 - f.len, 0);
	if (n > 0)
		f.len += (size_t)n;
	set_clock_pass(TICK_NS);
}

static void
say(const char *text)
{
	assert_int_equal(
	    send(f.client, text, strlen(text), 0), (ssize_t)strlen(text));
	for (int i = 0; i < 20; i++)
		turn();
}

static void
hang_up(void)
{
	close(f.client);
	f.client = -1;
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
	for (int i = 0; i < TURNS && f.len < strlen(begin); i++)
		turn();
	f.got[f.len] = '\0';
	assert_memory_equal(f.got, begin, strlen(begin));
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
	assert_int_equal(f.len, 0);
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
	exchange_refuse(f.waiting->exchange, 403, "no", "refused");
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
	hang_up();
	for (int i = 0; i < TURNS && f.forgotten == 0; i++)
		turn();
	assert_int_equal(f.forgotten, 1);
	assert_int_equal(f.undone, 1);
	assert_int_equal(f.closed, 1);
	assert_true(list_is_empty(&f.g.conns));
}

/* It has sent all, and waits for what becomes of it. */
static void
a_client_that_sends_no_more_may_wait(void **state)
{
	(void)state;
	say(PUT "abcde");
	assert_int_equal(shutdown(f.client, SHUT_WR), 0);
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
	assert_int_equal(shutdown(f.client, SHUT_WR), 0);
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
	connections_cut(&f.g);
	assert_heard("HTTP/1.1 503 ");
	assert_int_equal(f.forgotten, 1);
	assert_int_equal(f.undone, 1);
}

static void
a_connection_may_be_dropped_meanwhile(void **state)
{
	(void)state;
	say(PUT);
	connections_drop(&f.g);
	assert_int_equal(f.forgotten, 1);
	assert_int_equal(f.undone, 1);
	assert_int_equal(f.closed, 1);
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
