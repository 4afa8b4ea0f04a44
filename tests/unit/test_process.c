/* base/process: the number of this process, also after fork(2). */
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "lib/cmocka_with.h"

/* 0: it says what the system says, twice. */
static int
ask(void)
{
	return process_id() == getpid() && process_id() == getpid() ? 0 : 1;
}

static int
ask_in_child(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(ask());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
is_what_the_system_says(void **state)
{
	(void)state;
	assert_int_equal(ask(), 0);
}

static void
is_new_in_a_child(void **state)
{
	(void)state;
	assert_int_equal(ask(), 0);
	assert_int_equal(ask_in_child(), 0);
	assert_int_equal(ask(), 0);
}

static void
is_new_in_the_child_of_a_child(void **state)
{
	int status = -1;
	pid_t pid;

	(void)state;
	assert_int_equal(ask(), 0);
	pid = fork();
	if (pid == 0)
		_exit(ask() == 0 && ask_in_child() == 0 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(is_what_the_system_says),
	    cmocka_unit_test(is_new_in_a_child),
	    cmocka_unit_test(is_new_in_the_child_of_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
