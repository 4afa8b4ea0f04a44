/*
 * Names beneath a directory: what is found, what is refused, that the
 * portable walk says the same as the kernel, and that no path leads out, not
 * even while directories are swapped for symbolic links.
 */
#include "local/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "lib/directory.h"

/* top/root is what is served, top/outside what must not be reached. */
static char top[256];
static int top_fd, root, outside;

static void
make_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int
open_dir(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	return fd;
}

static int
set_up(void **state)
{
	(void)state;
	test_directory_make("test_path", top, sizeof(top));
	top_fd = open_dir(AT_FDCWD, top);
	assert_int_equal(mkdirat(top_fd, "root", 0700), 0);
	assert_int_equal(mkdirat(top_fd, "outside", 0700), 0);
	root = open_dir(top_fd, "root");
	outside = open_dir(top_fd, "outside");
	make_file(outside, "secret", "outside");
	assert_int_equal(mkdirat(root, "d", 0700), 0);
	assert_int_equal(mkdirat(root, "d/e", 0700), 0);
	make_file(root, "f", "f");
	make_file(root, "d/f", "d/f");
	make_file(root, "d/e/f", "d/e/f");
	assert_int_equal(symlinkat("d", root, "link"), 0);
	assert_int_equal(symlinkat("f", root, "flink"), 0);
	assert_int_equal(symlinkat("../outside", root, "out"), 0);
	assert_int_equal(symlinkat("../../outside/secret", root, "d/out"), 0);
	assert_int_equal(symlinkat("/etc/passwd", root, "d/etc"), 0);
	assert_int_equal(symlinkat("nowhere", root, "dangling"), 0);
	assert_int_equal(symlinkat("loop", root, "loop"), 0);
	assert_int_equal(symlinkat("/proc/self/root", root, "magic"), 0);
	assert_int_equal(mkdirat(root, "mnt", 0700), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close(root);
	close(outside);
	close(top_fd);
	return test_directory_remove(top);
}

#define NAME_255                                                               \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"     \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"     \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"     \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* clang-format off */
static const struct row {
	const char *path;
	int flags;
	int is; /* 0: it opens; or the negative errno */
} rows[] = {
	{ "f", O_RDONLY, 0 },
	{ "d/f", O_RDONLY, 0 },
	{ "d/e/f", O_RDONLY, 0 },
	{ "d", O_RDONLY | O_DIRECTORY, 0 },
	{ "d/e", O_RDONLY | O_DIRECTORY, 0 },
	{ ".", O_RDONLY | O_DIRECTORY, 0 },
	{ "d/e/f", O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0 },
	{ "x", O_RDONLY, -ENOENT },
	{ "d/x", O_RDONLY, -ENOENT },
	{ "x/y/z", O_RDONLY, -ENOENT },
	/* a parent is a file */
	{ "f/x", O_RDONLY, -ENOTDIR },
	{ "d/f/x/y", O_RDONLY, -ENOTDIR },
	{ "f", O_RDONLY | O_DIRECTORY, -ENOTDIR },
	/* a link in the middle */
	{ "link/f", O_RDONLY, -ELOOP },
	{ "link/x", O_RDONLY, -ELOOP },
	{ "out/secret", O_RDONLY, -ELOOP },
	{ "dangling/f", O_RDONLY, -ELOOP },
	{ "loop/f", O_RDONLY, -ELOOP },
	{ "flink/f", O_RDONLY, -ELOOP },
	{ "magic/etc/passwd", O_RDONLY, -ELOOP },
	/* a link at the end */
	{ "link", O_RDONLY, -ELOOP },
	{ "flink", O_RDONLY, -ELOOP },
	{ "d/out", O_RDONLY, -ELOOP },
	{ "d/etc", O_RDONLY, -ELOOP },
	{ "dangling", O_RDONLY, -ELOOP },
	{ "loop", O_RDONLY, -ELOOP },
	{ "link", O_RDONLY | O_DIRECTORY, -ELOOP },
	{ "out", O_RDONLY | O_DIRECTORY, -ELOOP },
	/* too long */
	{ NAME_255, O_RDONLY, -ENOENT },
	{ NAME_255 "a", O_RDONLY, -ENAMETOOLONG },
	{ "d/" NAME_255 "a", O_RDONLY, -ENAMETOOLONG },
};
/* clang-format on */

typedef int open_fn(int root, const char *path, int flags);

static const struct opener {
	const char *name;
	open_fn *open;
} openers[] = {
    {"path_open", path_open},
    {"path_walk", path_walk},
};

/* 0 or a negative errno: which of them does not matter to close. */
static int
outcome(open_fn *opener, const char *path, int flags)
{
	int fd = opener(root, path, flags);

	if (fd < 0)
		return fd;
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	return 0;
}

static unsigned
open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
names_are_found_or_refused(void **state)
{
	unsigned before = open_descriptors(), wrong = 0;

	(void)state;
	for (size_t o = 0; o < COUNT_OF(openers); o++) {
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			int is = outcome(
			    openers[o].open, rows[i].path, rows[i].flags);

			if (is == rows[i].is)
				continue;
			wrong++;
			print_error("%s(\"%.40s\", 0%o): %s, not %s\n",
			    openers[o].name, rows[i].path, rows[i].flags,
			    strerror(-is), strerror(-rows[i].is));
		}
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(open_descriptors(), before);
}

static void
what_is_opened_is_what_was_named(void **state)
{
	(void)state;
	for (size_t o = 0; o < COUNT_OF(openers); o++) {
		const char *const names[] = {"f", "d/f", "d/e/f"};

		for (size_t i = 0; i < COUNT_OF(names); i++) {
			char text[16] = "";
			int fd = openers[o].open(root, names[i], O_RDONLY);

			assert_true(fd >= 0);
			assert_true(read(fd, text, sizeof(text) - 1) > 0);
			assert_string_equal(text, names[i]);
			close(fd);
		}
	}
}

/* names.c refuses them long before; this is the net beneath it. */
static const char *const ways_out[] = {
    "..",
    "../outside/secret",
    "d/../../outside/secret",
    "d/e/../../../outside/secret",
    "d/..",
    "d/../f",
    "d/e/..",
    "/etc/passwd",
    "/",
};

static void
nothing_leads_up(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t o = 0; o < COUNT_OF(openers); o++) {
		for (size_t i = 0; i < COUNT_OF(ways_out); i++) {
			int fd = openers[o].open(root, ways_out[i], O_RDONLY);
			struct stat st, in;

			if (fd < 0)
				continue;
			/* The kernel lets `..` pass that stays inside. */
			assert_int_equal(fstat(fd, &st), 0);
			close(fd);
			if (fstatat(root, "f", &in, 0) == 0 &&
			    in.st_ino == st.st_ino)
				continue;
			if (fstatat(root, "d", &in, 0) == 0 &&
			    in.st_ino == st.st_ino)
				continue;
			if (fstat(root, &in) == 0 && in.st_ino == st.st_ino)
				continue;
			wrong++;
			print_error("%s(\"%s\") leads out\n", openers[o].name,
			    ways_out[i]);
		}
	}
	assert_int_equal(wrong, 0);
}

