#include "commit_name.h"

#include <errno.h>
#include <string.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "local/path.h"
#include "hold.h"
#include "local_error.h"
#include "name_check.h"
#include "parents.h"

enum {
	TRIES = 32, /* against those that take and free the name all the time */
	RENEWALS = 100, /* of `.penstock`, for one upload */
};

/* ---- whether its name may appear ---- */

/* From here on the name may appear; unless the loop has called it off, because
 * all this took so long. */
static int
begin_linking(struct commit *c)
{
	int phase = LINK_NOT_BEGUN;

	return atomic_compare_exchange_strong(
		   &c->link_phase, &phase, LINK_BEGUN)
		   ? 0
		   : (int)LOCAL_UNHEALTHY;
}

/* It is about to get its name.  (If it was called off just before, its ticket is
 * not looked at.) */
static void
take_ticket(struct commit *c)
{
	c->ticket = latest_ticket(c->create.target->at->latest);
}

/* It did not get it, and may be called off again. */
static void
end_linking(struct commit *c)
{
	int phase = LINK_BEGUN;

	(void)atomic_compare_exchange_strong(
	    &c->link_phase, &phase, LINK_NOT_BEGUN);
}

bool
commit_call_off(struct commit *c)
{
	int phase = LINK_NOT_BEGUN;

	return atomic_compare_exchange_strong(
	    &c->link_phase, &phase, LINK_CALLED_OFF);
}

void
commit_begin_again(struct commit *c)
{
	end_linking(c);
	c->order.key = 0; /* it will be another file */
}

void
commit_end(struct commit *c)
{
	atomic_store(&c->link_phase, LINK_DURABLE);
}

/* ---- giving it its name ---- */

unsigned
commit_how_to_hold(const struct commit *c)
{
	const struct target *t = c->create.target;
	const struct publish *p = &t->at->publish;
	bool quick = c->quick && p->nameless && !p->not_quick &&
		     (t->u.temp[0] == '\0' || c->create.stage != NULL);

	return (c->on_loop ? HOLD_NOW : 0U) | (quick ? HOLD_QUICK : 0U);
}

/* Look at what has the name now: may it be replaced?  Or does it keep its name:
 * then the upload is superseded. */
static int
judge_existing(struct commit *c, struct hold *h, int dir, const char *name,
    struct existing *ret, int *ret_unsynced)
{
	struct target *t = c->create.target;
	int err = target_check(t, dir, name, ret);

	*ret_unsynced = -1;
	if (err < 0 || !ret->is_there)
		return err;
	if (ret->is_large && c->on_loop)
		return PUBLISH_BUSY;
	c->superseded =
	    order_yields(&c->order, t, dir, name, &c->replaced, ret_unsynced);
	if (!c->superseded || !h->is_quick ||
	    publish_still_has(&t->at->publish, h->lock))
		return 0;
	/* Others may have another lock by now. */
	c->superseded = false;
	h->lock->is_stale = true;
	fd_close(ret_unsynced);
	return PUBLISH_RENEW;
}

/* It gets a name that no other file has.  The temp name of a staged one is not locked: a
 * sweep may have taken it. */
static int
link_name(struct commit *c, int dir, const char *name)
{
	struct target *t = c->create.target;
	int err = publish_link(&t->at->publish, &t->u, dir, name);

	return err == -ENOENT && c->create.stage != NULL
		   ? (int)PUBLISH_LOST
		   : name_check_error(t, err);
}

/* It gets the name, which another file has or not. */
static int
take_name(
    struct commit *c, struct hold *h, int dir, const char *name, bool exists)
{
	struct target *t = c->create.target;
	struct publish *p = &t->at->publish;
	int err;

	if (!exists)
		return link_name(c, dir, name);
	err = h->is_quick
		  ? publish_replace_quickly(p, &t->u, h->lock, dir, name)
		  : publish_replace(p, &t->u, dir, name);
	err = name_check_error(t, err);
	c->replaced = err == 0;
	return err;
}

/* Look at what has the name now, and replace it if it may be.  No other upload
 * or removal of this server changes that between the two. */
