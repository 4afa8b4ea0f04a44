/*
 * The meter: each side is in one state at a time, and what the verdict and
 * the time saved are made of.
 */
#include "flow/meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"

#define MS UINT64_C(1000000)

static uint64_t
sum(const uint64_t *ns, size_t count)
{
	uint64_t s = 0;

	for (size_t i = 0; i < count; i++)
		s += ns[i];
	return s;
}

/* Let at least `ns` go by. */
static void
pass(uint64_t ns)
{
	uint64_t end = clock_mono_ns() + ns;

	while (clock_mono_ns() < end)
		;
}

static void
it_begins_reading_and_waiting_for_data(void **state)
{
	struct meter m;

	(void)state;
	meter_start(&m);
	assert_int_equal(m.reader, READER_NETWORK);
	assert_int_equal(m.writer, WRITER_DATA);
	assert_true(m.start != 0);
	assert_int_equal(m.reader_since, m.start);
	assert_int_equal(m.writer_since, m.start);
	assert_int_equal(m.end, 0);
}

static void
all_of_the_time_is_in_some_state(void **state)
{
	struct meter m;

	(void)state;
	meter_start(&m);
	for (int i = 0; i < 50; i++) {
		meter_read(&m, (enum meter_reader)(i * 7 % READER_DONE));
		pass(10000);
		meter_write(&m, (enum meter_writer)(i * 5 % WRITER_DONE));
	}
	assert_int_equal(
	    sum(m.reader_ns, READER_STATE_COUNT), m.reader_since - m.start);
	assert_int_equal(
	    sum(m.writer_ns, WRITER_STATE_COUNT), m.writer_since - m.start);
	meter_stop(&m);
	assert_int_equal(m.reader, READER_DONE);
	assert_int_equal(m.writer, WRITER_DONE);
	assert_true(meter_total_ns(&m) >= 500000);
	/* But for the moment between the clock reads of stopping. */
	assert_true(sum(m.reader_ns, READER_STATE_COUNT) <= meter_total_ns(&m));
	assert_true(sum(m.reader_ns, READER_STATE_COUNT) + 50 * MS >
		    meter_total_ns(&m));
}

static void
a_state_is_charged_with_its_own_time(void **state)
{
	struct meter m;

	(void)state;
	meter_start(&m);
	pass(2 * MS);
	meter_read(&m, READER_QUEUE);
	meter_write(&m, WRITER_WRITE);
	pass(3 * MS);
	meter_read(&m, READER_MEMORY);
	pass(1 * MS);
	meter_read(&m, READER_NETWORK);
	meter_write(&m, WRITER_SYNC);
	pass(1 * MS);
	meter_stop(&m);
	assert_true(m.reader_ns[READER_NETWORK] >= 3 * MS);
	assert_true(m.reader_ns[READER_QUEUE] >= 3 * MS);
	assert_true(m.reader_ns[READER_MEMORY] >= 1 * MS);
	assert_int_equal(m.reader_ns[READER_DONE], 0);
	assert_true(m.writer_ns[WRITER_DATA] >= 2 * MS);
	assert_true(m.writer_ns[WRITER_WRITE] >= 4 * MS);
	assert_true(m.writer_ns[WRITER_SYNC] >= 1 * MS);
}

static void
staying_in_a_state_costs_nothing(void **state)
{
	struct meter m;
	uint64_t since;

	(void)state;
	meter_start(&m);
	meter_read(&m, READER_QUEUE);
	since = m.reader_since;
	pass(MS / 10);
	meter_read(&m, READER_QUEUE);
	meter_write(&m, WRITER_DATA);
	assert_int_equal(m.reader_since, since);
	assert_int_equal(m.writer_since, m.start);
}

static void
once_stopped_it_stands(void **state)
{
	struct meter m, was;

	(void)state;
	meter_start(&m);
	meter_stop(&m);
	was = m;
	pass(MS / 10);
	meter_read(&m, READER_NETWORK);
	meter_write(&m, WRITER_WRITE);
	meter_stop(&m);
	assert_memory_equal(&m, &was, sizeof(m));
}

