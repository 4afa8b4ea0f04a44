/* Descriptors that others have a share in: what is closed, and what waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

/* In a child, since it closes what the framework may have, too. */
static int
status_of(bool (*holds)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(holds() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool
only_those_kept_stay(void)
{
	static const int at[] = {3, 4, 20, 21, 60, 700};
	static const int keep[] = {700, -1, 20, 4, 20};

	for (size_t i = 0; i < COUNT_OF(at); i++)
		if (dup2(STDERR_FILENO, at[i]) == -1)
			return false;
	fd_close_others(3, keep, COUNT_OF(keep));
	return is_open(0) && is_open(1) && is_open(2) && !is_open(3) &&
	       is_open(4) && is_open(20) && !is_open(21) && !is_open(60) &&
	       is_open(700);
}

static bool
all_go_when_none_is_kept(void)
{
	if (dup2(STDERR_FILENO, 3) == -1 || dup2(STDERR_FILENO, 900) == -1)
		return false;
	fd_close_others(3, NULL, 0);
	return is_open(2) && !is_open(3) && !is_open(900);
}

static bool
standard_ones_are_opened(void)
{
	for (int set = 0; set < 8; set++) {
		for (int fd = 0; fd < 3; fd++)
			if ((set >> fd & 1) != 0)
				close(fd);
		fd_open_standard();
		for (int fd = 0; fd < 3; fd++)
			if (!is_open(fd))
				return false;
		if (write(STDOUT_FILENO, "", 0) == -1)
			return false;
	}
	return true;
}

static void
closing_others(void **state)
{
	(void)state;
	assert_int_equal(status_of(only_those_kept_stay), 0);
	assert_int_equal(status_of(all_go_when_none_is_kept), 0);
}

static void
opening_standard(void **state)
{
	(void)state;
	assert_int_equal(status_of(standard_ones_are_opened), 0);
}

/* A pipe with less room than a line has, also where the descriptor blocks. */
static void
writing_now_never_waits(void **state)
{
	char line[3000] = {0};
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	alarm(20);
	for (int i = 0; i < 200; i++)
		fd_write_now(ends[1], line, sizeof(line));
	alarm(0);
	close(ends[0]);
	close(ends[1]);
}

static void *
read_slowly(void *arg)
{
	char buf[1000];
	size_t total = 0;
	ssize_t n;

	while ((n = read(*(int *)arg, buf, sizeof(buf))) > 0) {
		total += (size_t)n;
		if (total % 100000 < sizeof(buf))
			(void)poll(NULL, 0, 1);
	}
	return (void *)(uintptr_t)total;
}

/* It does not block, since another process has set that; nothing is lost. */
static void
writing_all_waits_also_without_blocking(void **state)
{
	static char text[700000];
	pthread_t reader;
	void *total;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fd_set_nonblock(ends[1]), 0);
	assert_int_equal(
	    pthread_create(&reader, NULL, read_slowly, &ends[0]), 0);
	assert_int_equal(fd_write_all(ends[1], text, sizeof(text)), 0);
	close(ends[1]);
	assert_int_equal(pthread_join(reader, &total), 0);
	assert_int_equal((uintptr_t)total, sizeof(text));
	close(ends[0]);
}

static void
telling_what_a_name_leads_to(void **state)
{
	char path[] = "/tmp/test_fd.XXXXXX";
	int fd, other;

	(void)state;
	fd = mkstemp(path);
	assert_true(fd != -1);
	assert_true(fd_is_named(fd, path));
	assert_int_equal(unlink(path), 0);
	assert_false(fd_is_named(fd, path));
	other = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(other != -1);
	assert_false(fd_is_named(fd, path));
	assert_true(fd_is_named(other, path));
	assert_int_equal(unlink(path), 0);
	close(other);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closing_others),
	    cmocka_unit_test(opening_standard),
	    cmocka_unit_test(writing_now_never_waits),
	    cmocka_unit_test(writing_all_waits_also_without_blocking),
	    cmocka_unit_test(telling_what_a_name_leads_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
