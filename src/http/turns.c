#include "http/turns.h"

/* Only those that wait now: one that comes to wait again has the next turn. */
static void
on_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct turns *t = w->data;
	struct list due;
	struct list_node *n;

	(void)loop;
	(void)revents;
	list_init(&due);
	list_append_all(&due, &t->waiting);
	while ((n = list_shift(&due)) != NULL)
		t->take(n);
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
	if (ev_is_active(&t->timer))
		return;
	ev_timer_set(&t->timer, 0., 0.);
	ev_timer_start(t->loop, &t->timer);
}
