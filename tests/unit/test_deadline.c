/*
 * Deadlines: moved as one likes, they come when they are due and not before,
 * whatever the wall clock does and however busy the loop was.
 */
#include "loop/deadline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "set_clock.h"

static struct fixture {
	struct ev_loop *loop;
	struct deadline d, other;
	double due_at; /* by clock_mono_s(); 0: not yet */
	unsigned count;
	int ends[2];
	ev_io io;
	bool read_first;
} f;

static void
on_due(struct deadline *d)
{
	struct fixture *x = container_of(d, struct fixture, d);

	x->due_at = clock_mono_s();
	x->count++;
}

static void
on_other(struct deadline *d)
{
	struct fixture *x = container_of(d, struct fixture, other);

	deadline_set(&x->d, 0.010);
}

static int
set_up(void **state)
{
	(void)state;
	set_clock_wall_step = 0;
	f.loop = ev_loop_new(EVFLAG_AUTO);
	f.due_at = 0;
	f.count = 0;
	f.read_first = false;
	deadline_init(&f.d, f.loop, on_due);
	deadline_init(&f.other, f.loop, on_other);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	deadline_fini(&f.d);
	deadline_fini(&f.other);
	deadline_fini(&f.d);
	ev_loop_destroy(f.loop);
	return 0;
}

/* Turn the loop for so long, or until it is due. */
static void
run(double seconds)
{
	double end = clock_mono_s() + seconds;

	while (f.count == 0 && clock_mono_s() < end) {
		ev_run(f.loop, EVRUN_NOWAIT);
		usleep(500);
	}
}

static void
it_comes_when_it_is_due(void **state)
{
	double from = clock_mono_s();

	(void)state;
	deadline_set(&f.d, 0.05);
	run(3);
	assert_int_equal(f.count, 1);
	assert_true(f.due_at - from >= 0.048);
	/* Once. */
	f.count = 0;
	run(0.1);
	assert_int_equal(f.count, 0);
}

static void
it_may_be_moved(void **state)
{
	double from;

	(void)state;
	/* Later, again and again. */
	deadline_set(&f.d, 0.03);
	for (int i = 0; i < 10; i++) {
		run(0.01);
		deadline_set(&f.d, 0.03);
	}
	assert_int_equal(f.count, 0);
	/* And nearer. */
	f.count = 0;
	from = clock_mono_s();
	deadline_set(&f.d, 60);
	deadline_set(&f.d, 0.02);
	run(5);
	assert_int_equal(f.count, 1);
	assert_true(f.due_at - from < 5);
	/* Over already. */
	f.count = 0;
	deadline_set(&f.d, -1);
	run(5);
	assert_int_equal(f.count, 1);
	/* Never. */
	f.count = 0;
	deadline_set(&f.d, 0.01);
	deadline_clear(&f.d);
	run(0.05);
	assert_int_equal(f.count, 0);
}

static void
it_may_be_held(void **state)
{
	double from = clock_mono_s();

	(void)state;
	deadline_set(&f.d, 0.03);
	deadline_hold(&f.d);
	deadline_hold(&f.d);
	run(0.06);
	assert_int_equal(f.count, 0);
	deadline_go_on(&f.d);
	deadline_go_on(&f.d);
	run(5);
	assert_int_equal(f.count, 1);
	assert_true(f.due_at - from >= 0.085);
	/* It was due already, when it was held. */
	f.count = 0;
	deadline_set(&f.d, 0);
	usleep(5000);
	deadline_hold(&f.d);
	run(0.02);
	assert_int_equal(f.count, 0);
	deadline_go_on(&f.d);
	run(5);
	assert_int_equal(f.count, 1);
	/* One that is not set. */
	f.count = 0;
	deadline_hold(&f.d);
	deadline_go_on(&f.d);
	run(0.02);
	assert_int_equal(f.count, 0);
}

static void
it_may_come_a_little_early(void **state)
{
	double from = clock_mono_s();

	(void)state;
	deadline_set_about(&f.d, 60);
	deadline_set_about(&f.d, 2);
	run(5);
	assert_int_equal(f.count, 1);
	assert_true(f.due_at - from >= 1.988);
	assert_true(f.due_at - from < 2.5);
	f.count = 0;
	deadline_set_about(&f.d, -1);
	run(5);
	assert_int_equal(f.count, 1);
}

/* A tick of the kernel at most, and none in a PORTABLE build. */
static void
the_recent_time_is_nearly_now(void **state)
{
	double before = clock_recent_s();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		double recent = clock_recent_s(), now = clock_mono_s();

		assert_true(recent >= before);
		assert_true(recent <= now && recent > now - 0.1);
		before = recent;
	}
}

/* Both timers run out in one turn of the loop; the one that comes first sets
 * the other anew, which must then neither come at once nor get lost. */
static void
it_may_be_set_while_it_runs_out(void **state)
{
	double from;

	(void)state;
	for (int order = 0; order < 2; order++) {
		f.count = 0;
		if (order == 0)
			deadline_set(&f.d, 0.02);
		deadline_set(&f.other, 0.02);
		if (order == 1)
			deadline_set(&f.d, 0.02);
		deadline_set(&f.d, 30); /* its timer still runs out early */
		usleep(50000);
		from = clock_mono_s();
		ev_run(f.loop, EVRUN_NOWAIT);
		run(5);
		assert_int_equal(f.count, 1);
		assert_true(f.due_at - from < 4);
		deadline_set(&f.d, 0.02);
		f.count = 0;
		run(5);
		assert_int_equal(f.count, 1);
	}
}

static void
the_wall_clock_does_not_matter(void **state)
{
	static const time_t steps[] = {-3600, 3600};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		double from = clock_mono_s();

		f.count = 0;
		deadline_set(&f.d, 0.05);
		deadline_set(&f.d, 0.1);
		run(0.01);
		set_clock_wall_step += steps[i];
		run(5);
		assert_int_equal(f.count, 1);
		assert_true(f.due_at - from >= 0.098);
		assert_true(f.due_at - from < 4);
	}
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)revents;
	f.read_first = f.count == 0;
	ev_io_stop(loop, w);
	deadline_set(&f.d, 30);
}

/* Bytes that are there in time are seen in time. */
static void
descriptors_come_first(void **state)
{
	(void)state;
	assert_int_equal(pipe(f.ends), 0);
	ev_io_init(&f.io, on_readable, f.ends[0], EV_READ);
	ev_io_start(f.loop, &f.io);
	deadline_set(&f.d, 0.02);
	ev_run(f.loop, EVRUN_NOWAIT);
	assert_int_equal(write(f.ends[1], "x", 1), 1);
	usleep(50000); /* this process was busy */
	ev_run(f.loop, EVRUN_NOWAIT);
	run(0.05);
	assert_true(f.read_first);
	assert_int_equal(f.count, 0);
	ev_io_stop(f.loop, &f.io);
	close(f.ends[0]);
	close(f.ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_comes_when_it_is_due),
	    TEST(it_may_be_moved),
	    TEST(it_may_be_held),
	    TEST(it_may_come_a_little_early),
	    TEST(the_recent_time_is_nearly_now),
	    TEST(it_may_be_set_while_it_runs_out),
	    TEST(the_wall_clock_does_not_matter),
	    TEST(descriptors_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
