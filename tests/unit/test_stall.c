/*
 * A disk that does not answer: when it is said to be stalled, and when to be
 * well again; how often that is told; and when all that is left hangs in it.
 */
#include "disk/engine.h"

#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/clock.h"
#include "shared/registry.h"
#include "lib/engine.h"
#include "set_clock.h"

#define STALL_S 0.1
#define STALL_NS ((uint64_t)(STALL_S * NS_PER_S))

enum {
	CALLS = 4,
	PATIENCE_S = 20,
};

/* A call that waits until it is let go. */
struct call {
	struct op op;
	bool inside, free, done;
	unsigned number; /* to begin, of all */
};

struct ear {
	struct device_listener listener;
	struct device *device;
	unsigned told, news;
	bool was_unhealthy;	      /* when it was told the last time */
	struct device_listener *mute; /* stops listening then; or NULL */
};

static struct fixture {
	struct test_engine e;
	struct device *dev;
	struct ear ear;
	pthread_mutex_t lock; /* over what calls have in common */
	pthread_cond_t changed;
	struct call call[CALLS];
	unsigned begun;
} f;

static void
on_health(struct device_listener *l, struct device *d, bool news)
{
	struct ear *e = container_of(l, struct ear, listener);

	assert_ptr_equal(d, e->device);
	e->news += news;
	assert_true(e->was_unhealthy == device_is_ok(d));
	e->was_unhealthy = !device_is_ok(d);
	e->told++;
	if (e->mute != NULL)
		device_unlisten(e->mute);
}

static void
listen_to(struct device *d, struct ear *e)
{
	*e = (struct ear){.device = d, .listener.on_health = on_health};
	device_listen(d, &e->listener);
}

static struct device *
device(dev_t id, enum device_kind kind)
{
	return test_engine_device(&f.e, id, kind);
}

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	assert_int_equal(test_engine_begin(&f.e, ENGINE_THREADS), 0);
	pthread_mutex_init(&f.lock, NULL);
	pthread_cond_init(&f.changed, NULL);
	engine_watch(f.e.engine, STALL_S);
	f.dev = device(1, DEVICE_UNKNOWN);
	listen_to(f.dev, &f.ear);
	return 0;
}

static int
wait_inside(void *arg)
{
	struct call *c = arg;

	pthread_mutex_lock(&f.lock);
	c->inside = true;
	c->number = ++f.begun;
	while (!c->free)
		pthread_cond_wait(&f.changed, &f.lock);
	pthread_mutex_unlock(&f.lock);
	return 0;
}

static void
on_done(struct op *op, int res)
{
	(void)res;
	((struct call *)op->owner)->done = true;
}

static void
begin(struct device *d, unsigned which, bool no_stall)
{
	struct call *c = &f.call[which];

	*c = (struct call){.op = {.kind = OP_CALL,
			       .call = wait_inside,
			       .arg = c,
			       .no_stall = no_stall,
			       .owner = c,
			       .on_done = on_done}};
	engine_submit(f.e.engine, d, &c->op);
}

static void
release(unsigned which)
{
	pthread_mutex_lock(&f.lock);
	f.call[which].free = true;
	pthread_cond_broadcast(&f.changed);
	pthread_mutex_unlock(&f.lock);
}

static void
on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

/* A thread does it; no time passes meanwhile.  Each turn waits for 1 ms, really,
 * when there is nothing to do. */
static bool
await(bool (*what)(unsigned n), unsigned n)
{
	ev_timer tick; /* so that there is something to wait for */

	ev_timer_init(&tick, on_tick, 1, 1);
	ev_timer_start(f.e.loop, &tick);
	for (int i = 0; i < PATIENCE_S * 1000 && !what(n); i++)
		ev_run(f.e.loop, EVRUN_ONCE);
	ev_timer_stop(f.e.loop, &tick);
	return what(n);
}

