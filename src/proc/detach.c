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
	char how = -1; /* it ended before, and has said why itself */
	int ends[2];
	pid_t pid;

	if (pipe(ends) == -1)
		return -errno;
	pid = fork();
	if (pid == -1)
		return -errno;
	if (pid > 0) {
		close(ends[1]);
		(void)!read(ends[0], &how, 1);
		if (how == DETACH_STOPPED)
			fputs("penstock: it was told to stop before it was "
			      "up\n",
			    stderr);
		if (how == DETACH_FAILED)
			fputs("penstock: its workers do not come up, so it "
			      "has stopped again: see its error_log\n",
			    stderr);
		_exit(how == DETACH_UP ? 0 : 1);
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
detach_end(int *fd, enum detach how)
{
	char byte = (char)how;

	if (*fd == -1)
		return;
	if (write(*fd, &byte, 1) == -1)
		log_warn("whoever started this process is gone");
	fd_close(fd);
}
