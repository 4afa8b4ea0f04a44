#include "publish_wait.h"

#include <errno.h>
#include <time.h>

#include "shared/replacing.h"
#include "publish_sys.h"

enum {
	NAP_NS = 200 * 1000,
	NAPS = 250, /* 50 ms at least */
};

int
publish_wait_alone(const struct publish *p, const struct open_lock *l)
{
	int err = publish_try_lock(l->fd, false);
	const struct publish_waiter *w = &p->waiter;
	uint64_t note;

	if (err != -EWOULDBLOCK)
		return err;
	if (w->notes == NULL)
		return publish_wait_lock(l->fd, false);
	note = replacing_note(w->notes, w->slot, l->dev, l->inode);
	err = publish_wait_lock(l->fd, false);
	replacing_unnote(w->notes, l->dev, l->inode, note);
	return err;
}

bool
publish_is_noted(const struct publish *p, const struct open_lock *l)
{
	return p->waiter.notes != NULL &&
	       replacing_is_noted(p->waiter.notes, l->dev, l->inode);
}

int
publish_wait_together(
    const struct publish *p, const struct open_lock *l, bool now)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};
	int err;

	if (now) {
		err = publish_is_noted(p, l) ? -EWOULDBLOCK
					     : publish_try_lock(l->fd, true);
		return err == -EWOULDBLOCK ? (int)PUBLISH_BUSY : err;
	}
	for (int i = 0; publish_is_noted(p, l); i++) {
		if (i == NAPS)
			return publish_wait_alone(p, l);
		(void)nanosleep(&nap, NULL);
	}
	return publish_wait_lock(l->fd, true);
}
