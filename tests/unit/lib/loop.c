#include "lib/loop.h"

#include "base/clock.h"
#include "base/list.h"
#include "lib/cmocka_with.h"

static void
on_tick(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct test_loop *l = container_of(w, struct test_loop, tick);

	(void)loop;
	(void)revents;
	if (l->on_turn != NULL)
		l->on_turn();
}

void
test_loop_begin(struct test_loop *l, size_t size, size_t chunks)
{
	*l = (struct test_loop){.loop = ev_loop_new(EVFLAG_AUTO)};
	assert_non_null(l->loop);
	l->pool = chunk_pool_new(l->loop, size, size * chunks);
	assert_non_null(l->pool);
	chunk_account_add(l->pool, &l->account);
	ev_prepare_init(&l->tick, on_tick);
	ev_prepare_start(l->loop, &l->tick);
}

void
test_loop_end(struct test_loop *l)
{
	ev_prepare_stop(l->loop, &l->tick);
	chunk_account_remove(l->pool, &l->account);
	chunk_pool_free(&l->pool);
	ev_loop_destroy(l->loop);
	l->loop = NULL;
}

void
test_loop_turn(struct test_loop *l, unsigned n)
{
	while (n-- > 0)
		ev_run(l->loop, EVRUN_NOWAIT);
}

bool
test_loop_await(struct test_loop *l, bool (*what)(void), unsigned patience_s)
{
	uint64_t end = clock_mono_ns() + patience_s * NS_PER_S;

	while (!what() && clock_mono_ns() < end)
		test_loop_turn(l, 1);
	return what();
}
