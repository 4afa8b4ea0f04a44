/*
 * Of uploads to one name that overlap the one whose head came later stays,
 * whichever gets to the name first: shared/arrivals.h has the rule.
 *
 * It is asked for where a file is about to be replaced, under the lock that every
 * upload takes that replaces one.  An upload that finds the name free needs no
 * lock: its record is there before the name is, and the next one finds both or
 * neither.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "internal.h"
#include "local_error.h"

static struct arrivals *
arrivals_for(const struct incoming_file *f)
{
	return f->local->to.policy->overwrite && f->came.head_ns != 0
		   ? f->local->to.shared->arrivals
		   : NULL;
}

static uint64_t
order_key_of(const struct incoming_file *f, uint64_t inode, const char *name)
{
	return arrivals_key(
	    f->local->to.shared->arrivals, f->at->st.st_dev, inode, name);
}

bool
order_is_forerunner(const struct incoming_file *f, const struct file_version *v)
{
	struct object_info info;

	if (f->forerunner == NULL)
		return false;
	file_version_describe(v, &info);
	return strcmp(info.etag, f->forerunner) == 0;
}

void
order_announce(struct incoming_file *f, const char *name, bool replaces)
{
	struct arrivals *t = arrivals_for(f);
	struct arrival_record r = {
	    .head_ns = f->came.head_ns,
	    .replaced = replaces,
	    .synced = dir_syncs(f->at),
	};

	f->place = 0;
	if (t == NULL)
		return;
	if (replaces && f->outlasted_ns > r.head_ns)
		r.head_ns = f->outlasted_ns;
	if (f->order_key == 0)
		f->order_key = order_key_of(f, f->version.inode, name);
	f->place = arrivals_announce(t, f->local->to.slot, f->order_key, &r);
}

void
order_named(struct incoming_file *f, bool named)
{
	if (f->place != 0)
		arrivals_end(f->local->to.shared->arrivals, &f->place,
		    named ? clock_mono_ns() : 0);
}

/* The data of what has the name are not known to be on stable storage, which
 * is what the answer will say: a descriptor to have them synced, or -1. */
static int
open_existing(const struct incoming_file *f, int dir, const char *name)
{
	int fd =
	    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd != -1 &&
	    (fstat(fd, &st) == -1 || (uint64_t)st.st_ino != f->existing))
		fd_close(&fd);
	return fd;
}

bool
order_yields(
    struct incoming_file *f, int dir, const char *name, int *ret_unsynced)
{
	struct arrivals *t = arrivals_for(f);
	struct arrival_record there;

	*ret_unsynced = -1;
	f->outlasted_ns = 0;
	if (t == NULL ||
	    !arrivals_find(t, order_key_of(f, f->existing, name), &there))
		return false;
	f->outlasted_ns = there.head_ns;
	if (!arrival_is_superseded(&f->came, &there))
		return false;
	if (dir_syncs(f->at) && !there.synced) {
		*ret_unsynced = open_existing(f, dir, name);
		if (*ret_unsynced == -1)
			return false;
	}
	f->superseded = true;
	f->replaced = there.replaced;
	return true;
}

int
order_end(struct incoming_file *f, int unsynced)
{
	int err = 0;

	publish_discard(&f->at->publish, &f->u);
	if (unsynced != -1 && fsync(unsynced) == -1)
		err = parents_not_synced(f, -errno);
	fd_close(&unsynced);
	if (err == 0 && f->pre != NULL)
		err = LOCAL_REFUSED;
	return err;
}