/* So much time passes, in which the loop turns. */
static void
pass(uint64_t ns)
{
	uint64_t end = clock_mono_ns() + ns;

	while (clock_mono_ns() < end) {
		set_clock_pass(2 * NS_PER_MS);
		ev_run(f.e.loop, EVRUN_NOWAIT);
	}
}

/* As much time passes as it takes to be stalled, which is not for ever. */
static bool
stalls(void)
{
	uint64_t end = clock_mono_ns() + PATIENCE_S * NS_PER_S;

	while (!f.dev->stalled && clock_mono_ns() < end)
		pass(2 * NS_PER_MS);
	return f.dev->stalled;
}

static bool
is_inside(unsigned which)
{
	bool inside;

	pthread_mutex_lock(&f.lock);
	inside = f.call[which].inside;
	pthread_mutex_unlock(&f.lock);
	return inside;
}

static bool
is_done(unsigned which)
{
	return f.call[which].done;
}

/* Let it go and see it come back. */
static void
finish(unsigned which)
{
	release(which);
	assert_true(await(is_done, which));
}

static int
tear_down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CALLS; i++)
		if (f.call[i].op.in_flight)
			finish(i);
	device_unlisten(&f.ear.listener);
	test_engine_end(&f.e);
	pthread_cond_destroy(&f.changed);
	pthread_mutex_destroy(&f.lock);
	return 0;
}

/* ---- the tests */

static void
it_is_stalled_when_an_operation_takes_too_long(void **state)
{
	uint64_t began = clock_mono_ns(), took;

	(void)state;
	begin(f.dev, 0, false);
	assert_true(stalls());
	took = clock_mono_ns() - began;
	assert_in_range(took, STALL_NS, STALL_NS + 10 * NS_PER_S);
	assert_true(device_oldest_s(f.dev) >= STALL_S);
	assert_false(device_is_ok(f.dev));
	assert_int_equal(f.ear.told, 1);
	/* Once is enough, however long it goes on. */
	pass(2 * STALL_NS);
	assert_int_equal(f.ear.told, 1);

	finish(0);
	assert_false(f.dev->stalled);
	assert_int_equal(f.ear.told, 2);
	assert_true(device_oldest_s(f.dev) <= 0);
}

static void
those_that_come_back_in_time_are_no_stall(void **state)
{
	uint64_t end = clock_mono_ns() + 3 * STALL_NS;

	(void)state;
	while (clock_mono_ns() < end) {
		begin(f.dev, 0, false);
		assert_true(await(is_inside, 0));
		pass(STALL_NS / 4);
		finish(0);
		assert_int_equal(f.ear.told, 0);
	}
	assert_false(f.dev->stalled);
}

/* It is the oldest one that counts, however many are younger. */
static void
a_busy_disk_may_be_stalled_too(void **state)
{
	uint64_t end = clock_mono_ns() + PATIENCE_S * NS_PER_S;
	unsigned young = 1;

	(void)state;
	begin(f.dev, 0, false);
	begin(f.dev, young, false);
	while (!f.dev->stalled && clock_mono_ns() < end) {
		begin(f.dev, 3 - young, false);
		finish(young);
		young = 3 - young;
		pass(5 * NS_PER_MS);
	}
	assert_true(f.dev->stalled);
	finish(young);
	assert_true(f.dev->stalled);
	assert_int_equal(f.ear.told, 1);
	finish(0);
	assert_int_equal(f.ear.told, 2);
}

/* It is stalled as long as one is stuck, whichever came back. */
static void
it_is_well_when_none_is_stuck_any_more(void **state)
{
	(void)state;
	begin(f.dev, 0, false);
	begin(f.dev, 1, false);
	begin(f.dev, 2, false);
	assert_true(stalls());
	pass(STALL_NS);
	finish(0); /* the oldest */
	pass(STALL_NS / 2);
	assert_true(f.dev->stalled);
	finish(2); /* not the oldest */
	pass(STALL_NS / 2);
	assert_true(f.dev->stalled);
	assert_int_equal(f.ear.told, 1);
	finish(1);
	assert_false(f.dev->stalled);
	assert_int_equal(f.ear.told, 2);
}

