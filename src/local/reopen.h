/*
 * local/reopen.h - the path of an output directory leads elsewhere: the directory
 * was removed or renamed, or another one was put in its place (a symbolic link
 * that is moved to a new day's directory, say).
 *
 * An upload or a download finds that out when it looks where the path leads.
 * The old directory stays the current one until the new one is open, so that all
 * requests that come meanwhile find the same.  Those that have nothing in the old
 * one yet wait, and go on in the new one: no request is refused because of a change
 * that was over before it came.
 */
#ifndef LOCAL_REOPEN_H
#define LOCAL_REOPEN_H

#include <ev.h>

#include "opener.h"

/*
 * A request that waits until the directory that is there now is open:
 * on_reopened(w, to) is told which one that is, or NULL when it cannot be opened.
 * It stops waiting by list_remove(&w->node).
 */
struct reopen_follower {
	struct list_node node; /* of `followers` */
	void (*on_reopened)(struct reopen_follower *w, struct local_dir *to);
	unsigned times; /* it has waited */
};

struct reopen {
	struct opener *opener;
	struct list followers;
	ev_timer patience; /* of the followers */
};

void reopen_init(struct reopen *r, struct opener *o);
void reopen_fini(struct reopen *r);

/* The path does not lead to `dir` any more: have it opened where it leads. */
void reopen_begin(struct reopen *r, struct local_dir *dir);

/* The opener has ended, or is not waited for any longer.  `before` was the
 * current directory (NULL: none was) and is released; if it still is the current
 * one, there is none then. */
void reopen_done(struct reopen *r, struct local_dir *before);

/*
 * reopen_follow(r, dir, w):
 * The path does not lead to `dir` any more, as `w` has found.  True: it is told
 * when the other one is open, perhaps at once; false: waiting is of no use.
 */
NODISCARD bool reopen_follow(
    struct reopen *r, struct local_dir *dir, struct reopen_follower *w);

#endif