static int
replace_once(struct commit *c, int dir, const char *name)
{
	struct target *t = c->create.target;
	struct existing there = {0};
	struct hold h;
	int unlinked = -1, unsynced, err;

	err = hold_begin(&h, t, dir, name, commit_how_to_hold(c));
	if (errno_is_denied(err) && !t->at->to->policy->overwrite)
		return -EEXIST; /* that it may be replaced was a favour */
	if (err < 0)
		return err;
	err = judge_existing(c, &h, dir, name, &there, &unsynced);
	if (c->superseded) {
		hold_end(&h, t);
		return order_end(t, unsynced);
	}
	if (err == 0)
		err = begin_linking(c);
	take_ticket(c);
	if (err == 0) {
		order_announce(
		    &c->order, t, c->version.inode, name, there.is_there);
		if (there.is_there && !c->on_loop)
			unlinked = unlinked_hold(dir, name);
		err = take_name(c, &h, dir, name, there.is_there);
		order_named(&c->order, t, err == 0 || t->u.uncertain);
	}
	hold_end(&h, t);
	if (there.is_large)
		unlinked_release(&c->unlinked, unlinked);
	else
		fd_close(&unlinked);
	return err;
}

/* The same, also while `.penstock` is removed again and again. */
static int
replace(struct commit *c, int dir, const char *name)
{
	struct target *t = c->create.target;
	int err = replace_once(c, dir, name);

	for (int i = 0; i < RENEWALS && err == PUBLISH_RENEW; i++) {
		end_linking(c);
		c->quick = false;
		if (c->on_loop)
			return PUBLISH_BUSY;
		err = publish_renew(&t->at->publish);
		if (err == 0)
			err = replace_once(c, dir, name);
	}
	return err == PUBLISH_RENEW ? (int)LOCAL_VANISHED : err;
}

/* Something has that name, and keeps it: what does that come to? */
static int
err_of_existing(struct target *t, int dir, const char *name)
{
	struct existing there;
	int err = target_check(t, dir, name, &there);

	return err < 0 ? err : -EEXIST;
}

/* A directory on the way has another project, or the system forbids it: nothing
 * that a client could do about. */
static int
err_of_moving(int err)
{
	return err == -EXDEV ? (int)LOCAL_APART : err;
}

/* Give it a name that is to be new: nothing is looked at, and nothing locked. */
static int
link_new(struct commit *c, int dir, const char *name)
{
	struct target *t = c->create.target;
	int err = begin_linking(c);

	take_ticket(c);
	if (err < 0)
		return err;
	order_announce(&c->order, t, c->version.inode, name, false);
	err = link_name(c, dir, name);
	order_named(&c->order, t, err == 0 || t->u.uncertain);
	return err;
}

/* A link that says EEXIST is not worth trying where the last name was taken, and
 * neither is a lock where it was new. */
static bool
is_looked_at_first(const struct target *t)
{
	return target_is_conditional(t) || t->at->publish.clobbers ||
	       (t->at->to->policy->overwrite &&
		   (t->at->names_are_taken || t->existing != 0));
}

static void
expect_the_same(const struct commit *c)
{
	struct local_dir *at = c->create.target->at;

	if (at->names_are_taken != c->replaced)
		at->names_are_taken = c->replaced;
}

/* Link; replace where there is something, or where preconditions have to see it. */
static int
give_name(struct commit *c, int dir, const char *name)
{
	struct target *t = c->create.target;
	bool overwrite = t->at->to->policy->overwrite;
	int err;

	/* It may have been judged before, in a directory that is gone. */
	c->superseded = c->replaced = false;
	if (is_looked_at_first(t))
		err = replace(c, dir, name);
	else
		err = link_new(c, dir, name);
	/* Again only if others make and remove that name all the time. */
	for (int i = 0; i < TRIES && overwrite; i++) {
		if (err != -EEXIST || t->u.uncertain)
			break;
		end_linking(c);
		err = replace(c, dir, name);
	}
	if (err == -EEXIST && !overwrite && !t->u.uncertain)
		err = err_of_existing(t, dir, name);
	if (err == 0)
		expect_the_same(c);
	return err_of_moving(err);
}

/* Give it its name, and make the directories for that, once more if need be. */
int
commit_publish(struct commit *c, int *ret_made)
{
	struct target *t = c->create.target;
	const char *name;
	int err;

	for (int i = 0;; i++) {
		err = parents_make(t, ret_made, &name);
		if (err == 0)
			err = give_name(c,
			    target_dir(t, *ret_made != -1 ? *ret_made : t->dir),
			    name);
		if (i == TRIES || !parents_are_lost(t, *ret_made, err))
			return err;
		end_linking(c);
		fd_close(ret_made);
		fd_close(&t->dir);
		parents_pause(t, i);
		err = path_open_parent(t->at->fd, t->name, &t->dir, &t->rest);
		if (err == 0 && strchr(t->rest, '/') != NULL)
			err = target_check_early(
			    t); /* no directories for nothing */
		if (err < 0)
			return err;
	}
}
