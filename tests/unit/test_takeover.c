/*
 * Partials go from older requests to newer ones: who holds one is told, who waits for one
 * tries when it was let go, and from time to time; also from process to process.
 */
#include "upload/takeover.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/cmocka_with.h"
#include "lib/portable.h"
#include "shared/bell.h"
#include "shared/shm.h"
#include "store/partial.h"

enum {
	PATIENCE_S = 20,
};

static const char id[] = "0123456789abcdef0123456789abcdef";
static const char other_id[] = "ffffffffffffffffffffffffffffffff";

static struct holder {
	struct takeover_hold hold;
	unsigned wanted;
	bool lets_go;
} holder, other;

static struct newcomer {
	struct takeover_wait wait;
	unsigned tries;
	bool is_patient; /* it does not end when it has tried */
} newcomer, another;

static struct ev_loop *loop;
static struct shm *shm;
static struct wanted *wanted;
static struct bell bell;
static struct takeover *t;

static void
on_wanted(struct takeover_hold *h)
{
	struct holder *who = container_of(h, struct holder, hold);

	who->wanted++;
	if (who->lets_go)
		takeover_release(t, h);
}

static void
on_try(struct takeover_wait *w)
{
	struct newcomer *who = container_of(w, struct newcomer, wait);

	who->tries++;
	if (!who->is_patient)
		takeover_end(w);
}

static void
begin(bool with_bell)
{
	shm = shm_new(wanted_size());
	assert_non_null(shm);
	wanted = wanted_new(shm);
	loop = ev_loop_new(EVFLAG_AUTO);
	bell.fd = -1;
	if (with_bell)
		bell_init(&bell);
	t = takeover_new(loop, wanted, &bell);
	assert_non_null(t);
	holder = (struct holder){.hold.on_wanted = on_wanted};
	other = holder;
	newcomer = (struct newcomer){.wait.on_try = on_try};
	another = newcomer;
}

static int
set_up(void **state)
{
	(void)state;
	begin(true);
	return 0;
}

static int
set_up_without_bell(void **state)
{
	(void)state;
	begin(false);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	takeover_end(&newcomer.wait);
	takeover_end(&another.wait);
	takeover_release(t, &holder.hold);
	takeover_release(t, &other.hold);
	takeover_free(&t);
	assert_null(t);
	assert_int_equal(ev_pending_count(loop), 0);
	/* Nothing keeps the loop of a worker that is to end. */
	ev_run(loop, 0);
	ev_loop_destroy(loop);
	if (bell.fd != -1)
		close(bell.fd);
	munmap(shm, sizeof(*shm) + wanted_size());
	return 0;
}

#define WAIT_FOR(what)                                                         \
	do {                                                                   \
		uint64_t since = clock_mono_ns();                              \
		while (!(what) && clock_mono_ns() - since <                    \
				      (uint64_t)PATIENCE_S * NS_PER_S)         \
			ev_run(loop, EVRUN_ONCE);                              \
		assert_true(what);                                             \
	} while (0)

static void
hold(struct holder *who, const char *its_id, uint64_t since_ns)
{
	takeover_hold(t, &who->hold, its_id, since_ns);
}

static void
wait_for(struct newcomer *who, const char *its_id, uint64_t since_ns)
{
	takeover_wait(t, &who->wait, its_id, since_ns);
}

static void
the_holder_is_told(void **state)
{
	(void)state;
	hold(&holder, id, 1);
	hold(&other, other_id, 1);
	newcomer.is_patient = true;
	wait_for(&newcomer, id, 2);
	WAIT_FOR(holder.wanted > 0);
	assert_int_equal(other.wanted, 0);
}

/* As long as it does not let go. */
static void
it_is_told_again(void **state)
{
	(void)state;
	hold(&holder, id, 1);
	newcomer.is_patient = true;
	wait_for(&newcomer, id, 2);
	WAIT_FOR(holder.wanted > 2);
	assert_true(newcomer.tries > 0);
}

static void
one_that_is_newer_is_left_alone(void **state)
{
	(void)state;
	hold(&holder, id, 3);
	newcomer.is_patient = true;
	wait_for(&newcomer, id, 2);
	WAIT_FOR(newcomer.tries > 3);
	assert_int_equal(holder.wanted, 0);
}