/* One that is young is no reason; it may become one. */
static void
it_is_well_while_what_is_left_is_young(void **state)
{
	(void)state;
	begin(f.dev, 0, false);
	assert_true(stalls());
	begin(f.dev, 1, false);
	finish(0);
	assert_true(device_oldest_s(f.dev) < STALL_S);
	assert_false(f.dev->stalled);
	assert_int_equal(f.ear.told, 2);
	assert_true(stalls());
	assert_int_equal(f.ear.told, 3);
	assert_true(device_oldest_s(f.dev) > STALL_S);
	finish(1);
	assert_false(f.dev->stalled);
}

/* Scanning or freeing much takes long on a disk that is well. */
static void
unhurried_calls_do_not_count(void **state)
{
	(void)state;
	begin(f.dev, 0, true);
	assert_true(await(is_inside, 0));
	pass(3 * STALL_NS);
	assert_false(f.dev->stalled);
	assert_true(device_oldest_s(f.dev) <= 0);
	/* Beside it others do. */
	begin(f.dev, 1, false);
	assert_true(stalls());
	finish(1);
	assert_false(f.dev->stalled);
	assert_int_equal(f.ear.told, 2);
	pass(2 * STALL_NS);
	assert_int_equal(f.ear.told, 2);
}

/* Waiting for a place is our own doing, as long as there is movement: a disk
 * with much to do is not a sick one. */
static void
a_queue_that_moves_is_no_stall(void **state)
{
	(void)state;
	f.dev->cap = 1;
	for (unsigned i = 0; i < CALLS; i++)
		begin(f.dev, i, i % 2 == 1);
	for (unsigned i = 0; i < CALLS; i++) {
		assert_true(await(is_inside, i));
		pass(STALL_NS / 2);
		finish(i); /* and the next one begins */
		assert_int_equal(f.ear.told, 0);
	}
	assert_false(f.dev->stalled);
}

/* All places are taken by calls that may take long; none becomes free. */
static void
a_queue_that_does_not_move_is_stalled(void **state)
{
	(void)state;
	f.dev->cap = 2;
	begin(f.dev, 0, true);
	assert_true(await(is_inside, 0));
	pass(2 * STALL_NS);
	assert_false(f.dev->stalled);
	begin(f.dev, 1, true);
	begin(f.dev, 2, false);
	assert_true(stalls());
	assert_true(device_oldest_s(f.dev) >= STALL_S);
	/* Nor is it well because the last one does not want to wait any more. */
	assert_true(engine_cancel(f.e.engine, &f.call[2].op));
	assert_true(await(is_done, 2));
	pass(STALL_NS / 2);
	assert_true(f.dev->stalled);
	assert_int_equal(f.ear.told, 1);
	finish(1);
	assert_false(f.dev->stalled);
	assert_int_equal(f.ear.told, 2);
	pass(2 * STALL_NS);
	assert_false(f.dev->stalled);
	assert_int_equal(f.ear.told, 2);
}

/* Time in which we did not run is no disk's, also when the operation, of a
 * thread that was stopped as well, takes some more. */
static void
a_process_that_was_stopped_blames_no_disk(void **state)
{
	(void)state;
	begin(f.dev, 0, false);
	assert_true(await(is_inside, 0));
	set_clock_pass(NS_PER_S);
	pass(STALL_NS / 2);
	finish(0);
	assert_int_equal(f.ear.told, 0);
}

/* A disk that hangs is found out all the same. */
static void
a_process_that_was_stopped_looks_again(void **state)
{
	(void)state;
	begin(f.dev, 0, false);
	assert_true(await(is_inside, 0));
	set_clock_pass(NS_PER_S);
	assert_true(stalls());
	finish(0);
	assert_false(f.dev->stalled);
}