/* clang-format off */
static const struct verdict_row {
	uint64_t queue, memory, data, rest; /* in ns */
	enum verdict is;
} verdicts[] = {
	/* no side waited, or for less than 10 ms in all */
	{ 0, 0, 0, 0,                       VERDICT_BALANCED },
	{ 0, 0, 10 * MS - 1, 0,             VERDICT_BALANCED },
	{ 10 * MS - 1, 0, 0, 0,             VERDICT_BALANCED },
	{ 3 * MS, 3 * MS, 3 * MS, 0,        VERDICT_BALANCED },
	{ 0, 0, 10 * MS, 0,                 VERDICT_READ_BOUND },
	{ 10 * MS, 0, 0, 0,                 VERDICT_WRITE_BOUND },
	{ 0, 10 * MS, 0, 0,                 VERDICT_WRITE_BOUND },
	{ 5 * MS, 5 * MS, 0, 0,             VERDICT_WRITE_BOUND },
	/* twice as long is enough, a nanosecond less is not */
	{ 10 * MS, 0, 20 * MS, 0,           VERDICT_READ_BOUND },
	{ 10 * MS, 0, 20 * MS - 1, 0,       VERDICT_BALANCED },
	{ 5 * MS, 5 * MS, 20 * MS, 0,       VERDICT_READ_BOUND },
	{ 20 * MS, 0, 10 * MS, 0,           VERDICT_WRITE_BOUND },
	{ 20 * MS - 1, 0, 10 * MS, 0,       VERDICT_BALANCED },
	{ 10 * MS, 10 * MS, 10 * MS, 0,     VERDICT_WRITE_BOUND },
	{ 100 * MS, 0, 100 * MS, 0,         VERDICT_BALANCED },
	/* after the last byte it is the disk that is waited for */
	{ 0, 0, 0, 10 * MS - 1,             VERDICT_BALANCED },
	{ 0, 0, 0, 10 * MS,                 VERDICT_WRITE_BOUND },
	{ 10 * MS, 10 * MS, 50 * MS, 5 * MS, VERDICT_READ_BOUND },
	{ 10 * MS, 10 * MS, 50 * MS, 6 * MS, VERDICT_BALANCED },
	{ 10 * MS, 10 * MS, 50 * MS, 80 * MS, VERDICT_WRITE_BOUND },
	/* a day of it does not overflow */
	{ 86400000 * MS, 0, 86400000 * MS / 2, 0, VERDICT_WRITE_BOUND },
};
/* clang-format on */

static void
the_verdict_names_who_was_waited_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
		const struct verdict_row *r = &verdicts[i];
		struct meter m = {.start = 1, .end = 2};

		m.reader_ns[READER_QUEUE] = r->queue;
		m.reader_ns[READER_MEMORY] = r->memory;
		m.writer_ns[WRITER_DATA] = r->data;
		m.reader_ns[READER_DONE] = r->rest;
		/* What is no waiting for each other does not count. */
		m.reader_ns[READER_NETWORK] = 1000 * MS;
		m.writer_ns[WRITER_WRITE] = 3000 * MS;
		m.writer_ns[WRITER_SYNC] = 4000 * MS;
		m.writer_ns[WRITER_DONE] = 5000 * MS;
		if (meter_verdict(&m) != r->is)
			fail_msg(
			    "row %zu: %s", i, verdict_name[meter_verdict(&m)]);
	}
}

static void
verdicts_have_the_words_of_the_receipt(void **state)
{
	(void)state;
	assert_string_equal(verdict_name[VERDICT_BALANCED], "balanced");
	assert_string_equal(verdict_name[VERDICT_READ_BOUND], "read-bound");
	assert_string_equal(verdict_name[VERDICT_WRITE_BOUND], "write-bound");
	assert_string_equal(verdict_name[VERDICT_HASH_BOUND], "hash-bound");
}

/* The reader waited for the writer: was it the disk, or the digest? */
static void
hashing_is_to_blame_when_it_took_longer_than_writing(void **state)
{
	struct meter m = {.end = 1};

	(void)state;
	m.reader_ns[READER_QUEUE] = 100 * MS;
	m.writer_ns[WRITER_DATA] = 10 * MS;
	m.writer_ns[WRITER_WRITE] = 50 * MS;
	m.hash_ns = 50 * MS;
	assert_int_equal(meter_verdict(&m), VERDICT_WRITE_BOUND);
	m.hash_ns = 51 * MS;
	assert_int_equal(meter_verdict(&m), VERDICT_HASH_BOUND);
	m.writer_ns[WRITER_SYNC] = 1 * MS;
	assert_int_equal(meter_verdict(&m), VERDICT_WRITE_BOUND);
	m.writer_ns[WRITER_SYNC] = 0;
	/* The other side did not wait for it. */
	m.reader_ns[READER_QUEUE] = 10 * MS;
	assert_int_equal(meter_verdict(&m), VERDICT_BALANCED);
	m.writer_ns[WRITER_DATA] = 100 * MS;
	assert_int_equal(meter_verdict(&m), VERDICT_READ_BOUND);
}

