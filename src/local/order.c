#include "order.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "local_error.h"

static struct arrivals *
arrivals_for(const struct order *o, const struct target *t)
{
	return t->at->to->policy->overwrite && o->came.head_ns != 0
		   ? t->at->to->shared->arrivals
		   : NULL;
}

static uint64_t
order_key_of(const struct target *t, uint64_t inode, const char *name)
{
	return arrivals_key(
	    t->at->to->shared->arrivals, t->at->st.st_dev, inode, name);
}

void
order_announce(struct order *o, const struct target *t, uint64_t inode,
    const char *name, bool replaces)
{
	struct arrivals *all = arrivals_for(o, t);
	struct arrival_record r = {
	    .head_ns = o->came.head_ns,
	    .replaced = replaces,
	    .synced = dir_syncs(t->at),
	};

	o->place = 0;
	if (all == NULL)
		return;
	if (replaces && o->outlasted_ns > r.head_ns)
		r.head_ns = o->outlasted_ns;
	if (o->key == 0)
		o->key = order_key_of(t, inode, name);
	o->place = arrivals_announce(all, t->at->to->slot, o->key, &r);
}

void
order_named(struct order *o, const struct target *t, bool named)
{
	if (o->place != 0)
		arrivals_end(t->at->to->shared->arrivals, &o->place,
		    named ? clock_mono_ns() : 0);
}

/* The data of what has the name are not known to be on stable storage, which
 * is what the answer will say: a descriptor to have them synced, or -1. */
static int
open_existing(const struct target *t, int dir, const char *name)
{
	int fd =
	    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd != -1 &&
	    (fstat(fd, &st) == -1 || (uint64_t)st.st_ino != t->existing))
		fd_close(&fd);
	return fd;
}

bool
order_yields(struct order *o, const struct target *t, int dir, const char *name,
    bool *ret_replaced, int *ret_unsynced)
{
	struct arrivals *all = arrivals_for(o, t);
	struct arrival_record there;

	*ret_unsynced = -1;
	o->outlasted_ns = 0;
	if (all == NULL ||
	    !arrivals_find(all, order_key_of(t, t->existing, name), &there))
		return false;
	o->outlasted_ns = there.head_ns;
	if (!arrival_is_superseded(&o->came, &there))
		return false;
	if (dir_syncs(t->at) && !there.synced) {
		*ret_unsynced = open_existing(t, dir, name);
		if (*ret_unsynced == -1)
			return false;
	}
	*ret_replaced = there.replaced;
	return true;
}

int
order_end(struct target *t, int unsynced)
{
	int err = 0;

	publish_discard(&t->at->publish, &t->u);
	if (unsynced != -1 && fsync(unsynced) == -1)
		err = target_not_synced(t, -errno);
	fd_close(&unsynced);
	if (err == 0 && t->pre != NULL)
		err = LOCAL_REFUSED;
	return err;
}
