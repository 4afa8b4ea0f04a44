/*
 * Shared syncs of directories: a name that is said to be on stable storage was
 * there before the sync began, and no caller waits for more than two.
 * fsync(2) is one of ours, which takes until it is let go.
 */
#include "local/dirsync.h"

#include <dlfcn.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "disk/device.h"
#include "disk/engine.h"
#include "shared/disk_share.h"

enum {
	DIRS = 3,
	WAITERS = 64,
	FDS_MAX = 1024,
	PATIENCE_S = 20,
};

/* ---- system calls of our own */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* by directory */
	unsigned begun[DIRS], release[DIRS], ended[DIRS];
	int err[DIRS]; /* what it fails with; 0: it does not */
	ino_t inode[DIRS];
	unsigned strange; /* no directory of ours */
	unsigned closed[FDS_MAX];
	unsigned closed_late; /* of them, by the loop's thread */
	pthread_t loop;
	bool no_threads;
} sys = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int
dir_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0)
		for (int i = 0; i < DIRS; i++)
			if (st.st_ino == sys.inode[i])
				return i;
	return -1;
}

int
fsync(int fd)
{
	int dir, err;

	pthread_mutex_lock(&sys.lock);
	dir = dir_of(fd);
	if (dir == -1) {
		sys.strange++;
		pthread_mutex_unlock(&sys.lock);
		errno = EBADF;
		return -1;
	}
	sys.begun[dir]++;
	while (sys.release[dir] <= sys.ended[dir])
		pthread_cond_wait(&sys.changed, &sys.lock);
	sys.ended[dir]++;
	err = sys.err[dir];
	pthread_mutex_unlock(&sys.lock);
	errno = err;
	return err == 0 ? 0 : -1;
}

int
close(int fd)
{
	if (fd >= 0 && fd < FDS_MAX) {
		pthread_mutex_lock(&sys.lock);
		sys.closed[fd]++;
		sys.closed_late += pthread_equal(sys.loop, pthread_self()) != 0;
		pthread_mutex_unlock(&sys.lock);
	}
	return (int)syscall(SYS_close, fd);
}

int
pthread_create(
    pthread_t *id, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	int (*really)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
	    void *) = NULL;
	void *symbol = dlsym(RTLD_NEXT, "pthread_create");

	if (sys.no_threads)
		return EAGAIN;
	check(symbol != NULL);
	memcpy(&really, &symbol, sizeof(really));
	return really(id, attr, run, arg);
}

/* Let syncs of that directory end, which fail with `err` unless it is 0. */
static void
release(int dir, unsigned n, int err)
{
	pthread_mutex_lock(&sys.lock);
	sys.release[dir] += n;
	sys.err[dir] = err;
	pthread_cond_broadcast(&sys.changed);
	pthread_mutex_unlock(&sys.lock);
}

/* ---- the fixture */

struct waiter {
	struct dirsync_wait wait;
	int fd; /* wait.dir, as it was */
	unsigned told;
	int err;
	struct waiter *then; /* joins when this one is told */
};

static struct fixture {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct device_set *devices;
	struct engine *engine;
	struct dirsync *syncs;
	struct device *device;
	char path[DIRS][64];
	struct waiter w[WAITERS];
	unsigned told;
} f;

static int
set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct stat st;

	(void)state;
	memset(&f, 0, sizeof(f));
	sys.loop = pthread_self();
	for (int i = 0; i < DIRS; i++) {
		snprintf(f.path[i], sizeof(f.path[i]), "%s/dirsync.XXXXXX",
		    tmp ? tmp : "/tmp");
		assert_non_null(mkdtemp(f.path[i]));
		assert_int_equal(stat(f.path[i], &st), 0);
		sys.inode[i] = st.st_ino;
		sys.begun[i] = sys.release[i] = sys.ended[i] = 0;
	}
	f.loop = ev_loop_new(EVFLAG_AUTO);
	f.pool = chunk_pool_new(f.loop, 4096, 4096 * 4);
	f.devices = device_set_new(f.pool);
	assert_int_equal(engine_new(f.loop, ENGINE_THREADS, &f.engine), 0);
	f.device = device_new_unknown(f.devices);
	assert_non_null(f.device);
	f.syncs = dirsync_new(f.engine, f.device);
	assert_non_null(f.syncs);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	dirsync_free(&f.syncs);
	assert_null(f.syncs);
	dirsync_free(&f.syncs); /* nothing when there is none */
	engine_free(&f.engine);
	device_set_free(&f.devices);
	chunk_pool_free(&f.pool);
	ev_loop_destroy(f.loop);
	for (int i = 0; i < DIRS; i++)
		rmdir(f.path[i]);
	assert_int_equal(sys.strange, 0);
	return 0;
}