/* Not only after a pause: `tries` are counted before its timer has run out. */
static void
who_waits_tries_when_it_was_let_go(void **state)
{
	(void)state;
	SKIP_PORTABLE("a bell");
	holder.lets_go = true;
	hold(&holder, id, 1);
	another.is_patient = true;
	wait_for(&another, other_id, 2);
	wait_for(&newcomer, id, 2);
	ev_timer_stop(loop, &newcomer.wait.timer);
	ev_timer_stop(loop, &another.wait.timer);
	WAIT_FOR(newcomer.tries > 0);
	assert_int_equal(holder.wanted, 1);
	assert_int_equal(another.tries, 0); /* it waits for something else */
}

/* The holder has died: nobody says so. */
static void
who_waits_tries_from_time_to_time(void **state)
{
	uint64_t began = clock_mono_ns();

	(void)state;
	newcomer.is_patient = true;
	wait_for(&newcomer, id, 2);
	WAIT_FOR(newcomer.tries == 1);
	WAIT_FOR(newcomer.tries == 8);
	/* 5 + 10 + 20 + 40 + 4 * 50 */
	assert_true(clock_mono_ns() - began > 200 * NS_PER_MS);
	assert_false(takeover_is_over(&newcomer.wait));
	newcomer.wait.until_ns = clock_mono_ns();
	assert_true(takeover_is_over(&newcomer.wait));
}

/* All that is told ends from within. */
static void
many_may_end_while_they_are_told(void **state)
{
	struct holder holders[10];
	struct newcomer newcomers[10];
	char ids[] = "0123456789abcdef0123456789abcde0";
	unsigned tries = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		ids[PARTIAL_ID_LEN - 1] = (char)('0' + i);
		holders[i] = (struct holder){
		    .hold.on_wanted = on_wanted, .lets_go = true};
		newcomers[i] = (struct newcomer){.wait.on_try = on_try};
		hold(&holders[i], ids, 1);
		wait_for(&newcomers[i], ids, 2);
	}
	while (tries < 10) {
		ev_run(loop, EVRUN_ONCE);
		tries = 0;
		for (int i = 0; i < 10; i++)
			tries += newcomers[i].tries;
	}
	for (int i = 0; i < 10; i++)
		takeover_release(t, &holders[i].hold);
}

/* The newcomer is another worker, which is gone before it was heard. */
static void
another_process_is_heard(void **state)
{
	int status;

	(void)state;
	hold(&holder, id, 1);
	if (fork() == 0) {
		ev_loop_fork(loop);
		wait_for(&newcomer, id, 2);
		_exit(0);
	}
	assert_int_not_equal(wait(&status), -1);
	WAIT_FOR(holder.wanted > 0);
}

/* A bell that others ring for something else. */
static void
nothing_is_told_while_nothing_is_wanted(void **state)
{
	(void)state;
	hold(&holder, id, 1);
	for (int i = 0; i < 10; i++) {
		bell_ring(&bell);
		ev_run(loop, EVRUN_NOWAIT);
	}
	assert_int_equal(holder.wanted, 0);
	wait_for(&newcomer, id, 2);
	takeover_end(&newcomer.wait); /* it has left */
	for (int i = 0; i < 10; i++) {
		bell_ring(&bell);
		ev_run(loop, EVRUN_NOWAIT);
	}
	assert_int_equal(holder.wanted, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define ANYWHERE(name)                                                         \
	TEST(name),                                                            \
	{                                                                      \
#name ": no bell", name, set_up_without_bell, tear_down, NULL  \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ANYWHERE(the_holder_is_told),
	    ANYWHERE(it_is_told_again),
	    ANYWHERE(one_that_is_newer_is_left_alone),
	    TEST(who_waits_tries_when_it_was_let_go),
	    ANYWHERE(who_waits_tries_from_time_to_time),
	    ANYWHERE(many_may_end_while_they_are_told),
	    ANYWHERE(another_process_is_heard),
	    TEST(nothing_is_told_while_nothing_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
