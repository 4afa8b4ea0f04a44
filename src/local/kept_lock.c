#include "kept_lock.h"

static void
kept_on_sleep(struct ev_loop *loop, ev_prepare *w, int revents)
{
	(void)loop;
	(void)revents;
	kept_lock_release(container_of(w, struct kept_lock, before_sleep));
}

int
kept_lock_take(struct kept_lock *k, struct publish *p, struct ev_loop *loop)
{
	int err;

	if (ev_is_active(&k->before_sleep)) {
		if (!publish_is_awaited(p, &k->lock))
			return 0;
		kept_lock_release(k);
		return PUBLISH_BUSY;
	}
	err = publish_take(p, "",
	    PUBLISH_TOGETHER | PUBLISH_NOW | PUBLISH_UNCHECKED, &k->lock);
	if (err < 0)
		return err;
	k->publish = p;
	k->loop = loop;
	ev_prepare_init(&k->before_sleep, kept_on_sleep);
	ev_prepare_start(loop, &k->before_sleep);
	return 0;
}

void
kept_lock_release(struct kept_lock *k)
{
	if (!ev_is_active(&k->before_sleep))
		return;
	ev_prepare_stop(k->loop, &k->before_sleep);
	publish_release(k->publish, &k->lock);
}
