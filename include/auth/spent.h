/*
 * auth/spent.h - marks of links that are good once (signed_link_spent).
 *
 *	look -> [ body ] -> claim -> [ commit ] -> kept: stored, the link is spent
 *	                                     \---> removed: not stored, it is not
 *
 * A mark is an empty file in a directory that all workers share.  Who makes it (O_EXCL) may
 * have the upload stored, whichever worker that is.  It is on stable storage before the upload
 * gets its name: so after a crash a link may be spent for nothing, but it is never good twice.
 * Marks of links that have expired long ago are removed now and then.
 *
 * All that may wait for the disk is done on engine threads.
 */
#ifndef AUTH_SPENT_H
#define AUTH_SPENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

struct device_set;
struct engine;
struct spent;
struct spent_mark;

/* For one worker.  NULL: out of memory.  The caller owns it until spent_free(), before which
 * nothing of it may be in flight on the engine. */
NODISCARD struct spent *spent_new(struct engine *e, struct device_set *devices);
void spent_free(struct spent **sp);

/*
 * spent_mark_new(s, dir, id, expires_s):
 * The mark of the link `id`, which expires then, in the directory `dir`: both are copied.
 * Nothing is done yet.  NULL: out of memory.  The caller owns it until spent_mark_end().
 */
NODISCARD struct spent_mark *spent_mark_new(
    struct spent *s, const char *dir, const char *id, uint64_t expires_s);

/* Called from the loop, once for each of the calls below: 0; -EEXIST: the link is spent;
 * or another negative errno. */
typedef void spent_fn(void *owner, int err);

/* Is it spent already?  One at a time. */
void spent_look(struct spent_mark *m, void *owner, spent_fn *on_done);

/* Make the mark, unless there is one. */
void spent_claim(struct spent_mark *m, void *owner, spent_fn *on_done);

/* True when the claim has made it. */
bool spent_is_claimed(const struct spent_mark *m);

/* After that: remove it again.  Who has the link may be told to try again only when that
 * is done: not after spent_mark_end(). */
void spent_unclaim(struct spent_mark *m, void *owner, spent_fn *on_done);

/*
 * spent_mark_end(mp, keep):
 * The caller is done with it, also while a call is in flight, whose on_done is not called
 * then.  A mark that was made stays if `keep`, and is removed otherwise.  Clears the caller's
 * pointer, which may be NULL.
 */
void spent_mark_end(struct spent_mark **mp, bool keep);

#endif
