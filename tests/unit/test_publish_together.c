/*
 * The lock of a directory that several have together, and what they do with it:
 * who has it alone is alone, and gets it in the end; files that are replaced
 * quickly are replaced or lost, and never under a lock that is none any more.
 */
#include "local/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/directory.h"
#include "lib/portable.h"
#include "local/local_preflight.h"
#include "local/publish_lock.h"
#include "config/store_policy.h"
#include "shared/replacing.h"
#include "shared/shared.h"
#include "shared/shm.h"

enum {
	CROWD = 6,  /* threads that have the lock together */
	TURNS = 20, /* of one that has it alone */
	HOLD_US = 2000,
	HANGS_S = 30, /* then it never gets it */
};

static char top[256];
static int root;
static struct shared shared;
static struct replacing *replacing;

static int
set_up(void **state)
{
	(void)state;
	test_directory_make("test_together", top, sizeof(top));
	root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(root, -1);
	assert_int_equal(mkdirat(root, "sub", 0700), 0);
	assert_int_equal(
	    shared_init(&shared, &(struct shared_room){1, 1, 1}), 0);
	replacing = shared.replacing;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shared.shm, sizeof(*shared.shm) + shared.shm->size);
	close(root);
	return test_directory_remove(top);
}

/* Where nothing can be asserted: in a process of its own. */
static bool
begin_publishing(struct publish *p, int dir)
{
	return publish_init(
		   p, dir, true, (struct publish_waiter){replacing, 0}) == 0;
}

static struct publish
publisher(int dir)
{
	struct publish p;

	assert_true(begin_publishing(&p, dir));
	assert_true(p.nameless);
	return p;
}

static struct unpublished
create(struct publish *p, const char *text)
{
	struct unpublished u = {.fd = -1};

	assert_int_equal(publish_create(p, -1, &u), 0);
	assert_int_equal(write(u.fd, text, strlen(text)), strlen(text));
	return u;
}

static void
assert_content(const char *name, const char *text)
{
	char got[64] = "";
	int fd = openat(root, name, O_RDONLY);

	assert_int_not_equal(fd, -1);
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	close(fd);
	assert_string_equal(got, text);
}

/* `dir` can be removed: nothing was left in it. */
static void
assert_empty(const char *dir)
{
	assert_int_equal(unlinkat(root, dir, AT_REMOVEDIR), 0);
}

static unsigned
descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* ---- who has it with whom */

static void
those_who_share_have_it_at_once_and_no_other(void **state)
{
	struct publish p, other;
	struct publish_lock one, two;

	(void)state;
	SKIP_PORTABLE("locks that are shared");
	p = publisher(root);
	other = publisher(root);
	assert_int_equal(publish_take(&p, "a", PUBLISH_TOGETHER, &one), 0);
	assert_int_equal(
	    publish_take(&other, "a", PUBLISH_TOGETHER | PUBLISH_NOW, &two), 0);
	publish_release(&other, &two);
	publish_release(&p, &one);
	assert_int_equal(publish_take(&p, "a", 0, &one), 0);
	assert_int_equal(
	    publish_take(&other, "a", PUBLISH_TOGETHER | PUBLISH_NOW, &two),
	    PUBLISH_BUSY);
	publish_release(&p, &one);
	assert_int_equal(
	    publish_take(&other, "a", PUBLISH_TOGETHER | PUBLISH_NOW, &two), 0);
	publish_release(&other, &two);
	publish_fini(&p);
	publish_fini(&other);
}

