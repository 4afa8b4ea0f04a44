#include "unlinked.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "local/path.h"
#include "local_error.h"
#include "newest.h"
#include "publish_lock.h"

/* Freeing as much takes seconds. */
static const off_t UNLINKED_HUGE = (off_t)64 << 30;

void
unlinked_init(struct unlinked *u)
{
	for (int i = 0; i < UNLINKED_MAX; i++)
		u->fd[i] = -1;
}

int
unlinked_hold(int dir, const char *name)
{
#ifdef O_PATH
	return openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
#else
	(void)dir;
	(void)name;
	return -1;
#endif
}

/*
 * Have it freed.  The answer waits for that, so that there is room for the next
 * upload; unless it is so huge that its disk could be taken for stalled.
 */
void
unlinked_release(struct unlinked *u, int fd)
{
	struct stat st;

	if (fd != -1 && fstat(fd, &st) == 0 && st.st_size > UNLINKED_HUGE) {
		for (int i = 0; i < UNLINKED_MAX; i++) {
			if (u->fd[i] == -1) {
				u->fd[i] = fd;
				return;
			}
		}
	}
	fd_close(&fd);
}

bool
unlinked_is_any(const struct unlinked *u)
{
	for (int i = 0; i < UNLINKED_MAX; i++) {
		if (u->fd[i] != -1)
			return true;
	}
	return false;
}

void
unlinked_close(struct unlinked *u)
{
	for (int i = 0; i < UNLINKED_MAX; i++)
		fd_close(&u->fd[i]);
}

/* ---- keep latest ---- */

int
unlinked_remove(
    struct local_dir *at, const struct latest_entry *e, struct unlinked *u)
{
	struct file_version is;
	const char *rest;
	struct publish_lock lock;
	int parent, dir, unlinked, err;

	err = path_open_parent(at->fd, e->name, &parent, &rest);
	if (err < 0)
		return err;
	err = publish_take(&at->publish, e->name, 0, &lock);
	if (err < 0) {
		fd_close(&parent);
		return err;
	}
	dir = parent == -1 ? at->fd : parent;
	unlinked = unlinked_hold(dir, rest);
	err = file_version_at(dir, rest, &is);
	if (err == 0 && !newest_is(e, &is))
		err = LOCAL_REFUSED;
	else if (err == 0 && unlinkat(dir, rest, 0) == -1)
		err = -errno;
	publish_release(&at->publish, &lock);
	if (u != NULL)
		unlinked_release(u, unlinked);
	else
		fd_close(&unlinked);
	fd_close(&parent);
	return err;
}
