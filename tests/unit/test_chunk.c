/*
 * The chunk pool: its budget, and the rules that keep one claim from taking what
 * others need.  Most tests have a pool of ten chunks.
 */
#include "disk/chunk.h"

#include <errno.h>
#include <ev.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/child.h"
#include "set_clock.h"

enum {
	SIZE = 8192,
	BUDGET = 10,
	MANY = 32,
};

/* What takes chunks: an upload, as the pool sees it. */
struct taker {
	struct chunk_claim claim;
	struct chunk *has[MANY];
	size_t count;
	unsigned granted; /* brought by on_grant */
	unsigned turn;	  /* ordinal, among all grants, of its first */
};

static unsigned turns;

static struct ev_loop *loop;
static struct chunk_pool *pool;
static struct chunk_account one, two;

/*
 * The system's memory, which can be short.  Sanitizers have their own, and a
 * PORTABLE build has the heap.
 */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&         \
    !IS_PORTABLE
#define MEMORY_IS_OURS true
static bool no_memory;
static int mapped;

void *
mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	long got;

	if (no_memory) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	got = syscall(SYS_mmap, at, len, prot, flags, fd, offset);
	mapped++;
	return got == -1 ? MAP_FAILED : (void *)got;
}

int
munmap(void *at, size_t len)
{
	mapped--;
	return (int)syscall(SYS_munmap, at, len);
}
#else
#define MEMORY_IS_OURS false
static bool no_memory;
static int mapped;
#endif

static int
set_up(void **state)
{
	(void)state;
	loop = ev_loop_new(EVFLAG_AUTO);
	pool = chunk_pool_new(loop, SIZE, SIZE * BUDGET + SIZE / 2);
	assert_non_null(pool);
	one = two = (struct chunk_account){0};
	turns = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	assert_int_equal(chunk_pool_held(pool), 0);
	if (list_is_linked(&one.node))
		chunk_account_remove(pool, &one);
	if (list_is_linked(&two.node))
		chunk_account_remove(pool, &two);
	chunk_pool_free(&pool);
	assert_null(pool);
	ev_loop_destroy(loop);
	return 0;
}

static void
on_grant(struct chunk_claim *claim, struct chunk *c)
{
	struct taker *t = container_of(claim, struct taker, claim);

	assert_int_equal(c->len, 0);
	if (t->granted++ == 0)
		t->turn = ++turns;
	t->has[t->count++] = c;
}

static struct taker
taker(struct chunk_account *account)
{
	return (struct taker){
	    .claim = {.account = account, .on_grant = on_grant}};
}

/* Take one now; false: it waits. */
static bool
take(struct taker *t)
{
	struct chunk *c = chunk_take(pool, &t->claim);

	if (c != NULL)
		t->has[t->count++] = c;
	return c != NULL;
}

/* Take until it has to wait; how many it has then. */
static size_t
take_all(struct taker *t)
{
	while (take(t))
		assert_true(t->count < MANY);
	return t->count;
}

static void
give(struct taker *t)
{
	assert_true(t->count > 0);
	chunk_give(t->has[--t->count]);
}

static void
leave(struct taker *t)
{
	chunk_stop_waiting(pool, &t->claim);
	while (t->count > 0)
		give(t);
	assert_int_equal(t->claim.held, 0);
}

/* One turn of the loop: deliver what can be. */
static void
turn(void)
{
	ev_run(loop, EVRUN_NOWAIT);
}

static void
a_chunk_is_aligned_empty_and_whole(void **state)
{
	struct taker t = taker(&one);

	(void)state;
	chunk_account_add(pool, &one);
	assert_int_equal(chunk_size(pool), SIZE);
	for (int i = 0; i < BUDGET; i++) {
		assert_true(take(&t));
		assert_int_equal((uintptr_t)t.has[i]->data % 4096, 0);
		assert_int_equal(t.has[i]->len, 0);
		assert_int_equal(t.has[i]->taken, 0);
		memset(t.has[i]->data, i, SIZE);
		t.has[i]->len = t.has[i]->taken = SIZE;
	}
	leave(&t);
	assert_true(take(&t));
	assert_int_equal(t.has[0]->len, 0);
	assert_int_equal(t.has[0]->taken, 0);
	leave(&t);
}