/* A file system may get the number of one that is gone. */
static void
a_number_that_is_used_again_is_another_disk(void **state)
{
	struct device *d = device(7, DEVICE_MEMORY);

	(void)state;
	assert_ptr_equal(device(7, DEVICE_MEMORY), d);
	assert_ptr_not_equal(device(7, DEVICE_LOCAL), d);
	assert_int_equal(device(7, DEVICE_LOCAL)->kind, DEVICE_LOCAL);
	assert_ptr_equal(device(7, DEVICE_MEMORY), d);
}

static void
one_that_is_called_off_was_not_stuck(void **state)
{
	(void)state;
	f.dev->cap = 1;
	begin(f.dev, 0, false);
	begin(f.dev, 1, false);
	assert_true(stalls());
	assert_true(engine_cancel(f.e.engine, &f.call[1].op));
	assert_true(await(is_done, 1));
	assert_true(f.dev->stalled);
	assert_int_equal(f.ear.told, 1);
	finish(0);
	assert_false(f.dev->stalled);
}

static void
there_is_no_look_when_it_is_off(void **state)
{
	(void)state;
	engine_watch(f.e.engine, 0);
	begin(f.dev, 0, false);
	pass(3 * STALL_NS);
	assert_false(f.dev->stalled);
	assert_int_equal(f.ear.told, 0);
}

/* Each disk is judged by what is in flight on it alone. */
static void
others_are_not_stalled(void **state)
{
	struct device *other = device(2, DEVICE_LOCAL);
	struct ear ear;
	uint64_t end;

	(void)state;
	listen_to(other, &ear);
	begin(f.dev, 0, false);
	assert_true(stalls());
	end = clock_mono_ns() + 2 * STALL_NS;
	while (clock_mono_ns() < end) {
		begin(other, 1, false);
		pass(STALL_NS / 4);
		finish(1);
		assert_int_equal(ear.told, 0);
	}
	device_unlisten(&ear.listener);
}

static void
all_who_listen_are_told_and_may_stop(void **state)
{
	struct ear first, second, third;

	(void)state;
	listen_to(f.dev, &first);
	listen_to(f.dev, &second);
	listen_to(f.dev, &third);
	second.mute = &second.listener;
	begin(f.dev, 0, false);
	assert_true(stalls());
	assert_int_equal(first.told, 1);
	assert_int_equal(second.told, 1);
	assert_int_equal(third.told, 1);
	finish(0);
	assert_int_equal(first.told, 2);
	assert_int_equal(second.told, 1);
	assert_int_equal(third.told, 2);
	device_unlisten(&first.listener);
	device_unlisten(&third.listener);
}

/* Failed and stalled are told apart, and each once. */
static void
a_disk_may_be_sick_in_two_ways(void **state)
{
	(void)state;
	device_set_failed(f.dev, true);
	device_set_failed(f.dev, true);
	assert_false(device_is_ok(f.dev));
	assert_int_equal(f.ear.told, 1);
	f.ear.was_unhealthy = false; /* told of the second while it is sick */
	device_set_stalled(f.dev, true);
	assert_int_equal(f.ear.told, 2);
	f.ear.was_unhealthy = false;
	device_set_failed(f.dev, false);
	assert_false(device_is_ok(f.dev));
	assert_int_equal(f.ear.told, 3);
	device_set_stalled(f.dev, false);
	device_set_stalled(f.dev, false);
	assert_true(device_is_ok(f.dev));
	assert_int_equal(f.ear.told, 4);
	/* News is that it fell sick, and that it is well, and no more. */
	assert_int_equal(f.ear.news, 2);
}

static struct device *
as_worker(struct device_set *set, struct disk_health *s, unsigned slot)
{
	struct device *d;

	device_set_share(set, s, slot);
	d = device_get(set, 77, (struct device_traits){.kind = DEVICE_LOCAL});
	assert_non_null(d);
	return d;
}

