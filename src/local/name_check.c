#include "name_check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/errno_class.h"
#include "local_error.h"

typedef int try_fn(struct target *t, const char *part);

/* Each part of `path` that not every file system takes, until one fails. */
static int
try_parts(struct target *t, const char *path, try_fn *try)
{
	int err = 0;

	while (err == 0 && *path != '\0') {
		size_t len = strcspn(path, "/");
		char part[FILE_NAME_PART_SIZE];

		if (len >= FILE_NAME_PART_SIZE)
			return -ENAMETOOLONG;
		memcpy(part, path, len);
		part[len] = '\0';
		if (!publish_is_plain_name(part, len))
			err = try(t, part);
		path += len + (path[len] == '/');
	}
	return err;
}

/* It is for this part, unless it can be given elsewhere. */
static int
blame(struct target *t, const char *part)
{
	struct publish *p = &t->at->publish;

	return p->nameless ? -EINVAL : publish_try_name(p, part);
}

static int
try_to_give(struct target *t, const char *part)
{
	return publish_try_name(&t->at->publish, part);
}

/* Some tell as well when it is only looked up, and need no file for that. */
static int
try_to_find(struct target *t, const char *part)
{
	int dir = target_dir(t, t->dir);
	struct stat st;

	if (fstatat(dir, part, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return publish_is_bad_name(-errno) ? -errno : 0;
}

int
name_check_try(struct target *t)
{
	int err = 0;

	/* A single part has been looked up already. */
	if (strchr(t->rest, '/') != NULL)
		err = try_parts(t, t->rest, try_to_find);
	if (err == 0 && !t->at->publish.nameless)
		err = try_parts(t, t->rest, try_to_give);
	return errno_is_bad_name(err) ? (int)LOCAL_BAD_NAME : err;
}

int
name_check_error(struct target *t, int err)
{
	if (t->u.uncertain)
		return err;
	if (err == -EILSEQ)
		return LOCAL_BAD_NAME;
	/* EINVAL has other reasons as well. */
	if (err == -EINVAL && try_parts(t, t->name, blame) == -EINVAL)
		return LOCAL_BAD_NAME;
	return err;
}
