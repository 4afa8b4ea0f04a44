#include "reopen.h"

#include "base/log.h"

#define PATIENCE_S 2.0

enum {
	/* Directories replaced under the same request: more than anybody does on purpose,
	 * while it waits for its turn behind others. */
	FOLLOW_MAX = 16,
};

/* Tell those that wait which directory is open now. */
static void
wake_followers(struct reopen *r)
{
	struct list woken;
	struct list_node *n;

	list_init(&woken);
	list_append_all(&woken, &r->followers);
	while ((n = list_shift(&woken)) != NULL) {
		struct reopen_follower *w =
		    container_of(n, struct reopen_follower, node);

		w->on_reopened(w, r->opener->current); /* may wait again */
	}
}

void
reopen_done(struct reopen *r, struct local_dir *before)
{
	r->opener->awaited = false;
	if (before != NULL && before == r->opener->current)
		opener_close(r->opener); /* there is none to replace it */
	else if (before != NULL)
		dir_release(before);
	wake_followers(r);
	if (list_is_empty(&r->followers))
		ev_timer_stop(r->opener->to->loop, &r->patience);
}

/* Opening the new directory takes too long (its disk does not answer,
 * perhaps): tell the followers that there is none. */
static void
on_impatient(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct reopen *r = w->data;

	(void)loop;
	(void)revents;
	if (r->opener->awaited)
		reopen_done(r, r->opener->current);
}

void
reopen_begin(struct reopen *r, struct local_dir *dir)
{
	struct opener *o = r->opener;

	if (dir != o->current || o->awaited)
		return;
	/* A notice: it happens each day where a link is moved to the new
	 * day's directory.  If that cannot be opened, the opener logs an
	 * error. */
	log_notice("%s: is not the directory any more that it was, or has "
		   "lost its %s: it is opened again",
	    o->to->policy->output_dir, PUBLISH_TEMP_DIR);
	o->awaited = true;
	ev_timer_stop(o->to->loop, &r->patience);
	ev_timer_set(&r->patience, PATIENCE_S, 0.);
	ev_timer_start(o->to->loop, &r->patience);
	opener_begin(o);
}

bool
reopen_follow(
    struct reopen *r, struct local_dir *dir, struct reopen_follower *w)
{
	struct opener *o = r->opener;

	if (w->times++ == FOLLOW_MAX)
		return false;
	reopen_begin(r, dir);
	if (o->awaited)
		list_append(&r->followers, &w->node);
	else if (o->current != NULL && o->current != dir)
		w->on_reopened(w, o->current); /* another request found out */
	else
		return false;
	return true;
}

void
reopen_init(struct reopen *r, struct opener *o)
{
	r->opener = o;
	list_init(&r->followers);
	ev_timer_init(&r->patience, on_impatient, 0., 0.);
	r->patience.data = r;
}

void
reopen_fini(struct reopen *r)
{
	check(list_is_empty(&r->followers));
	ev_timer_stop(r->opener->to->loop, &r->patience);
}
