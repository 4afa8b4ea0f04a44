/*
 * local/publish_lock.h - the locks of output directories.
 *
 * Who replaces or removes a file has the locks of all output directories on the way to
 * it: alone, or together with others that take care not to replace the same name
 * (local/hold.h).  A lock that nobody holds may be kept open for the next one.
 */
#ifndef LOCAL_PUBLISH_LOCK_H
#define LOCAL_PUBLISH_LOCK_H

#include "local/publish.h"

enum {
	PUBLISH_LOCKS = 1 + FILE_NAME_PARTS_MAX, /* the root, and a name's */
};

/* How to take locks; combined with |. */
enum publish_how {
	PUBLISH_TOGETHER = 1, /* with others that take them so */
	PUBLISH_NOW = 2,      /* without waiting for others: PUBLISH_BUSY */
	/* If `.penstock` was removed, publish_replace_quickly() or
	 * publish_still_has() will say so. */
	PUBLISH_UNCHECKED = 4,
};

/* The locks that publish_take() has taken. */
struct publish_lock {
	int fd[PUBLISH_LOCKS]; /* that of the root, and those below */
	unsigned count;
	unsigned turn; /* PORTABLE */
	dev_t dev;     /* what the first one is on */
	ino_t inode;
	bool is_stale; /* ... was removed: it is not to be kept open */
	/* Whether files can be staged (publish_create_staged()), if that is known. */
	bool is_known, stages;
};

/*
 * publish_take(p, path, how, ret):
 * Until publish_release(), keep every other worker, and every server of this user, from
 * replacing or removing the file `path`; with PUBLISH_TOGETHER: those that do not say
 * so, too.  0 or -errno.
 *
 * The output directory of one location may lie below that of another.  So the locks of
 * all output directories on the way are taken, from the root down.  Below the root this
 * includes only locks that other users cannot open: those of this user or root, closed
 * to all others.  So servers of different users do not wait for each other there.
 */
NODISCARD int publish_take(struct publish *p, const char *path, unsigned how,
    struct publish_lock *ret);
void publish_release(struct publish *p, struct publish_lock *lock);

/* Can several hold a lock together?  Otherwise each has it alone (PORTABLE). */
bool publish_can_share(void);

/* False when `.penstock` was removed or moved before this lock was taken, or since. */
bool publish_still_has(
    const struct publish *p, const struct publish_lock *lock);

/* Does somebody in this server wait to have it alone? */
bool publish_is_awaited(
    const struct publish *p, const struct publish_lock *lock);

/* True when a lock lasts until its descriptor is closed, and also keeps out the process
 * that has it: then a worker may sweep beside its own uploads.  False (PORTABLE):
 * publish_check_close() gives the lock up for a moment. */
bool publish_locks_last(void);

/* Close those that are kept open. */
void publish_close_spares(struct publish *p);

#endif
