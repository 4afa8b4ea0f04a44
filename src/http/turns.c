#include "http/turns.h"

static void
schedule(struct turns *t)
{
	ev_timer_set(&t->timer, 0., 0.);
	ev_timer_start(t->loop, &t->timer);
}

/* Only those that wait now: one that comes to wait again has the next turn. */
static void
on_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct turns *t = w->data;
	struct list_node *last = t->waiting.head.prev, *n;

	(void)loop;
	(void)revents;
	do {
		n = list_shift(&t->waiting);
		if (n != NULL)
			t->take(n);
	} while (n != last && n != NULL);
	if (!list_is_empty(&t->waiting))
		schedule(t);
}

void
turns_init(
    struct turns *t, struct ev_loop *loop, void (*take)(struct list_node *n))
{
	t->loop = loop;
	t->take = take;
	list_init(&t->waiting);
	ev_timer_init(&t->timer, on_turn, 0., 0.);
	t->timer.data = t;
}

void
turns_await(struct turns *t, struct list_node *n)
{
	list_append(&t->waiting, n);
	if (!ev_is_active(&t->timer))
		schedule(t);
}