static void
join(unsigned which)
{
	assert_int_equal(dirsync_join(f.syncs, &f.w[which].wait), 0);
}

static void
on_done(struct dirsync_wait *wait, int err)
{
	struct waiter *w = container_of(wait, struct waiter, wait);

	f.told++;
	w->told++;
	w->err = err;
	if (w->then != NULL)
		join((unsigned)(w->then - f.w));
}

/* A caller that waits for that directory, by a descriptor of its own. */
static struct waiter *
prepare(unsigned which, int dir, bool keep)
{
	struct waiter *w = &f.w[which];

	*w = (struct waiter){
	    .fd = open(f.path[dir], O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	assert_in_range(w->fd, 0, FDS_MAX - 1);
	sys.closed[w->fd] = 0;
	w->wait = (struct dirsync_wait){.dir = w->fd,
	    .keep_dir = keep,
	    .inode = sys.inode[dir],
	    .on_done = on_done};
	return w;
}

static void
come(unsigned which, int dir)
{
	(void)prepare(which, dir, false);
	join(which);
}

static void
on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

static void
turn_until(
    bool (*what)(unsigned a, unsigned b), unsigned a, unsigned b, uint64_t ns)
{
	uint64_t end = clock_mono_ns() + ns;
	ev_timer tick;

	ev_timer_init(&tick, on_tick, 0.002, 0.002);
	ev_timer_start(f.loop, &tick);
	while (!what(a, b) && clock_mono_ns() < end)
		ev_run(f.loop, EVRUN_ONCE);
	ev_timer_stop(f.loop, &tick);
}

static bool
never(unsigned a, unsigned b)
{
	(void)a;
	(void)b;
	return false;
}

static bool
begun_are(unsigned dir, unsigned n)
{
	unsigned begun;

	pthread_mutex_lock(&sys.lock);
	begun = sys.begun[dir];
	pthread_mutex_unlock(&sys.lock);
	return begun >= n;
}

static bool
told_are(unsigned n, unsigned unused)
{
	(void)unused;
	return f.told >= n;
}

/* So many syncs of that directory were begun, and not one more. */
static void
await_begun(int dir, unsigned n)
{
	turn_until(begun_are, (unsigned)dir, n, PATIENCE_S * NS_PER_S);
	assert_int_equal(sys.begun[dir], n);
}

static void
await_told(unsigned n)
{
	turn_until(told_are, n, 0, PATIENCE_S * NS_PER_S);
	assert_int_equal(f.told, n);
}

/* Time in which nothing is expected. */
static void
idle(void)
{
	turn_until(never, 0, 0, 30 * NS_PER_MS);
}

static void
assert_told(unsigned which, int err)
{
	assert_int_equal(f.w[which].told, 1);
	assert_int_equal(f.w[which].err, err);
}

/* ---- the tests */

/* A name that was linked after a sync began may be missing from it. */
static void
one_that_joins_while_it_runs_is_not_covered(void **state)
{
	(void)state;
	come(0, 0);
	await_begun(0, 1);
	come(1, 0);
	come(2, 0);
	idle();
	assert_int_equal(sys.begun[0], 1);
	assert_int_equal(f.told, 0);

	release(0, 1, 0);
	await_told(1);
	assert_told(0, 0);
	await_begun(0, 2);
	idle();
	assert_int_equal(f.told, 1);
	come(3, 0); /* and so on */

	release(0, 1, 0);
	await_told(3);
	assert_told(1, 0);
	assert_told(2, 0);
	assert_int_equal(f.w[3].told, 0);
	release(0, 1, 0);
	await_told(4);
	assert_told(3, 0);
	idle();
	assert_int_equal(sys.begun[0], 3);
}

static void
many_at_once_share_two(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WAITERS; i++)
		come(i, 0);
	release(0, 100, 0);
	await_told(WAITERS);
	for (unsigned i = 0; i < WAITERS; i++)
		assert_told(i, 0);
	idle();
	assert_in_range(sys.begun[0], 1, 2);
}

/* Others that come all the time do not put one off. */
static void
none_waits_for_more_than_two(void **state)
{
	(void)state;
	come(0, 0);
	for (unsigned i = 1; i < WAITERS; i++) {
		await_begun(0, i);
		come(i, 0);
		release(0, 1, 0);
		await_told(i);
		assert_told(i - 1, 0);
		assert_int_equal(f.w[i].told, 0);
	}
	release(0, 1, 0);
	await_told(WAITERS);
}

static void
one_that_joins_when_another_is_told_is_served_too(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		prepare(i, 0, false)->then = i < 4 ? &f.w[i + 1] : NULL;
	join(0);
	for (unsigned i = 1; i <= 5; i++) {
		await_begun(0, i);
		release(0, 1, 0);
		await_told(i);
		assert_told(i - 1, 0);
	}
	idle();
	assert_int_equal(sys.begun[0], 5);
}

static void
when_it_is_over_it_begins_again(void **state)
{
	(void)state;
	release(0, 100, 0);
	for (unsigned i = 0; i < 5; i++) {
		come(i, 0);
		await_told(i + 1);
		assert_int_equal(sys.begun[0], i + 1);
	}
}

/* It waits for a place on the disk: their names are there when it begins. */
static void
those_that_join_before_it_has_begun_are_covered(void **state)
{
	(void)state;
	f.device->cap = 1;
	come(0, 0);
	await_begun(0, 1);
	come(1, 1);
	come(2, 1);
	idle();
	come(3, 1);
	assert_int_equal(sys.begun[1], 0);
	release(0, 1, 0);
	await_begun(1, 1);
	come(4, 1);
	release(1, 1, 0);
	await_told(4);
	for (unsigned i = 0; i < 4; i++)
		assert_told(i, 0);
	release(1, 1, 0);
	await_told(5);
	assert_int_equal(sys.begun[1], 2);
}

/* Bulk of another worker has its turn on the disk. */
static void
those_of_small_uploads_wait_for_their_turn(void **state)
{
	enum { ME, OTHER };
	struct shm *shm = shm_new(disk_share_size(1));
	struct disk_share *all = disk_share_new(shm, 1);
	struct disk_share_disk *d = disk_share_of(all, OTHER, 7);
	struct fair *fair = &f.device->fair;

	(void)state;
	fair_share(fair, disk_share_of(all, ME, 7), NULL, ME);
	fair_want(fair, 2 * PATIENCE_S);
	disk_share_hold_bulk(d, OTHER, 1);
	for (unsigned i = 0; i < 2; i++) {
		prepare(i, 0, false)->wait.small = true;
		join(i);
	}
	come(2, 1); /* of a large one, which does not wait */
	await_begun(1, 1);
	assert_int_equal(fair->held, 1);
	assert_int_equal(sys.begun[0], 0);
	disk_share_unhold_bulk(d, OTHER, 1);
	release(0, 1, 0);
	release(1, 1, 0);
	await_told(3);
	assert_int_equal(sys.begun[0], 1); /* for both */
	fair_share(fair, NULL, NULL, 0);
	munmap(shm, sizeof(*shm) + disk_share_size(1));
}

static void
directories_do_not_wait_for_each_other(void **state)
{
	(void)state;
	come(0, 0);
	come(1, 1);
	come(2, 2);
	for (int i = 0; i < DIRS; i++)
		await_begun(i, 1);
	come(3, 0);
	come(4, 1);
	release(1, 2, 0);
	await_told(2);
	assert_told(1, 0);
	assert_told(4, 0);
	release(2, 1, 0);
	await_told(3);
	assert_told(2, 0);
	idle();
	assert_int_equal(f.told, 3);
	release(0, 2, 0);
	await_told(5);
	for (int i = 0; i < DIRS; i++)
		assert_int_equal(sys.begun[i], i == 2 ? 1 : 2);
}

static void
an_error_is_for_all_it_covers_and_for_them_only(void **state)
{
	(void)state;
	come(0, 0);
	come(10, 1);
	await_begun(0, 1);
	await_begun(1, 1);
	for (unsigned i = 1; i < 5; i++)
		come(i, 0);
	release(0, 1, 0);
	await_told(1);
	assert_told(0, 0);
	await_begun(0, 2);
	come(5, 0);
	come(6, 0);
	release(0, 1, EIO);
	await_told(5);
	for (unsigned i = 1; i < 5; i++)
		assert_told(i, -EIO);
	await_begun(0, 3);
	release(0, 1, 0);
	release(1, 1, 0);
	await_told(8);
	assert_told(5, 0);
	assert_told(6, 0);
	assert_told(10, 0);
}

static void
descriptors_are_closed_once_but_for_those_to_be_kept(void **state)
{
	static const int errs[] = {0, EIO};

	(void)state;
	for (unsigned round = 0; round < COUNT_OF(errs); round++) {
		f.told = 0;
		for (unsigned i = 0; i < 12; i++) {
			(void)prepare(i, 0, i % 3 == 0);
			join(i);
		}
		/* Not before the sync has ended: it may be made through it. */
		idle();
		for (unsigned i = 0; i < 12; i++)
			assert_int_equal(sys.closed[f.w[i].fd], 0);
		sys.closed_late = 0;
		release(0, 2, errs[round]);
		await_told(12);
		assert_int_equal(sys.closed_late, 0); /* it may wait */
		for (unsigned i = 0; i < 12; i++) {
			int fd = f.w[i].fd;

			assert_told(i, -errs[round]);
			assert_int_equal(sys.closed[fd], i % 3 == 0 ? 0 : 1);
			if (i % 3 == 0)
				close(fd);
		}
	}
}

/* Then no name is said to be safe, and nothing is left open. */
static void
without_a_thread_all_are_told_and_closed(void **state)
{
	(void)state;
	sys.no_threads = true;
	for (unsigned i = 0; i < 4; i++) {
		(void)prepare(i, 0, i == 3);
		join(i);
	}
	await_told(4);
	sys.no_threads = false;
	for (unsigned i = 0; i < 4; i++) {
		assert_told(i, -EAGAIN);
		assert_int_equal(sys.closed[f.w[i].fd], i == 3 ? 0 : 1);
	}
	close(f.w[3].fd);
	assert_int_equal(sys.begun[0], 0);
}

/* The process that is to die is forked while threads run, and starts some of
 * its own, which TSan would rather end it for. */
const char *__tsan_default_options(void);
const char *
__tsan_default_options(void)
{
	return "die_after_fork=0";
}

/* It would come back to what is freed. */
static void
to_free_it_while_one_waits_is_a_bug(void **state)
{
	struct waiter *w = prepare(0, 0, false);
	int status;
	pid_t pid = fork();

	(void)state;
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL ||
		    dirsync_join(f.syncs, &w->wait) < 0)
			_exit(1);
		dirsync_free(&f.syncs);
		_exit(0);
	}
	close(w->fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_that_joins_while_it_runs_is_not_covered),
	    TEST(many_at_once_share_two),
	    TEST(none_waits_for_more_than_two),
	    TEST(one_that_joins_when_another_is_told_is_served_too),
	    TEST(when_it_is_over_it_begins_again),
	    TEST(those_that_join_before_it_has_begun_are_covered),
	    TEST(those_of_small_uploads_wait_for_their_turn),
	    TEST(directories_do_not_wait_for_each_other),
	    TEST(an_error_is_for_all_it_covers_and_for_them_only),
	    TEST(descriptors_are_closed_once_but_for_those_to_be_kept),
	    TEST(without_a_thread_all_are_told_and_closed),
	    TEST(to_free_it_while_one_waits_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