/* One of a directory below counts as much. */
static void
a_lock_below_is_not_waited_for_either(void **state)
{
	struct publish p, below;
	struct publish_lock one, two;
	int sub;

	(void)state;
	SKIP_PORTABLE("locks that are shared");
	sub = openat(root, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p = publisher(root);
	below = publisher(sub);
	assert_int_equal(publish_take(&below, "a", 0, &one), 0);
	assert_int_equal(
	    publish_take(&p, "sub/a", PUBLISH_TOGETHER | PUBLISH_NOW, &two),
	    PUBLISH_BUSY);
	assert_int_equal(
	    publish_take(&p, "a", PUBLISH_TOGETHER | PUBLISH_NOW, &two), 0);
	publish_release(&p, &two);
	publish_release(&below, &one);
	assert_int_equal(
	    publish_take(&p, "sub/a", PUBLISH_TOGETHER | PUBLISH_NOW, &two), 0);
	assert_int_equal(two.count, 2);
	publish_release(&p, &two);
	publish_fini(&p);
	publish_fini(&below);
	close(sub);
}

struct waiter {
	struct publish *p;
	_Atomic bool has_it;
	int err; /* to be looked at when its thread has ended */
};

static void *
wait_alone(void *arg)
{
	struct waiter *w = arg;
	struct publish_lock lock;

	w->err = publish_take(w->p, "a", 0, &lock);
	if (w->err == 0) {
		atomic_store(&w->has_it, true);
		publish_release(w->p, &lock);
	}
	return NULL;
}

static void
while_one_waits_to_be_alone_no_other_joins(void **state)
{
	struct publish p, other;
	struct publish_lock one, two;
	struct stat st;
	struct waiter w;
	pthread_t t;

	(void)state;
	SKIP_PORTABLE("locks that are shared");
	p = publisher(root);
	other = publisher(root);
	w = (struct waiter){.p = &other};
	assert_int_equal(publish_take(&p, "a", PUBLISH_TOGETHER, &one), 0);
	assert_int_equal(fstatat(root, PUBLISH_TEMP_DIR, &st, 0), 0);
	alarm(HANGS_S);
	assert_int_equal(pthread_create(&t, NULL, wait_alone, &w), 0);
	while (!replacing_is_noted(replacing, st.st_dev, st.st_ino))
		usleep(100);
	assert_int_equal(
	    publish_take(&p, "a", PUBLISH_TOGETHER | PUBLISH_NOW, &two),
	    PUBLISH_BUSY);
	assert_false(atomic_load(&w.has_it));
	publish_release(&p, &one);
	assert_int_equal(pthread_join(t, NULL), 0);
	alarm(0);
	assert_int_equal(w.err, 0);
	assert_true(atomic_load(&w.has_it));
	assert_int_equal(
	    publish_take(&p, "a", PUBLISH_TOGETHER | PUBLISH_NOW, &two), 0);
	publish_release(&p, &two);
	publish_fini(&p);
	publish_fini(&other);
}

struct other {
	bool (*does)(void);
	_Atomic bool has_ended;
	bool well;
};

static void *
do_it(void *arg)
{
	struct other *o = arg;

	o->well = o->does();
	atomic_store(&o->has_ended, true);
	return NULL;
}

/* Others have the lock of the root together, and join no more because it waits. */
static void
assert_notes_that_it_waits(bool (*does)(void))
{
	struct other o = {.does = does};
	struct publish p = publisher(root);
	struct publish_lock lock;
	pthread_t t;

	assert_int_equal(publish_take(&p, "a", PUBLISH_TOGETHER, &lock), 0);
	assert_int_equal(pthread_create(&t, NULL, do_it, &o), 0);
	for (int i = 0; i < HANGS_S * 1000 && !publish_is_awaited(&p, &lock);
	     i++)
		usleep(1000);
	assert_true(publish_is_awaited(&p, &lock));
	assert_false(atomic_load(&o.has_ended));
	publish_release(&p, &lock);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_true(o.well);
	assert_false(publish_is_awaited(&p, &lock));
	publish_fini(&p);
}

static bool
begin_below(void)
{
	int sub = openat(root, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct publish below;
	bool well = begin_publishing(&below, sub);

	if (well)
		publish_fini(&below);
	close(sub);
	return well;
}

/* It makes a `.penstock`, and waits for those above that have found none. */
static void
one_that_begins_below_notes_that_it_waits(void **state)
{
	(void)state;
	SKIP_PORTABLE("locks that are shared");
	assert_notes_that_it_waits(begin_below);
}

static bool
try_out(void)
{
	const struct store_policy policy = {
	    .output_dir = top, .overwrite = true};
	struct store_check check = {0};

	local_preflight(&policy, &shared, &check);
	str_fini(&check.text);
	return check.fitness == STORE_FIT;
}

/* A reload must not wait for as long as the workers replace files. */
static void
a_preflight_notes_that_it_waits(void **state)
{
	(void)state;
	SKIP_PORTABLE("locks that are shared");
	assert_notes_that_it_waits(try_out);
}

static _Atomic bool over;
static _Atomic unsigned together, joined;
static _Atomic int join_err; /* of any of them */

/* Have it together with others, nearly all the time. */
static void *
join_again(void *arg)
{
	struct publish *p = arg;
	struct publish_lock lock;

	while (!atomic_load(&over)) {
		int err = publish_take(p, "a", PUBLISH_TOGETHER, &lock);

		if (err < 0) {
			atomic_store(&join_err, err);
			break;
		}
		atomic_fetch_add(&together, 1);
		atomic_fetch_add(&joined, 1);
		usleep(HOLD_US);
		atomic_fetch_sub(&together, 1);
		publish_release(p, &lock);
	}
	return NULL;
}

static void
a_crowd_lets_in_who_has_to_be_alone(void **state)
{
	struct publish p;
	pthread_t t[CROWD];

	(void)state;
	SKIP_PORTABLE("locks that are shared");
	p = publisher(root);
	atomic_store(&over, false);
	atomic_store(&join_err, 0);
	alarm(HANGS_S);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(
		    pthread_create(&t[i], NULL, join_again, &p), 0);
	for (int i = 0; i < TURNS; i++) {
		unsigned before = atomic_load(&joined);
		struct publish_lock lock;

		/* And they get it again. */
		while (atomic_load(&joined) < before + CROWD &&
		       atomic_load(&join_err) == 0)
			usleep(100);
		assert_int_equal(publish_take(&p, "a", 0, &lock), 0);
		assert_int_equal(atomic_load(&together), 0);
		publish_release(&p, &lock);
	}
	atomic_store(&over, true);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(atomic_load(&join_err), 0);
	alarm(0);
	publish_fini(&p);
}

/* With kill -9 the kernel lets go of its locks, whether they were kept open. */
static void
a_dead_process_has_it_no_more(void **state)
{
	struct publish p;
	struct publish_lock lock;
	int told[2];
	char byte;
	pid_t pid;

	(void)state;
	SKIP_PORTABLE("locks that are shared");
	assert_int_equal(pipe(told), 0);
	p = publisher(root);
	pid = fork();
	if (pid == 0) {
		struct publish own;

		if (!begin_publishing(&own, root))
			_exit(1);
		for (int i = 0; i < 2; i++) {
			if (publish_take(&own, "a", PUBLISH_TOGETHER, &lock) <
			    0)
				_exit(1);
			if (i == 0)
				publish_release(&own, &lock);
		}
		if (write(told[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(told[1]); /* else a child that fails is waited for forever */
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(publish_take(&p, "a", 0, &lock), 0);
	publish_release(&p, &lock);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(told[0]);
	publish_fini(&p);
}

/* ---- locks that are kept open */

static void
one_that_is_kept_open_is_used_again(void **state)
{
	struct publish p;
	struct publish_lock lock, more[PUBLISH_SPARE_LOCKS + 2];
	unsigned before, kept;
	int fd;

	(void)state;
	SKIP_PORTABLE("locks that are kept open");
	p = publisher(root);
	before = descriptors();
	assert_int_equal(publish_take(&p, "a", 0, &lock), 0);
	fd = lock.fd[0];
	publish_release(&p, &lock);
	kept = descriptors();
	assert_int_equal(kept, before + 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    publish_take(&p, "a", PUBLISH_TOGETHER, &lock), 0);
		assert_int_equal(lock.fd[0], fd);
		publish_release(&p, &lock);
	}
	/* No more than so many. */
	for (size_t i = 0; i < COUNT_OF(more); i++)
		assert_int_equal(
		    publish_take(&p, "a", PUBLISH_TOGETHER, &more[i]), 0);
	for (size_t i = 0; i < COUNT_OF(more); i++)
		publish_release(&p, &more[i]);
	assert_int_equal(descriptors(), before + PUBLISH_SPARE_LOCKS);
	publish_fini(&p);
	assert_true(descriptors() < before);
}

/* However many directories there are. */
static void
of_all_directories_only_some_are_kept_open(void **state)
{
	struct publish many[2 * PUBLISH_SPARE_MAX];
	unsigned before;

	(void)state;
	SKIP_PORTABLE("locks that are kept open");
	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = publisher(root);
	before = descriptors();
	for (size_t i = 0; i < COUNT_OF(many); i++) {
		struct publish_lock lock;

		assert_int_equal(publish_take(&many[i], "a", 0, &lock), 0);
		publish_release(&many[i], &lock);
	}
	assert_int_equal(descriptors(), before + PUBLISH_SPARE_MAX);
	for (size_t i = 0; i < COUNT_OF(many); i++)
		publish_fini(&many[i]);
}

static void
one_that_was_removed_is_not_used_again(void **state)
{
	struct publish p;
	struct publish_lock lock, unchecked;
	unsigned before;

	(void)state;
	SKIP_PORTABLE("locks that are kept open");
	p = publisher(root);
	before = descriptors();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(publish_take(&p, "a", 0, &lock), 0);
		publish_release(&p, &lock);
		assert_empty(PUBLISH_TEMP_DIR);
		/* It is made again, and locked. */
		assert_int_equal(publish_take(&p, "a", 0, &lock), 0);
		assert_true(publish_is_intact(&p));
		assert_true(publish_still_has(&p, &lock));
		publish_release(&p, &lock);
		assert_int_equal(descriptors(), before + 1);
	}
	/* Without a look it is not known yet. */
	assert_empty(PUBLISH_TEMP_DIR);
	assert_int_equal(mkdirat(root, PUBLISH_TEMP_DIR, 0700), 0);
	assert_int_equal(publish_take(&p, "a",
			     PUBLISH_TOGETHER | PUBLISH_UNCHECKED, &unchecked),
	    0);
	assert_false(publish_still_has(&p, &unchecked));
	unchecked.is_stale = true;
	publish_release(&p, &unchecked);
	assert_int_equal(descriptors(), before);
	publish_fini(&p);
}

/* ---- replacing quickly */

static void (*before_rename)(void);
static int rename_errno;

/* Instead of the C library's: what others do just before, or an error. */
int
renameat(int from_dir, const char *from, int dir, const char *name)
{
	if (before_rename != NULL)
		before_rename();
	errno = rename_errno;
	if (rename_errno != 0)
		return -1;
	return (int)syscall(SYS_renameat2, from_dir, from, dir, name, 0);
}

static int
replace_quickly(struct publish *p, struct unpublished *u)
{
	struct publish_lock lock;
	int err;

	assert_int_equal(
	    publish_take(p, "a", PUBLISH_TOGETHER | PUBLISH_UNCHECKED, &lock),
	    0);
	err = publish_replace_quickly(p, u, &lock, -1, "a");
	publish_release(p, &lock);
	return err;
}

static void
it_is_replaced_and_nothing_is_left(void **state)
{
	struct publish p;

	(void)state;
	SKIP_PORTABLE("nameless files");
	p = publisher(root);
	for (int i = 0; i < 3; i++) {
		char text[16];
		struct unpublished u;

		snprintf(text, sizeof(text), "%d", i);
		u = create(&p, text);
		assert_int_equal(replace_quickly(&p, &u), 0);
		assert_content("a", text);
		assert_string_equal(u.temp, "");
		close(u.fd);
	}
	publish_fini(&p);
	assert_empty(PUBLISH_TEMP_DIR);
}

/* Can a file be staged under that lock? */
static bool
stages(struct publish *p, struct publish_lock *lock)
{
	struct unpublished u = {.fd = -1};

	if (!publish_create_staged(p, lock, &u))
		return false;
	assert_int_equal(unlinkat(lock->fd[0], u.temp, 0), 0);
	close(u.fd);
	return true;
}

static void
what_the_root_hands_down_is_looked_at_under_each_lock(void **state)
{
	static const mode_t modes[] = {0700, 02700, 0700};
	struct publish_lock lock;
	struct publish p;

	(void)state;
	SKIP_PORTABLE("nameless files");
	p = publisher(root);
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		assert_int_equal(fchmod(root, modes[i]), 0);
		assert_int_equal(
		    publish_take(&p, "a", PUBLISH_TOGETHER, &lock), 0);
		assert_int_equal(stages(&p, &lock), modes[i] == 0700);
		assert_int_equal(stages(&p, &lock), modes[i] == 0700);
		publish_release(&p, &lock);
	}
	publish_fini(&p);
}

static void
sweep(void)
{
	unsigned living;

	assert_int_equal(publish_sweep(root, &living), 1);
}

/* A sweep that came between takes its temp name: what is there stays. */
static void
one_that_was_swept_is_lost_and_says_so(void **state)
{
	struct publish p;
	struct unpublished u;

	(void)state;
	SKIP_PORTABLE("nameless files");
	p = publisher(root);
	u = create(&p, "old");
	assert_int_equal(replace_quickly(&p, &u), 0);
	close(u.fd);
	u = create(&p, "new");
	before_rename = sweep;
	assert_int_equal(replace_quickly(&p, &u), PUBLISH_LOST);
	before_rename = NULL;
	assert_content("a", "old");
	assert_false(u.uncertain);
	close(u.fd);
	publish_fini(&p);
	assert_empty(PUBLISH_TEMP_DIR);
}

/* An error of the disk is not tried away. */
static void
one_that_fails_is_not_lost(void **state)
{
	struct publish p;
	struct unpublished u;

	(void)state;
	SKIP_PORTABLE("nameless files");
	p = publisher(root);
	u = create(&p, "old");
	assert_int_equal(replace_quickly(&p, &u), 0);
	close(u.fd);
	u = create(&p, "new");
	rename_errno = EIO;
	assert_int_equal(replace_quickly(&p, &u), -EIO);
	rename_errno = 0;
	assert_content("a", "old");
	close(u.fd);
	publish_fini(&p);
	assert_empty(PUBLISH_TEMP_DIR);
}

static void
move_away(void)
{
	assert_int_equal(
	    syscall(SYS_renameat2, root, PUBLISH_TEMP_DIR, root, "was", 0), 0);
	assert_int_equal(mkdirat(root, PUBLISH_TEMP_DIR, 0700), 0);
}

/* Those who come now have another lock. */
static void
under_a_lock_that_is_none_any_more_nothing_is_replaced(void **state)
{
	struct publish p;
	struct unpublished u;
	unsigned before;

	(void)state;
	SKIP_PORTABLE("nameless files");
	p = publisher(root);
	u = create(&p, "old");
	assert_int_equal(replace_quickly(&p, &u), 0);
	close(u.fd);
	before = descriptors();
	u = create(&p, "new");
	before_rename = move_away;
	assert_int_equal(replace_quickly(&p, &u), PUBLISH_LOST);
	before_rename = NULL;
	close(u.fd);
	assert_content("a", "old");
	assert_empty("was");
	assert_int_equal(descriptors(), before - 1); /* that lock */
	/* Removed before it has a temp name: it can still be had by other means. */
	u = create(&p, "new");
	assert_int_equal(replace_quickly(&p, &u), 0);
	close(u.fd);
	u = create(&p, "newer");
	assert_empty(PUBLISH_TEMP_DIR);
	assert_int_equal(replace_quickly(&p, &u), PUBLISH_RENEW);
	assert_int_equal(publish_renew(&p), 0);
	assert_int_equal(publish_replace(&p, &u, -1, "a"), 0);
	assert_content("a", "newer");
	close(u.fd);
	publish_fini(&p);
	assert_empty(PUBLISH_TEMP_DIR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(those_who_share_have_it_at_once_and_no_other),
	    TEST(a_lock_below_is_not_waited_for_either),
	    TEST(while_one_waits_to_be_alone_no_other_joins),
	    TEST(one_that_begins_below_notes_that_it_waits),
	    TEST(a_preflight_notes_that_it_waits),
	    TEST(a_crowd_lets_in_who_has_to_be_alone),
	    TEST(a_dead_process_has_it_no_more),
	    TEST(one_that_is_kept_open_is_used_again),
	    TEST(of_all_directories_only_some_are_kept_open),
	    TEST(one_that_was_removed_is_not_used_again),
	    TEST(what_the_root_hands_down_is_looked_at_under_each_lock),
	    TEST(it_is_replaced_and_nothing_is_left),
	    TEST(one_that_was_swept_is_lost_and_says_so),
	    TEST(one_that_fails_is_not_lost),
	    TEST(under_a_lock_that_is_none_any_more_nothing_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