/* Run `act` where it can mount what it likes; false: that is not allowed. */
static bool
among_mounts(void (*act)(void))
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) == -1 ||
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
			_exit(77);
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 77)
		assert_int_equal(WEXITSTATUS(status), 0);
	return WEXITSTATUS(status) != 77;
}

static void
cross_mounts(void)
{
	char mnt[300];
	int own;

	snprintf(mnt, sizeof(mnt), "%s/root/mnt", top);
	if (mount("none", mnt, "tmpfs", 0, "size=1m") == -1)
		_exit(77);
	root = openat(AT_FDCWD, strcat(strcpy(mnt, top), "/root"),
	    O_RDONLY | O_DIRECTORY); /* the one that sees the mount */
	strcat(mnt, "/mnt");
	own = open(mnt, O_RDONLY | O_DIRECTORY);
	if (own == -1 || mkdirat(own, "d", 0700) == -1 ||
	    openat(own, "f", O_WRONLY | O_CREAT, 0600) == -1)
		_exit(1);
	for (size_t o = 0; o < COUNT_OF(openers); o++) {
		const char *const names[] = {"mnt/f", "mnt/d", "mnt", "mnt/x"};

		for (size_t i = 0; i < COUNT_OF(names); i++) {
			int fd = openers[o].open(root, names[i], O_RDONLY);

			if (fd == -EXDEV)
				continue;
			print_error("%s(\"%s\"): %d, not EXDEV\n",
			    openers[o].name, names[i], fd);
			_exit(2);
		}
		/* What it is mounted on itself is reached. */
		if (openers[o].open(own, "f", O_RDONLY) < 0)
			_exit(3);
	}
}

