/*
 * local/commit_name.h - gives a file on its way in its name, at the end of its commit.
 *
 * In a directory that may be gone, beside others that take, replace and free the same name;
 * unless the loop calls it off before.
 */
#ifndef LOCAL_COMMIT_NAME_H
#define LOCAL_COMMIT_NAME_H

#include "commit.h"

/* How it holds its name while it replaces: of HOLD_ (hold.h). */
unsigned commit_how_to_hold(const struct commit *c);

/*
 * commit_publish(c, ret_made):
 * Give it its name, and make the directories on the way to it.  0: it has the name, or is
 * superseded (c->superseded); PUBLISH_BUSY, PUBLISH_LOST (publish.h); or an error, with
 * u.uncertain when it may have the name all the same.  *ret_made is the directory that was
 * made for it, the caller's to close, or -1.  The descriptor must be of a file that is whole.
 */
NODISCARD int commit_publish(struct commit *c, int *ret_made);

/* ---- on the loop, also while a job runs ---- */

/* Call it off: true, its name will never appear; false: it may. */
bool commit_call_off(struct commit *c);

/* It is to be done once more; nothing is left of the first time. */
void commit_begin_again(struct commit *c);

/* Its name is there for good. */
void commit_end(struct commit *c);

#endif
