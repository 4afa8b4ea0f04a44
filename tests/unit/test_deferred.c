/*
 * A deferred call: never from within the post, once for each time that it was
 * posted before it ran, and without the loop going to sleep in between.
 */
#include "loop/deferred.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"

static struct fixture {
	struct ev_loop *loop;
	struct deferred d, other;
	unsigned count, again; /* how often it ran; how often it posts itself */
	int ends[2];
	ev_io io;
	unsigned seen; /* `count`, when the descriptor's event was handled */
} f;

static void
run(struct deferred *d)
{
	struct fixture *x = container_of(d, struct fixture, d);

	x->count++;
	if (x->again > 0) {
		x->again--;
		deferred_post(d);
	}
}

static void
cancel_d(struct deferred *d)
{
	deferred_cancel(&container_of(d, struct fixture, other)->d);
}

static int
set_up(void **state)
{
	(void)state;
	f = (struct fixture){.loop = ev_loop_new(EVFLAG_AUTO)};
	deferred_init(&f.d, f.loop, run);
	deferred_init(&f.other, f.loop, cancel_d);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	deferred_cancel(&f.d);
	deferred_cancel(&f.other);
	ev_loop_destroy(f.loop);
	return 0;
}

static void
it_runs_once_and_from_the_loop(void **state)
{
	(void)state;
	deferred_post(&f.d);
	deferred_post(&f.d);
	assert_int_equal(f.count, 0);
	assert_true(deferred_is_pending(&f.d));
	ev_run(f.loop, EVRUN_NOWAIT);
	assert_int_equal(f.count, 1);
	assert_false(deferred_is_pending(&f.d));
	ev_run(f.loop, EVRUN_NOWAIT);
	assert_int_equal(f.count, 1);
	deferred_post(&f.d);
	ev_run(f.loop, EVRUN_NOWAIT);
	assert_int_equal(f.count, 2);
}

static void
it_may_post_itself_again(void **state)
{
	(void)state;
	f.again = 3;
	deferred_post(&f.d);
	ev_run(f.loop, EVRUN_NOWAIT);
	assert_int_equal(f.count, 4);
}

static void
what_is_cancelled_does_not_run(void **state)
{
	struct deferred never = {0};

	(void)state;
	deferred_post(&f.d);
	deferred_cancel(&f.d);
	deferred_cancel(&f.d);
	assert_false(deferred_is_pending(&f.d));
	ev_run(f.loop, EVRUN_NOWAIT);
	assert_int_equal(f.count, 0);
	deferred_post(&f.d);
	ev_run(f.loop, EVRUN_NOWAIT);
	assert_int_equal(f.count, 1);
	deferred_cancel(&never);
}

/* Whichever of two comes first, it may cancel the other one. */
static void
one_may_cancel_another(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		f.count = 0;
		deferred_post(i == 0 ? &f.d : &f.other);
		deferred_post(i == 0 ? &f.other : &f.d);
		ev_run(f.loop, EVRUN_NOWAIT);
		assert_false(deferred_is_pending(&f.d));
		assert_in_range(f.count, 0, 1);
	}
}

static void
run_and_free(struct deferred *d)
{
	f.count++;
	free(d);
}

static void
it_may_free_its_owner(void **state)
{
	struct deferred *d = calloc(1, sizeof(*d));

	(void)state;
	assert_non_null(d);
	deferred_init(d, f.loop, run_and_free);
	deferred_post(d);
	ev_run(f.loop, EVRUN_NOWAIT);
	assert_int_equal(f.count, 1);
}

static void
on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	(void)w;
	f.seen = f.count;
	if (f.count == 0)
		deferred_post(&f.d);
}

/* One that a callback posts runs before descriptors are polled again, and the
 * loop does not wait for one. */
static void
it_comes_before_the_next_poll(void **state)
{
	(void)state;
	assert_int_equal(pipe(f.ends), 0);
	assert_int_equal(write(f.ends[1], "x", 1), 1);
	ev_io_init(&f.io, on_io, f.ends[0], EV_READ);
	ev_io_start(f.loop, &f.io);
	ev_run(f.loop, EVRUN_ONCE); /* the byte stays: readable all the time */
	assert_int_equal(f.seen, 0);
	assert_int_equal(f.count, 1);
	ev_run(f.loop, EVRUN_ONCE);
	assert_int_equal(f.seen, 1);
	ev_io_stop(f.loop, &f.io);
	close(f.ends[0]);
	close(f.ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		it_runs_once_and_from_the_loop, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		it_may_post_itself_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_is_cancelled_does_not_run, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		one_may_cancel_another, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		it_may_free_its_owner, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		it_comes_before_the_next_poll, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
