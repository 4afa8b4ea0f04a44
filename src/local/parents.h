/*
 * local/parents.h - the way to a file's name: the directories of its path.
 *
 * They are made when they are missing, kept on stable storage, and seen to be
 * where the name leads when it is given.  On engine threads.
 */
#ifndef LOCAL_PARENTS_H
#define LOCAL_PARENTS_H

#include "target.h"

/*
 * parents_make(t, ret_made, ret_name):
 * Make the directories that its name lacks, have their names on stable storage,
 * and see that they are still where the name leads.  *ret_made and *ret_name as
 * with path_make_parents().
 */
NODISCARD int parents_make(
    struct target *t, int *ret_made, const char **ret_name);

/* Was it `err`, because its directory (or `made`, -1: none) was removed, by a job
 * that tidies up what is empty, say?  One that was moved away is not lost. */
bool parents_are_lost(const struct target *t, int made, int err);

/* It was lost, and is looked for again, for the `tries`th time (from 0 on): wait
 * a little first, if that may help. */
void parents_pause(const struct target *t, int tries);

#endif
