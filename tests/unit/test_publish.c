/*
 * Publishing, by both ways: nothing is seen before its time, nothing is
 * overwritten by accident, replacing happens at once, and the sweep takes
 * what a crash left and nothing else.
 */
#include "local/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/directory.h"
#include "lib/portable.h"
#include "local/publish_beside.h"
#include "local/publish_lock.h"

static char top[256];
static int root;

static int
set_up(void **state)
{
	(void)state;
	test_directory_make("test_publish", top, sizeof(top));
	root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(root, -1);
	assert_int_equal(mkdirat(root, "sub", 0700), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close(root);
	return test_directory_remove(top);
}

/* A PORTABLE build has the first one. */
enum way {
	BY_LINK,
	NAMELESS,
	BY_RENAME,
	WAY_COUNT = IS_PORTABLE ? BY_LINK + 1 : BY_RENAME + 1
};

/* A publisher that goes this way, whatever the file system could do. */
static struct publish
publisher(enum way way)
{
	struct publish p;

	assert_int_equal(
	    publish_init(&p, root, true, (struct publish_waiter){0}), 0);
	assert_int_equal(p.nameless, !IS_PORTABLE);
	assert_true(p.temp_dir != -1);
	p.nameless = way == NAMELESS;
	p.by_link = way == BY_LINK;
	return p;
}

static unsigned
entries(const char *dir)
{
	int fd = openat(root, dir, O_RDONLY | O_DIRECTORY);
	const struct dirent *e;
	unsigned n = 0;
	DIR *d;

	if (fd == -1)
		return 0;
	d = fdopendir(fd);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n +=
		    strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
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

static struct unpublished
create(struct publish *p, int dir, const char *text)
{
	struct unpublished u = {.fd = -1};

	assert_int_equal(publish_create(p, dir, &u), 0);
	assert_true(u.fd >= 0);
	assert_true(fcntl(u.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(u.fd, text, strlen(text)), strlen(text));
	return u;
}

static void
a_file_gets_its_name_when_it_is_whole(void **state)
{
	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		unsigned before = entries(".");
		struct unpublished u = create(&p, -1, "whole");
		char name[16];

		snprintf(name, sizeof(name), "a%d", (int)way);
		assert_int_equal(entries("."), before);
		assert_int_equal(
		    entries(PUBLISH_TEMP_DIR), way == NAMELESS ? 0 : 1);
		assert_int_equal(publish_link(&p, &u, -1, name), 0);
		assert_string_equal(u.temp, "");
		assert_int_equal(entries("."), before + 1);
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
		assert_content(name, "whole");
		publish_discard(&p, &u); /* undoes nothing any more */
		assert_content(name, "whole");
		close(u.fd);
		publish_fini(&p);
		assert_int_equal(p.temp_dir, -1);
	}
}

static void
it_can_be_published_deeper(void **state)
{
	int sub = openat(root, "sub", O_RDONLY | O_DIRECTORY);

	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		struct unpublished u = create(&p, sub, "deep");

		assert_int_equal(publish_link(&p, &u, sub, "x"), 0);
		close(u.fd);
		assert_content("sub/x", "deep");
		u = create(&p, sub, "deeper");
		assert_int_equal(publish_replace(&p, &u, sub, "x"), 0);
		close(u.fd);
		assert_content("sub/x", "deeper");
		assert_int_equal(unlinkat(sub, "x", 0), 0);
		assert_int_equal(entries("sub"), 0);
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
		publish_fini(&p);
	}
	close(sub);
}

static void
a_name_that_is_taken_stays(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(root, "dir", 0700), 0);
	assert_int_equal(symlinkat("nowhere", root, "link"), 0);
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		struct unpublished u = create(&p, -1, "old");

		(void)unlinkat(root, "a", 0);
		assert_int_equal(publish_link(&p, &u, -1, "a"), 0);
		close(u.fd);
		u = create(&p, -1, "new");
		assert_int_equal(publish_link(&p, &u, -1, "a"), -EEXIST);
		assert_int_equal(publish_link(&p, &u, -1, "dir"), -EEXIST);
		assert_int_equal(publish_link(&p, &u, -1, "link"), -EEXIST);
		assert_content("a", "old");
		/* It is not lost by that: it can have another name. */
		assert_int_equal(publish_link(&p, &u, -1, "b"), 0);
		assert_content("b", "new");
		close(u.fd);
		assert_int_equal(unlinkat(root, "b", 0), 0);
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
		publish_fini(&p);
	}
}