/* clang-format off */
static const struct saved_row {
	uint64_t network, write, sync, total, saved;
} saved[] = {
	{ 10, 10, 0, 20, 0 },   /* taking turns */
	{ 10, 10, 0, 10, 10 },  /* at the same time */
	{ 10, 8, 2, 12, 8 },
	{ 10, 4, 0, 20, 0 },    /* never below 0 */
	{ 0, 0, 0, 0, 0 },
	{ 5, 0, 3, 6, 2 },
};
/* clang-format on */

static void
saved_is_what_taking_turns_would_have_cost(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(saved); i++) {
		const struct saved_row *r = &saved[i];
		struct meter m = {.start = 7, .end = 7 + r->total * MS};

		m.reader_ns[READER_NETWORK] = r->network * MS;
		m.writer_ns[WRITER_WRITE] = r->write * MS;
		m.writer_ns[WRITER_SYNC] = r->sync * MS;
		/* Waiting is no work. */
		m.reader_ns[READER_QUEUE] = m.reader_ns[READER_MEMORY] = MS;
		m.reader_ns[READER_DONE] = m.writer_ns[WRITER_DONE] = MS;
		m.writer_ns[WRITER_DATA] = MS;
		assert_int_equal(meter_total_ns(&m), r->total * MS);
		assert_int_equal(meter_saved_ns(&m), r->saved * MS);
	}
}

/* clang-format off */
static const struct split_row {
	uint64_t sync, at, moved; /* of a meter that was stopped at 100 */
} splits[] = {
	{ 40, 100, 40 }, /* written at the very end */
	{ 40, 90, 30 },
	{ 40, 61, 1 },
	{ 40, 60, 0 },   /* ... when it began */
	{ 40, 10, 0 },   /* ... long before */
	{ 40, 101, 40 }, /* never more than there is */
	{ 0, 100, 0 },
	{ 0, 50, 0 },
};
/* clang-format on */

/* What was collected is written within the time that counted as syncing. */
static void
a_sync_may_turn_out_to_be_a_write_before(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(splits); i++) {
		const struct split_row *r = &splits[i];
		struct meter m = {.start = 3 * MS, .end = 100 * MS};

		m.writer_ns[WRITER_WRITE] = 5 * MS;
		m.writer_ns[WRITER_SYNC] = r->sync * MS;
		m.writer_ns[WRITER_DATA] = 7 * MS;
		meter_split_sync(&m, r->at * MS);
		assert_int_equal(
		    m.writer_ns[WRITER_WRITE], (5 + r->moved) * MS);
		assert_int_equal(
		    m.writer_ns[WRITER_SYNC], (r->sync - r->moved) * MS);
		assert_int_equal(m.writer_ns[WRITER_DATA], 7 * MS);
		assert_int_equal(meter_total_ns(&m), 97 * MS);
	}
}

/* ... and with the clock that stops the meter. */
static void
a_split_is_by_the_meters_own_clock(void **state)
{
	uint64_t write, sync, written;
	struct meter m;

	(void)state;
	meter_start(&m);
	meter_write(&m, WRITER_SYNC);
	pass(3 * MS);
	written = clock_mono_ns();
	pass(2 * MS);
	meter_stop(&m);
	sync = m.writer_ns[WRITER_SYNC];
	meter_split_sync(&m, written);
	write = m.writer_ns[WRITER_WRITE];
	assert_int_equal(write + m.writer_ns[WRITER_SYNC], sync);
	assert_true(write >= 3 * MS);
	assert_true(m.writer_ns[WRITER_SYNC] >= 2 * MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_begins_reading_and_waiting_for_data),
	    cmocka_unit_test(all_of_the_time_is_in_some_state),
	    cmocka_unit_test(a_state_is_charged_with_its_own_time),
	    cmocka_unit_test(staying_in_a_state_costs_nothing),
	    cmocka_unit_test(once_stopped_it_stands),
	    cmocka_unit_test(the_verdict_names_who_was_waited_for),
	    cmocka_unit_test(verdicts_have_the_words_of_the_receipt),
	    cmocka_unit_test(
		hashing_is_to_blame_when_it_took_longer_than_writing),
	    cmocka_unit_test(saved_is_what_taking_turns_would_have_cost),
	    cmocka_unit_test(a_sync_may_turn_out_to_be_a_write_before),
	    cmocka_unit_test(a_split_is_by_the_meters_own_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
