/*
 * Whose turn it is: each that waits has one in an iteration of the loop, in the
 * order in which they came, and none has a second one in it.  So a long pipeline
 * holds up no other client.
 */
#include "http/turns.h"

#include <string.h>
#include <unistd.h>

#include "lib/client.h"
#include "lib/cmocka_with.h"

enum {
	CHUNK = 4096,
	TURNS = 200,
	PIPELINE = 20,
};

struct waiter {
	struct list_node node;
	char name;
	unsigned again;	     /* so many times it waits once more */
	struct waiter *ends; /* whose waiting it ends; NULL: none */
};

static struct fixture {
	struct test_loop l;
	struct turns turns;
	struct waiter a, b, c;
	char order[256]; /* the names of those that had a turn */
	size_t len;
	struct test_server server;
	struct test_client one, other;
	ev_io io;
} f;

static void
note(char name)
{
	assert_true(f.len < sizeof(f.order) - 1);
	f.order[f.len++] = name;
}

static void
take(struct list_node *n)
{
	struct waiter *w = container_of(n, struct waiter, node);

	note(w->name);
	if (w->ends != NULL)
		list_remove(&w->ends->node);
	if (w->again-- > 0)
		turns_await(&f.turns, n);
}

static void
answer(struct exchange *x)
{
	struct response r = {.status = 204};

	note(exchange_head(x)->target.s[1]);
	exchange_respond(x, &r);
}

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	f.a.name = 'a';
	f.b.name = 'b';
	f.c.name = 'c';
	test_loop_begin(&f.l, CHUNK, 16);
	turns_init(&f.turns, f.l.loop, false, take);
	test_server_begin(&f.server, &f.l, answer);
	test_client_connect(&f.one, &f.server);
	test_client_connect(&f.other, &f.server);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	test_server_end(&f.server);
	test_client_hang_up(&f.one);
	test_client_hang_up(&f.other);
	test_loop_end(&f.l);
	return 0;
}

/* An iteration of the loop; a bar stands behind the turns that it brought. */
static void
turn(void)
{
	test_loop_turn(&f.l, 1);
	note('|');
}

static void
it_comes_in_an_iteration_of_its_own(void **state)
{
	(void)state;
	turns_await(&f.turns, &f.a.node);
	assert_string_equal(f.order, "");
	turn();
	turn();
	assert_string_equal(f.order, "a||");
}

static void
all_that_wait_have_one_in_their_order(void **state)
{
	(void)state;
	turns_await(&f.turns, &f.b.node);
	turns_await(&f.turns, &f.a.node);
	turns_await(&f.turns, &f.c.node);
	turn();
	turn();
	assert_string_equal(f.order, "bac||");
}

static void
singly_there_is_one_in_each_iteration(void **state)
{
	(void)state;
	turns_init(&f.turns, f.l.loop, true, take);
	f.a.again = 1;
	turns_await(&f.turns, &f.b.node);
	turns_await(&f.turns, &f.a.node);
	turns_await(&f.turns, &f.c.node);
	assert_false(turns_take_free(&f.turns));
	for (int i = 0; i < 5; i++)
		turn();
	assert_string_equal(f.order, "b|a|c|a||");
	assert_true(turns_take_free(&f.turns));
	assert_false(turns_take_free(&f.turns));
	turn();
	assert_true(turns_take_free(&f.turns));
}

static void
one_that_waits_again_has_the_next(void **state)
{
	(void)state;
	f.a.again = 3;
	f.b.again = 1;
	turns_await(&f.turns, &f.a.node);
	turns_await(&f.turns, &f.b.node);
	turn();
	turns_await(&f.turns, &f.c.node);
	for (int i = 0; i < 4; i++)
		turn();
	assert_string_equal(f.order, "ab|abc|a|a||");
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)w;
	(void)revents;
	note('i');
	if (f.a.again > PIPELINE) /* it has wrapped: that was the last */
		ev_break(loop, EVBREAK_ALL);
}

