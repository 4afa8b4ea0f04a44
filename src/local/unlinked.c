/*
 * Files that lose their name to an upload: what it replaces, and (`keep latest`)
 * the one before it.  Freeing a huge one takes seconds, so it is held open until
 * the lock is released, or the client has its answer.  On engine threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "internal.h"
#include "local/path.h"
#include "local_error.h"
#include "newest.h"

/* Freeing as much takes seconds. */
static const off_t UNLINKED_MAX = (off_t)64 << 30;

/*
 * A file that loses its name is freed when this is closed, and not while others
 * wait for the lock: that may take seconds.  -1: it is freed at once.
 */
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
unlinked_release(struct incoming_file *f, int unlinked)
{
	struct stat st;

	if (unlinked != -1 && fstat(unlinked, &st) == 0 &&
	    st.st_size > UNLINKED_MAX) {
		for (int i = 0; i < LOCAL_UNLINKED; i++) {
			if (f->unlinked[i] == -1) {
				f->unlinked[i] = unlinked;
				return;
			}
		}
	}
	fd_close(&unlinked);
}

bool
unlinked_is_any(const struct incoming_file *f)
{
	for (int i = 0; i < LOCAL_UNLINKED; i++) {
		if (f->unlinked[i] != -1)
			return true;
	}
	return false;
}

void
unlinked_close(struct incoming_file *f)
{
	for (int i = 0; i < LOCAL_UNLINKED; i++)
		fd_close(&f->unlinked[i]);
}

/* ---- keep latest ---- */

int
unlinked_remove(
    struct local_dir *at, const struct latest_entry *e, struct incoming_file *f)
{
	struct file_version is;
	const char *rest;
	struct publish_lock lock;
	int parent, dir, unlinked, err;

	err = path_open_parent(at->fd, e->name, &parent, &rest);
	if (err < 0)
		return err;
	err = publish_serialize(&at->publish, e->name, &lock);
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
	publish_release(&lock);
	if (f != NULL)
		unlinked_release(f, unlinked);
	else
		fd_close(&unlinked);
	fd_close(&parent);
	return err;
}

int
unlinked_remove_before_job(void *file)
{
	struct incoming_file *f = file;

	return unlinked_remove(f->at, f->old, f);
}
