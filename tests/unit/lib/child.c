#include "lib/child.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cmocka_with.h"

int
dies_of(void (*act)(void))
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