/* As over NFS, when an answer is lost and the operation sent again. */
static void
what_was_done_already_has_worked(void **state)
{
	struct publish p = publisher(BY_LINK);
	struct unpublished u = create(&p, -1, "linked");
	struct stat st;

	(void)state;
	assert_int_equal(linkat(p.temp_dir, u.temp, root, "a", 0), 0);
	assert_int_equal(publish_link(&p, &u, -1, "a"), 0);
	assert_string_equal(u.temp, "");
	close(u.fd);
	u = create(&p, -1, "renamed");
	assert_int_equal(renameat(p.temp_dir, u.temp, root, "a"), 0);
	assert_int_equal(publish_replace(&p, &u, -1, "a"), 0);
	assert_string_equal(u.temp, "");
	assert_int_equal(fstat(u.fd, &st), 0);
	assert_int_equal(st.st_nlink, 1);
	close(u.fd);
	assert_content("a", "renamed");
	assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
	assert_int_equal(unlinkat(root, "a", 0), 0);
	/* Swept away, and another file has the name: it has not. */
	u = create(&p, -1, "swept");
	assert_int_equal(unlinkat(p.temp_dir, u.temp, 0), 0);
	assert_int_equal(publish_replace(&p, &u, -1, "a"), -ENOENT);
	close(u.fd);
	u.temp[0] = '\0';
	publish_fini(&p);
}

static void
what_is_discarded_is_gone(void **state)
{
	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		unsigned before = entries(".");
		struct unpublished u = create(&p, -1, "never");
		struct stat st;

		publish_discard(&p, &u);
		assert_int_equal(entries("."), before);
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
		/* The descriptor is its owner's to close. */
		assert_int_equal(fstat(u.fd, &st), 0);
		assert_int_equal(st.st_nlink, 0);
		close(u.fd);
		publish_fini(&p);
	}
}

/* ---- files that are kept */

#define KEPT "0123456789abcdef0123456789abcdef.data"

/* As after a crash: it is opened by its name, and nothing else is known of it. */
static struct unpublished
kept(struct publish *p, int dir, const char *text)
{
	struct unpublished u = {.fd = -1};

	assert_int_equal(publish_create_kept(p, dir, KEPT, &u), 0);
	assert_string_equal(u.temp, "");
	assert_int_equal(write(u.fd, text, strlen(text)), strlen(text));
	close(u.fd);
	u.fd = openat(p->temp_dir, KEPT, O_RDWR);
	assert_true(u.fd >= 0);
	memcpy(u.temp, KEPT, sizeof(KEPT));
	return u;
}

static void
what_is_kept_is_published_as_any_other(void **state)
{
	int sub = openat(root, "sub", O_RDONLY | O_DIRECTORY);
	unsigned living;

	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		struct unpublished u = kept(&p, sub, "linked");

		assert_int_equal(entries(PUBLISH_TEMP_DIR), 1);
		assert_int_equal(publish_sweep(root, &living), 0);
		assert_int_equal(living, 0);
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 1);
		assert_int_equal(publish_link(&p, &u, sub, "x"), 0);
		assert_string_equal(u.temp, "");
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
		close(u.fd);
		assert_content("sub/x", "linked");
		u = kept(&p, sub, "replaced");
		assert_int_equal(publish_link(&p, &u, sub, "x"), -EEXIST);
		assert_content("sub/x", "linked");
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 1);
		assert_int_equal(publish_replace(&p, &u, sub, "x"), 0);
		close(u.fd);
		assert_content("sub/x", "replaced");
		assert_int_equal(unlinkat(sub, "x", 0), 0);
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
		assert_int_equal(entries("sub"), 0);
		publish_fini(&p);
	}
	close(sub);
}

/* It stays where there is nothing better than a rename that replaces, too. */
static void
what_is_kept_is_published_by_a_plain_rename(void **state)
{
	struct publish p = publisher(BY_LINK);
	struct unpublished u;

	(void)state;
	p.by_link = false;
	p.clobbers = true;
	u = kept(&p, -1, "renamed");
	assert_int_equal(publish_link(&p, &u, -1, "x"), 0);
	close(u.fd);
	assert_content("x", "renamed");
	assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
	publish_fini(&p);
}