static void
the_budget_is_the_most_there_is(void **state)
{
	struct taker t[3] = {taker(&one), taker(&one), taker(&one)};

	(void)state;
	chunk_account_add(pool, &one);
	for (int i = 0; i < BUDGET; i++)
		assert_true(take(&t[i % 2]));
	for (int i = 0; i < 3; i++)
		assert_false(take(&t[i]));
	assert_int_equal(chunk_pool_held(pool), BUDGET);
	assert_int_equal(one.held, BUDGET);
	assert_int_equal(one.waiting, 3);
	turn();
	assert_int_equal(chunk_pool_held(pool), BUDGET);
	for (int i = 0; i < 3; i++)
		leave(&t[i]);
	assert_int_equal(one.held, 0);
	assert_int_equal(one.waiting, 0);
}

static void
the_one_used_last_comes_first(void **state)
{
	struct taker t = taker(&one);
	struct chunk *a, *b;

	(void)state;
	chunk_account_add(pool, &one);
	assert_true(take(&t) && take(&t));
	a = t.has[0];
	b = t.has[1];
	leave(&t); /* gives b, then a */
	assert_true(take(&t));
	assert_ptr_equal(t.has[0], a);
	assert_true(take(&t));
	assert_ptr_equal(t.has[1], b);
	leave(&t);
}

static void
a_grant_comes_from_the_loop(void **state)
{
	struct taker a = taker(&one), b = taker(&one);

	(void)state;
	chunk_account_add(pool, &one);
	assert_int_equal(take_all(&a), BUDGET);
	chunk_stop_waiting(pool, &a.claim);
	assert_false(take(&b));
	give(&a);
	assert_int_equal(b.granted, 0);
	turn();
	assert_int_equal(b.granted, 1);
	assert_int_equal(b.claim.held, 1);
	assert_false(list_is_linked(&b.claim.node));
	leave(&a);
	leave(&b);
}

static void
a_claim_that_stopped_does_not_wait(void **state)
{
	struct taker a = taker(&one), b = taker(&one);

	(void)state;
	chunk_account_add(pool, &one);
	take_all(&a);
	chunk_stop_waiting(pool, &a.claim);
	assert_false(take(&b));
	give(&a);
	chunk_stop_waiting(pool, &b.claim);
	chunk_stop_waiting(pool, &b.claim); /* nothing the second time */
	turn();
	assert_int_equal(b.granted, 0);
	assert_int_equal(one.waiting, 0);
	leave(&a);
}

static void
each_claim_gets_one_before_any_gets_two(void **state)
{
	struct taker a = taker(&one), b = taker(&one), c = taker(&one);

	(void)state;
	chunk_account_add(pool, &one);
	assert_int_equal(take_all(&a), BUDGET); /* `a` waits, first of all */
	assert_false(take(&b));
	assert_false(take(&c));
	give(&a);
	turn();
	assert_int_equal(b.granted, 1);
	give(&a);
	turn();
	assert_int_equal(c.granted, 1);
	assert_int_equal(a.granted, 0);
	give(&a);
	turn();
	assert_int_equal(a.granted, 1);
	leave(&a);
	leave(&b);
	leave(&c);
}

static void
a_second_is_not_taken_from_a_claim_that_has_none(void **state)
{
	struct taker a = taker(&one), b = taker(&one);

	(void)state;
	chunk_account_add(pool, &one);
	take_all(&a);
	chunk_stop_waiting(pool, &a.claim);
	assert_false(take(&b));
	give(&a);
	/* There is one, but the loop has not brought it to `b` yet. */
	assert_false(take(&a));
	turn();
	assert_int_equal(b.granted, 1);
	assert_int_equal(a.granted, 0);
	leave(&a);
	leave(&b);
}

