#include "proc/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/permit.h"
#include "proc/refusal.h"

/* Why open() said `err`, and what to do about it. */
static void
logs_log_refusal(const struct conf_place *at, const char *directive,
    const char *target, int err)
{
	char why[REFUSAL_WHY_MAX];
	struct stat st;

	if (err == -ENOENT)
		refusal_log(at, directive, target,
		    "cannot be opened: %s: make its directory first",
		    strerror(-err));
	else if (err != -ENXIO || stat(target, &st) == -1)
		refusal_log(at, directive, target, "cannot be opened: %s",
		    refusal_why(err, why));
	else if (S_ISFIFO(st.st_mode))
		refusal_log(at, directive, target,
		    "it is a FIFO that nobody reads: start its reader first");
	else
		refusal_log(at, directive, target,
		    "it is a socket, which cannot be opened by a name: write "
		    "%s",
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
open_log(const char *target, int *ret)
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
		if (*ret == -1)
			return -errno;
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

/* No server before this one logs to the same file. */
static bool
is_first(const struct config *conf, size_t server)
{
	for (size_t i = 0; i < server; i++)
		if (strcmp(conf->servers[i].access_log,
			conf->servers[server].access_log) == 0)
			return false;
	return true;
}

int
logs_open(const struct config *conf, struct logs *ret)
{
	struct logs l = {.error = -1, .access_count = conf->server_count};
	int err, first;

	l.access = calloc(conf->server_count, sizeof(*l.access));
	if (l.access == NULL)
		return -ENOMEM;
	first = open_log(conf->error_log, &l.error);
	if (first < 0)
		logs_log_refusal(
		    &conf->error_log_at, "error_log", conf->error_log, first);
	/* All that fail are told. */
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		err = open_log(s->access_log, &l.access[i]);
		if (err < 0 && is_first(conf, i))
			logs_log_refusal(&s->access_log_at, "access_log",
			    s->access_log, err);
		first = first < 0 ? first : err;
	}
	if (first < 0) {
		logs_close(&l);
		return first;
	}
	*ret = l;
	return 0;
}

/* 0 or a negative errno, as open_log() would have it. */
static int
logs_look_at(const char *target)
{
	struct stat st;

	if (*target != '/') /* one of the words */
		return 0;
	if (stat(target, &st) == 0 && S_ISSOCK(st.st_mode))
		return -ENXIO;
	return permit_file(target);
}

bool
logs_look(const struct config *conf)
{
	int err = logs_look_at(conf->error_log);
	bool good = err == 0;

	if (err < 0)
		logs_log_refusal(
		    &conf->error_log_at, "error_log", conf->error_log, err);
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		err = is_first(conf, i) ? logs_look_at(s->access_log) : 0;
		if (err < 0)
			logs_log_refusal(&s->access_log_at, "access_log",
			    s->access_log, err);
		good &= err == 0;
	}
	return good;
}

void
logs_use(const struct logs *l, const struct config *conf)
{
	log_to(l->error, conf->error_level);
}

static void
close_files(struct logs *l)
{
	for (size_t i = 0; i < l->access_count; i++)
		close_log(&l->access[i]);
	free(l->access);
	close_log(&l->error);
	*l = (struct logs){.error = -1};
}

void
logs_replace(struct logs *l, struct logs *fresh, const struct config *conf)
{
	struct logs before = *l;

	*l = *fresh;
	*fresh = (struct logs){.error = -1};
	logs_use(l, conf);
	close_files(&before);
}

void
logs_close(struct logs *l)
{
	if (l->error == log_fd())
		log_to(STDERR_FILENO, LEVEL_INFO);
	close_files(l);
}
