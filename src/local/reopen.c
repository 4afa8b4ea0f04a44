/*
 * The path of an output directory leads elsewhere: the directory was removed,
 * or renamed, or another one was put in its place (a symbolic link that is moved
 * to a new day's directory, say).
 *
 * An upload or a download finds that out when it looks where the path leads.
 * The old directory stays the store's until the new one is open, so that all
 * who come meanwhile find the same.  Those that have nothing in the old one yet
 * wait, and go on in the new one: nobody is refused because of a change that
 * was over before he came.
 */
#include "base/log.h"
#include "internal.h"

#define PATIENCE_S 2.0

enum {
	FOLLOW_MAX = 4, /* it was replaced as often under the same request */
};

/* Those that still use it keep it. */
static void
drop(struct local_dir *old)
{
	old->local->base.files++; /* not idle before it is closed */
	local_dir_leave(old);
}

/* Tell those that wait which directory is open now. */
static void
wake_followers(struct local *local)
{
	struct list woken;
	struct list_node *n;

	list_init(&woken);
	while ((n = list_shift(&local->followers)) != NULL)
		list_append(&woken, n);
	while ((n = list_shift(&woken)) != NULL) {
		struct reopen_follower *w =
		    container_of(n, struct reopen_follower, node);

		w->on_reopened(w, local->at); /* may wait again */
	}
}

void
reopen_done(struct local *local, struct local_dir *old)
{
	local->reopening = false;
	if (old != NULL && old == local->at) { /* there is none to replace it */
		local->at = NULL;
		local->base.is_open = false;
	}
	if (old != NULL)
		drop(old);
	wake_followers(local);
	if (list_is_empty(&local->followers))
		ev_timer_stop(local->to.loop, &local->patience);
}

/* Opening it takes long, as on a disk that does not answer. */
static void
on_impatient(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct local *local = w->data;

	(void)loop;
	(void)revents;
	if (local->reopening)
		reopen_done(local, local->at);
}

void
reopen_begin(struct local_dir *at)
{
	struct local *local = at->local;

	if (at != local->at || local->reopening)
		return;
	/* That happens each day where a link is moved to the new day's
	 * directory; what cannot be opened then is an error. */
	log_notice("%s: is not the directory any more that it was, or has "
		   "lost its %s: it is opened again",
	    local->base.dir, PUBLISH_TEMP_DIR);
	local->reopening = true;
	ev_timer_stop(local->to.loop, &local->retry);
	ev_timer_stop(local->to.loop, &local->patience);
	ev_timer_set(&local->patience, PATIENCE_S, 0.);
	ev_timer_start(local->to.loop, &local->patience);
	local_begin_opening(local);
}

bool
reopen_follow(struct local_dir *at, struct reopen_follower *w)
{
	struct local *local = at->local;

	if (w->times++ == FOLLOW_MAX)
		return false;
	reopen_begin(at);
	if (local->reopening)
		list_append(&local->followers, &w->node);
	else if (local->at != NULL && local->at != at)
		w->on_reopened(
		    w, local->at); /* somebody else found out before */
	else
		return false;
	return true;
}

void
reopen_init(struct local *local)
{
	list_init(&local->followers);
	ev_timer_init(&local->patience, on_impatient, 0., 0.);
	local->patience.data = local;
}

void
reopen_fini(struct local *local)
{
	check(list_is_empty(&local->followers));
	ev_timer_stop(local->to.loop, &local->patience);
}
