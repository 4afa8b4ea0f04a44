/*
 * A look through the partials of a directory: what has expired goes, in two steps; what is
 * held, young, or not ours stays; and all that is open is counted.
 */
#include "local/partials_look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/cmocka_with.h"
#include "lib/directory.h"
#include "lib/portable.h"
#include "local/open_ids.h"
#include "local/partial_file.h"
#include "local/publish_lock.h"
#include "local/publish_sys.h"
#include "store/store.h"

enum {
	HOUR = 3600,
	MANY = 2000, /* more than one step takes */
};

static const char one[] = "0123456789abcdef0123456789abcdef";
static const char two[] = "ffffffffffffffffffffffffffffffff";

static struct fixture {
	char path[PATH_MAX];
	int root, dir;
	struct partials_look *look;
	const struct partials_found *found;
} f;

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	snprintf(f.path, sizeof(f.path), "%s/look.XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(f.path));
	f.root = open(f.path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(f.root, ".penstock", 0700), 0);
	f.dir = openat(f.root, ".penstock", O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(f.dir, -1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	partials_look_free(&f.look);
	close(f.dir);
	close(f.root);
	test_directory_remove(f.path);
	return 0;
}

/* To its end, of those that nobody came back for during an hour. */
static unsigned
look(void)
{
	unsigned steps = 1;

	partials_look_free(&f.look);
	f.look = partials_look_new(f.root, HOUR);
	assert_non_null(f.look);
	while (partials_look_step(f.look))
		steps++;
	f.found = partials_look_found(f.look);
	return steps;
}

static const char *
name_of(const char *id, const char *suffix)
{
	static char name[PARTIAL_NAME_SIZE];

	partial_file_name(id, suffix, name);
	return name;
}

static int
create(const char *name)
{
	int fd = openat(f.dir, name, O_RDWR | O_CREAT | O_EXCL, 0600);

	assert_int_not_equal(fd, -1);
	return fd;
}

static bool
is_there(const char *name)
{
	struct stat st;

	return fstatat(f.dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
has_both(const char *id)
{
	return is_there(name_of(id, partial_data_suffix)) &&
	       is_there(name_of(id, partial_info_suffix));
}

static bool
has_none(const char *id)
{
	return !is_there(name_of(id, partial_data_suffix)) &&
	       !is_there(name_of(id, partial_info_suffix));
}

/* With 10 of its bytes, last written to so many seconds ago; its ID.info is open. */
static int
begin(const char *id, uint64_t client, uint64_t length,
    enum partial_phase phase, uint64_t age_s)
{
	struct partial p = {.length = length, .client = client};
	struct partial_file file;
	int data = create(name_of(id, partial_data_suffix));
	int info = create(name_of(id, partial_info_suffix));

	assert_int_equal(write(data, "0123456789", 10), 10);
	close(data);
	memcpy(p.id, id, sizeof(p.id));
	assert_int_equal(partial_file_begin(info, &p, false, &file), 0);
	p.phase = phase;
	p.offset = 10;
	p.changed_s = (uint64_t)clock_wall_s() - age_s;
	assert_int_equal(partial_file_put(info, &file, &p, false, false), 0);
	partial_file_fini(&file);
	return info;
}

static void
leave(const char *id, enum partial_phase phase, uint64_t age_s)
{
	close(begin(id, 7, 100, phase, age_s));
}

static struct partial_file
read_back(const char *id)
{
	struct partial_file file;
	int fd = openat(f.dir, name_of(id, partial_info_suffix), O_RDONLY);

	assert_int_not_equal(fd, -1);
	assert_int_equal(partial_file_peek(fd, id, &file), 0);
	close(fd);
	return file;
}

static void
make_old(const char *name, int age_s)
{
	struct timespec times[2];

	times[0].tv_sec = times[1].tv_sec = clock_wall_s() - age_s;
	times[0].tv_nsec = times[1].tv_nsec = 0;
	assert_int_equal(utimensat(f.dir, name, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* ---- what expires ---- */

static void
what_is_young_stays(void **state)
{
	(void)state;
	leave(one, PARTIAL_OPEN, HOUR - 60);
	leave(two, PARTIAL_STORED, HOUR - 60);
	look();
	assert_true(has_both(one));
	assert_true(has_both(two));
	assert_int_equal(f.found->expired + f.found->gone, 0);
	assert_int_equal(read_back(one).shown.phase, PARTIAL_OPEN);
	assert_int_equal(f.found->files, 2);
}

/* It is known for an hour more, without its bytes. */
static void
an_open_one_expires_before_it_is_forgotten(void **state)
{
	struct partial_file file;

	(void)state;
	leave(one, PARTIAL_OPEN, HOUR + 1);
	look();
	assert_int_equal(f.found->expired, 1);
	assert_int_equal(f.found->clients, 0);
	assert_false(is_there(name_of(one, partial_data_suffix)));
	file = read_back(one);
	assert_int_equal(file.shown.phase, PARTIAL_EXPIRED);
	assert_true(file.shown.changed_s + 60 > (uint64_t)clock_wall_s());
	assert_int_equal(file.shown.offset, 10);
	look();
	assert_int_equal(f.found->expired + f.found->gone, 0);
	assert_true(is_there(name_of(one, partial_info_suffix)));
}

static void
one_that_ended_is_forgotten(void **state)
{
	static const enum partial_phase phases[] = {
	    PARTIAL_STORED, PARTIAL_REFUSED, PARTIAL_EXPIRED};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		leave(one, phases[i], HOUR + 1);
		look();
		assert_int_equal(f.found->gone, 1);
		assert_true(has_none(one)); /* what is left of its bytes, too */
	}
}

/* A crash has cut off its commit, after it got its name. */
static void
one_that_is_stored_but_does_not_say_so_is_forgotten(void **state)
{
	struct partial_file file;
	struct partial p;
	int info = begin(one, 7, 10, PARTIAL_OPEN, HOUR + 1);

	(void)state;
	assert_int_equal(partial_file_read(info, one, &file), 0);
	p = file.shown;
	assert_int_equal(partial_file_put(info, &file, &p, true, false), 0);
	partial_file_fini(&file);
	close(info);
	assert_int_equal(linkat(f.dir, name_of(one, partial_data_suffix),
			     f.root, "stored", 0),
	    0);
	look();
	assert_int_equal(f.found->expired, 0);
	assert_int_equal(f.found->gone, 1);
	assert_true(has_none(one));
	assert_int_equal(faccessat(f.root, "stored", F_OK, 0), 0);
}

/* By another process. */
static bool
can_be_locked(const char *name)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int fd = openat(f.dir, name, O_RDWR);

		_exit(fd != -1 && publish_lock(fd) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

/* Who looks does not take the lock from its own process either. */
static void
one_that_somebody_has_open_stays(void **state)
{
	int info = begin(one, 7, 100, PARTIAL_OPEN, HOUR + 1);
	struct open_id own = {0}, other = {0};

	(void)state;
	assert_true(open_id_enter(&own, one));
	assert_int_equal(open_id_enter(&other, one), publish_locks_last());
	open_id_leave(&other);
	assert_int_equal(publish_lock(info), 0);
	look();
	assert_false(can_be_locked(name_of(one, partial_info_suffix)));
	assert_true(has_both(one));
	if (publish_locks_last()) {
		assert_true(f.found->is_whole);
		assert_int_equal(f.found->clients, 1);
		assert_int_equal(f.found->awaited, 0); /* its worker's */
	} else {
		assert_false(f.found->is_whole);
	}
	assert_int_equal(read_back(one).shown.phase, PARTIAL_OPEN);
	close(info);
	open_id_leave(&own);
	look();
	assert_int_equal(f.found->expired, 1);
}

/* ---- what makes no sense, or is not ours ---- */

static void
what_makes_no_sense_goes_when_it_is_old(void **state)
{
	int fd = create(name_of(one, partial_info_suffix));

	(void)state;
	assert_int_equal(write(fd, "nonsense", 8), 8);
	close(fd);
	close(create(name_of(one, partial_data_suffix)));
	close(create(name_of(two, partial_info_suffix))); /* empty */
	look();
	assert_true(has_both(one));
	assert_int_equal(f.found->clients, 0);
	make_old(name_of(one, partial_info_suffix), HOUR + 1);
	look();
	assert_true(has_none(one));
	assert_true(is_there(name_of(two, partial_info_suffix)));
}

static void
bytes_without_a_word_about_them_go_when_they_are_old(void **state)
{
	(void)state;
	close(create(name_of(one, partial_data_suffix)));
	close(create(name_of(two, partial_data_suffix)));
	make_old(name_of(one, partial_data_suffix), HOUR + 1);
	look();
	assert_true(has_none(one));
	assert_true(is_there(name_of(two, partial_data_suffix)));
}

static void
what_is_not_ours_is_left_alone(void **state)
{
	static const char *const names[] = {"notes.txt", "x.info", ".info",
	    "0123456789ABCDEF0123456789ABCDEF.info",
	    "0123456789abcdef0123456789abcde.info",
	    "0123456789abcdef0123456789abcdef.info~",
	    "0123456789abcdef0123456789abcdef"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		close(create(names[i]));
		make_old(names[i], 10 * HOUR);
	}
	look();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_true(is_there(names[i]));
	assert_int_equal(f.found->files, 0);
}

static void
no_symlink_is_followed_or_removed(void **state)
{
	char victim[PATH_MAX + 16];

	(void)state;
	leave(two, PARTIAL_STORED, HOUR + 1);
	assert_int_equal(renameat(f.dir, name_of(two, partial_info_suffix),
			     f.root, "victim"),
	    0);
	snprintf(victim, sizeof(victim), "%s/victim", f.path);
	assert_int_equal(
	    symlinkat(victim, f.dir, name_of(one, partial_info_suffix)), 0);
	unlinkat(f.dir, name_of(two, partial_data_suffix), 0);
	assert_int_equal(
	    symlinkat(victim, f.dir, name_of(two, partial_data_suffix)), 0);
	make_old(name_of(one, partial_info_suffix), 10 * HOUR);
	make_old(name_of(two, partial_data_suffix), 10 * HOUR);
	look();
	assert_true(is_there(name_of(one, partial_info_suffix)));
	assert_true(is_there(name_of(two, partial_data_suffix)));
	assert_int_equal(faccessat(f.root, "victim", F_OK, 0), 0);
	assert_int_equal(f.found->files, 0);
}

static void
directories_and_fifos_stop_nobody(void **state)
{
	(void)state;
	assert_int_equal(
	    mkdirat(f.dir, name_of(one, partial_info_suffix), 0700), 0);
	assert_int_equal(
	    mkdirat(f.dir, name_of(one, partial_data_suffix), 0700), 0);
	assert_int_equal(
	    mkfifoat(f.dir, name_of(two, partial_info_suffix), 0600), 0);
	make_old(name_of(one, partial_info_suffix), 10 * HOUR);
	make_old(name_of(two, partial_info_suffix), 10 * HOUR);
	look();
	assert_true(has_both(one));
	assert_true(is_there(name_of(two, partial_info_suffix)));
	assert_int_equal(f.found->files, 0);
}

static void
dot_penstock_that_is_a_symlink_is_not_followed(void **state)
{
	char other[PATH_MAX + 16];

	(void)state;
	leave(one, PARTIAL_STORED, HOUR + 1);
	assert_int_equal(renameat(f.root, ".penstock", f.root, "other"), 0);
	snprintf(other, sizeof(other), "%s/other", f.path);
	assert_int_equal(symlinkat(other, f.root, ".penstock"), 0);
	look();
	assert_int_equal(f.found->gone, 0);
	assert_true(has_both(one));
}

/* ---- what is counted ---- */

static const char *
numbered(unsigned n)
{
	static char id[PARTIAL_ID_LEN + 1];

	snprintf(id, sizeof(id), "%032x", n);
	return id;
}

static void
all_that_is_open_is_counted_by_client(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++)
		close(begin(numbered(i), i % 3, 10 + i, PARTIAL_OPEN, 0));
	close(begin(one, 1, STORE_LENGTH_UNKNOWN, PARTIAL_OPEN, 0));
	leave(two, PARTIAL_STORED, 0);
	look();
	assert_int_equal(f.found->files, 8);
	assert_int_equal(f.found->clients, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(f.found->tally[i].client, i);
		assert_int_equal(f.found->tally[i].count, i == 1 ? 3 : 2);
	}
	assert_int_equal(f.found->awaited, 0 + 1 + 2 + 3 + 4 + 5);
	assert_true(f.found->is_whole);
}

static void
many_are_looked_at_in_steps(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		close(begin(numbered(i), 7, 11,
		    i % 2 ? PARTIAL_OPEN : PARTIAL_STORED,
		    i % 2 ? 0 : HOUR + 1));
	assert_true(look() > 3);
	assert_int_equal(f.found->gone, MANY / 2);
	assert_int_equal(f.found->clients, 1);
	assert_int_equal(f.found->tally[0].count, MANY / 2);
	assert_int_equal(f.found->awaited, MANY / 2);
}

static void
one_looks_at_a_time(void **state)
{
	struct partials_look *first = partials_look_new(f.root, HOUR);

	(void)state;
	SKIP_PORTABLE("locks of directories");
	leave(one, PARTIAL_STORED, HOUR + 1);
	assert_non_null(first);
	assert_false(partials_look_step(first));
	assert_true(partials_look_was_alone(first));
	assert_true(has_none(one));
	leave(one, PARTIAL_STORED, HOUR + 1);
	look();
	assert_false(partials_look_was_alone(f.look));
	assert_true(has_both(one));
	partials_look_free(&first);
	look();
	assert_true(partials_look_was_alone(f.look));
	assert_true(has_none(one));
}

static void
nothing_there_is_nothing_found(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(f.root, ".penstock", AT_REMOVEDIR), 0);
	look();
	assert_true(partials_look_was_alone(f.look));
	assert_int_equal(f.found->files, 0);
	assert_true(f.found->is_whole);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_young_stays),
	    TEST(an_open_one_expires_before_it_is_forgotten),
	    TEST(one_that_ended_is_forgotten),
	    TEST(one_that_is_stored_but_does_not_say_so_is_forgotten),
	    TEST(one_that_somebody_has_open_stays),
	    TEST(what_makes_no_sense_goes_when_it_is_old),
	    TEST(bytes_without_a_word_about_them_go_when_they_are_old),
	    TEST(what_is_not_ours_is_left_alone),
	    TEST(no_symlink_is_followed_or_removed),
	    TEST(directories_and_fifos_stop_nobody),
	    TEST(dot_penstock_that_is_a_symlink_is_not_followed),
	    TEST(all_that_is_open_is_counted_by_client),
	    TEST(many_are_looked_at_in_steps),
	    TEST(one_looks_at_a_time),
	    TEST(nothing_there_is_nothing_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
