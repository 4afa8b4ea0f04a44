/*
 * The record of the newest upload, shared by processes that may die at any
 * moment.
 */
#include "shared/latest.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

enum {
	WRITERS = 4,
	READERS = 2,
	SETS = 3000, /* of each writer */
	TOTAL = WRITERS * SETS,
	PATIENCE_S = 5,
	DIRECTORIES = 300, /* more than are remembered while not in use */
	MINE = 0,	   /* slots */
	THEIRS = 1,
};

#if defined(__SANITIZE_THREAD__)
#define STEPS_ARE_OURS false
#else
#define STEPS_ARE_OURS true
#endif

static struct shm *shm;
static struct latest_table *table;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(latest_table_size(DIRECTORIES));
	assert_non_null(shm);
	table = latest_table_new(shm, DIRECTORIES);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + latest_table_size(DIRECTORIES));
	return 0;
}

/* An entry in which every byte says its number, so that a torn one shows. */
static struct latest_entry
entry(unsigned number)
{
	struct latest_entry e = {.version = {number + 1}};

	memset(e.name, 'a' + (int)(number % 26), sizeof(e.name) - 1);
	e.name[snprintf(e.name, sizeof(e.name), "%08u", number)] =
	    (char)('a' + number % 26);
	return e;
}

static bool
is_whole(const struct latest_entry *e)
{
	struct latest_entry must = entry((unsigned)e->version[0] - 1);

	return memcmp(&must, e, sizeof(must)) == 0;
}

static void
a_directory_has_one_record(void **state)
{
	struct latest *a = latest_of(table, MINE, 1, 10, 0), *b;

	(void)state;
	assert_non_null(a);
	assert_ptr_equal(latest_of(table, MINE, 1, 10, 0), a);
	b = latest_of(table, MINE, 1, 11, 0);
	assert_ptr_not_equal(b, a);
	assert_ptr_not_equal(latest_of(table, MINE, 2, 10, 0), a);
	assert_ptr_equal(latest_of(table, MINE, 1, 11, 0), b);
}

static void
a_full_table_says_so(void **state)
{
	ino_t i = 0;

	(void)state;
	while (latest_of(table, MINE, 1, i, 0) != NULL)
		assert_true(++i < 100000);
	assert_int_equal(i, DIRECTORIES);
	/* Those there are still are. */
	assert_non_null(latest_of(table, MINE, 1, 0, 0));
}

/*
 * Directories come and go for ever: one that is not in use is remembered for a
 * while, and gives its record up only when others need it.  What was given up
 * is not known, and so looked for: it is never taken for empty.
 */
static void
directories_come_and_go(void **state)
{
	struct latest *kept = latest_of(table, THEIRS, 2, 2, 0), *n;
	struct latest_entry e = entry(7), got, gone;

	(void)state;
	assert_false(latest_set(kept, &e, &gone));
	for (unsigned i = 0; i < 4 * DIRECTORIES; i++) {
		n = latest_of(table, MINE, 1, i, 0);
		assert_non_null(n);
		assert_false(latest_is_known(n));
		assert_false(latest_get(n, &got));
		e = entry(i);
		assert_false(latest_set(n, &e, &gone));
		latest_leave(table, MINE, &n);
		assert_null(n);
		/* And back, as after a reload. */
		n = latest_of(table, MINE, 1, i, 0);
		assert_true(latest_get(n, &got));
		assert_memory_equal(&got, &e, sizeof(e));
		latest_leave(table, MINE, &n);
	}
	assert_true(latest_get(kept, &got));
	assert_int_equal(got.version[0], 8);
	/* The last 200 are remembered, the first ones are to be looked for. */
	for (unsigned i = 4 * DIRECTORIES - 200; i < 4 * DIRECTORIES; i++) {
		n = latest_of(table, MINE, 1, i, 0);
		assert_true(latest_is_known(n));
		latest_leave(table, MINE, &n);
	}
	n = latest_of(table, MINE, 1, 0, 0);
	assert_false(latest_is_known(n));
	assert_true(latest_claim_scan(n));
}

/* What a worker had that died is there for others. */
static void
a_dead_worker_uses_none(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DIRECTORIES; i++)
		assert_non_null(latest_of(table, THEIRS, 1, i, 0));
	assert_null(latest_of(table, MINE, 2, 0, 0));
	latest_forget(table, THEIRS, 12345);
	for (unsigned i = 0; i < DIRECTORIES; i++)
		assert_non_null(latest_of(table, MINE, 2, i, 0));
}