/* Take spare ones until there are none; how many chunks it has then. */
static size_t
take_spares(struct taker *t)
{
	struct chunk *c;

	while ((c = chunk_take_spare(pool, &t->claim)) != NULL) {
		assert_int_equal(c->len, 0);
		assert_true(t->count < MANY);
		t->has[t->count++] = c;
	}
	assert_false(list_is_linked(&t->claim.node));
	return t->count;
}

/* A quarter of the budget stays for others, who get it without waiting. */
static void
spare_ones_are_what_nobody_needs(void **state)
{
	struct taker a = taker(&one), b = taker(&one);

	(void)state;
	chunk_account_add(pool, &one);
	assert_true(take(&a));
	assert_int_equal(take_spares(&a), BUDGET - BUDGET / 4);
	assert_true(take(&b));
	assert_int_equal(take_spares(&b), 1);
	give(&a);
	assert_int_equal(take_spares(&b), 1);
	give(&a);
	assert_int_equal(take_spares(&b), 2);
	leave(&a);
	leave(&b);
}

static void
nothing_is_spare_while_a_claim_waits(void **state)
{
	struct taker a = taker(&one), b = taker(&one), c = taker(&one);

	(void)state;
	chunk_account_add(pool, &one);
	assert_true(take(&a));
	assert_int_equal(take_all(&b), BUDGET - 1);
	assert_false(take(&c));
	while (b.count > 0)
		give(&b);
	assert_int_equal(take_spares(&a), 1); /* before `c` was served */
	chunk_stop_waiting(pool, &c.claim);
	chunk_stop_waiting(pool, &b.claim);
	assert_true(take_spares(&a) > 1);
	leave(&a);
}

static void
the_claim_that_waits_longest_is_served_first(void **state)
{
	struct taker a = taker(&one), w[5];

	(void)state;
	chunk_account_add(pool, &one);
	take_all(&a);
	chunk_stop_waiting(pool, &a.claim);
	for (int i = 0; i < 5; i++) {
		w[i] = taker(&one);
		assert_false(take(&w[i]));
	}
	for (int i = 0; i < 3; i++)
		give(&a);
	turn();
	for (int i = 0; i < 5; i++)
		assert_int_equal(w[i].granted, i < 3);
	give(&a);
	give(&a);
	turn();
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(w[i].turn, i + 1);
	leave(&a);
	for (int i = 0; i < 5; i++)
		leave(&w[i]);
}

static void
seconds_are_shared_out_in_turn(void **state)
{
	struct taker a = taker(&one), w[3];

	(void)state;
	chunk_account_add(pool, &one);
	for (int i = 0; i < 3; i++) {
		w[i] = taker(&one);
		assert_true(take(&w[i]));
	}
	take_all(&a);
	chunk_stop_waiting(pool, &a.claim);
	for (int i = 0; i < 3; i++)
		assert_false(take(&w[i]));
	for (unsigned i = 0; i < 3; i++) {
		give(&a);
		turn();
		assert_int_equal(w[i].granted, 1);
		assert_int_equal(turns, i + 1);
	}
	leave(&a);
	for (int i = 0; i < 3; i++)
		leave(&w[i]);
}

/*
 * One that was served does not go behind all newcomers: if it waits for another
 * chunk, and has none left, it is in line with those that never had one, by the
 * time that it has waited.
 */
static void
a_claim_that_has_none_left_keeps_its_place(void **state)
{
	struct taker a = taker(&one), b = taker(&one), w[3];

	(void)state;
	chunk_account_add(pool, &one);
	assert_true(take(&b));
	take_all(&a); /* waits first of all, and holds nine */
	w[0] = taker(&one);
	assert_false(take(&w[0]));
	assert_false(take(&b)); /* holds one */
	for (int i = 1; i < 3; i++) {
		w[i] = taker(&one);
		assert_false(take(&w[i]));
	}
	give(&b);
	turn();
	assert_int_equal(w[0].granted, 1);
	give(&a);
	turn();
	assert_int_equal(b.granted, 1); /* before those that came later */
	assert_int_equal(w[1].granted, 0);
	for (int i = 1; i < 3; i++) {
		give(&a);
		turn();
		assert_int_equal(w[i].granted, 1);
	}
	assert_int_equal(a.granted, 0);
	while (a.count > 0)
		give(&a);
	turn();
	assert_int_equal(a.granted, 1);
	leave(&a);
	leave(&b);
	for (int i = 0; i < 3; i++)
		leave(&w[i]);
}

