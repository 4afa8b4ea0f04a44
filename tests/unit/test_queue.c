/*
 * The bounded queue: its bound, the two edges, order, the close, and whose
 * the chunks are.
 */
#include "flow/queue.h"

#include <ev.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "disk/chunk.h"

enum {
	SIZE = 4096,
	BUDGET = 64,
};

struct fixture {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct chunk_account account;
	struct chunk_claim claim;
	struct queue queue;
	unsigned works, rooms; /* how often the owner was told */
};

static void
on_work(void *owner)
{
	struct fixture *f = owner;

	f->works++;
}

static void
on_room(void *owner)
{
	struct fixture *f = owner;

	f->rooms++;
}

/* A queue, of which the fixture is told. */
static struct queue *
new_queue(struct fixture *f, size_t depth)
{
	static const struct queue_events events = {
	    .on_work = on_work, .on_room = on_room};

	queue_init(&f->queue, depth, &events, f);
	return &f->queue;
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->loop = ev_loop_new(EVFLAG_AUTO);
	f->pool = chunk_pool_new(f->loop, SIZE, SIZE * BUDGET);
	chunk_account_add(f->pool, &f->account);
	f->claim.account = &f->account;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(chunk_pool_held(f->pool), 0);
	chunk_account_remove(f->pool, &f->account);
	chunk_pool_free(&f->pool);
	ev_loop_destroy(f->loop);
	free(f);
	return 0;
}

static struct chunk *
take(struct fixture *f)
{
	struct chunk *c = chunk_take(f->pool, &f->claim);

	assert_non_null(c);
	return c;
}

/* Push where the edge does not matter. */
static void
push(struct fixture *f, struct queue *q, struct chunk *c)
{
	unsigned works = f->works, rooms = f->rooms;
	enum queue_edge edge = queue_push(q, c);

	(void)edge;
	assert_int_equal(f->works, works + 1);
	assert_int_equal(f->rooms, rooms);
}

/* Pop; *ret_edge: it was told of as one that makes the first place. */
static struct chunk *
pop(struct fixture *f, struct queue *q, bool *ret_edge)
{
	unsigned works = f->works, rooms = f->rooms;
	struct chunk *c = queue_pop(q);

	*ret_edge = f->rooms != rooms;
	assert_true(f->rooms <= rooms + 1);
	assert_int_equal(f->works, works);
	return c;
}

static void
the_edges_are_the_last_place_and_the_first(void **state)
{
	struct fixture *f = *state;

	for (size_t depth = 1; depth <= 9; depth++) {
		struct queue *q = new_queue(f, depth);
		bool edge;

		assert_true(queue_is_empty(q));
		for (size_t i = 0; i < depth; i++) {
			assert_false(queue_is_full(q));
			assert_int_equal(queue_push(q, take(f)),
			    i + 1 == depth ? QUEUE_FILLED : QUEUE_STEADY);
			assert_int_equal(queue_length(q), i + 1);
			assert_int_equal(queue_room(q), depth - i - 1);
			assert_false(queue_is_empty(q));
		}
		assert_true(queue_is_full(q));
		for (size_t i = 0; i < depth; i++) {
			struct chunk *c = pop(f, q, &edge);

			assert_non_null(c);
			assert_int_equal(edge, i == 0);
			chunk_give(c);
		}
		assert_true(queue_is_empty(q));
		assert_null(pop(f, q, &edge));
		assert_false(edge);
		queue_fini(q);
	}
}

static void
what_goes_in_first_comes_out_first(void **state)
{
	struct fixture *f = *state;

	/* Every depth, however full it is. */
	for (size_t depth = 1; depth <= 5; depth++) {
		struct queue *q = new_queue(f, depth);
		size_t in = 0, out = 0;

		for (unsigned step = 0; step < 200; step++) {
			bool edge;
			struct chunk *c;

			if (!queue_is_full(q) && step * 7 % 3 != 0) {
				c = take(f);
				c->len = in++;
				push(f, q, c);
			} else if ((c = pop(f, q, &edge)) != NULL) {
				assert_int_equal(c->len, out++);
				chunk_give(c);
			}
			assert_int_equal(queue_length(q), in - out);
		}
		assert_true(out > 20);
		queue_fini(q);
	}
}

static void
each_refilling_is_an_edge_again(void **state)
{
	struct fixture *f = *state;
	struct queue *q = new_queue(f, 2);
	bool edge;

	assert_int_equal(queue_push(q, take(f)), QUEUE_STEADY);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(queue_push(q, take(f)), QUEUE_FILLED);
		chunk_give(pop(f, q, &edge));
		assert_true(edge);
	}
	queue_fini(q);
}

static void
closing_keeps_what_is_in_it(void **state)
{
	struct fixture *f = *state;
	struct queue *q = new_queue(f, 3);
	bool edge;

	assert_false(queue_is_closed(q));
	push(f, q, take(f));
	f->works = 0;
	queue_close(q);
	assert_int_equal(f->works, 1); /* the side that pops has to know */
	assert_true(queue_is_closed(q));
	assert_int_equal(queue_length(q), 1);
	chunk_give(pop(f, q, &edge));
	assert_true(queue_is_empty(q) && queue_is_closed(q));
	queue_fini(q);
}

static void
freeing_gives_the_chunks_back(void **state)
{
	struct fixture *f = *state;
	struct queue *q = new_queue(f, 8);

	for (int i = 0; i < 5; i++)
		push(f, q, take(f));
	assert_int_equal(chunk_pool_held(f->pool), 5);
	f->works = f->rooms = 0;
	queue_fini(q);
	assert_int_equal(queue_length(q), 0);
	assert_int_equal(f->works + f->rooms, 0); /* no side is told */
	assert_int_equal(chunk_pool_held(f->pool), 0);
	assert_int_equal(f->claim.held, 0);
	queue_fini(q); /* and nothing when none is left */
	queue_fini(&(struct queue){0});
}

/* The signal that `act` ends a process with, or 0. */
static int
dies_of(void (*act)(struct fixture *f, struct queue *q), struct fixture *f)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct queue *q = new_queue(f, 1);

		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		act(f, q);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
push_twice(struct fixture *f, struct queue *q)
{
	push(f, q, take(f));
	push(f, q, take(f));
}

static void
push_closed(struct fixture *f, struct queue *q)
{
	queue_close(q);
	push(f, q, take(f));
}

static void
pushing_too_much_is_a_bug(void **state)
{
	assert_int_equal(dies_of(push_twice, *state), SIGABRT);
	assert_int_equal(dies_of(push_closed, *state), SIGABRT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_edges_are_the_last_place_and_the_first),
	    TEST(what_goes_in_first_comes_out_first),
	    TEST(each_refilling_is_an_edge_again),
	    TEST(closing_keeps_what_is_in_it),
	    TEST(freeing_gives_the_chunks_back),
	    TEST(pushing_too_much_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
