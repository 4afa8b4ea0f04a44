/*
 * local/target.h - what a file on its way in is made from: a name below an open
 * directory, what may have that name already, and the file while it has none.
 *
 * For engine threads: all functions may wait for the disk.  One side uses it at a
 * time: a job, or the loop that waits for it.
 */
#ifndef LOCAL_TARGET_H
#define LOCAL_TARGET_H

#include "base/preconditions.h"
#include "local/publish.h"
#include "dir.h"
#include "file_version.h"

struct target {
	/* The owner's to set, with `u.fd` and `dir` -1 and the rest zeroed. */
	struct local_dir *at;
	const char *name; /* below `at` */
	/* With `overwrite` off what has this entity-tag may be replaced; NULL:
	 * nothing may. */
	const char *forerunner;
	struct preconditions *pre; /* NULL: none */

	int dir;	   /* deepest directory that exists; -1: `at` itself */
	int cause;	   /* the errno behind an error of a store, or 0 */
	const char *rest;  /* the part of `name` below `dir` */
	const char *why;   /* after LOCAL_REFUSED: what does not hold */
	uint64_t existing; /* the inode of what has the name now; 0: nothing */
	struct unpublished u;
	bool slow; /* it will wait for others, or free much */
};

/* What has a name. */
struct existing {
	bool is_there;
	bool is_large; /* to free it takes its time */
};

/* The directory `dir`, as it is to be used in system calls: `at`, for -1. */
static inline int
target_dir(const struct target *t, int dir)
{
	return dir == -1 ? t->at->fd : dir;
}

/* What has the name may decide more than `overwrite` says. */
static inline bool
target_is_conditional(const struct target *t)
{
	return t->pre != NULL || t->forerunner != NULL;
}

/* May a file named `name` in `dir` (-1: the root) be made, in place of what is
 * there? */
NODISCARD int target_check(
    struct target *t, int dir, const char *name, struct existing *ret);

/* What a client can be told before it sends the body; and with no more than a
 * look: a name in directories that are to be made is new. */
NODISCARD int target_check_early(struct target *t);

/* A sync before there is a name failed: LOCAL_SYNC_FAILED.  It is never tried again:
 * a second one after one that failed says 0 and lies. */
int target_not_synced(struct target *t, int err);

/* Close what is open, and take back a temp name. */
void target_close(struct target *t);

/* The same; perhaps the directory is gone, and that is behind `err`, which is
 * returned otherwise. */
int target_give_up(struct target *t, int err);

#endif