/* A crash came between the link and the unlink. */
static void
what_is_kept_and_has_its_name_already_has_it(void **state)
{
	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		struct unpublished u = kept(&p, -1, "linked");

		assert_int_equal(linkat(p.temp_dir, KEPT, root, "x", 0), 0);
		assert_int_equal(publish_link(&p, &u, -1, "x"), 0);
		close(u.fd);
		assert_content("x", "linked");
		assert_int_equal(unlinkat(root, "x", 0), 0);
		(void)unlinkat(p.temp_dir, KEPT, 0);
		publish_fini(&p);
	}
}

static void
what_is_kept_is_made_where_penstock_was_removed(void **state)
{
	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		struct unpublished u;

		assert_int_equal(
		    unlinkat(root, PUBLISH_TEMP_DIR, AT_REMOVEDIR), 0);
		u = kept(&p, -1, "there");
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 1);
		publish_discard(&p, &u);
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
		close(u.fd);
		publish_fini(&p);
	}
}

static void
replacing_takes_what_is_there_or_nothing(void **state)
{
	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		struct unpublished u;

		for (int i = 0; i < 3; i++) {
			char text[16];

			snprintf(text, sizeof(text), "%d", i);
			u = create(&p, -1, text);
			assert_int_equal(publish_replace(&p, &u, -1, "a"), 0);
			assert_content("a", text);
			assert_string_equal(u.temp, "");
			close(u.fd);
		}
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
		assert_int_equal(unlinkat(root, "a", 0), 0);
		publish_fini(&p);
	}
}

static void
what_cannot_be_replaced_says_so(void **state)
{
	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		struct unpublished u = create(&p, -1, "file");

		assert_int_equal(publish_replace(&p, &u, -1, "sub"), -EISDIR);
		assert_int_equal(entries("sub"), 0);
		publish_discard(&p, &u);
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
		close(u.fd);
		publish_fini(&p);
	}
}

/* ---- at once */

enum {
	REPLACED = 60000, /* bytes of a file that is replaced */
	REPLACES = 300,
};

static _Atomic bool over;

/* Read it again and again; how often it was not whole. */
static void *
read_again(void *arg)
{
	static char buf[REPLACED + 1];
	unsigned long broken = 0, reads = 0;

	(void)arg;
	while (!atomic_load(&over)) {
		int fd = openat(root, "a", O_RDONLY);
		ssize_t n = fd == -1 ? -1 : read(fd, buf, sizeof(buf));

		if (fd != -1)
			close(fd);
		reads++;
		if (n != REPLACED || memcmp(buf, buf + 1, REPLACED - 1) != 0)
			broken++;
	}
	return (void *)(reads > 10 ? broken : 1);
}

static void
a_reader_sees_the_old_one_or_the_new_one(void **state)
{
	static char text[REPLACED];

	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		pthread_t reader;
		void *broken;

		for (unsigned i = 0; i < REPLACES; i++) {
			struct unpublished u = create(&p, -1, "");

			memset(text, 'a' + (int)(i % 26), sizeof(text));
			assert_int_equal(
			    write(u.fd, text, sizeof(text)), sizeof(text));
			assert_int_equal(publish_replace(&p, &u, -1, "a"), 0);
			close(u.fd);
			if (i == 0) {
				atomic_store(&over, false);
				assert_int_equal(pthread_create(&reader, NULL,
						     read_again, NULL),
				    0);
			}
		}
		atomic_store(&over, true);
		assert_int_equal(pthread_join(reader, &broken), 0);
		assert_null(broken);
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
		publish_fini(&p);
	}
}

/* Each name is won once, however many try. */
struct racer {
	struct publish p;
	unsigned won;
	bool failed;
};

static void *
race(void *arg)
{
	struct racer *r = arg;

	for (unsigned i = 0; i < 300 && !r->failed; i++) {
		struct unpublished u = {.fd = -1};
		char name[16];
		int err;

		snprintf(name, sizeof(name), "r%u", i);
		err = publish_create(&r->p, -1, &u);
		if (err == 0)
			err = publish_link(&r->p, &u, -1, name);
		r->won += err == 0;
		r->failed = err != 0 && err != -EEXIST;
		publish_discard(&r->p, &u);
		close(u.fd);
	}
	return NULL;
}

