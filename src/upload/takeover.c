#include "upload/takeover.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "shared/bell.h"

struct takeover {
	struct ev_loop *loop;
	struct wanted *wanted;
	const struct bell *bell;
	struct list holds, waits;
	ev_io on_bell;	/* fd -1: there is no bell */
	ev_timer watch; /* instead of one */
};

/* ---- what is wanted of what is held ---- */

static void
tell_holders(struct takeover *t)
{
	uint64_t now = clock_mono_ns();
	struct list told;
	struct list_node *n;

	if (!wanted_any(t->wanted, now))
		return;
	list_init(&told);
	while ((n = list_shift(&t->holds)) != NULL) {
		struct takeover_hold *h =
		    container_of(n, struct takeover_hold, node);

		list_append(&told, n);
		if (wanted_is(t->wanted, h->key, h->since_ns, now))
			h->on_wanted(h); /* may release it, and free it */
	}
	list_append_all(&t->holds, &told);
}

/* ---- who waits ---- */

static void
wish(struct takeover_wait *w)
{
	if (!w->asks)
		return;
	wanted_post(w->takeover->wanted, w->key, w->since_ns, clock_mono_ns());
	bell_ring(w->takeover->bell);
}

/* What they wait for was let go, perhaps. */
static void
try_again(struct takeover *t)
{
	struct list tried;
	struct list_node *n;

	list_init(&tried);
	while ((n = list_shift(&t->waits)) != NULL) {
		struct takeover_wait *w =
		    container_of(n, struct takeover_wait, node);

		uint64_t turns = wanted_turns(t->wanted, w->key);

		list_append(&tried, n);
		if (turns != w->turns) {
			w->turns = turns;
			w->on_try(w); /* may end it, and free it */
		}
	}
	list_append_all(&t->waits, &tried);
}

static void
on_pause(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct takeover_wait *w =
	    container_of(timer, struct takeover_wait, timer);

	(void)revents;
	w->pause_s *= 2;
	if (w->pause_s > TAKEOVER_TRY_MS / 1e3)
		w->pause_s = TAKEOVER_TRY_MS / 1e3;
	timer->repeat = w->pause_s;
	ev_timer_again(loop, timer);
	if (!takeover_is_over(w))
		wish(w);
	w->on_try(w); /* may end it, and free it */
}

/* ---- the bell ---- */

/* Listen while there is something to listen for. */
static void
heed(struct takeover *t)
{
	bool holds = !list_is_empty(&t->holds);

	if (t->on_bell.fd == -1) {
		if (!holds)
			ev_timer_stop(t->loop, &t->watch);
		else if (!ev_is_active(&t->watch))
			ev_timer_again(t->loop, &t->watch);
	} else if (holds || !list_is_empty(&t->waits)) {
		ev_io_start(t->loop, &t->on_bell);
	} else {
		ev_io_stop(t->loop, &t->on_bell);
	}
}

static void
on_bell(struct ev_loop *loop, ev_io *io, int revents)
{
	struct takeover *t = container_of(io, struct takeover, on_bell);

	(void)loop;
	(void)revents;
	bell_heard(io->fd);
	tell_holders(t);
	try_again(t);
	heed(t); /* while they were called, lists were shorter */
}

static void
on_watch(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct takeover *t = container_of(timer, struct takeover, watch);

	(void)loop;
	(void)revents;
	tell_holders(t);
	heed(t);
}

struct takeover *
takeover_new(
    struct ev_loop *loop, struct wanted *wanted, const struct bell *bell)
{
	struct takeover *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->loop = loop;
	t->wanted = wanted;
	t->bell = bell;
	list_init(&t->holds);
	list_init(&t->waits);
	ev_io_init(&t->on_bell, on_bell, bell_listen(bell), EV_READ);
	ev_timer_init(&t->watch, on_watch, 0., TAKEOVER_TRY_MS / 1e3);
	return t;
}

void
takeover_free(struct takeover **tp)
{
	struct takeover *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	check(list_is_empty(&t->holds) && list_is_empty(&t->waits));
	fd_close(&t->on_bell.fd);
	free(t);
}

void
takeover_hold(struct takeover *t, struct takeover_hold *h, const char *id,
    uint64_t since_ns)
{
	h->key = wanted_key_of(id);
	h->since_ns = since_ns;
	list_append(&t->holds, &h->node);
	heed(t);
}

void
takeover_release(struct takeover *t, struct takeover_hold *h)
{
	if (!list_is_linked(&h->node))
		return;
	list_remove(&h->node);
	if (wanted_let_go(t->wanted, h->key, clock_mono_ns()))
		bell_ring(t->bell);
	heed(t);
}

static void
begin_wait(struct takeover *t, struct takeover_wait *w, const char *id,
    uint64_t since_ns, bool asks)
{
	w->takeover = t;
	w->asks = asks;
	w->key = wanted_key_of(id);
	w->since_ns = since_ns;
	w->until_ns = clock_mono_ns() + TAKEOVER_WAIT_MS * NS_PER_MS;
	w->pause_s = TAKEOVER_FIRST_MS / 1e3;
	list_append(&t->waits, &w->node);
	ev_timer_init(&w->timer, on_pause, 0., w->pause_s);
	ev_timer_again(t->loop, &w->timer);
	heed(t);
	wish(w);
	w->turns = wanted_turns(t->wanted, w->key);
}

void
takeover_wait(struct takeover *t, struct takeover_wait *w, const char *id,
    uint64_t since_ns)
{
	begin_wait(t, w, id, since_ns, true);
}

void
takeover_look(struct takeover *t, struct takeover_wait *w, const char *id,
    uint64_t since_ns)
{
	begin_wait(t, w, id, since_ns, false);
}

bool
takeover_is_over(const struct takeover_wait *w)
{
	return clock_mono_ns() >= w->until_ns;
}

void
takeover_end(struct takeover_wait *w)
{
	struct takeover *t;

	if (!list_is_linked(&w->node))
		return;
	t = w->takeover;
	list_remove(&w->node);
	ev_timer_stop(t->loop, &w->timer);
	if (w->asks)
		wanted_clear(t->wanted, w->key, w->since_ns);
	heed(t);
}