static void
each_is_replaced_once(void **state)
{
	struct latest *n = latest_of(table, MINE, 1, 1, 0);
	struct latest_entry e = entry(1), got, old;

	(void)state;
	assert_false(latest_get(n, &got));
	assert_false(latest_set(n, &e, &old));
	assert_true(latest_get(n, &got));
	assert_memory_equal(&got, &e, sizeof(e));
	for (unsigned i = 2; i < 200; i++) {
		e = entry(i);
		assert_true(latest_set(n, &e, &old));
		assert_int_equal(old.version[0], i);
		assert_true(is_whole(&old));
		assert_true(latest_get(n, &got));
		assert_memory_equal(&got, &e, sizeof(e));
	}
}

/* What others have removed is forgotten, and looked for once; unless there is a
 * newer one. */
static void
what_is_dropped_is_looked_for(void **state)
{
	struct latest *n = latest_of(table, MINE, 1, 1, 0);
	struct latest_entry e = entry(1), later = entry(2), got;

	(void)state;
	e.ticket = latest_ticket(n);
	later.ticket = latest_ticket(n);
	latest_drop(n, e.ticket, e.name);
	assert_false(latest_set(n, &e, &got));
	latest_drop(n, later.ticket, e.name);
	latest_drop(n, e.ticket, later.name);
	assert_true(latest_get(n, &got));
	latest_drop(n, e.ticket, e.name);
	assert_false(latest_get(n, &got));
	assert_false(latest_is_known(n));
	assert_true(latest_claim_scan(n));
	assert_false(latest_claim_scan(n));
	latest_scanned(n, NULL);
	assert_true(latest_is_known(n));
	assert_false(latest_set(n, &later, &got));
	latest_drop(n, e.ticket, e.name);
	assert_true(latest_get(n, &got));
	assert_memory_equal(&got, &later, sizeof(got));
	/* And leaves nothing taken. */
	for (unsigned i = 0; i < 100; i++) {
		latest_drop(n, later.ticket, later.name);
		assert_false(latest_set(n, &later, &got));
	}
}

/* It became durable late, and is told to go itself. */
static void
an_earlier_ticket_does_not_replace_a_later_one(void **state)
{
	struct latest *n = latest_of(table, MINE, 1, 1, 0);
	struct latest_entry early = entry(1), late = entry(2), got, gone;

	(void)state;
	early.ticket = latest_ticket(n);
	late.ticket = latest_ticket(n);
	assert_true(late.ticket > early.ticket && early.ticket > 0);
	assert_false(latest_set(n, &late, &gone));
	assert_true(latest_set(n, &early, &gone));
	assert_memory_equal(&gone, &early, sizeof(gone));
	assert_true(latest_get(n, &got));
	assert_memory_equal(&got, &late, sizeof(got));
	/* And leaves nothing taken. */
	for (unsigned i = 0; i < 100; i++)
		assert_true(latest_set(n, &early, &gone));
	early.ticket = latest_ticket(n);
	assert_true(latest_set(n, &early, &gone));
	assert_memory_equal(&gone, &late, sizeof(gone));
}

static void
one_alone_scans(void **state)
{
	struct latest *n = latest_of(table, MINE, 1, 1, 0);
	struct latest_entry e = entry(1), got;

	(void)state;
	assert_false(latest_is_known(n));
	assert_true(latest_claim_scan(n));
	assert_false(latest_claim_scan(n));
	latest_scanned(n, &e);
	assert_true(latest_is_known(n));
	assert_false(latest_claim_scan(n));
	assert_true(latest_get(n, &got));
	assert_memory_equal(&got, &e, sizeof(e));
}

static void
an_empty_directory_is_known_too(void **state)
{
	struct latest *n = latest_of(table, MINE, 1, 1, 0);
	struct latest_entry got;

	(void)state;
	assert_true(latest_claim_scan(n));
	latest_scanned(n, NULL);
	assert_true(latest_is_known(n));
	assert_false(latest_get(n, &got));
	assert_false(latest_claim_scan(n));
}

