#include "hold.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* With overwrite off a link says whether the name was new, and nothing needs a
 * lock: nor `.penstock`, which may be another user's. */
static bool
needs_lock(const struct target *t)
{
	return t->at->to->policy->overwrite || t->forerunner != NULL;
}

/* Claim the name; 0: another one has it, or the system knows no such thing. */
static replacing_claim
claim(const struct target *t, int dir, const char *name)
{
	struct replacing *r = t->at->to->shared->replacing;
	const struct stat *st = &t->at->st;
	struct stat own;

	if (target_is_conditional(t) || !publish_can_share())
		return 0;
	if (dir != t->at->fd) {
		if (fstat(dir, &own) == -1)
			return 0;
		st = &own;
	}
	return replacing_take(
	    r, t->at->to->slot, replacing_key(r, st->st_dev, st->st_ino, name));
}

/* The loop keeps it for the next one, too, if it is only that of the root. */
static bool
is_to_be_kept(const struct target *t, unsigned how)
{
	return (how & HOLD_NOW) && (how & HOLD_QUICK) &&
	       strchr(t->name, '/') == NULL;
}

/* Take the lock, together with others or alone. */
static int
take_lock(struct hold *h, struct target *t, bool together, unsigned how)
{
	struct local_dir *at = t->at;
	unsigned flags = 0;
	int err;

	h->is_quick = together && (how & HOLD_QUICK);
	if (together)
		flags = PUBLISH_TOGETHER | (how & HOLD_NOW ? PUBLISH_NOW : 0U) |
			(h->is_quick ? PUBLISH_UNCHECKED : 0U);
	if (together && is_to_be_kept(t, how)) {
		h->lock = &at->kept_lock.lock;
		err =
		    kept_lock_take(&at->kept_lock, &at->publish, at->to->loop);
	} else {
		h->lock = &h->own;
		err = publish_take(&at->publish, t->name, flags, &h->own);
	}
	if (err < 0)
		h->lock = NULL;
	return err;
}

int
hold_begin(
    struct hold *h, struct target *t, int dir, const char *name, unsigned how)
{
	bool now = how & HOLD_NOW;
	int err;

	h->lock = NULL;
	h->is_quick = false;
	h->claim = 0;
	if (!needs_lock(t))
		return 0;
	if (!alone_draw(&t->at->alone, now))
		h->claim = claim(t, dir, name);
	if (h->claim == 0 && now)
		return PUBLISH_BUSY;
	err = take_lock(h, t, h->claim != 0, how);
	if (err < 0)
		hold_end(h, t);
	return err;
}

void
hold_end(struct hold *h, struct target *t)
{
	if (h->lock == &h->own)
		publish_release(&t->at->publish, &h->own);
	else if (h->lock != NULL && h->lock->is_stale)
		kept_lock_release(&t->at->kept_lock);
	h->lock = NULL;
	replacing_give(t->at->to->shared->replacing, &h->claim);
}