/*
 * Each remount has a number of its own.  A disk that is not open any more leaves
 * nothing in the worker: no part in the pool, where a chunk would be kept back
 * for each; no thread; no record of what is shared; and the one disk that there
 * is, is alone.
 */
static void
disks_come_and_go(void **state)
{
	static const struct device_traits local = {.kind = DEVICE_LOCAL};
	struct shm *shm = shm_new(disk_health_size(8));
	struct device_set *set = device_set_new(f.e.pool);
	struct device *d, *again, *sick;

	(void)state;
	device_set_share(set, disk_health_new(shm, 8), 3);
	for (dev_t i = 1; i < 200; i++) {
		d = device_get(set, i, local);
		assert_non_null(d);
		assert_non_null(d->shared);
		assert_true(device_is_alone(d));
		assert_int_equal(device_disks(d), 1);
		again = device_get(set, i, local);
		assert_ptr_equal(again, d);
		device_put(set, &again);
		assert_ptr_equal(device_get(set, i, local), d);
		again = d;
		device_put(set, &d);
		device_put(set, &again);
		assert_null(again);
	}
	/* One that has failed is known when it is opened again: a few such. */
	for (dev_t i = 1; i < 100; i++) {
		sick = device_get(set, i, local);
		assert_true(device_is_ok(sick));
		device_set_failed(sick, true);
		device_put(set, &sick);
		sick = device_get(set, i, local);
		assert_false(device_is_ok(sick));
		assert_true(device_disks(sick) < 20);
		device_put(set, &sick);
	}
	device_set_free(&set);
	munmap(shm, sizeof(*shm) + disk_health_size(8));
}

/* A worker died while it looked one up.  Others are to try again, and not to
 * have a disk for good of which they are told nothing. */
static void
a_disk_is_had_when_the_dead_are_cleared_away(void **state)
{
	static const struct device_traits local = {.kind = DEVICE_LOCAL};
	struct shm *shm = shm_new(disk_health_size(8));
	struct disk_health *s = disk_health_new(shm, 8);
	struct device_set *set = device_set_new(f.e.pool);
	_Atomic uint32_t *lock;
	struct device *d;

	(void)state;
	/* The first member of its registry, to which its first refers. */
	lock = (_Atomic uint32_t *)registry_of((struct registry_ref *)s);
	device_set_share(set, s, 3);
	atomic_store(lock, 7 + 1);
	assert_null(device_get(set, 1, local));
	assert_int_equal(errno, EBUSY);
	disk_health_forget(s, 7);
	d = device_get(set, 1, local);
	assert_non_null(d);
	assert_non_null(d->shared);
	device_put(set, &d);
	device_set_free(&set);
	munmap(shm, sizeof(*shm) + disk_health_size(8));
}

