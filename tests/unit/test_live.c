/*
 * What runs in all workers: a reader never sees half a record, a dead worker leaves none, and
 * what is beyond the room is counted.
 */
#include "shared/live.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/cmocka_with.h"
#include "base/clock.h"
#include "shared/metrics.h"
#include "shared/shared.h"
#include "config/config.h"
#include "upload/roll.h"

enum {
	ROUNDS = 2000000,
};

static struct shm *shm;
static struct live *live;
static struct shared shared; /* as much of it as a roll needs */

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(live_size() + metrics_size());
	assert_non_null(shm);
	live = live_new(shm);
	shared = (struct shared){.live = live, .metrics = metrics_new(shm)};
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + live_size() + metrics_size());
	return 0;
}

static size_t
count(void)
{
	struct live_found *all;
	size_t n = live_list(live, &all);

	assert_non_null(all);
	free(all);
	return n;
}

static void
what_is_put_is_found_until_it_is_taken_away(void **state)
{
	struct live_record r = {.id = 7, .bytes = 100};
	struct live_found f;

	(void)state;
	live_set_name(&r, "a/b");
	live_set_user(&r, NULL);
	live_put(live_share_of(live, 3), 0, &r);
	assert_int_equal(count(), 1);
	assert_true(live_find(live, 7, &f));
	assert_int_equal(f.slot, 3);
	assert_int_equal(f.record.bytes, 100);
	assert_string_equal(f.record.name, "a/b");
	assert_string_equal(f.record.user, "");
	assert_false(live_find(live, 8, &f));
	assert_false(live_find_ended(live, 7, &f));
	live_put(live_share_of(live, 3), 0, NULL);
	assert_int_equal(count(), 0);
	assert_false(live_find(live, 7, &f));
}

static void
names_are_cut_short_between_characters(void **state)
{
	struct live_record r = {.id = 1};
	char name[LIVE_NAME_MAX + 8];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[LIVE_NAME_MAX - 1] = '\0';
	live_set_name(&r, name);
	assert_false(r.clipped);
	assert_string_equal(r.name, name);
	/* The last byte that has room is the first of two. */
	memcpy(name + LIVE_NAME_MAX - 2, "\xc3\xa9z", 4);
	live_set_name(&r, name);
	assert_true(r.clipped);
	assert_int_equal(strlen(r.name), LIVE_NAME_MAX - 2);
}

static void
an_address_is_kept_and_shown(void **state)
{
	struct live_record r = {.id = 1};
	struct addr a;
	const char *why;
	char text[ADDR_TEXT_MAX];
	static const char *const all[] = {
	    "192.0.2.1:4711", "[2001:db8::1]:80", "unix:"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(addr_parse(all[i], &a, &why), 0);
		live_set_client(&r, &a);
		live_format_client(&r.client, true, text);
		assert_string_equal(text, all[i]);
	}
	live_format_client(&r.client, false, text);
	assert_string_equal(text, "2001:db8::1");
	a = (struct addr){.len = sizeof(sa_family_t)};
	a.ss.ss_family = AF_UNIX;
	live_set_client(&r, &a);
	live_format_client(&r.client, true, text);
	assert_string_equal(text, "unix:");
}

static void
the_last_that_ended_are_there_and_older_ones_are_not(void **state)
{
	struct live_share *s = live_share_of(live, 0);
	struct live_found f;

	(void)state;
	for (uint64_t id = 1; id <= LIVE_ENDED + 1; id++)
		live_note_ended(s, &(struct live_record){.id = id});
	assert_false(live_find_ended(live, 1, &f));
	assert_true(live_find_ended(live, 2, &f));
	assert_true(live_find_ended(live, LIVE_ENDED + 1, &f));
	assert_int_equal(count(), 0);
}

static void
of_a_dead_worker_what_had_ended_stays_and_what_ran_vanishes(void **state)
{
	struct live_share *s = live_share_of(live, 5);
	struct live_found f;

	(void)state;
	live_put(s, 0, &(struct live_record){.id = 1});
	live_put(s, 9, &(struct live_record){.id = 2});
	live_set_unlisted(s, 3);
	live_note_ended(s, &(struct live_record){.id = 3});
	live_put(live_share_of(live, 6), 0, &(struct live_record){.id = 4});
	live_forget(live, 5, 1);
	assert_int_equal(count(), 1);
	assert_true(live_find(live, 4, &f));
	assert_int_equal(live_unlisted(live), 0);
	assert_true(live_find_ended(live, 3, &f));
	/* The next one in that slot has its own. */
	live_note_ended(s, &(struct live_record){.id = 5});
	live_forget(live, 5, 1);
	assert_true(live_find_ended(live, 3, &f));
	assert_true(live_find_ended(live, 5, &f));
}