static void
of_two_one_gets_the_name(void **state)
{
	struct racer r[WAY_COUNT];
	pthread_t t[WAY_COUNT];
	unsigned won = 0;

	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		r[way] = (struct racer){.p = publisher(way)};
		assert_int_equal(
		    pthread_create(&t[way], NULL, race, &r[way]), 0);
	}
	for (enum way way = 0; way < WAY_COUNT; way++) {
		assert_int_equal(pthread_join(t[way], NULL), 0);
		assert_false(r[way].failed);
		won += r[way].won;
		publish_fini(&r[way].p);
	}
	assert_int_equal(won, 300);
	assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
}

/* ---- the sweep */

static void
touch(const char *name)
{
	int fd = openat(root, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_int_not_equal(fd, -1);
	close(fd);
}

static bool
exists(const char *name)
{
	return faccessat(root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

#define TEMP PUBLISH_TEMP_DIR "/"

/* What another process sweeps: in a PORTABLE build locks are a process's, and it
 * cannot tell its own files from abandoned ones. */
static unsigned
sweep_elsewhere(unsigned *ret_living)
{
	unsigned got[2] = {0};
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		got[0] = publish_sweep(root, &got[1]);
		_exit(write(ends[1], got, sizeof(got)) != sizeof(got));
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read(ends[0], got, sizeof(got)), sizeof(got));
	close(ends[0]);
	close(ends[1]);
	*ret_living = got[1];
	return got[0];
}

static unsigned
sweep(unsigned *ret_living)
{
	return IS_PORTABLE ? sweep_elsewhere(ret_living)
			   : publish_sweep(root, ret_living);
}

static void
the_sweep_takes_what_a_crash_left(void **state)
{
	unsigned living;

	/* What is not quite a temp name is not ours. */
	static const char *const foreign[] = {
	    TEMP "notes.txt",
	    TEMP "0123456789abcdef",
	    TEMP "0123456789abcde.part",
	    TEMP "0123456789abcdef0.part",
	    TEMP "0123456789ABCDEF.part",
	    TEMP "0123456789abcdeg.part",
	    TEMP "0123456789abcdef.part.bak",
	    TEMP "0123456789abcdef.parts",
	    TEMP ".part",
	    "0123456789abcdef.part",
	};
	struct publish p = publisher(BY_LINK);
	struct unpublished alive = create(&p, -1, "alive");
	struct unpublished dead = create(&p, -1, "dead");

	(void)state;
	close(dead.fd); /* and with it its lock */
	touch(TEMP "fedcba9876543210.part");
	for (size_t i = 0; i < COUNT_OF(foreign); i++)
		touch(foreign[i]);
	assert_int_equal(mkdirat(root, TEMP "00000000000000aa.part", 0700), 0);
	touch("target");
	assert_int_equal(
	    symlinkat("../target", root, TEMP "00000000000000bb.part"), 0);

	assert_int_equal(sweep(&living), 2);
	assert_false(exists(TEMP "fedcba9876543210.part"));
	for (size_t i = 0; i < COUNT_OF(foreign); i++)
		assert_true(exists(foreign[i]));
	assert_true(exists(TEMP "00000000000000aa.part"));
	assert_true(exists(TEMP "00000000000000bb.part"));
	assert_true(exists("target"));
	/* The one that is being written still can get its name. */
	assert_int_equal(publish_link(&p, &alive, -1, "alive"), 0);
	assert_content("alive", "alive");
	assert_int_equal(sweep(&living), 0);
	close(alive.fd);
	publish_fini(&p);
}

/* Beside: in the directory that the file is bound for, with a note. */
static void
the_sweep_heeds_notes(void **state)
{
	struct publish p = publisher(BY_LINK);
	struct unpublished alive = {.fd = -1, .path = "sub/x"};
	struct unpublished dead = {.fd = -1, .path = "sub/deeper/x"};
	char dead_name[64], alive_name[64];
	unsigned living;
	int sub;

	(void)state;
	assert_int_equal(fchmodat(root, "sub", 02700, 0), 0);
	sub = openat(root, "sub", O_RDONLY | O_DIRECTORY);
	/* What is made there for its setgid bit is hidden at once... */
	assert_int_equal(publish_create(&p, sub, &alive), 0);
	assert_false(alive.is_beside);
	assert_int_equal(entries("sub"), 0);
	assert_int_equal(entries(PUBLISH_TEMP_DIR), 1);
	publish_discard(&p, &alive);
	close(alive.fd);
	/* ... so put two beside, as if that could not be. */
	assert_int_equal(publish_begin_beside(&p, sub, &alive), 0);
	assert_int_equal(publish_begin_beside(&p, sub, &dead), 0);
	snprintf(alive_name, sizeof(alive_name), "sub/%s", alive.temp);
	snprintf(dead_name, sizeof(dead_name), "sub/%s", dead.temp);
	touch(alive_name);
	touch(dead_name);
	touch("sub/.penstock-fedcba9876543210.part");
	close(dead.note);		     /* and with it its lock */
	touch(TEMP "0000000000000001.note"); /* not even written */
	assert_int_equal(sweep(&living), 1);
	assert_int_equal(living, 1);
	assert_false(exists(dead_name));
	assert_true(exists(alive_name));
	assert_true(exists("sub/.penstock-fedcba9876543210.part"));
	assert_int_equal(entries(PUBLISH_TEMP_DIR), 1);
	publish_discard(&p, &alive);
	assert_false(exists(alive_name));
	assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
	close(dead.beside);
	close(sub);
	publish_fini(&p);
}

/* In a directory that we may write to, and not read; in a child, which must end
 * here. */
static bool
heed_a_note_blindly(void)
{
	struct publish p = publisher(BY_LINK);
	struct unpublished dead = {.fd = -1, .path = "sub/x"};
	unsigned living;
	char name[64];
	int sub;

	sub = openat(root, "sub", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (openat(root, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC) != -1 ||
	    publish_begin_beside(&p, sub, &dead) < 0)
		return false;
	snprintf(name, sizeof(name), "sub/%s", dead.temp);
	touch(name);
	close(dead.note); /* and with it its lock */
	return publish_sweep(root, &living) == 1 && !exists(name) &&
	       entries(PUBLISH_TEMP_DIR) == 0;
}

static void
a_note_is_heeded_where_nothing_can_be_read(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	SKIP_PORTABLE("descriptors of what may not be read");
	assert_int_equal(fchmodat(root, "sub", 0333, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(fchown(root, 65534, 65534), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (setgid(65534) == -1 || setuid(65534) == -1))
			_exit(1);
		_exit(heed_a_note_blindly() ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- `.penstock` that is removed */

static void
it_is_made_anew(void **state)
{
	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		struct publish_lock lock;
		struct unpublished u;
		int err;

		assert_int_equal(
		    unlinkat(root, PUBLISH_TEMP_DIR, AT_REMOVEDIR), 0);
		assert_false(publish_is_intact(&p));
		u = create(&p, -1, "new");
		err = publish_replace(&p, &u, -1, "a");
		if (way == NAMELESS) {
			/* Whatever was judged has to be judged again. */
			assert_int_equal(err, PUBLISH_RENEW);
			assert_int_equal(publish_renew(&p), 0);
			err = publish_replace(&p, &u, -1, "a");
		}
		assert_int_equal(err, 0);
		close(u.fd);
		assert_true(publish_is_intact(&p));
		assert_int_equal(
		    unlinkat(root, PUBLISH_TEMP_DIR, AT_REMOVEDIR), 0);
		assert_int_equal(publish_take(&p, "a", 0, &lock), 0);
		assert_true(publish_is_intact(&p));
		publish_release(&p, &lock);
		publish_fini(&p);
	}
}

/* The one that makes it waits for those above, and they for its lock. */
static void
it_is_not_made_with_the_lock_held(void **state)
{
	struct unpublished u, name = {.fd = -1};
	struct publish_lock lock;
	struct publish p;

	(void)state;
	SKIP_PORTABLE("nameless files");
	p = publisher(NAMELESS);
	u = create(&p, -1, "new");
	assert_int_equal(publish_take(&p, "a", 0, &lock), 0);
	assert_int_equal(unlinkat(root, PUBLISH_TEMP_DIR, AT_REMOVEDIR), 0);
	/* As a replacement does where `.penstock` is another project's. */
	assert_int_equal(publish_link_beside(&p, root, &u), PUBLISH_RENEW);
	assert_int_equal(publish_begin_beside(&p, root, &name), PUBLISH_RENEW);
	/* It was not needed before: the disk was full at the start, say. */
	publish_fini(&p);
	assert_int_equal(publish_replace(&p, &u, -1, "a"), PUBLISH_RENEW);
	assert_false(exists(PUBLISH_TEMP_DIR));
	publish_release(&p, &lock);
	assert_int_equal(publish_renew(&p), 0);
	assert_int_equal(publish_replace(&p, &u, -1, "a"), 0);
	assert_content("a", "new");
	close(u.fd);
	publish_fini(&p);
}

/* It is not held then, and would not be made by another one. */
static void
it_is_made_for_what_is_created_or_rehearsed(void **state)
{
	const char *step = NULL;
	int sub;

	(void)state;
	assert_int_equal(fchmodat(root, "sub", 02700, 0), 0);
	sub = openat(root, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);
		struct unpublished u;

		assert_int_equal(
		    unlinkat(root, PUBLISH_TEMP_DIR, AT_REMOVEDIR), 0);
		u = create(&p, sub, "x");
		assert_int_equal(publish_link(&p, &u, sub, "x"), 0);
		assert_content("sub/x", "x");
		assert_int_equal(unlinkat(sub, "x", 0), 0);
		close(u.fd);
		(void)unlinkat(root, PUBLISH_TEMP_DIR, AT_REMOVEDIR);
		assert_int_equal(publish_try_out(&p, true, true, &step), 0);
		assert_true(exists(PUBLISH_TEMP_DIR));
		publish_fini(&p);
	}
	close(sub);
}

/* ---- one lock for one directory */

struct locker {
	int root;
	const char *path;
	_Atomic bool *held;
	bool clashed;
};

static void *
lock_again(void *arg)
{
	struct locker *l = arg;
	struct publish p;

	if (publish_init(&p, l->root, true, (struct publish_waiter){0}) < 0) {
		l->clashed = true;
		return NULL;
	}
	for (unsigned i = 0; i < 300; i++) {
		struct publish_lock lock;

		if (publish_take(&p, l->path, 0, &lock) < 0) {
			l->clashed = true;
			break;
		}
		if (atomic_exchange(l->held, true))
			l->clashed = true;
		sched_yield();
		atomic_store(l->held, false);
		publish_release(&p, &lock);
	}
	publish_fini(&p);
	return NULL;
}

static void
one_lock_for_one_directory(void **state)
{
	_Atomic bool held = false;
	int sub = openat(root, "sub", O_RDONLY | O_DIRECTORY), deep;
	struct locker l[] = {{.root = root, .path = "sub/deep/x"},
	    {.root = sub, .path = "deep/x"}, {.path = "x"}};
	pthread_t t[COUNT_OF(l)];

	(void)state;
	assert_int_equal(mkdirat(sub, "deep", 0700), 0);
	deep = openat(sub, "deep", O_RDONLY | O_DIRECTORY);
	l[2].root = deep;
	for (size_t i = 0; i < COUNT_OF(l); i++) {
		l[i].held = &held;
		assert_int_equal(
		    pthread_create(&t[i], NULL, lock_again, &l[i]), 0);
	}
	for (size_t i = 0; i < COUNT_OF(l); i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_false(l[i].clashed);
	}
	close(deep);
	close(sub);
}

/* Have the lock of `.penstock` in "sub", as another process: a pipe, whose end ends
 * that. */
static int
hold_lock_elsewhere(void)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int ends[2], told[2], fd;
	char byte;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pipe(told), 0);
	if (fork() == 0) {
		close(ends[1]);
		fd = IS_PORTABLE ? openat(root, "sub/" TEMP "lock",
				       O_RDWR | O_CREAT, 0644)
				 : openat(root, "sub/" PUBLISH_TEMP_DIR,
				       O_RDONLY | O_DIRECTORY);
		if ((IS_PORTABLE ? fcntl(fd, F_SETLK, &whole)
				 : flock(fd, LOCK_EX)) == -1)
			_exit(1);
		_exit(write(told[1], "x", 1) != 1 || read(ends[0], &byte, 1));
	}
	close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	close(told[0]);
	close(ends[0]);
	return ends[1];
}

/* A user that can write in a directory below could hold us up with it. */
static void
a_lock_of_others_is_passed_over(void **state)
{
	struct publish p = publisher(BY_LINK);
	struct publish_lock lock;
	int theirs;

	(void)state;
	assert_int_equal(mkdirat(root, "sub/" PUBLISH_TEMP_DIR, 0755), 0);
	theirs = hold_lock_elsewhere();
	assert_int_equal(publish_take(&p, "sub/x", 0, &lock), 0);
	assert_int_equal(lock.count, 1);
	publish_release(&p, &lock);
	close(theirs);
	assert_true(wait(NULL) > 0);
	publish_fini(&p);
}

/* Instead of the C library's: a lock on this inode fails with that errno. */
static ino_t no_lock_on;
static int no_lock_errno;

static bool
is_not_to_be_locked(int fd)
{
	struct stat st;

	errno = no_lock_errno;
	return no_lock_on != 0 && fstat(fd, &st) == 0 &&
	       st.st_ino == no_lock_on;
}

int
flock(int fd, int how)
{
	if (is_not_to_be_locked(fd))
		return -1;
	return (int)syscall(SYS_flock, fd, how);
}

#if IS_PORTABLE
int
fcntl(int fd, int command, ...)
{
	va_list args;
	void *arg;

	va_start(args, command);
	arg = va_arg(args, void *);
	va_end(args);
	if (command == F_SETLKW && is_not_to_be_locked(fd))
		return -1;
	return (int)syscall(SYS_fcntl, fd, command, arg);
}
#endif

/* Not to know whether others have a lock is not to have it. */
static void
a_lock_that_cannot_be_had_is_no_lock_of_others(void **state)
{
	static const int errs[] = {ENOLCK, EAGAIN, ESTALE, ENOSPC, EIO};
	const char *locked =
	    IS_PORTABLE ? "sub/" TEMP "lock" : "sub/" PUBLISH_TEMP_DIR;
	struct publish p = publisher(BY_LINK);
	struct publish_lock lock;
	struct stat st;

	(void)state;
	assert_int_equal(mkdirat(root, "sub/" PUBLISH_TEMP_DIR, 0700), 0);
	if (IS_PORTABLE)
		touch(locked);
	assert_int_equal(fstatat(root, locked, &st, AT_SYMLINK_NOFOLLOW), 0);
	no_lock_on = st.st_ino;
	for (size_t i = 0; i < COUNT_OF(errs); i++) {
		no_lock_errno = errs[i];
		assert_int_equal(publish_take(&p, "sub/x", 0, &lock), -errs[i]);
	}
	no_lock_on = 0;
	assert_int_equal(publish_take(&p, "sub/x", 0, &lock), 0);
	assert_int_equal(lock.count, 2);
	publish_release(&p, &lock);
	publish_fini(&p);
}

/* ---- a preflight */

static void
a_rehearsal_leaves_nothing(void **state)
{
	const char *step = NULL;

	(void)state;
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);

		for (int i = 0; i < 4; i++)
			assert_int_equal(
			    publish_try_out(&p, i & 1, i & 2, &step), 0);
		assert_null(step);
		if (IS_PORTABLE) /* what is locked stays */
			assert_int_equal(unlinkat(root, TEMP "lock", 0), 0);
		assert_int_equal(entries(PUBLISH_TEMP_DIR), 0);
		assert_int_equal(entries("."), 2);
		publish_fini(&p);
	}
}

static void
the_sweep_needs_nothing_to_be_there(void **state)
{
	unsigned living;

	(void)state;
	assert_int_equal(publish_sweep(root, &living), 0);
	assert_false(exists(PUBLISH_TEMP_DIR));
	/* A foreign link of that name is not followed. */
	assert_int_equal(mkdirat(root, "else", 0700), 0);
	touch("else/fedcba9876543210.part");
	assert_int_equal(symlinkat("else", root, PUBLISH_TEMP_DIR), 0);
	assert_int_equal(publish_sweep(root, &living), 0);
	assert_true(exists("else/fedcba9876543210.part"));
}

static void *
sweep_again(void *arg)
{
	unsigned living;

	(void)arg;
	while (!atomic_load(&over))
		(void)publish_sweep(root, &living);
	return NULL;
}

static void
publish_while_it_is_swept(char prefix, unsigned files)
{
	for (enum way way = 0; way < WAY_COUNT; way++) {
		struct publish p = publisher(way);

		for (unsigned i = 0; i < files; i++) {
			struct unpublished u = create(&p, -1, "x");
			char name[24];

			snprintf(
			    name, sizeof(name), "%c%d-%u", prefix, (int)way, i);
			if (i % 2)
				assert_int_equal(
				    publish_replace(&p, &u, -1, name), 0);
			else
				assert_int_equal(
				    publish_link(&p, &u, -1, name), 0);
			assert_content(name, "x");
			close(u.fd);
		}
		publish_fini(&p);
	}
}

/* A restarted worker sweeps while the others publish: all of them arrive. */
static void
a_sweep_takes_nothing_from_the_living(void **state)
{
	pthread_t sweeper;
	pid_t pid;

	(void)state;
	atomic_store(&over, false);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		(void)sweep_again(NULL); /* for ever */
	publish_while_it_is_swept('p', IS_PORTABLE ? 500 : 100);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	if (IS_PORTABLE)
		return; /* see sweep_elsewhere() */
	assert_int_equal(pthread_create(&sweeper, NULL, sweep_again, NULL), 0);
	publish_while_it_is_swept('t', 500);
	atomic_store(&over, true);
	assert_int_equal(pthread_join(sweeper, NULL), 0);
}

/* ---- the ways */

static void
the_way_is_named(void **state)
{
	struct publish p = publisher(NAMELESS);

	(void)state;
	assert_string_equal(publish_way(&p), "O_TMPFILE and link");
	p.nameless = false;
	assert_string_equal(publish_way(&p), "temp name and rename");
	p.by_link = true;
	assert_string_equal(publish_way(&p), "temp name and link");
	publish_fini(&p);
}

static void
without_overwrite_nothing_is_made_here(void **state)
{
	struct publish p;

	(void)state;
	SKIP_PORTABLE("nameless files");
	assert_int_equal(
	    publish_init(&p, root, false, (struct publish_waiter){0}), 0);
	assert_true(p.nameless);
	assert_false(exists(PUBLISH_TEMP_DIR));
	assert_int_equal(p.temp_dir, -1);
	publish_fini(&p);
	publish_fini(&p);
}

static void
a_foreign_temp_dir_is_refused(void **state)
{
	struct publish p;

	(void)state;
	assert_int_equal(symlinkat("sub", root, PUBLISH_TEMP_DIR), 0);
	assert_int_equal(
	    publish_init(&p, root, true, (struct publish_waiter){0}), -ELOOP);
	assert_int_equal(unlinkat(root, PUBLISH_TEMP_DIR, 0), 0);
	touch(PUBLISH_TEMP_DIR);
	assert_int_equal(
	    publish_init(&p, root, true, (struct publish_waiter){0}), -ENOTDIR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_file_gets_its_name_when_it_is_whole),
	    TEST(it_can_be_published_deeper),
	    TEST(a_name_that_is_taken_stays),
	    TEST(what_was_done_already_has_worked),
	    TEST(what_is_discarded_is_gone),
	    TEST(what_is_kept_is_published_as_any_other),
	    TEST(what_is_kept_is_published_by_a_plain_rename),
	    TEST(what_is_kept_and_has_its_name_already_has_it),
	    TEST(what_is_kept_is_made_where_penstock_was_removed),
	    TEST(replacing_takes_what_is_there_or_nothing),
	    TEST(what_cannot_be_replaced_says_so),
	    TEST(a_reader_sees_the_old_one_or_the_new_one),
	    TEST(of_two_one_gets_the_name),
	    TEST(the_sweep_takes_what_a_crash_left),
	    TEST(the_sweep_heeds_notes),
	    TEST(a_note_is_heeded_where_nothing_can_be_read),
	    TEST(it_is_made_anew),
	    TEST(it_is_not_made_with_the_lock_held),
	    TEST(it_is_made_for_what_is_created_or_rehearsed),
	    TEST(one_lock_for_one_directory),
	    TEST(a_lock_of_others_is_passed_over),
	    TEST(a_lock_that_cannot_be_had_is_no_lock_of_others),
	    TEST(a_rehearsal_leaves_nothing),
	    TEST(the_sweep_needs_nothing_to_be_there),
	    TEST(a_sweep_takes_nothing_from_the_living),
	    TEST(the_way_is_named),
	    TEST(without_overwrite_nothing_is_made_here),
	    TEST(a_foreign_temp_dir_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
