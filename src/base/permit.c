#include "base/permit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
may(const char *path, int how)
{
	return faccessat(AT_FDCWD, path, how, AT_EACCESS) == -1 ? -errno : 0;
}

/* The directory of `path`; "/" for a path with one part. */
static int
parent_of(const char *path, char ret_parent[PATH_MAX])
{
	size_t len = strlen(path);
	char *slash;

	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(ret_parent, path, len + 1);
	slash = strrchr(ret_parent, '/');
	check(slash != NULL);
	slash[slash == ret_parent] = '\0';
	return 0;
}

/* May the directory be used in this way?  0 or a negative errno, -ENOENT when
 * there is none. */
static int
permit_existing_dir(const char *dir, int how)
{
	struct stat st;

	if (stat(dir, &st) == -1)
		return -errno;
	return S_ISDIR(st.st_mode) ? may(dir, how) : -ENOTDIR;
}

int
permit_name(const char *path)
{
	char parent[PATH_MAX];
	int err = parent_of(path, parent);

	return err < 0 ? err : permit_existing_dir(parent, W_OK | X_OK);
}

int
permit_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? -EISDIR : may(path, W_OK);
	if (errno != ENOENT)
		return -errno;
	if (lstat(path, &st) == 0)
		return 0; /* a link: where it leads to is not looked up */
	return permit_name(path);
}

/* No directory entry has that name.  (A dangling symbolic link counts as one:
 * nothing can be created through it.) */
static bool
is_free(const char *path)
{
	struct stat st;

	return lstat(path, &st) == -1 && errno == ENOENT;
}

int
permit_dir(const char *path)
{
	char dir[PATH_MAX], parent[PATH_MAX];
	int err = permit_existing_dir(path, R_OK | W_OK | X_OK);

	if (err != -ENOENT || !is_free(path))
		return err;
	err = parent_of(path, dir);
	while (err == 0) {
		err = permit_existing_dir(dir, W_OK | X_OK);
		if (err != -ENOENT || !is_free(dir) || strcmp(dir, "/") == 0)
			break;
		err = parent_of(dir, parent);
		memcpy(dir, parent, sizeof(dir));
	}
	return err;
}