static void
what_was_published_meanwhile_is_newer(void **state)
{
	struct latest *n = latest_of(table, MINE, 1, 1, 0);
	struct latest_entry e = entry(1), fresh = entry(2), got, old;

	(void)state;
	assert_true(latest_claim_scan(n));
	assert_false(latest_set(n, &fresh, &old));
	assert_true(latest_is_known(n));
	for (int i = 0; i < 100; i++) /* no buffer is lost either */
		latest_scanned(n, &e);
	assert_true(latest_get(n, &got));
	assert_int_equal(got.version[0], fresh.version[0]);
	assert_true(latest_set(n, &e, &old));
	assert_int_equal(old.version[0], fresh.version[0]);
}

static void
another_directory_with_the_inode_begins_anew(void **state)
{
	struct latest *n = latest_of(table, MINE, 1, 1, 77);
	struct latest_entry e = entry(1), found = entry(2), got, gone;

	(void)state;
	/* More often than there are buffers: none is lost by it. */
	for (uint64_t identity = 78; identity < 200; identity++) {
		assert_true(latest_claim_scan(n));
		latest_scanned(n, &found);
		assert_true(latest_set(n, &e, &gone));
		assert_ptr_equal(latest_of(table, MINE, 1, 1, identity - 1), n);
		assert_ptr_equal(latest_of(table, MINE, 1, 1, 0), n);
		assert_true(latest_get(n, &got));
		assert_ptr_equal(latest_of(table, MINE, 1, 1, identity), n);
		assert_false(latest_get(n, &got));
		assert_false(latest_is_known(n));
	}
}

/* Run `act(i)` in a process of its own; its pid. */
static pid_t
spawn(void (*act)(unsigned i), unsigned i)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		act(i);
		_exit(0);
	}
	return pid;
}

/* Wait for it to end well; kill it and say no when that takes too long. */
static bool
ends_well(pid_t pid)
{
	uint64_t end = clock_mono_ns() + PATIENCE_S * NS_PER_S;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_mono_ns() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return false;
		}
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static struct latest *hammered;
static struct board {
	_Atomic unsigned told[TOTAL + 1]; /* how often as the one before */
	_Atomic unsigned claims;
	_Atomic bool over;
} * board;

static void
write_many(unsigned i)
{
	struct latest_entry old;

	for (unsigned k = 0; k < SETS; k++) {
		struct latest_entry e = entry(i * SETS + k);

		if (!latest_set(hammered, &e, &old))
			continue;
		if (!is_whole(&old))
			_exit(1);
		atomic_fetch_add(&board->told[old.version[0] - 1], 1);
	}
}

static void
read_many(unsigned i)
{
	struct latest_entry got;

	(void)i;
	while (!atomic_load(&board->over))
		if (latest_get(hammered, &got) && !is_whole(&got))
			_exit(1);
}

static void
new_board(void)
{
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(board, MAP_FAILED);
}

static void
many_processes_tear_no_name(void **state)
{
	pid_t writers[WRITERS], readers[READERS];
	struct latest_entry last;
	unsigned never = 0;

	(void)state;
	new_board();
	hammered = latest_of(table, MINE, 1, 1, 0);
	for (unsigned i = 0; i < READERS; i++)
		readers[i] = spawn(read_many, i);
	for (unsigned i = 0; i < WRITERS; i++)
		writers[i] = spawn(write_many, i);
	for (unsigned i = 0; i < WRITERS; i++)
		assert_true(ends_well(writers[i]));
	atomic_store(&board->over, true);
	for (unsigned i = 0; i < READERS; i++)
		assert_true(ends_well(readers[i]));

	/* Each is told of once, but for the last, which still stands. */
	assert_true(latest_get(hammered, &last));
	for (unsigned i = 0; i < TOTAL; i++) {
		unsigned told = atomic_load(&board->told[i]);

		assert_true(told <= 1);
		if (told == 0) {
			never++;
			assert_int_equal(last.version[0], i + 1);
		}
	}
	assert_int_equal(never, 1);
	munmap(board, sizeof(*board));
}

static void
claim(unsigned i)
{
	if (latest_claim_scan(latest_of(table, THEIRS + i, 5, 5, 0)))
		atomic_fetch_add(&board->claims, 1);
}

static void
one_process_alone_scans(void **state)
{
	pid_t pids[8];

	(void)state;
	new_board();
	for (unsigned i = 0; i < 8; i++)
		pids[i] = spawn(claim, i);
	for (unsigned i = 0; i < 8; i++)
		assert_true(ends_well(pids[i]));
	assert_int_equal(atomic_load(&board->claims), 1);
	munmap(board, sizeof(*board));
}