static void
a_mount_point_is_not_crossed(void **state)
{
	(void)state;
	if (!among_mounts(cross_mounts)) {
		print_message("mounting is not allowed here: skipped\n");
		skip();
	}
}

/* A file of an overlay that is still in a lower layer, and one of a tmpfs that is
 * mounted on a file of it: st_dev differs for both. */
static void
open_on_overlay(void)
{
	static const char *const dirs[] = {"low", "up", "work", "all"};
	char data[1300], at[300], other[300];
	int own;

	snprintf(at, sizeof(at), "%s/root/mnt", top);
	if (mount("none", at, "tmpfs", 0, "size=1m") == -1)
		_exit(77);
	own = open(at, O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		if (mkdirat(own, dirs[i], 0700) == -1)
			_exit(3);
	make_file(own, "low/f", "low");
	make_file(own, "low/mounted-on", "low");
	snprintf(data, sizeof(data),
	    "upperdir=%s/up,workdir=%s/work,lowerdir="
	    "%s/low:%s/root/d",
	    at, at, at, top);
	strcat(at, "/all");
	if (mount("none", at, "overlay", 0, data) == -1)
		_exit(77);
	snprintf(other, sizeof(other), "%s/outside/secret", top);
	strcat(at, "/mounted-on");
	if (mount(other, at, NULL, MS_BIND, NULL) == -1)
		_exit(77);
	*strrchr(at, '/') = '\0';
	own = open(at, O_RDONLY | O_DIRECTORY);
	for (size_t o = 0; o < COUNT_OF(openers); o++) {
		if (openers[o].open(own, "f", O_RDONLY) < 0 ||
		    openers[o].open(own, "e/f", O_RDONLY) < 0)
			_exit(1);
		if (openers[o].open(own, "mounted-on", O_RDONLY) != -EXDEV)
			_exit(2);
	}
}

static void
files_of_an_overlay_are_found(void **state)
{
	(void)state;
	if (!among_mounts(open_on_overlay)) {
		print_message("mounting is not allowed here: skipped\n");
		skip();
	}
}

static void
the_deepest_directory_is_found(void **state)
{
	static const struct {
		const char *path, *rest;
		bool own_dir;
	} found[] = {
	    {"x", "x", false},
	    {"f", "f", false},
	    {"x/y/z", "x/y/z", false},
	    {"d/x", "x", true},
	    {"d/e/f", "f", true},
	    {"d/e/x/y", "x/y", true},
	    {"d/x/e/y", "x/e/y", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(found); i++) {
		const char *rest = NULL;
		int dir = -2;

		assert_int_equal(
		    path_open_parent(root, found[i].path, &dir, &rest), 0);
		assert_string_equal(rest, found[i].rest);
		assert_true(rest >= found[i].path &&
			    rest < found[i].path + strlen(found[i].path));
		assert_int_equal(dir != -1, found[i].own_dir);
		if (dir != -1)
			close(dir);
	}
}

static void
the_way_up_is_climbed(void **state)
{
	int from = open_dir(root, "d/e"), at = from;
	unsigned before = open_descriptors();
	struct stat st, is;

	(void)state;
	assert_int_equal(path_climb(from, &at, O_RDONLY), 0);
	assert_int_equal(fstatat(root, "d", &st, 0), 0);
	assert_int_equal(fstat(at, &is), 0);
	assert_int_equal(is.st_ino, st.st_ino);
	assert_int_equal(path_climb(from, &at, PATH_SEARCH), 0);
	assert_int_equal(fstat(root, &st), 0);
	assert_int_equal(fstat(at, &is), 0);
	assert_int_equal(is.st_ino, st.st_ino);
	/* One at a time; and none when it has failed. */
	assert_int_equal(open_descriptors(), before + 1);
	assert_int_equal(path_climb(from, &at, O_WRONLY), -EISDIR);
	assert_int_equal(at, -1);
	assert_int_equal(open_descriptors(), before);
	close(from);
}

static void
a_parent_that_is_none_is_refused(void **state)
{
	static const struct {
		const char *path;
		int is;
	} refused[] = {
	    {"f/x", -ENOTDIR},
	    {"f/x/y", -ENOTDIR},
	    {"d/f/x", -ENOTDIR},
	    {"link/x", -ELOOP},
	    {"link/x/y/z", -ELOOP},
	    {"out/x", -ELOOP},
	    {"d/out/x", -ELOOP},
	    {"dangling/x", -ELOOP},
	};
	unsigned before = open_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		const char *rest;
		int dir;

		assert_int_equal(
		    path_open_parent(root, refused[i].path, &dir, &rest),
		    refused[i].is);
	}
	assert_int_equal(open_descriptors(), before);
}

static void
missing_parents_are_made(void **state)
{
	unsigned before = open_descriptors();
	const char *name;
	int dir = -2;

	(void)state;
	assert_int_equal(path_make_parents(root, "a/b/c/x", 0, &dir, &name), 0);
	assert_string_equal(name, "x");
	assert_true(dir >= 0);
	make_file(dir, name, "x");
	close(dir);
	assert_int_equal(faccessat(root, "a/b/c/x", F_OK, 0), 0);

	/* Once they are there they are used; none is needed for a bare name. */
	assert_int_equal(path_make_parents(root, "a/b/y", 0, &dir, &name), 0);
	assert_string_equal(name, "y");
	close(dir);
	assert_int_equal(path_make_parents(root, "z", 0, &dir, &name), 0);
	assert_int_equal(dir, -1);
	assert_string_equal(name, "z");
	assert_int_equal(open_descriptors(), before);
}

static void
parents_that_cannot_be_made_are_refused(void **state)
{
	static const struct {
		const char *path;
		int is;
	} refused[] = {
	    {"f/x", -ENOTDIR},
	    {"new1/../../outside/new", 0 /* an error, whichever */},
	    {"link/x", -ELOOP},
	    {"out/x", -ELOOP},
	    {"dangling/x", -ELOOP},
	    {"new/" NAME_255 "a/x", -ENAMETOOLONG},
	};
	unsigned before = open_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		const char *name;
		int dir = -1, err;

		err = path_make_parents(root, refused[i].path, 0, &dir, &name);
		if (err == 0 && refused[i].is == 0)
			print_error("\"%s\" led out\n", refused[i].path);
		if (refused[i].is != 0)
			assert_int_equal(err, refused[i].is);
		else
			assert_true(err < 0);
	}
	assert_int_equal(faccessat(outside, "new", F_OK, 0), -1);
	assert_int_equal(open_descriptors(), before);
}

