#include "proc/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/permit.h"
#include "proc/made_dirs.h"
#include "proc/privileges.h"
#include "proc/refusal.h"

/* Whose the files are that we make, if not root's: `user` stays what it is while a server runs. */
static struct {
	bool is_other;
	uid_t uid;
	gid_t gid;
} owner;

/* As root, in a directory that others may write to, a symbolic link would have us write
 * wherever they like. */
static bool
is_trapped(const char *target)
{
	char dir[PATH_MAX];
	struct stat st;
	size_t len = (size_t)(strrchr(target, '/') - target);

	if (!owner.is_other || len + 2 > sizeof(dir))
		return false;
	memcpy(dir, target, len);
	memcpy(dir + len, "/", 2);
	return stat(dir, &st) == 0 &&
	       (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0);
}

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
	else if (err == -ELOOP && is_trapped(target))
		refusal_log(at, directive, target,
		    "it is a symbolic link, which root does not follow in a "
		    "directory that others may write to: name the file "
		    "itself");
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

/* One that is made is the owner's. */
static int
open_or_make(const char *target, int flags)
{
	int fd = open(target, flags);

	if (fd != -1 || errno != ENOENT)
		return fd;
	fd = open(target, flags | O_CREAT | O_EXCL, 0644);
	if (fd == -1 &&
	    errno == EEXIST) /* by now; or a link that leads nowhere */
		return open(target, flags | O_CREAT, 0644);
	if (fd != -1 && owner.is_other &&
	    fchown(fd, owner.uid, owner.gid) == -1)
		fd_close(&fd);
	return fd;
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
		FLAGS = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
	};

	if (strcmp(target, "stdout") == 0) {
		*ret = STDOUT_FILENO;
	} else if (strcmp(target, "stderr") == 0) {
		*ret = STDERR_FILENO;
	} else {
		*ret = open_or_make(
		    target, FLAGS | (is_trapped(target) ? O_NOFOLLOW : 0));
		if (*ret == -1)
			return -errno;
	}
	return 0;
}

/* The same; its directory is made if need be. */
static int
open_first(const struct config *conf, const char *target, int *ret)
{
	int err = open_log(target, ret);

	if (err == -ENOENT && made_dirs_for_file(conf, target, true))
		err = open_log(target, ret);
	return err;
}

static void
close_log(int *fd)
{
	if (*fd > STDERR_FILENO)
		fd_close(fd);
	*fd = -1;
}

size_t
logs_find(const struct logs *logs, const struct conf_access_log *l)
{
	size_t i = 0;

	while (i < logs->access_count &&
	       strcmp(logs->access[i].conf->target, l->target) != 0)
		i++;
	return i < logs->access_count ? i : SIZE_MAX;
}

static bool
is_on(const struct conf_access_log *l)
{
	return strcmp(l->target, "off") != 0;
}

/* Open it, unless it is there.  One that cannot be opened is there as well, so that this is
 * told once. */
static int
add_log(struct logs *l, const struct config *top,
    const struct conf_access_log *conf, const struct conf_place *at)
{
	struct log_file *grown, fresh = {.conf = conf, .fd = -1};
	int err = 0;

	if (!is_on(conf) || logs_find(l, conf) != SIZE_MAX)
		return 0;
	grown = realloc(l->access, (l->access_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	l->access = grown;
	if (conf->socket == NULL)
		err = open_first(top, conf->target, &fresh.fd);
	if (err < 0)
		logs_log_refusal(at, "access_log", conf->target, err);
	grown[l->access_count++] = fresh;
	return err;
}

int
logs_open(const struct config *conf, struct logs *ret)
{
	struct logs l = {.error = -1};
	struct conf_log_walk walk = {0};
	const struct conf_access_log *a;
	const struct conf_place *at;
	int err, first;

	owner.is_other = privileges_will_drop(conf, &owner.uid, &owner.gid);
	first = open_first(conf, conf->error_log, &l.error);
	if (first < 0)
		logs_log_refusal(
		    &conf->error_log_at, "error_log", conf->error_log, first);
	/* All that fail are told. */
	while ((a = config_next_access_log(conf, &walk, &at)) != NULL) {
		err = add_log(&l, conf, a, at);
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
logs_look_at(const struct config *conf, const char *target)
{
	struct stat st;
	int err;

	if (*target != '/') /* one of the words */
		return 0;
	if (stat(target, &st) == 0 && S_ISSOCK(st.st_mode))
		return -ENXIO;
	err = permit_file(target);
	return err == -ENOENT && made_dirs_would_hold(conf, target) ? 0 : err;
}

bool
logs_look(const struct config *conf)
{
	int err = logs_look_at(conf, conf->error_log);
	struct conf_log_walk walk = {0};
	const struct conf_access_log *a;
	const struct conf_place *at;
	const char *before = "";
	bool good = err == 0;

	if (err < 0)
		logs_log_refusal(
		    &conf->error_log_at, "error_log", conf->error_log, err);
	while ((a = config_next_access_log(conf, &walk, &at)) != NULL) {
		if (strcmp(a->target, before) == 0)
			continue;
		before = a->target;
		err = logs_look_at(conf, a->target);
		if (err < 0)
			logs_log_refusal(at, "access_log", a->target, err);
		good &= err == 0;
	}
	return good;
}

void
logs_use(const struct logs *l, const struct config *conf)
{
	log_to(l->error, conf->error_level);
}

int
logs_open_again(const char *target, int *ret)
{
	char why[REFUSAL_WHY_MAX];
	int err;

	*ret = -1;
	if (*target != '/') /* one of the words */
		return 0;
	err = open_log(target, ret);
	if (err == -ENXIO)
		log_error("log %s: cannot be opened: nobody reads it", target);
	else if (err < 0)
		log_error("log %s: cannot be opened: %s", target,
		    refusal_why(err, why));
	return err;
}

static int
reopen_one(const char *target, int onto)
{
	int fd, err = logs_open_again(target, &fd);

	if (err == 0 && fd != -1)
		err = fd_move_onto(fd, onto);
	fd_close(&fd);
	return err;
}

int
logs_reopen(struct logs *l, const struct config *conf)
{
	int first = reopen_one(conf->error_log, l->error);

	for (size_t i = 0; i < l->access_count; i++) {
		int err =
		    reopen_one(l->access[i].conf->target, l->access[i].fd);

		first = first < 0 ? first : err;
	}
	return first;
}

static void
close_files(struct logs *l)
{
	for (size_t i = 0; i < l->access_count; i++)
		close_log(&l->access[i].fd);
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