static void
a_cut_is_asked_for_a_while(void **state)
{
	uint64_t now = clock_mono_ns();

	(void)state;
	assert_false(live_any_cut(live, now));
	live_ask_cut(live, 7, now);
	assert_true(live_any_cut(live, now));
	assert_true(live_is_cut(live, 7, now));
	assert_false(live_is_cut(live, 8, now));
	now += LIVE_CUT_MS * NS_PER_MS;
	assert_false(live_any_cut(live, now));
	assert_false(live_is_cut(live, 7, now));
}

/* ---- one that writes, and one that reads ---- */

static _Atomic int written;

static void *
write_always(void *arg)
{
	struct live_share *s = live_share_of(live, 0);
	struct live_record r = {.id = 1};

	(void)arg;
	/* All of the name is in use, or the rest of it would not be written. */
	memset(r.name, 'x', LIVE_NAME_MAX - 1);
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		r.bytes = r.length = r.rate = r.from = i;
		r.name[LIVE_NAME_MAX - 2] = (char)('a' + i % 26);
		live_put(s, 0, &r);
	}
	atomic_store(&written, 1);
	return NULL;
}

static void
no_half_of_a_record_is_ever_read(void **state)
{
	struct live_found f;
	pthread_t writer;
	uint64_t seen = 0;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, write_always, NULL), 0);
	while (atomic_load(&written) == 0 || seen == 0) {
		const struct live_record *r = &f.record;

		if (!live_find(live, 1, &f))
			continue;
		seen++;
		assert_int_equal(r->bytes, r->length);
		assert_int_equal(r->bytes, r->rate);
		assert_int_equal(r->bytes, r->from);
		assert_int_equal(r->name[LIVE_NAME_MAX - 2],
		    (char)('a' + (int)(r->bytes % 26)));
	}
	pthread_join(writer, NULL);
}

/* ---- the roll of a worker ---- */

struct fake {
	struct roll_entry entry;
	uint64_t bytes;
	unsigned cuts;
};

static bool
fake_describe(struct roll_entry *e, struct live_record *r)
{
	const struct fake *f = container_of(e, struct fake, entry);

	r->began_ns = r->seen_ns - NS_PER_S;
	r->bytes = f->bytes;
	return true;
}

static void
fake_cut(struct roll_entry *e)
{
	container_of(e, struct fake, entry)->cuts++;
}

static char prefix[] = "/file";
static const struct conf_location location = {.prefix = prefix};

static const struct roll_ops fake_ops = {
    .describe = fake_describe, .cut = fake_cut};

static void
more_than_there_is_room_for_are_counted(void **state)
{
	enum { MORE = 3 };
	static struct fake all[LIVE_RECORDS + MORE];
	struct ev_loop *loop = ev_loop_new(0);
	struct roll *r = roll_new(loop, &shared, 2);
	struct live_found f;

	(void)state;
	assert_non_null(r);
	for (size_t i = 0; i < COUNT_OF(all); i++)
		roll_enter(r, &all[i].entry, &fake_ops, i + 1, &location);
	assert_int_equal(count(), 0); /* nobody has looked yet */
	roll_look(r);
	assert_int_equal(count(), LIVE_RECORDS);
	assert_int_equal(live_unlisted(live), MORE);
	/* A place that becomes free is for one of these. */
	roll_leave(r, &all[0].entry);
	assert_false(live_find(live, 1, &f));
	roll_look(r);
	assert_int_equal(count(), LIVE_RECORDS);
	assert_int_equal(live_unlisted(live), MORE - 1);
	for (size_t i = 0; i < COUNT_OF(all); i++)
		roll_leave(r, &all[i].entry);
	roll_look(r);
	assert_int_equal(count(), 0);
	assert_int_equal(live_unlisted(live), 0);
	roll_free(&r);
	ev_loop_destroy(loop);
}

static void
only_what_is_asked_for_is_cut(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct roll *r = roll_new(loop, &shared, 2);
	struct fake a = {.cuts = 0}, b = {.cuts = 0};

	(void)state;
	assert_non_null(r);
	roll_enter(r, &a.entry, &fake_ops, 1, &location);
	roll_enter(r, &b.entry, &fake_ops, 2, &location);
	live_ask_cut(live, 2, clock_mono_ns());
	while (b.cuts == 0)
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(a.cuts, 0);
	roll_leave(r, &a.entry);
	roll_leave(r, &b.entry);
	/* Nothing looks any more: the loop has nothing to wait for. */
	ev_run(loop, 0);
	roll_free(&r);
	ev_loop_destroy(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    CASE(what_is_put_is_found_until_it_is_taken_away),
	    CASE(names_are_cut_short_between_characters),
	    CASE(an_address_is_kept_and_shown),
	    CASE(the_last_that_ended_are_there_and_older_ones_are_not),
	    CASE(of_a_dead_worker_what_had_ended_stays_and_what_ran_vanishes),
	    CASE(a_cut_is_asked_for_a_while),
	    CASE(no_half_of_a_record_is_ever_read),
	    CASE(more_than_there_is_room_for_are_counted),
	    CASE(only_what_is_asked_for_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
