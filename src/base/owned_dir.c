#include "base/owned_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#ifndef S_ISVTX
#define S_ISVTX 0 /* POSIX knows no sticky directories */
#endif

enum {
	PARENT_MODE = 0755,
};

/* Where we are on the way to a directory. */
struct walk {
	int at;		  /* open */
	const char *name; /* below it */
	bool is_last;	  /* nothing is below that */
	bool made;	  /* `at` was missing */
	const struct owned_dir *as;
};

/* Those who may write to it can change what is below; false: others than root can, and could
 * change what we make there. */
static bool
is_roots(const struct stat *st, bool *ret_shared)
{
	*ret_shared = (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;
	return S_ISDIR(st->st_mode) && st->st_uid == 0 &&
	       (!*ret_shared || (st->st_mode & S_ISVTX) != 0);
}

static int
open_below(int at, const char *name, bool follow)
{
	int fd = openat(at, name,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));

	return fd == -1 ? -errno : fd;
}

/* Make `name` below `at`, for good. */
static int
make_below(const struct walk *w)
{
	int err, fd;

	if (mkdirat(w->at, w->name, w->is_last ? w->as->mode : PARENT_MODE) ==
	    -1)
		return -errno;
	fd = open_below(w->at, w->name, false);
	if (fd < 0)
		return fd;
	/* Some file systems cannot sync a directory (EINVAL). */
	err = fsync(w->at) == -1 && errno != EINVAL ? -errno : 0;
	if (err == 0 && (w->is_last ? fchown(fd, w->as->uid, w->as->gid)
				    : fchmod(fd, PARENT_MODE)) == -1)
		err = -errno;
	if (err < 0) {
		fd_close(&fd);
		(void)unlinkat(w->at, w->name, AT_REMOVEDIR);
		return err;
	}
	return fd;
}

/* Go down to `name`, which may have to be made. */
static int
step(struct walk *w)
{
	struct stat st;
	bool shared;
	int fd;

	if (fstat(w->at, &st) == -1)
		return -errno;
	if (!is_roots(&st, &shared))
		return -EACCES;
	fd = open_below(w->at, w->name, !shared);
	w->made = fd == -ENOENT;
	if (w->made)
		fd = make_below(w);
	if (fd < 0)
		return fd;
	fd_close(&w->at);
	w->at = fd;
	return 0;
}

/* 0 when it is there, or was made. */
static int
go_down(struct walk *w, const char *path)
{
	char names[PATH_MAX], *rest = names, *name;
	size_t len = strlen(path);
	int err = 0;

	if (len >= sizeof(names))
		return -ENAMETOOLONG;
	memcpy(names, path, len + 1);
	w->at = open_below(AT_FDCWD, "/", true);
	if (w->at < 0)
		return w->at;
	while (err == 0 && (name = strtok_r(rest, "/", &rest)) != NULL) {
		w->name = name;
		w->is_last = *rest == '\0';
		err = step(w);
	}
	fd_close(&w->at);
	return err;
}

int
owned_dir_make(const char *path, const struct owned_dir *as, bool *ret_made)
{
	struct walk w = {.at = -1, .as = as};
	int err;

	check(*path == '/');
	err = go_down(&w, path);
	*ret_made = err == 0 && w.made;
	return err;
}

/* By names alone, so that whoever may only pass through a directory can ask. */
bool
owned_dir_would_be_made(const char *path)
{
	char so_far[PATH_MAX];
	size_t len = strlen(path), end = 1;
	bool shared = false;

	check(*path == '/');
	if (len >= sizeof(so_far))
		return false;
	memcpy(so_far, path, len + 1);
	for (;;) {
		char next = so_far[end];
		struct stat st;
		int rc;

		so_far[end] = '\0';
		rc = shared ? lstat(so_far, &st) : stat(so_far, &st);
		if (rc == -1)
			return errno == ENOENT;
		if (next == '\0' || !is_roots(&st, &shared))
			return false;
		so_far[end] = next;
		end += next == '/' ? 1 : 0;
		end += strcspn(so_far + end, "/");
	}
}
