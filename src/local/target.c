#include "target.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "local/space.h"
#include "local_error.h"
#include "name_check.h"

int
target_not_synced(struct target *t, int err)
{
	t->cause = -err;
	return LOCAL_SYNC_FAILED;
}

void
target_close(struct target *t)
{
	publish_discard(&t->at->publish, &t->u);
	fd_close(&t->u.fd);
	fd_close(&t->dir);
}

int
target_give_up(struct target *t, int err)
{
	target_close(t);
	if (err == LOCAL_OUTCOME_UNKNOWN || err == LOCAL_SYNC_FAILED)
		return err;
	/* Not a part of the client's path, then, but our own `.penstock`. */
	if ((err == -ENOENT || err == -ENOTDIR || err == -ELOOP) &&
	    !publish_is_intact(&t->at->publish))
		return LOCAL_VANISHED;
	return dir_check_path(t->at) == LOCAL_VANISHED ? (int)LOCAL_VANISHED
						       : err;
}

/* Its conditions, held against `v`, which has its name (NULL: nothing has). */
static bool
conditions_hold(struct target *t, const struct file_version *v)
{
	struct object_info info;

	if (t->pre == NULL)
		return true;
	if (v != NULL)
		file_version_describe(v, &info);
	return preconditions_hold(t->pre, v != NULL ? &info : NULL, &t->why);
}

/* Is this version what it may replace with `overwrite` off? */
static bool
is_forerunner(const struct target *t, const struct file_version *v)
{
	struct object_info info;

	if (t->forerunner == NULL)
		return false;
	file_version_describe(v, &info);
	return strcmp(info.etag, t->forerunner) == 0;
}

int
target_check(struct target *t, int dir, const char *name, struct existing *ret)
{
	int at = target_dir(t, dir);
	struct file_version v;
	bool exists;
	int err;

	err = target_is_conditional(t) ? file_version_at(at, name, &v)
				       : file_version_peek(at, name, &v);
	if (err < 0 && err != -ENOENT)
		return name_check_error(t, err);
	exists = err == 0;
	ret->is_there = exists;
	ret->is_large = exists && v.size > SPACE_FREED_AT_ONCE;
	t->existing = exists ? v.inode : 0;
	t->slow = ret->is_large || target_is_conditional(t);
	if (exists && S_ISDIR(v.mode))
		return -EISDIR;
	if (exists && S_ISLNK(v.mode))
		return -ELOOP;
	if (!conditions_hold(t, exists ? &v : NULL))
		return LOCAL_REFUSED;
	if (exists && !t->at->to->policy->overwrite && !is_forerunner(t, &v))
		return -EEXIST;
	return 0;
}

int
target_check_early(struct target *t)
{
	struct existing existing = {0};
	int err = 0;

	if (strchr(t->rest, '/') == NULL)
		err = target_check(t, t->dir, t->rest, &existing);
	else if (!conditions_hold(t, NULL))
		err = LOCAL_REFUSED;
	return err == 0 && !existing.is_there ? name_check_try(t) : err;
}
