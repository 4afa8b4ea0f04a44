#include "http/turns.h"

static void
turns_set_timer(struct turns *t)
{
	if (ev_is_active(&t->timer))
		return;
	ev_timer_set(&t->timer, 0., 0.);
	ev_timer_start(t->loop, &t->timer);
}

/* Only those that wait now: one that comes to wait again has the next turn. */
static void
turns_take_all(struct turns *t)
{
	struct list due;
	struct list_node *n;

	list_init(&due);
	list_append_all(&due, &t->waiting);
	while ((n = list_shift(&due)) != NULL)
		t->take(n);
}

static void
turns_take_one(struct turns *t)
{
	struct list_node *n = list_shift(&t->waiting);

	if (!list_is_empty(&t->waiting))
		turns_set_timer(t);
	t->last = ev_iteration(t->loop);
	if (n != NULL)
		t->take(n);
}

static void
on_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct turns *t = w->data;

	(void)loop;
	(void)revents;
	if (t->singly)
		turns_take_one(t);
	else
		turns_take_all(t);
}

bool
turns_take_free(struct turns *t)
{
	check(t->singly);
	if (!list_is_empty(&t->waiting) || t->last == ev_iteration(t->loop))
		return false;
	t->last = ev_iteration(t->loop);
	return true;
}

void
turns_init(struct turns *t, struct ev_loop *loop, bool singly,
    void (*take)(struct list_node *n))
{
	t->loop = loop;
	t->singly = singly;
	t->last = 0;
	t->take = take;
	list_init(&t->waiting);
	ev_timer_init(&t->timer, on_turn, 0., 0.);
	t->timer.data = t;
}

void
turns_await(struct turns *t, struct list_node *n)
{
	list_append(&t->waiting, n);
	turns_set_timer(t);
}
