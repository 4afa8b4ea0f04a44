/*
 * local/publish_wait.h - waiting for the lock of one directory.
 *
 * Those that have it together let each other in for ever.  So who waits to have it
 * alone notes that (shared/replacing.h), and then no others join: they wait until it
 * has had it, and after some time to have it alone themselves.
 */
#ifndef LOCAL_PUBLISH_WAIT_H
#define LOCAL_PUBLISH_WAIT_H

#include <stdbool.h>
#include <sys/types.h>

#include "local/publish.h"

/* A lock that is open, and what it is on. */
struct open_lock {
	int fd;
	dev_t dev;
	ino_t inode;
};

/* Wait to have it alone: 0 or -errno. */
NODISCARD int publish_wait_alone(
    const struct publish *p, const struct open_lock *l);

/* Does somebody wait to have it alone? */
bool publish_is_noted(const struct publish *p, const struct open_lock *l);

/* Wait to have it together with others, or alone where too many wait for that; `now`:
 * without waiting, it may be PUBLISH_BUSY. */
NODISCARD int publish_wait_together(
    const struct publish *p, const struct open_lock *l, bool now);

#endif
