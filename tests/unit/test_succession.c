/*
 * What a master hands over to the program that is to succeed it, and which program that is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "proc/program.h"
#include "proc/succession.h"
#include "lib/directory.h"

#define VARIABLE "PENSTOCK_UPGRADE"

static struct listener
listen_at(const char *path)
{
	struct listener_options options = {.backlog = 5,
	    .rights = {.owner = (uid_t)-1, .group = (gid_t)-1, .mode = 0600}};
	struct listener l;
	struct addr a = {0};
	struct sockaddr_un *un = (struct sockaddr_un *)&a.ss;

	un->sun_family = AF_UNIX;
	snprintf(un->sun_path, sizeof(un->sun_path), "%s", path);
	a.len = sizeof(*un);
	assert_int_equal(listener_open(&a, &options, &l), 0);
	return l;
}

static bool
closes_on_exec(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

/* As the old master does, which is the parent of the new one. */
static struct succession
hand_over(const struct sockets *sockets)
{
	struct succession s = {.from = getppid(), .generation = 7};

	s.tell = open("/dev/null", O_WRONLY | O_CLOEXEC);
	s.errors = open("/dev/null", O_WRONLY | O_CLOEXEC);
	s.shared = open("/dev/null", O_RDONLY | O_CLOEXEC);
	s.bell = -1;
	assert_int_equal(succession_hand_over(&s, sockets), 0);
	return s;
}

static void
all_of_it_arrives(void **state)
{
	char dir[64];
	struct sockets before = {0}, after = {0};
	struct succession s, got;
	char path[2][96];

	(void)state;
	test_directory_make("succession", dir, sizeof(dir));
	before.bound = calloc(2, sizeof(*before.bound));
	assert_non_null(before.bound);
	before.count = 2;
	for (int i = 0; i < 2; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/%d", dir, i);
		before.bound[i].listener = listen_at(path[i]);
	}
	snprintf(before.bound[1].listener.given, LISTENER_NAME_MAX, "a name");
	s = hand_over(&before);
	assert_false(closes_on_exec(s.tell));
	assert_false(closes_on_exec(s.shared));
	assert_false(closes_on_exec(before.bound[0].listener.fd));

	assert_int_equal(succession_take(&got, &after), 0);
	assert_null(getenv(VARIABLE));
	assert_int_equal(got.from, getppid());
	assert_int_equal(got.tell, s.tell);
	assert_int_equal(got.errors, s.errors);
	assert_int_equal(got.shared, s.shared);
	assert_int_equal(got.bell, -1);
	assert_int_equal(got.generation, 7);
	assert_true(closes_on_exec(got.tell));
	assert_int_equal(after.count, 2);
	assert_int_equal(
	    after.bound[0].listener.fd, before.bound[0].listener.fd);
	assert_true(addr_equal(
	    &after.bound[1].listener.addr, &before.bound[1].listener.addr));
	assert_string_equal(after.bound[0].listener.given, "");
	assert_string_equal(after.bound[1].listener.given, "a name");
	succession_close(&got);
	assert_int_equal(fcntl(s.tell, F_GETFD), -1);
	sockets_close(&after, NULL, true);
	free(before.bound);
	assert_int_equal(test_directory_remove(dir), 0);
}