static void
a_dead_scanners_claim_comes_back(void **state)
{
	pid_t pid;

	(void)state;
	new_board();
	pid = spawn(claim, 0);
	assert_true(ends_well(pid));
	assert_int_equal(atomic_load(&board->claims), 1);
	assert_false(latest_claim_scan(latest_of(table, MINE, 5, 5, 0)));
	latest_forget(table, THEIRS + 1, getpid()); /* it does not have it */
	assert_false(latest_claim_scan(latest_of(table, MINE, 5, 5, 0)));
	latest_forget(table, THEIRS, pid);
	assert_true(latest_claim_scan(latest_of(table, MINE, 5, 5, 0)));
	munmap(board, sizeof(*board));
}

static void
set_some(unsigned i)
{
	struct latest_entry old;

	for (unsigned k = 0; k < 100; k++) {
		struct latest_entry e = entry(i + k);

		if (latest_set(hammered, &e, &old) && !is_whole(&old))
			_exit(1);
	}
}

/* Publish once, under the eyes of the parent. */
static void
publish_traced(unsigned i)
{
	struct latest_entry e = entry(i), old;

	hammered = latest_of(table, THEIRS, 1, 1, 0);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
		_exit(1);
	raise(SIGSTOP);
	(void)latest_set(hammered, &e, &old);
	_exit(0);
}

/*
 * A worker publishes and is killed after `steps` instructions; the master
 * gives back what it had.  The instructions it got through: fewer than
 * `steps` when it was done before; or -1: it cannot be traced here.
 */
static long
publish_and_die(long steps)
{
	pid_t pid = spawn(publish_traced, (unsigned)steps % 1000);
	long done = 0;
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSTOPPED(status))
		return -1;
	while (done < steps) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status))
			break;
		done++;
	}
	if (WIFSTOPPED(status)) {
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	latest_forget(table, THEIRS, pid);
	return done;
}

/*
 * A worker is killed while it publishes, at one instruction after the other.
 * What it had taken must come back, all of it: else the next worker that publishes
 * waits for ever some day.
 */
static void
the_dead_leave_nothing_taken(void **state)
{
	long all, step;
	unsigned killed = 0;
	uint64_t end;

	(void)state;
	/* Each instruction of a publication is a step, and with TSan there
	 * are hundreds of times as many, all of them its own. */
	if (!STEPS_ARE_OURS) {
		print_message("not with TSan: skipped\n");
		skip();
	}
	hammered = latest_of(table, MINE, 1, 1, 0);
	set_some(0);
	all = publish_and_die(100000);
	if (all == -1) {
		print_message("ptrace is not allowed here: skipped\n");
		skip();
	}
	assert_true(all > 50 && all < 100000);
	/* Several times: one that is lost of many does not show.  But each step
	 * is two switches of process, which may be slow. */
	end = clock_mono_ns() + PATIENCE_S * NS_PER_S;
	for (int pass = 0, stuck = 0;
	     pass < 8 && !stuck && (pass == 0 || clock_mono_ns() < end);
	     pass++) {
		struct latest_entry got;

		for (step = 0; publish_and_die(step) == step && !stuck;
		     step += 1 + all / 50) {
			killed++;
			stuck = step > 4 * all;
			assert_true(latest_get(hammered, &got));
			assert_true(is_whole(&got));
		}
	}
	if (!ends_well(spawn(set_some, 7)))
		fail_msg("%u workers were killed while they published: "
			 "no worker can publish any more",
		    killed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_directory_has_one_record),
	    TEST(a_full_table_says_so),
	    TEST(directories_come_and_go),
	    TEST(a_dead_worker_uses_none),
	    TEST(each_is_replaced_once),
	    TEST(what_is_dropped_is_looked_for),
	    TEST(an_earlier_ticket_does_not_replace_a_later_one),
	    TEST(one_alone_scans),
	    TEST(an_empty_directory_is_known_too),
	    TEST(what_was_published_meanwhile_is_newer),
	    TEST(another_directory_with_the_inode_begins_anew),
	    TEST(many_processes_tear_no_name),
	    TEST(one_process_alone_scans),
	    TEST(a_dead_scanners_claim_comes_back),
	    TEST(the_dead_leave_nothing_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