/* A claim does not have a chunk that was disowned. */
static void
a_claim_whose_chunks_are_disowned_has_none(void **state)
{
	struct taker a = taker(&one), b = taker(&one), w = taker(&one);
	struct chunk *c;

	(void)state;
	chunk_account_add(pool, &one);
	assert_true(take(&b));
	take_all(&a);
	chunk_stop_waiting(pool, &a.claim);
	assert_false(take(&b));
	assert_false(take(&w));
	c = b.has[--b.count];
	chunk_disown(c);
	give(&a);
	turn();
	assert_int_equal(b.granted, 1);
	assert_int_equal(w.granted, 0);
	chunk_give(c);
	turn();
	assert_int_equal(w.granted, 1);
	leave(&a);
	leave(&b);
	leave(&w);
}

/*
 * A crowd of which each takes one chunk, keeps it for a while, and comes again
 * at once; and an upload that wants as many as it can get and keeps none.  It
 * gets its turn as often as one of the crowd does.
 */
static void
a_crowd_of_new_claims_leaves_each_its_share(void **state)
{
	enum { CROWD = 60, KEEP = 7, TURNS = 4000 };
	struct taker crowd[CROWD], a = taker(&one);
	unsigned since[CROWD] = {0}, grants = 0, had = 0;

	(void)state;
	chunk_account_add(pool, &one);
	for (unsigned i = 0; i < CROWD; i++)
		crowd[i] = taker(&one);
	for (unsigned now = 1; now <= TURNS; now++) {
		for (unsigned i = 0; i < CROWD; i++) {
			struct taker *t = &crowd[i];

			if (t->count > 0 && since[i] == 0) {
				since[i] = now;
				grants++;
			}
			if (t->count > 0 && now - since[i] >= KEEP)
				give(t);
			if (t->count == 0 && !list_is_linked(&t->claim.node)) {
				since[i] = 0;
				(void)take(t);
			}
		}
		had += (unsigned)a.count;
		while (a.count > 0)
			give(&a);
		if (!list_is_linked(&a.claim.node))
			take_all(&a);
		turn();
	}
	assert_true(grants > TURNS);
	assert_true(had >= grants / CROWD / 2);
	leave(&a);
	for (unsigned i = 0; i < CROWD; i++)
		leave(&crowd[i]);
}

/* One that is served may leave, and with it others that wait. */
static struct taker *goes_too;

static void
on_grant_leave(struct chunk_claim *claim, struct chunk *c)
{
	on_grant(claim, c);
	leave(goes_too);
}

static void
a_claim_that_is_served_may_end_the_waiting_of_others(void **state)
{
	struct taker a = taker(&one), b = taker(&one), w[3];

	(void)state;
	chunk_account_add(pool, &one);
	take_all(&a);
	chunk_stop_waiting(pool, &a.claim);
	give(&a);
	assert_true(take(&b));
	for (int i = 0; i < 3; i++) {
		w[i] = taker(&one);
		assert_false(take(&w[i]));
	}
	assert_false(take(&b));
	w[0].claim.on_grant = on_grant_leave;
	goes_too = &w[1];
	give(&a);
	give(&a);
	turn();
	assert_int_equal(w[0].granted, 1);
	assert_int_equal(w[1].granted, 0);
	assert_int_equal(w[2].granted, 1);
	goes_too = &b; /* with its chunk: it changes lines, and leaves */
	w[1].claim.on_grant = on_grant_leave;
	assert_false(take(&w[1]));
	give(&a);
	turn();
	assert_int_equal(w[1].granted, 1);
	assert_int_equal(b.granted, 0);
	leave(&a);
	for (int i = 0; i < 3; i++)
		leave(&w[i]);
}

