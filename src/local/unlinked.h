/*
 * local/unlinked.h - files that lose their name to an upload: what it replaces,
 * and (`keep latest`) the one before it.
 *
 * Freeing a huge one takes seconds, so it is held open until the lock is released,
 * or the client has its answer.  To free a small one takes long enough where there is a
 * disk: the rename would do it with both directories locked, and others would wait.
 * On engine threads.
 */
#ifndef LOCAL_UNLINKED_H
#define LOCAL_UNLINKED_H

#include "dir.h"

enum {
	UNLINKED_MAX = 2, /* the file replaced, and the one before it */
};

/* Huge ones, which are still to be freed. */
struct unlinked {
	int fd[UNLINKED_MAX]; /* -1: none */
};

void unlinked_init(struct unlinked *u);

/*
 * unlinked_hold(dir, name):
 * A file that loses its name is freed when this is closed, and not while others
 * wait for the lock: that may take seconds.  -1: it is freed at once.
 */
int unlinked_hold(int dir, const char *name);

/* Have it freed now; unless it is so huge that its disk could be taken for
 * stalled: then it goes into `u`. */
void unlinked_release(struct unlinked *u, int fd);

bool unlinked_is_any(const struct unlinked *u);
void unlinked_close(struct unlinked *u);

/*
 * unlinked_remove(at, e, u):
 * Remove the upload `e`, if it still is the file that it was: 0, LOCAL_REFUSED (it
 * is another) or -errno.  If freeing it takes time, it goes into `u`; NULL: then
 * it takes time.
 */
NODISCARD int unlinked_remove(
    struct local_dir *at, const struct latest_entry *e, struct unlinked *u);

#endif
