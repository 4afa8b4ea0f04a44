#include "proc/detach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

int
detach_begin(int *ret_fd)
{
	char status = 1;
	int ends[2];
	pid_t pid;

	if (pipe(ends) == -1)
		return -errno;
	pid = fork();
	if (pid == -1)
		return -errno;
	if (pid > 0) {
		close(ends[1]);
		/* One that ended before has said why itself. */
		if (read(ends[0], &status, 1) == 1 && status != 0)
			fputs("penstock: its workers do not come up, so it "
			      "has stopped again: see its error_log\n",
			    stderr);
		_exit(status);
	}
	close(ends[0]);
	if (setsid() == -1)
		return -errno;
	*ret_fd = ends[1];
	return fd_set_cloexec(ends[1]);
}

void
detach_leave_terminal(bool log_is_lost)
{
	int err;

	if (log_is_lost)
		log_warn("daemonize: error_log goes nowhere from here on: let "
			 "it name a file");
	err = fd_null_standard();
	if (err < 0)
		log_warn("daemonize: the terminal cannot be let go: %s",
		    strerror(-err));
}

void
detach_end(int *fd, char status)
{
	if (*fd == -1)
		return;
	if (write(*fd, &status, 1) == -1)
		log_warn("whoever started this process is gone");
	fd_close(fd);
}
