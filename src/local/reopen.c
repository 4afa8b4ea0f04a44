/*
 * The path of an output directory leads elsewhere: the directory was removed,
 * or renamed, or another one was put in its place (a symbolic link that is moved
 * to a new day's directory, say).
 *
 * An upload or a download finds that out when it looks where the path leads.
 * The old directory stays the spool's until the new one is open, so that all
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
drop(struct spool_dir *old)
{
	old->spool->base.files++; /* not idle before it is closed */
	spool_leave(old);
}

/* Tell those that wait which directory is open now. */
static void
wake_followers(struct spool *sp)
{
	struct list woken;
	struct list_node *n;

	list_init(&woken);
	while ((n = list_shift(&sp->followers)) != NULL)
		list_append(&woken, n);
	while ((n = list_shift(&woken)) != NULL) {
		struct spool_follower *w =
		    container_of(n, struct spool_follower, node);

		w->on_reopened(w, sp->at); /* may wait again */
	}
}

void
spool_reopened(struct spool *sp, struct spool_dir *old)
{
	sp->reopening = false;
	if (old != NULL && old == sp->at) { /* there is none to replace it */
		sp->at = NULL;
		sp->base.is_open = false;
	}
	if (old != NULL)
		drop(old);
	wake_followers(sp);
	if (list_is_empty(&sp->followers))
		ev_timer_stop(sp->to.loop, &sp->patience);
}

/* Opening it takes long, as on a disk that does not answer. */
static void
on_impatient(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct spool *sp = w->data;

	(void)loop;
	(void)revents;
	if (sp->reopening)
		spool_reopened(sp, sp->at);
}

void
spool_reopen(struct spool_dir *at)
{
	struct spool *sp = at->spool;

	if (at != sp->at || sp->reopening)
		return;
	/* That happens each day where a link is moved to the new day's
	 * directory; what cannot be opened then is an error. */
	log_notice("%s: is not the directory any more that it was, or has "
		   "lost its %s: it is opened again",
	    sp->base.dir, PUBLISH_TEMP_DIR);
	sp->reopening = true;
	ev_timer_stop(sp->to.loop, &sp->retry);
	ev_timer_stop(sp->to.loop, &sp->patience);
	ev_timer_set(&sp->patience, PATIENCE_S, 0.);
	ev_timer_start(sp->to.loop, &sp->patience);
	spool_begin_opening(sp);
}

bool
spool_follow(struct spool_dir *at, struct spool_follower *w)
{
	struct spool *sp = at->spool;

	if (w->times++ == FOLLOW_MAX)
		return false;
	spool_reopen(at);
	if (sp->reopening)
		list_append(&sp->followers, &w->node);
	else if (sp->at != NULL && sp->at != at)
		w->on_reopened(w, sp->at); /* somebody else found out before */
	else
		return false;
	return true;
}

void
spool_reopen_init(struct spool *sp)
{
	list_init(&sp->followers);
	ev_timer_init(&sp->patience, on_impatient, 0., 0.);
	sp->patience.data = sp;
}

void
spool_reopen_fini(struct spool *sp)
{
	check(list_is_empty(&sp->followers));
	ev_timer_stop(sp->to.loop, &sp->patience);
}
