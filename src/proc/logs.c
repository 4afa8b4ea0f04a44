#include "proc/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

/* Why open() said `err`, and what to do about it. */
static void
log_refusal(const char *directive, const char *target, int err)
{
	struct stat st;

	if (err != -ENXIO || stat(target, &st) == -1)
		log_error("%s %s: cannot be opened: %s", directive, target,
		    strerror(-err));
	else if (S_ISFIFO(st.st_mode))
		log_error("%s %s: it is a FIFO that nobody reads: start its "
			  "reader first",
		    directive, target);
	else
		log_error("%s %s: it is a socket, which cannot be opened by a "
			  "name: write %s",
		    directive, target,
		    fd_is_named(STDOUT_FILENO, target)	 ? "stdout"
		    : fd_is_named(STDERR_FILENO, target) ? "stderr"
							 : "stdout or stderr");
}

/*
 * Without waiting: for the reader of a FIFO an ordinary open() waits for ever,
 * and every line would wait for one that reads no more.  So the descriptor does
 * not block; the journals of workers wait for it on their threads, and the
 * master loses the line.
 */
static int
open_log(const char *target, const char *directive, int *ret)
{
	enum {
		FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK |
			O_NOCTTY,
	};

	if (strcmp(target, "off") == 0) {
		*ret = -1;
	} else if (strcmp(target, "stdout") == 0) {
		*ret = STDOUT_FILENO;
	} else if (strcmp(target, "stderr") == 0) {
		*ret = STDERR_FILENO;
	} else {
		*ret = open(target, FLAGS, 0644);
		if (*ret == -1) {
			int err = -errno;

			log_refusal(directive, target, err);
			return err;
		}
	}
	return 0;
}

static void
close_log(int *fd)
{
	if (*fd > STDERR_FILENO)
		fd_close(fd);
	*fd = -1;
}

int
logs_open(const struct config *conf, struct logs *ret)
{
	struct logs l = {.error = -1};
	int err;

	l.access = calloc(conf->server_count, sizeof(*l.access));
	if (l.access == NULL)
		return -ENOMEM;
	err = open_log(conf->error_log, "error_log", &l.error);
	for (size_t i = 0; i < conf->server_count && err == 0; i++) {
		err = open_log(
		    conf->servers[i].access_log, "access_log", &l.access[i]);
		if (err == 0)
			l.access_count++;
	}
	if (err < 0) {
		logs_close(&l);
		return err;
	}
	*ret = l;
	return 0;
}

void
logs_use(const struct logs *l, const struct config *conf)
{
	log_to(l->error, conf->error_level);
}

void
logs_close(struct logs *l)
{
	for (size_t i = 0; i < l->access_count; i++)
		close_log(&l->access[i]);
	free(l->access);
	if (l->error == log_fd())
		log_to(STDERR_FILENO, LEVEL_INFO);
	close_log(&l->error);
	*l = (struct logs){.error = -1};
}