static void
a_directory_without_a_way_in_is_refused(void **state)
{
	int err, status;
	pid_t pid;

	(void)state;
	if (geteuid() == 0 && chmod(top, 0755) == -1)
		fail();
	assert_int_equal(fchmodat(root, "d", 0, 0), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (setgid(65534) == -1 || fchmodat(root, ".", 0, 0) == -1 ||
			setuid(65534) == -1))
			_exit(1);
		for (size_t o = 0; o < COUNT_OF(openers); o++) {
			err = openers[o].open(root, "d/f", O_RDONLY);
			if (err != -EACCES)
				_exit(2);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(fchmodat(root, ".", 0700, 0), 0);
	assert_int_equal(fchmodat(root, "d", 0700, 0), 0);
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- races ---- */

static _Atomic bool over;

/*
 * ELOOP; EAGAIN: openat2 was crossed by renames once too often; ENOTDIR: the
 * walk met a link that was a directory again when it looked at it closely.
 */
static bool
is_refusal(int err)
{
	return err == -ELOOP || err == -EAGAIN || err == -ENOTDIR;
}

/* Now "swapped" is a directory, now a link to what lies outside. */
static void *
swap(void *arg)
{
	(void)arg;
	while (!atomic_load(&over) && renameat2(root, "swapped", root,
					  "swap-link", RENAME_EXCHANGE) == 0)
		;
	return NULL;
}

enum {
	SOME = 50, /* of either outcome, or there was no race */
};

/* So many tries, and some with each outcome; but not for ever. */
static bool
enough(unsigned tries, unsigned least, unsigned good, unsigned bad)
{
	static uint64_t began;

	if (tries == 0)
		began = clock_mono_ns();
	return (tries >= least && good > SOME && bad > SOME) ||
	       clock_mono_ns() - began > 15 * NS_PER_S;
}

static pthread_t
begin_swapping(void)
{
	pthread_t t;

	assert_int_equal(mkdirat(root, "swapped", 0700), 0);
	make_file(root, "swapped/secret", "inside");
	assert_int_equal(symlinkat("../outside", root, "swap-link"), 0);
	atomic_store(&over, false);
	assert_int_equal(pthread_create(&t, NULL, swap, NULL), 0);
	return t;
}

static void
end_swapping(pthread_t t)
{
	atomic_store(&over, true);
	assert_int_equal(pthread_join(t, NULL), 0);
}

static void
no_swap_lets_a_reader_out(void **state)
{
	unsigned opened = 0, refused = 0;
	struct stat secret;
	pthread_t t = begin_swapping();

	(void)state;
	assert_int_equal(fstatat(outside, "secret", &secret, 0), 0);
	for (unsigned i = 0; !enough(i, 40000, opened, refused); i++) {
		struct stat st;
		int fd = openers[i % 2].open(root, "swapped/secret", O_RDONLY);

		if (fd < 0) {
			if (!is_refusal(fd))
				fail_msg("open: %s", strerror(-fd));
			refused++;
			continue;
		}
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_not_equal(st.st_ino, secret.st_ino);
		close(fd);
		opened++;
	}
	end_swapping(t);
	assert_true(opened > SOME && refused > SOME);
}

/* Create as an upload does: the parent, what is missing below it, the file. */
static int
create(unsigned i)
{
	char path[64];
	const char *rest, *name;
	int parent, dir, fd, err;

	if (i % 2)
		snprintf(path, sizeof(path), "swapped/%u", i);
	else
		snprintf(path, sizeof(path), "swapped/n%u/%u", i, i);
	err = path_open_parent(root, path, &parent, &rest);
	if (err < 0)
		return err;
	err = path_make_parents(
	    parent == -1 ? root : parent, rest, 0, &dir, &name);
	if (err == 0) {
		fd = openat(dir != -1	   ? dir
			    : parent != -1 ? parent
					   : root,
		    name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
		err = fd == -1 ? -errno : 0;
		if (fd != -1)
			close(fd);
		if (dir != -1)
			close(dir);
	}
	if (parent != -1)
		close(parent);
	return err;
}

static unsigned
entries(int dir_fd)
{
	DIR *d = fdopendir(dup(dir_fd));
	unsigned n = 0;

	assert_non_null(d);
	rewinddir(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
no_swap_lets_a_writer_out(void **state)
{
	unsigned made = 0, refused = 0, before = entries(outside);
	pthread_t t = begin_swapping();

	(void)state;
	for (unsigned i = 0; !enough(i, 6000, made, refused); i++) {
		int err = create(i);

		if (err == 0)
			made++;
		else if (is_refusal(err))
			refused++;
		else
			fail_msg("create: %s", strerror(-err));
	}
	end_swapping(t);
	assert_int_equal(entries(outside), before);
	assert_true(made > SOME && refused > SOME);
}

/* Inodes are used again; what a directory is called by us is not. */
static void
each_directory_has_an_identity(void **state)
{
	uint64_t before = 0, now;
	int dir;

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(mkdirat(root, "born", 0700), 0);
		dir = open_dir(root, "born");
		now = path_identity(dir);
		assert_int_equal(path_identity(dir), now);
		assert_int_equal(renameat(root, "born", root, "b"), 0);
		assert_int_equal(path_identity(dir), now);
		close(dir);
		assert_int_equal(unlinkat(root, "b", AT_REMOVEDIR), 0);
		if (now == 0) /* it cannot be told here: never twice the same */
			break;
		assert_true(now != before);
		before = now;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(names_are_found_or_refused),
	    TEST(what_is_opened_is_what_was_named),
	    TEST(nothing_leads_up),
	    TEST(a_mount_point_is_not_crossed),
	    TEST(files_of_an_overlay_are_found),
	    TEST(the_deepest_directory_is_found),
	    TEST(the_way_up_is_climbed),
	    TEST(a_parent_that_is_none_is_refused),
	    TEST(missing_parents_are_made),
	    TEST(parents_that_cannot_be_made_are_refused),
	    TEST(a_directory_without_a_way_in_is_refused),
	    TEST(each_directory_has_an_identity),
	    TEST(no_swap_lets_a_reader_out),
	    TEST(no_swap_lets_a_writer_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
