#include "retry.h"

#include "base/errno_class.h"
#include "dir.h"
#include "local_error.h"

#define RETRY_S 1.0
#define BRIEF_S 0.1

enum {
	BRIEF_MAX = 10, /* then it is not for a moment */
};

static void
retry_on_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct retry *r = w->data;

	(void)loop;
	(void)revents;
	r->again(r->owner);
}

void
retry_init(struct retry *r, struct ev_loop *loop, void (*again)(void *owner),
    void *owner)
{
	r->loop = loop;
	r->again = again;
	r->owner = owner;
	ev_timer_init(&r->timer, retry_on_due, 0., 0.);
	r->timer.data = r;
}

bool
retry_later(struct retry *r, int err)
{
	bool brief = (errno_is_our_lack(err) || err == LOCAL_HELD_UP) &&
		     r->brief < BRIEF_MAX;

	r->brief += brief;
	ev_timer_stop(r->loop, &r->timer);
	ev_timer_set(&r->timer, brief ? BRIEF_S : RETRY_S, 0.);
	ev_timer_start(r->loop, &r->timer);
	return !brief;
}

bool
retry_is_due(const struct retry *r)
{
	return ev_is_active(&r->timer);
}

void
retry_stop(struct retry *r)
{
	ev_timer_stop(r->loop, &r->timer);
}

void
retry_reset(struct retry *r)
{
	r->brief = 0;
}