static void
a_claim_that_asks_now_takes_nothing_from_those_that_wait(void **state)
{
	struct taker a = taker(&one), b = taker(&one), c = taker(&one);

	(void)state;
	chunk_account_add(pool, &one);
	take_all(&a);
	chunk_stop_waiting(pool, &a.claim);
	assert_false(take(&b));
	give(&a);
	assert_false(take(&c)); /* there is one, and it is for `b` */
	turn();
	assert_int_equal(b.granted, 1);
	assert_int_equal(c.granted, 0);
	leave(&a);
	turn();
	assert_int_equal(c.granted, 1);
	leave(&b);
	leave(&c);
}

static void
alone_a_device_may_have_it_all(void **state)
{
	struct taker a = taker(&one);

	(void)state;
	chunk_account_add(pool, &one);
	assert_int_equal(take_all(&a), BUDGET);
	leave(&a);
}

static void
beside_others_a_device_leaves_some_for_a_newcomer(void **state)
{
	struct taker a = taker(&one), b = taker(&two), c = taker(&two);

	(void)state;
	chunk_account_add(pool, &one);
	chunk_account_add(pool, &two);
	/* Four times what is free: 8 of 10, though it is the only one. */
	assert_int_equal(take_all(&a), BUDGET * 4 / 5);
	assert_true(take(&b));
	assert_true(take(&c));
	leave(&b);
	leave(&c);
	turn();
	assert_int_equal(a.granted, 0);
	give(&a);
	turn();
	assert_int_equal(a.granted, 1);
	leave(&a);
}

/* However small the pool: greed leaves one chunk for each that has none. */
static void
the_last_chunk_is_kept_for_a_newcomer(void **state)
{
	(void)state;
	for (size_t budget = 2; budget <= BUDGET; budget++) {
		struct taker a = taker(&one), b = taker(&two);

		chunk_pool_free(&pool);
		pool = chunk_pool_new(loop, SIZE, SIZE * budget);
		assert_non_null(pool);
		one = two = (struct chunk_account){0};
		chunk_account_add(pool, &one);
		chunk_account_add(pool, &two);
		assert_true(take_all(&a) < budget);
		assert_true(take(&b));
		leave(&a);
		leave(&b);
		turn();
		chunk_account_remove(pool, &one);
		chunk_account_remove(pool, &two);
	}
}

static void
two_devices_stop_at_four_ninths_each(void **state)
{
	struct taker a = taker(&one), b = taker(&two);
	bool more = true;

	(void)state;
	chunk_account_add(pool, &one);
	chunk_account_add(pool, &two);
	while (more) {
		more = !list_is_linked(&a.claim.node) && take(&a);
		more |= !list_is_linked(&b.claim.node) && take(&b);
	}
	assert_true(chunk_pool_held(pool) < BUDGET);
	assert_true(a.count >= 4 && a.count <= 5);
	assert_true(b.count >= 4 && b.count <= 5);
	leave(&a);
	leave(&b);
}

static void
half_is_the_most_while_another_device_waits(void **state)
{
	struct taker a = taker(&one), b = taker(&two);

	(void)state;
	chunk_account_add(pool, &one);
	chunk_account_add(pool, &two);
	for (int i = 0; i < 6; i++)
		assert_true(take(&a));
	for (int i = 0; i < 4; i++)
		assert_true(take(&b));
	assert_false(take(&b));
	/* Chunks come back, but the loop has not brought any to `b` yet. */
	give(&b);
	give(&b);
	give(&b);
	assert_false(take(&a));
	chunk_stop_waiting(pool, &a.claim);
	/* It is because `b` waits: */
	chunk_stop_waiting(pool, &b.claim);
	assert_true(take(&a));
	leave(&a);
	leave(&b);
}