static void
descriptors_are_looked_at_between_two(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	ev_io_init(&f.io, on_readable, ends[0], EV_READ);
	ev_io_start(f.l.loop, &f.io);
	f.a.again = PIPELINE;
	turns_await(&f.turns, &f.a.node);
	ev_run(f.l.loop, 0);
	ev_io_stop(f.l.loop, &f.io);
	assert_null(strstr(f.order, "aa"));
	assert_int_equal(f.order[f.len - 1], 'i');
	assert_in_range(f.len, 2 * PIPELINE + 1, 2 * PIPELINE + 3);
	close(ends[0]);
	close(ends[1]);
}

static void
one_that_waits_no_more_has_none(void **state)
{
	(void)state;
	turns_await(&f.turns, &f.a.node);
	turns_await(&f.turns, &f.b.node);
	turns_await(&f.turns, &f.c.node);
	list_remove(&f.b.node);
	turn();
	assert_string_equal(f.order, "ac|");
	turns_await(&f.turns, &f.a.node);
	list_remove(&f.a.node);
	turn();
	turn();
	assert_string_equal(f.order, "ac|||");
}

/* As a handler may that closes another connection; also the last one's. */
static void
a_turn_may_end_the_waiting_of_another(void **state)
{
	(void)state;
	f.a.ends = &f.c;
	f.a.again = 2;
	turns_await(&f.turns, &f.a.node);
	turns_await(&f.turns, &f.b.node);
	turns_await(&f.turns, &f.c.node);
	for (int i = 0; i < 4; i++)
		turn();
	assert_string_equal(f.order, "ab|a|a||");
	assert_false(list_is_linked(&f.c.node));
}

static unsigned
answers(const struct test_client *c)
{
	unsigned n = 0;

	for (const char *s = c->got; (s = strstr(s, "HTTP/1.1 204 ")); s++)
		n++;
	return n;
}

/* One connection sends many requests at once, the other one. */
static void
a_pipeline_holds_up_no_other_client(void **state)
{
	char text[PIPELINE * 64] = "";

	(void)state;
	for (int i = 0; i < PIPELINE; i++)
		strcat(text, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	test_client_say(&f.one, text);
	test_client_say(&f.other, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
	for (int i = 0; i < TURNS && f.len < PIPELINE + 1; i++)
		test_loop_turn(&f.l, 1);
	assert_int_equal(f.len, PIPELINE + 1);
	assert_non_null(strchr(f.order, 'b'));
	assert_in_range(strchr(f.order, 'b') - f.order, 0, 1);
	test_client_hear(&f.one);
	assert_int_equal(answers(&f.one), PIPELINE);
}

/* Two of them take turns. */
static void
two_pipelines_take_turns(void **state)
{
	char a[PIPELINE * 64] = "", b[PIPELINE * 64] = "";

	(void)state;
	for (int i = 0; i < PIPELINE; i++) {
		strcat(a, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
		strcat(b, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
	}
	test_client_say(&f.one, a);
	test_client_say(&f.other, b);
	for (int i = 0; i < TURNS && f.len < 2 * PIPELINE; i++)
		test_loop_turn(&f.l, 1);
	assert_int_equal(f.len, 2 * PIPELINE);
	for (size_t i = 0; i < f.len; i += 2)
		assert_int_not_equal(f.order[i], f.order[i + 1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_comes_in_an_iteration_of_its_own),
	    TEST(all_that_wait_have_one_in_their_order),
	    TEST(singly_there_is_one_in_each_iteration),
	    TEST(one_that_waits_again_has_the_next),
	    TEST(descriptors_are_looked_at_between_two),
	    TEST(one_that_waits_no_more_has_none),
	    TEST(a_turn_may_end_the_waiting_of_another),
	    TEST(a_pipeline_holds_up_no_other_client),
	    TEST(two_pipelines_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
