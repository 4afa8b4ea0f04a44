/*
 * Who replaces which names: one at a time has a claim on a name, a worker that dies
 * leaves none, and a note of one that waits ends when it has waited, or by itself.
 */
#include "shared/replacing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "set_clock.h"

enum {
	DEV = 7,
	DIR = 40,
	LOCK = 41,
	WORKERS = 4,
	ROUNDS = 20000,
};

static struct shm *shm;
static struct replacing *r;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(replacing_size());
	assert_non_null(shm);
	r = replacing_new(shm);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + replacing_size());
	return 0;
}

/* The key of a name whose claim is not by chance that of `key`, too. */
static uint64_t
key_beside(uint64_t key)
{
	replacing_claim one = replacing_take(r, 0, key), two = 0;
	char name[] = "b";
	uint64_t other = 0;

	assert_int_not_equal(one, 0);
	for (; two == 0; name[0]++) {
		other = replacing_key(r, DEV, DIR, name);
		two = replacing_take(r, 0, other);
	}
	replacing_give(r, &one);
	replacing_give(r, &two);
	return other;
}

static void
one_has_the_claim_until_it_gives_it_back(void **state)
{
	uint64_t key = replacing_key(r, DEV, DIR, "a");
	replacing_claim one = replacing_take(r, 0, key), two;

	(void)state;
	assert_int_not_equal(one, 0);
	assert_int_equal(replacing_take(r, 1, key), 0);
	assert_int_equal(replacing_take(r, 0, key), 0); /* its other thread */
	replacing_give(r, &one);
	assert_int_equal(one, 0);
	two = replacing_take(r, 1, key);
	assert_int_not_equal(two, 0);
	replacing_give(r, &one); /* nothing the second time */
	assert_int_equal(replacing_take(r, 0, key), 0);
	replacing_give(r, &two);
}

static void
a_name_is_one_in_its_directory(void **state)
{
	uint64_t key = replacing_key(r, DEV, DIR, "a");

	(void)state;
	assert_true(key == replacing_key(r, DEV, DIR, "a"));
	assert_true(key != replacing_key(r, DEV, DIR, "b"));
	assert_true(key != replacing_key(r, DEV, DIR + 1, "a"));
	assert_true(key != replacing_key(r, DEV + 1, DIR, "a"));
}

static void
a_dead_worker_has_no_claims(void **state)
{
	uint64_t a = replacing_key(r, DEV, DIR, "a");
	uint64_t b = key_beside(a);
	pid_t pid = fork();
	replacing_claim claim;
	int status;

	(void)state;
	if (pid == 0)
		_exit(
		    replacing_take(r, 3, a) != 0 && replacing_take(r, 4, b) != 0
			? 0
			: 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(replacing_take(r, 0, a), 0);
	replacing_forget(r, 3);
	claim = replacing_take(r, 0, a);
	assert_int_not_equal(claim, 0);
	/* That of another one stays. */
	assert_int_equal(replacing_take(r, 0, b), 0);
	replacing_forget(r, 0);
	replacing_forget(r, 4);
	claim = replacing_take(r, 0, b);
	assert_int_not_equal(claim, 0);
}

/* Add to a number that is nobody's to change at the same time. */
static void
add_under_claim(unsigned slot, volatile unsigned *number)
{
	uint64_t key = replacing_key(r, DEV, DIR, "a");

	for (unsigned i = 0; i < ROUNDS; i++) {
		replacing_claim claim;

		while ((claim = replacing_take(r, slot, key)) == 0)
			;
		++*number;
		replacing_give(r, &claim);
	}
}

static void
of_several_processes_one_has_it(void **state)
{
	unsigned *number = mmap(NULL, sizeof(*number), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(number != MAP_FAILED);
	for (unsigned i = 0; i < WORKERS; i++) {
		if (fork() == 0) {
			add_under_claim(i, number);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < WORKERS; i++)
		assert_true(wait(NULL) > 0);
	assert_int_equal(*number, WORKERS * ROUNDS);
	munmap(number, sizeof(*number));
}

static void
a_note_lasts_until_its_writer_has_waited(void **state)
{
	uint64_t one, two;

	(void)state;
	assert_false(replacing_is_noted(r, DEV, LOCK));
	one = replacing_note(r, 2, DEV, LOCK);
	assert_true(replacing_is_noted(r, DEV, LOCK));
	two = replacing_note(r, 2, DEV, LOCK);
	replacing_unnote(r, DEV, LOCK, one); /* the other one still waits */
	assert_true(replacing_is_noted(r, DEV, LOCK));
	replacing_unnote(r, DEV, LOCK, two);
	assert_false(replacing_is_noted(r, DEV, LOCK));
}

static void
a_note_ends_with_its_writer_or_by_itself(void **state)
{
	uint64_t note = replacing_note(r, 2, DEV, LOCK);

	(void)state;
	replacing_forget(r, 3);
	assert_true(replacing_is_noted(r, DEV, LOCK));
	replacing_forget(r, 2);
	assert_false(replacing_is_noted(r, DEV, LOCK));
	/* One that is no worker is none of them. */
	note = replacing_note(r, REPLACING_NO_WORKER, DEV, LOCK);
	for (unsigned slot = 0; slot < SHM_SLOTS; slot++)
		replacing_forget(r, slot);
	assert_true(replacing_is_noted(r, DEV, LOCK));
	replacing_forget(r, REPLACING_NO_WORKER);
	assert_false(replacing_is_noted(r, DEV, LOCK));
	note = replacing_note(r, 2, DEV, LOCK);
	set_clock_pass((REPLACING_NOTE_MS - 1) * NS_PER_MS);
	assert_true(replacing_is_noted(r, DEV, LOCK));
	set_clock_pass(2 * NS_PER_MS);
	assert_false(replacing_is_noted(r, DEV, LOCK));
	replacing_unnote(r, DEV, LOCK, note);
}

/* There is room for some; the last one that came is the last one that has waited. */
static void
of_many_waiters_the_last_note_stays(void **state)
{
	uint64_t notes[20];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(notes); i++)
		notes[i] = replacing_note(r, (unsigned)i, DEV, LOCK);
	for (size_t i = 0; i < COUNT_OF(notes); i++) {
		assert_true(replacing_is_noted(r, DEV, LOCK));
		replacing_unnote(r, DEV, LOCK, notes[i]);
	}
	assert_false(replacing_is_noted(r, DEV, LOCK));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_has_the_claim_until_it_gives_it_back),
	    TEST(a_name_is_one_in_its_directory),
	    TEST(a_dead_worker_has_no_claims),
	    TEST(of_several_processes_one_has_it),
	    TEST(a_note_lasts_until_its_writer_has_waited),
	    TEST(a_note_ends_with_its_writer_or_by_itself),
	    TEST(of_many_waiters_the_last_note_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
