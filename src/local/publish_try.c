/* The preflight of publishing: do in a directory all that uploads will do
 * there. */
#include <errno.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "local/publish.h"
#include "publish_beside.h"
#include "publish_lock.h"
#include "publish_stage.h"
#include "publish_sys.h"

static int
step(const char *what, int err, const char **ret_step)
{
	if (err < 0)
		*ret_step = what;
	return err;
}

/* Onto a name that exists always: EEXIST shows that a link is possible. */
static int
try_link(struct publish *p, const char **ret_step)
{
	struct unpublished u = {.fd = -1};
	int err = publish_create(p, -1, &u);

	if (err < 0)
		return step("cannot be written", err, ret_step);
	err = publish_link_nameless(u.fd, p->root, ".");
	fd_close(&u.fd);
	return step("files in it cannot be given names",
	    err == -EEXIST ? 0 : err, ret_step);
}

/* Replace what has `name`, if that is wanted, and remove it. */
static int
try_replacing(struct publish *p, struct unpublished *u, const char *name,
    bool overwrite, const char **ret_step)
{
	struct publish_lock lock;
	int err = publish_take(p, name, 0, &lock);

	if (err < 0)
		return step("its .penstock cannot be locked", err, ret_step);
	if (overwrite)
		err = step("files in it cannot be replaced",
		    publish_replace(p, u, -1, name), ret_step);
	if (unlinkat(p->root, name, 0) == -1 && err == 0)
		err = step("files in it cannot be removed", -errno, ret_step);
	publish_release(p, &lock);
	return err;
}

static int
try_out_once(
    struct publish *p, bool overwrite, bool locks, const char **ret_step)
{
	struct unpublished old = {.fd = -1}, new = {.fd = -1};
	struct unpublished name = {.fd = -1};
	int err;

	if (p->nameless && !overwrite && !locks)
		return try_link(p, ret_step);
	err = publish_begin_beside(p, p->root, &name);
	if (err < 0)
		return errno_is_no_space(err)
			   ? 0
			   : step("cannot be written", err, ret_step);
	err = step("cannot be written", publish_create(p, -1, &old), ret_step);
	if (err == 0)
		err = step(
		    "cannot be written", publish_create(p, -1, &new), ret_step);
	if (err == 0)
		err = step("files in it cannot be given names",
		    publish_link(p, &old, -1, name.temp), ret_step);
	if (err == 0)
		err = try_replacing(p, &new, name.temp, overwrite, ret_step);
	publish_discard(p, &old);
	publish_discard(p, &new);
	publish_discard(p, &name);
	fd_close(&old.fd);
	fd_close(&new.fd);
	return errno_is_no_space(err) ? 0 : err;
}

int
publish_try_out(
    struct publish *p, bool overwrite, bool locks, const char **ret_step)
{
	for (int i = 0; i < PUBLISH_TRIES; i++) {
		int err = try_out_once(p, overwrite, locks, ret_step);

		if (!publish_has_renewed(p, &err))
			return err;
	}
	return -ENOENT;
}
