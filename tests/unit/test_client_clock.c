/*
 * The clocks of a client and the pace that we set: what counts as silence, over
 * which time a rate is measured, and what a pause may cost.
 */
#include "flow/client_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "flow/pace.h"
#include "set_clock.h"

static void
pass(double seconds)
{
	set_clock_pass((uint64_t)(seconds * 1e9));
}

static enum client_verdict
judge(struct client_clock *c)
{
	return client_clock_judge(c, clock_mono_s());
}

static double
left(const struct client_clock *c)
{
	return client_clock_left_s(c, clock_mono_s());
}

static void
assert_near(double value, double wanted)
{
	if (value < wanted - 0.001 || value > wanted + 0.001)
		fail_msg("%f, not %f", value, wanted);
}

static void
without_limits_it_is_always_in_time(void **state)
{
	struct client_clock c;

	(void)state;
	client_clock_init(&c, &(struct client_limits){.silence_s = 0});
	pass(1e6);
	assert_int_equal(judge(&c), CLIENT_IN_TIME);
	assert_true(left(&c) >= CLIENT_CLOCK_NEVER_S);
}

static void
silence_counts_from_the_last_byte(void **state)
{
	struct client_clock c;

	(void)state;
	client_clock_init(&c, &(struct client_limits){.silence_s = 10});
	pass(6);
	assert_int_equal(judge(&c), CLIENT_IN_TIME);
	assert_near(left(&c), 4);
	client_clock_took(&c, 1);
	assert_near(left(&c), 10);
	pass(9.9);
	assert_int_equal(judge(&c), CLIENT_IN_TIME);
	pass(0.1);
	assert_int_equal(judge(&c), CLIENT_SILENT);
	client_clock_forgive(&c);
	assert_int_equal(judge(&c), CLIENT_IN_TIME);
	assert_near(left(&c), 10);
}

static void
a_rate_is_that_of_each_span(void **state)
{
	struct client_clock c;

	(void)state;
	client_clock_init(
	    &c, &(struct client_limits){.rate_min = 100, .rate_min_for_s = 5});
	/* 500 bytes in 5 s are enough, whenever they come. */
	client_clock_took(&c, 500);
	pass(4.9);
	assert_int_equal(judge(&c), CLIENT_IN_TIME);
	assert_near(left(&c), 0.1);
	pass(0.1);
	assert_int_equal(judge(&c), CLIENT_IN_TIME);
	/* The next span begins with nothing. */
	assert_near(left(&c), 5);
	client_clock_took(&c, 499);
	pass(5);
	assert_int_equal(judge(&c), CLIENT_SLOW);
	client_clock_forgive(&c);
	assert_near(left(&c), 5);
	assert_int_equal(judge(&c), CLIENT_IN_TIME);
}

static void
a_pause_of_ours_is_not_the_clients_time(void **state)
{
	struct client_clock c;

	(void)state;
	client_clock_init(
	    &c, &(struct client_limits){.rate_min = 100, .rate_min_for_s = 5});
	pass(2);
	client_clock_stop(&c);
	client_clock_stop(&c);
	pass(1000);
	client_clock_run(&c);
	pass(1);
	client_clock_run(&c); /* goes on, and does not begin anew */
	assert_near(left(&c), 2);
	assert_int_equal(judge(&c), CLIENT_IN_TIME);
	pass(2);
	assert_int_equal(judge(&c), CLIENT_SLOW);
}

static void
the_sooner_limit_is_looked_at_first(void **state)
{
	struct client_clock c;

	(void)state;
	client_clock_init(
	    &c, &(struct client_limits){
		    .silence_s = 3, .rate_min = 100, .rate_min_for_s = 5});
	assert_near(left(&c), 3);
	pass(2.5);
	client_clock_took(&c, 1);
	assert_near(left(&c), 2.5);
}

/* Take all that may be taken, each `every` seconds; bytes per second. */
static double
rate_of(struct pace *p, double every, unsigned times)
{
	double from = clock_mono_s(), bytes = 0;

	for (unsigned i = 0; i < times; i++) {
		size_t n = pace_allowed(p);

		pace_took(p, n);
		bytes += (double)n;
		pass(every);
	}
	return bytes / (clock_mono_s() - from);
}

static void
a_pace_holds_its_rate(void **state)
{
	struct pace p;
	double rate;

	(void)state;
	pace_init(&p, 1000000, clock_mono_s());
	rate = rate_of(&p, 0.01, 1000);
	assert_true(rate > 0.99e6 && rate < 1.02e6);
	/* After a long pause there is one burst, and no more. */
	rate = rate_of(&p, 1, 10);
	assert_true(rate > 0.09e6 && rate < 0.11e6);
	pace_init(&p, 0, clock_mono_s());
	assert_true(pace_allowed(&p) == SIZE_MAX);
}

static void
a_pause_is_as_long_as_it_takes(void **state)
{
	struct pace p;

	(void)state;
	/* One byte in ten seconds, less than a burst has. */
	pace_init(&p, 1, clock_mono_s() - 10);
	assert_int_equal(pace_allowed(&p), 1);
	pace_took(&p, 1);
	assert_int_equal(pace_allowed(&p), 0);
	assert_near(pace_pause_s(&p), 1);
	pass(1.001);
	assert_int_equal(pace_allowed(&p), 1);
	/* And never so short that it costs more than reading. */
	pace_init(&p, 1000000, clock_mono_s());
	pace_took(&p, pace_allowed(&p));
	assert_near(pace_pause_s(&p), 0.050);
}

/* Else each iteration of the loop reads the few bytes that it brings. */
static void
what_is_allowed_comes_in_quanta(void **state)
{
	struct pace p;
	size_t n;

	(void)state;
	pace_init(&p, 1000000, clock_mono_s());
	pace_took(&p, pace_allowed(&p));
	for (int i = 0; i < 1000; i++) {
		pass(0.000050);
		n = pace_allowed(&p);
		assert_true(n == 0 || n >= 49000);
		pace_took(&p, n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_limits_it_is_always_in_time),
	    cmocka_unit_test(silence_counts_from_the_last_byte),
	    cmocka_unit_test(a_rate_is_that_of_each_span),
	    cmocka_unit_test(a_pause_of_ours_is_not_the_clients_time),
	    cmocka_unit_test(the_sooner_limit_is_looked_at_first),
	    cmocka_unit_test(a_pace_holds_its_rate),
	    cmocka_unit_test(a_pause_is_as_long_as_it_takes),
	    cmocka_unit_test(what_is_allowed_comes_in_quanta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