static void
a_claim_that_cannot_be_served_holds_up_no_other(void **state)
{
	struct taker a = taker(&one), stuck = taker(&one), b = taker(&two);

	(void)state;
	chunk_account_add(pool, &one);
	chunk_account_add(pool, &two);
	assert_int_equal(take_all(&a), 8);
	assert_false(take(&stuck)); /* first to wait, and its disk has enough */
	assert_true(take(&b));
	give(&b);
	turn();
	assert_int_equal(stuck.granted, 0);
	assert_true(take(&b));
	give(&b);
	/* A claim behind it in the same list is served all the same. */
	leave(&a);
	leave(&stuck);
	leave(&b);
}

/*
 * One disk is dead and holds all that it may; more uploads to it wait for
 * their first chunk, and always will.  Uploads to another disk must not be
 * held to one chunk each, which would be taking turns.
 */
static void
a_dead_device_does_not_hold_others_to_one_chunk(void **state)
{
	struct taker dead = taker(&one), waits = taker(&one), b = taker(&two);

	(void)state;
	chunk_account_add(pool, &one);
	chunk_account_add(pool, &two);
	assert_int_equal(take_all(&dead), 8);
	assert_false(take(&waits));
	assert_true(take(&b));
	assert_true(take(&b) || (turn(), b.granted > 0));
	leave(&b);
	leave(&waits);
	leave(&dead);
}

static void
a_disowned_chunk_outlives_its_taker(void **state)
{
	struct taker *gone = malloc(sizeof(*gone)), w = taker(&one);
	struct chunk *c;

	(void)state;
	chunk_account_add(pool, &one);
	*gone = taker(&one);
	take_all(gone);
	chunk_stop_waiting(pool, &gone->claim);
	c = gone->has[--gone->count];
	chunk_disown(c);
	chunk_disown(c); /* nothing the second time */
	assert_int_equal(gone->claim.held, BUDGET - 1);
	assert_false(take(&w));
	while (gone->count > 0)
		give(gone);
	assert_int_equal(gone->claim.held, 0);
	free(gone);
	assert_int_equal(chunk_pool_held(pool), 1);
	assert_int_equal(one.held, 1); /* its device is still charged */
	turn();
	assert_int_equal(w.granted, 1);
	chunk_give(c);
	leave(&w);
}

static void
a_disowned_chunk_that_comes_back_wakes_a_claim(void **state)
{
	struct taker a = taker(&one), w = taker(&one);
	struct chunk *c;

	(void)state;
	chunk_account_add(pool, &one);
	take_all(&a);
	chunk_stop_waiting(pool, &a.claim);
	assert_false(take(&w));
	c = a.has[--a.count];
	chunk_disown(c);
	turn();
	assert_int_equal(w.granted, 0);
	chunk_give(c);
	turn();
	assert_int_equal(w.granted, 1);
	assert_ptr_equal(w.has[0], c);
	leave(&a);
	leave(&w);
}

/* Thousands of random steps; what must hold at each of them, holds. */
static void
at_random_the_sums_are_right(void **state)
{
	struct taker t[8];
	unsigned seed = 1;

	(void)state;
	chunk_account_add(pool, &one);
	chunk_account_add(pool, &two);
	for (int i = 0; i < 8; i++)
		t[i] = taker(i < 5 ? &one : &two);
	for (int step = 0; step < 20000; step++) {
		struct taker *x = &t[rand_r(&seed) % 8];
		size_t held[2] = {0, 0};

		switch (rand_r(&seed) % 7) {
		case 0:
		case 1:
			if (!list_is_linked(&x->claim.node))
				(void)take(x);
			break;
		case 2:
		case 3:
			if (x->count > 0)
				give(x);
			break;
		case 4:
			if (rand_r(&seed) % 4 == 0)
				leave(x);
			break;
		case 5:
			if (x->count > 0 && !list_is_linked(&x->claim.node))
				(void)take_spares(x);
			break;
		default:
			turn();
			break;
		}
		for (int i = 0; i < 8; i++) {
			assert_int_equal(t[i].claim.held, t[i].count);
			held[i >= 5] += t[i].count;
		}
		assert_int_equal(one.held, held[0]);
		assert_int_equal(two.held, held[1]);
		assert_int_equal(chunk_pool_held(pool), held[0] + held[1]);
		assert_true(chunk_pool_held(pool) <= BUDGET);
	}
	/* When all that was held comes back, all that wait are served. */
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < 8; i++)
			while (t[i].count > 0)
				give(&t[i]);
		turn();
	}
	for (int i = 0; i < 8; i++)
		assert_false(list_is_linked(&t[i].claim.node));
	for (int i = 0; i < 8; i++)
		leave(&t[i]);
}

