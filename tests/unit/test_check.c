/*
 * A check that fails ends the process, with a line that looks as those of the
 * error log do, whatever the log was told to do with its lines.
 */
#include "base/check.h"

#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

#define STAMP                                                                  \
	"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "

static char said[2048]; /* by the process that ended last */

/* Run act(out) in a process of its own, and keep what it writes to `out`; the
 * signal that it ended by, or 0. */
static int
signal_of(void (*act)(int out))
{
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		close(ends[0]);
		act(ends[1]);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ends[1]);
	n = read(ends[0], said, sizeof(said) - 1);
	assert_true(n >= 0);
	said[n] = '\0';
	close(ends[0]);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static bool
said_is_like(const char *pattern)
{
	regex_t re;
	int err;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	err = regexec(&re, said, 0, NULL, 0);
	regfree(&re);
	if (err != 0)
		print_message("it says: %s\n", said);
	return err == 0;
}

static void
fail_check(int out)
{
	log_to(out, LEVEL_ERROR);
	check(out < 0);
}

static void
die_as_worker(int out)
{
	log_to(out, LEVEL_ERROR);
	log_set_who("3.2");
	die("upload %d: no", 7);
}

static void
swallow(void *arg, const char *line, size_t len)
{
	(void)arg;
	(void)line;
	(void)len;
}

static bool
take(void *arg, enum log_level level, const char *message)
{
	(void)arg;
	(void)level;
	(void)message;
	return true;
}

static void
fail_while_logged_elsewhere(int out)
{
	log_to(out, LEVEL_ERROR);
	log_via(swallow, NULL);
	log_listen(take, NULL);
	die("all the same");
}

static void
die_at_length(int out)
{
	char text[4096];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_to(out, LEVEL_ERROR);
	die("%s", text);
}

/* It is not read, and there is no room. */
static void
die_into_a_full_pipe(int out)
{
	static const char page[4096];

	assert_int_equal(fcntl(out, F_SETFL, O_NONBLOCK), 0);
	while (write(out, page, sizeof(page)) > 0)
		;
	assert_int_equal(fcntl(out, F_SETFL, 0), 0);
	log_to(out, LEVEL_ERROR);
	alarm(10);
	die("unread");
}

static int told_fd;

static void
tell(const char *message)
{
	dprintf(told_fd, "<%s>", message);
	die("within");
}

static void
die_with_a_teller(int out)
{
	told_fd = out;
	log_to(out, LEVEL_ERROR);
	check_tell_to(tell);
	die("first");
}

static void
a_failed_check_is_a_line_of_the_log(void **state)
{
	(void)state;
	assert_int_equal(signal_of(fail_check), SIGABRT);
	assert_true(said_is_like(
	    STAMP "error [0-9]+: check failed: out < 0: "
		  "tests/unit/test_check\\.c:[0-9]+: fail_check\n$"));
	assert_int_equal(signal_of(die_as_worker), SIGABRT);
	assert_true(said_is_like(
	    STAMP "error [0-9]+ 3\\.2: check failed: upload 7: no\n$"));
}

static void
it_is_written_whatever_the_log_does_with_lines(void **state)
{
	(void)state;
	assert_int_equal(signal_of(fail_while_logged_elsewhere), SIGABRT);
	assert_true(said_is_like("check failed: all the same\n$"));
}

static void
a_long_one_is_clipped_and_still_a_line(void **state)
{
	(void)state;
	assert_int_equal(signal_of(die_at_length), SIGABRT);
	assert_true(said_is_like("check failed: x{100,}\n$"));
}

static void
a_full_pipe_does_not_keep_it_alive(void **state)
{
	(void)state;
	assert_int_equal(signal_of(die_into_a_full_pipe), SIGABRT);
}

static void
one_who_is_told_may_fail_too(void **state)
{
	(void)state;
	assert_int_equal(signal_of(die_with_a_teller), SIGABRT);
	assert_true(said_is_like("^<check failed: first>"));
	assert_true(said_is_like("check failed: within\n$"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_failed_check_is_a_line_of_the_log),
	    cmocka_unit_test(it_is_written_whatever_the_log_does_with_lines),
	    cmocka_unit_test(a_long_one_is_clipped_and_still_a_line),
	    cmocka_unit_test(a_full_pipe_does_not_keep_it_alive),
	    cmocka_unit_test(one_who_is_told_may_fail_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