static void
a_socket_that_nobody_reaches_is_closed(void **state)
{
	char dir[64];
	struct sockets before = {0}, after = {0};
	struct succession got;
	char path[96];
	int fd;

	(void)state;
	test_directory_make("succession", dir, sizeof(dir));
	before.bound = calloc(1, sizeof(*before.bound));
	assert_non_null(before.bound);
	before.count = 1;
	snprintf(path, sizeof(path), "%s/s", dir);
	before.bound[0].listener = listen_at(path);
	fd = before.bound[0].listener.fd;
	assert_int_equal(unlink(path), 0);
	(void)hand_over(&before);
	assert_int_equal(succession_take(&got, &after), 0);
	assert_int_equal(after.count, 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	succession_close(&got);
	sockets_close(&after, NULL, false);
	free(before.bound);
	assert_int_equal(test_directory_remove(dir), 0);
}

static int
take(const char *text, struct succession *ret)
{
	struct sockets sockets = {0};
	int err;

	assert_int_equal(setenv(VARIABLE, text, 1), 0);
	err = succession_take(ret, &sockets);
	assert_int_equal(sockets.count, 0);
	assert_null(getenv(VARIABLE));
	sockets_close(&sockets, NULL, false);
	return err;
}

static void
what_is_for_another_process_is_nothing(void **state)
{
	struct succession got;

	(void)state;
	assert_int_equal(take("", &got), 0);
	assert_int_equal(got.from, 0);
	assert_int_equal(take("nonsense", &got), 0);
	assert_int_equal(got.from, 0);
}

static void
nonsense_and_other_formats_are_refused(void **state)
{
	static const char *const rest[] = {"", "\n", " -1 -1\n",
	    " -1 -1 -1 -1 0", " -1 -1 -1 -1 0\nx\n",
	    " -1 -1 -1 -1 0\n999999 \n", " 999999 -1 -1 -1 0\n"};
	struct succession got;
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rest); i++) {
		snprintf(
		    text, sizeof(text), "1 %ld%s", (long)getppid(), rest[i]);
		assert_true(take(text, &got) < 0);
	}
	snprintf(text, sizeof(text), "2 %ld -1 -1 -1 -1 0\n", (long)getppid());
	assert_true(take(text, &got) < 0);
	snprintf(text, sizeof(text), "1 %ld -1 -1 -1 -1 0\n", (long)getppid());
	assert_int_equal(take(text, &got), 0);
}

/* ---- which program ---- */

static void
assert_program(const char *name, const char *want)
{
	char *path = program_path(name);

	assert_non_null(path);
	assert_string_equal(path, want);
	free(path);
}

static void
a_program_is_found_as_the_shell_does(void **state)
{
	char dir[64], here[1024], want[2048], list[2048];
	const char *old = getenv("PATH");
	char *kept = old != NULL ? strdup(old) : NULL;

	(void)state;
	test_directory_make("succession", dir, sizeof(dir));
	assert_non_null(kept);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(close(open("prog", O_CREAT | O_WRONLY, 0755)), 0);
	assert_int_equal(symlink("prog", "link"), 0);
	snprintf(want, sizeof(want), "%s/prog", dir);
	assert_program(want, want);
	snprintf(want, sizeof(want), "%s/./prog", dir);
	assert_program("./prog", want);
	snprintf(list, sizeof(list), "/nowhere::%s", dir);
	assert_int_equal(setenv("PATH", list, 1), 0);
	snprintf(want, sizeof(want), "%s/prog", dir);
	assert_program("prog", want);
	/* A link may lead to a new version tomorrow. */
	snprintf(want, sizeof(want), "%s/link", dir);
	assert_program("link", want);
	assert_int_equal(setenv("PATH", kept, 1), 0);
	assert_int_equal(chdir(here), 0);
	free(kept);
	assert_int_equal(test_directory_remove(dir), 0);
}

static void
a_program_that_is_not_there_is_the_one_that_runs(void **state)
{
	char *path = program_path("/nowhere/at/all");

	(void)state;
	assert_non_null(path);
	assert_non_null(strstr(path, "test_succession"));
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_of_it_arrives),
	    cmocka_unit_test(a_socket_that_nobody_reaches_is_closed),
	    cmocka_unit_test(what_is_for_another_process_is_nothing),
	    cmocka_unit_test(nonsense_and_other_formats_are_refused),
	    cmocka_unit_test(a_program_is_found_as_the_shell_does),
	    cmocka_unit_test(a_program_that_is_not_there_is_the_one_that_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