static void
give_twice(void)
{
	struct taker t = taker(&one);
	struct chunk *c;

	(void)take(&t);
	c = t.has[0];
	chunk_give(c);
	chunk_give(c);
}

static void
give_in_flight(void)
{
	struct taker t = taker(&one);
	struct list writing;

	list_init(&writing);
	(void)take(&t);
	list_append(&writing, &t.has[0]->node);
	chunk_give(t.has[0]);
}

static void
free_while_out(void)
{
	struct taker t = taker(&one);

	(void)take(&t);
	chunk_pool_free(&pool);
}

static void
wait_twice(void)
{
	struct taker t = taker(&one);

	take_all(&t);
	(void)take(&t);
}

static void
misuse_ends_the_process(void **state)
{
	(void)state;
	chunk_account_add(pool, &one);
	assert_int_equal(dies_of(give_twice), SIGABRT);
	assert_int_equal(dies_of(give_in_flight), SIGABRT);
	assert_int_equal(dies_of(free_while_out), SIGABRT);
	assert_int_equal(dies_of(wait_twice), SIGABRT);
}

/* Turn the loop, each ms, until `*what` is at most `most`, or for 20 s. */
static bool
falls_to(const int *what, int most)
{
	for (int i = 0; i < 20000 && *what > most; i++) {
		ev_run(loop, EVRUN_NOWAIT);
		usleep(1000);
	}
	return *what <= most;
}

static void
chunks_that_are_not_needed_go_back_to_the_system(void **state)
{
	enum { ALL = 200, KEPT = 16 };
	static struct chunk *chunks[ALL];
	struct chunk_claim claim = {.account = &one, .on_grant = on_grant};
	int before;

	(void)state;
	if (!MEMORY_IS_OURS)
		skip();
	chunk_pool_free(&pool);
	pool = chunk_pool_new(loop, SIZE, (size_t)SIZE * ALL);
	chunk_account_add(pool, &one);
	before = mapped;
	for (int i = 0; i < ALL; i++) {
		chunks[i] = chunk_take(pool, &claim);
		assert_non_null(chunks[i]);
	}
	assert_int_equal(mapped, before + ALL);
	for (int i = 0; i < ALL; i++)
		chunk_give(chunks[i]);
	/* Not at once: they may be needed again. */
	assert_int_equal(mapped, before + ALL);
	assert_true(falls_to(&mapped, before + KEPT));
	assert_int_equal(mapped, before + KEPT);
	for (int i = 0; i < ALL; i++)
		chunks[i] = chunk_take(pool, &claim);
	for (int i = 0; i < ALL; i++)
		chunk_give(chunks[i]);
}

/* There is none that could come back: it is tried again all the same. */
static void
short_memory_is_asked_for_again(void **state)
{
	struct taker t = {.claim = {.account = &one, .on_grant = on_grant}};
	int ungranted = 1;

	(void)state;
	if (!MEMORY_IS_OURS)
		skip();
	chunk_account_add(pool, &one);
	no_memory = true;
	assert_null(chunk_take(pool, &t.claim));
	ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(t.granted, 0);
	no_memory = false;
	for (int i = 0; i < 10000 && ungranted > 0; i++) {
		ev_run(loop, EVRUN_NOWAIT);
		usleep(1000);
		ungranted = 1 - (int)t.granted;
	}
	assert_int_equal(t.granted, 1);
	chunk_give(t.has[0]);
}