static void
workers_tell_each_other(void **state)
{
	struct shm *shm = shm_new(disk_health_size(8));
	struct disk_health *s = disk_health_new(shm, 8);
	struct device_set *sets[2] = {
	    device_set_new(f.e.pool), device_set_new(f.e.pool)};
	struct device *a = as_worker(sets[0], s, 0);
	struct device *b = as_worker(sets[1], s, 200);
	struct ear at_a, at_b;

	(void)state;
	listen_to(a, &at_a);
	listen_to(b, &at_b);
	device_set_stalled(a, true);
	assert_false(device_accepts_writes(b) || device_accepts_reads(b));
	assert_true(device_is_ok(b)); /* its own go on */
	assert_int_equal(at_b.told, 0);
	device_set_failed(b, true);
	assert_int_equal(at_a.news, 1);
	assert_int_equal(at_b.news, 0);
	device_set_stalled(a, false);
	assert_false(device_accepts_writes(a));
	assert_true(device_accepts_reads(a) && device_accepts_reads(b));
	assert_int_equal(at_a.news, 1);
	device_set_failed(b, false);
	assert_true(device_accepts_writes(a) && device_accepts_writes(b));
	assert_int_equal(at_b.news, 1);
	/* One of them tries it. */
	assert_true(device_begin_probe(a));
	assert_false(device_begin_probe(a) || device_begin_probe(b));
	device_end_probe(a, false);
	assert_true(device_begin_probe(b));
	device_end_probe(b, false);
	/* That it is well one finds for all, but for what failed since. */
	device_set_failed(a, true);
	device_set_failed(b, true);
	assert_true(device_begin_probe(a));
	device_end_probe(a, true);
	assert_false(a->failed);
	assert_true(!device_accepts_writes(a) && b->failed);
	assert_false(device_begin_probe(b));
	assert_false(b->failed || !device_accepts_writes(a));
	device_set_failed(b, true);
	assert_true(device_begin_probe(b));
	device_set_failed(b, true);
	device_end_probe(b, true);
	assert_true(b->failed);
	device_set_failed(b, false);
	/* A worker that has nothing there any more cannot try whether it is well. */
	device_set_failed(a, true);
	assert_false(device_accepts_writes(b));
	device_unlisten(&at_a.listener);
	assert_true(device_accepts_writes(b));
	listen_to(a, &at_a);
	assert_false(device_accepts_writes(b));
	device_unlisten(&at_a.listener);
	device_unlisten(&at_b.listener);
	device_set_free(&sets[0]);
	device_set_free(&sets[1]);
	munmap(shm, sizeof(*shm) + disk_health_size(8));
}

static void
stuck_is_when_nothing_else_is_left(void **state)
{
	struct device *other = device(2, DEVICE_UNKNOWN);

	(void)state;
	assert_false(engine_is_stuck(f.e.engine));
	begin(f.dev, 0, false);
	assert_false(engine_is_stuck(f.e.engine));
	assert_true(stalls());
	assert_true(engine_is_stuck(f.e.engine));
	begin(other, 1, true);
	assert_false(engine_is_stuck(f.e.engine));
	finish(1);
	assert_true(engine_is_stuck(f.e.engine));
	finish(0);
	assert_false(engine_is_stuck(f.e.engine));
}

/* What waits for a place on such a disk will get none. */
static void
stuck_is_who_waits_for_a_place_there(void **state)
{
	(void)state;
	f.dev->cap = 1;
	begin(f.dev, 0, false);
	begin(f.dev, 1, false);
	assert_false(engine_is_stuck(f.e.engine));
	assert_true(stalls());
	assert_true(engine_is_stuck(f.e.engine));
	finish(0);
	assert_true(await(is_inside, 1));
	finish(1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_is_stalled_when_an_operation_takes_too_long),
	    TEST(those_that_come_back_in_time_are_no_stall),
	    TEST(a_busy_disk_may_be_stalled_too),
	    TEST(it_is_well_when_none_is_stuck_any_more),
	    TEST(it_is_well_while_what_is_left_is_young),
	    TEST(unhurried_calls_do_not_count),
	    TEST(a_queue_that_moves_is_no_stall),
	    TEST(a_queue_that_does_not_move_is_stalled),
	    TEST(a_process_that_was_stopped_blames_no_disk),
	    TEST(a_process_that_was_stopped_looks_again),
	    TEST(a_number_that_is_used_again_is_another_disk),
	    TEST(one_that_is_called_off_was_not_stuck),
	    TEST(there_is_no_look_when_it_is_off),
	    TEST(others_are_not_stalled),
	    TEST(all_who_listen_are_told_and_may_stop),
	    TEST(a_disk_may_be_sick_in_two_ways),
	    TEST(disks_come_and_go),
	    TEST(a_disk_is_had_when_the_dead_are_cleared_away),
	    TEST(workers_tell_each_other),
	    TEST(stuck_is_when_nothing_else_is_left),
	    TEST(stuck_is_who_waits_for_a_place_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