/* The last one that has it gives it back. */
static void
a_shared_chunk_goes_back_when_all_have_done(void **state)
{
	struct taker t = taker(&one);
	struct chunk *c;

	(void)state;
	chunk_account_add(pool, &one);
	for (int owner_first = 0; owner_first < 2; owner_first++) {
		c = chunk_take(pool, &t.claim);
		assert_non_null(c);
		chunk_share(c);
		chunk_share(c);
		chunk_unshare(c);
		if (owner_first)
			chunk_give(c);
		else
			chunk_unshare(c);
		/* Until then its taker pays for it. */
		assert_int_equal(chunk_pool_held(pool), 1);
		assert_int_equal(one.held, 1);
		assert_int_equal(t.claim.held, 1);
		if (owner_first)
			chunk_unshare(c);
		else
			chunk_give(c);
		assert_int_equal(chunk_pool_held(pool), 0);
		assert_int_equal(one.held, 0);
		assert_int_equal(t.claim.held, 0);
	}
}

/* Its taker is gone, and so is what it was bound for: only the pool has it. */
static void
a_shared_chunk_outlives_its_device(void **state)
{
	struct taker t = taker(&one);
	struct chunk *c;

	(void)state;
	for (int disowned_first = 0; disowned_first < 2; disowned_first++) {
		chunk_account_add(pool, &one);
		c = chunk_take(pool, &t.claim);
		assert_non_null(c);
		chunk_share(c);
		if (disowned_first)
			chunk_disown(c);
		assert_int_equal(one.held, 1);
		chunk_give(c);
		chunk_disown(c);
		chunk_disown(c);
		assert_int_equal(t.claim.held, 0);
		assert_int_equal(one.held, 0);
		chunk_account_remove(pool, &one);
		assert_int_equal(chunk_pool_held(pool), 1);
		chunk_unshare(c);
		assert_int_equal(chunk_pool_held(pool), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_chunk_is_aligned_empty_and_whole),
	    TEST(the_budget_is_the_most_there_is),
	    TEST(the_one_used_last_comes_first),
	    TEST(a_grant_comes_from_the_loop),
	    TEST(a_claim_that_stopped_does_not_wait),
	    TEST(each_claim_gets_one_before_any_gets_two),
	    TEST(a_second_is_not_taken_from_a_claim_that_has_none),
	    TEST(spare_ones_are_what_nobody_needs),
	    TEST(nothing_is_spare_while_a_claim_waits),
	    TEST(the_claim_that_waits_longest_is_served_first),
	    TEST(seconds_are_shared_out_in_turn),
	    TEST(a_claim_that_has_none_left_keeps_its_place),
	    TEST(a_claim_whose_chunks_are_disowned_has_none),
	    TEST(a_crowd_of_new_claims_leaves_each_its_share),
	    TEST(a_claim_that_is_served_may_end_the_waiting_of_others),
	    TEST(a_claim_that_asks_now_takes_nothing_from_those_that_wait),
	    TEST(alone_a_device_may_have_it_all),
	    TEST(beside_others_a_device_leaves_some_for_a_newcomer),
	    TEST(the_last_chunk_is_kept_for_a_newcomer),
	    TEST(two_devices_stop_at_four_ninths_each),
	    TEST(half_is_the_most_while_another_device_waits),
	    TEST(a_claim_that_cannot_be_served_holds_up_no_other),
	    TEST(a_dead_device_does_not_hold_others_to_one_chunk),
	    TEST(a_disowned_chunk_outlives_its_taker),
	    TEST(a_disowned_chunk_that_comes_back_wakes_a_claim),
	    TEST(a_shared_chunk_goes_back_when_all_have_done),
	    TEST(a_shared_chunk_outlives_its_device),
	    TEST(chunks_that_are_not_needed_go_back_to_the_system),
	    TEST(short_memory_is_asked_for_again),
	    TEST(at_random_the_sums_are_right),
	    TEST(misuse_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
