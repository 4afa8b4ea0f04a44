#include "disk/chunk.h"

#include <ev.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/asan.h"
#include "base/block.h"
#include "loop/deferred.h"

enum {
	/* With several devices none holds more than this times what is free:
	 * one alone stops at 4/5, two at 4/9 each. */
	DYNAMIC_THRESHOLD = 4,
	KEPT_FREE = 4, /* one part in so many of the budget is never given
			  away as spare */
	SPARE = 16,    /* free ones that an idle worker keeps */
	TRIM_MAX = 64, /* given back in one iteration of the loop */
};

/* Chunks that were free for so long go back to the system. */
#define TRIM_S 2.0

/* After a pipe could not be opened: when it is tried again. */
#define PIPES_AGAIN_S 10.0

#define CANARY_FREE 0x66726565U
#define CANARY_HELD 0x68656c64U

struct chunk_pool {
	struct ev_loop *loop;
	struct deferred given; /* a chunk came back, and claims wait */
	size_t size;
	size_t budget; /* chunks */
	size_t held;   /* handed out */
	size_t made;   /* held and free; of those with pipes only held ones */
	ev_timer trim; /* runs while there are many free ones */
	size_t unused; /* the fewest that were free since it ran out */
	struct list free;
	struct list free_pipes; /* chunks with an empty pipe */
	unsigned pipes;		/* open: free and held ones */
	ev_tstamp no_pipes;	/* none is opened before that time */
	struct list accounts;
	size_t account_count;
	uint64_t waits; /* that began; see chunk_claim.since */
	uint64_t moves; /* of claims within or off the lists below */
	/* Claims that wait, the longest waiting first. */
	struct list first_waiting; /* claims that hold none */
	struct list more_waiting;  /* claims that hold some */
};

/* Accounts but `a` that hold nothing: one chunk is kept back for each. */
static size_t
newcomers(const struct chunk_pool *p, const struct chunk_account *a)
{
	size_t count = 0;

	LIST_FOREACH(const struct chunk_account, other, &p->accounts, node) {
		count += other != a && other->held == 0;
	}
	return count;
}

/* May `count` chunks be charged to `a` now?  (The pool is known to have them.) */
static bool
has_share(
    const struct chunk_pool *p, const struct chunk_account *a, size_t count)
{
	/* when it comes to the last of them */
	size_t held = a->held + count - 1;
	size_t left = p->budget - p->held - (count - 1);

	if (p->account_count < 2)
		return true;
	if (held > 0 && left <= newcomers(p, a))
		return false;
	if (held >= DYNAMIC_THRESHOLD * left)
		return false;
	if (held < p->budget / 2)
		return true;
	LIST_FOREACH(struct chunk_account, other, &p->accounts, node) {
		if (other != a && other->waiting > 0)
			return false;
	}
	return true;
}

/* Bring a chunk to the front of the free list when there is none. */
static bool
make_one(struct chunk_pool *p)
{
	struct chunk *c;

	if (!list_is_empty(&p->free))
		return true;
	if (p->made >= p->budget)
		return false;
	c = calloc(1, sizeof(*c));
	if (c == NULL || (c->data = block_map(p->size)) == NULL) {
		free(c);
		/* Perhaps no chunk is out that could come back: the timer tries
		 * again. */
		if (!ev_is_active(&p->trim))
			ev_timer_start(p->loop, &p->trim);
		return false;
	}
	c->pool = p;
	c->weight = 1;
	c->canary = CANARY_FREE;
	ASAN_POISON_MEMORY_REGION(c->data, p->size);
	list_prepend(&p->free, &c->node);
	p->made++;
	return true;
}

/* Give the memory of a free chunk back to the system. */
static void
unmake(struct chunk_pool *p, struct chunk *c)
{
	list_remove(&c->node);
	ASAN_UNPOISON_MEMORY_REGION(c->data, p->size);
	block_unmap(c->data, p->size);
	free(c);
	p->made--;
}

/* Claims that wait may now be served: from the loop. */
static void
serve_later(struct chunk_pool *p)
{
	if (chunk_pool_is_short(p))
		deferred_post(&p->given);
}

/* Those at the end of the list were used longest ago. */
static void
on_trim(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct chunk_pool *p = w->data;

	(void)revents;
	for (unsigned i = 0; i < TRIM_MAX && p->unused > SPARE; i++) {
		unmake(p, container_of(p->free.head.prev, struct chunk, node));
		p->unused--;
	}
	p->unused = p->made - p->held;
	/* Perhaps the system had no memory, and has some now. */
	serve_later(p);
	if (p->unused <= SPARE && !chunk_pool_is_short(p))
		ev_timer_stop(loop, w);
}

/* The first of a free list, which is not empty, goes to the claim. */
static struct chunk *
charge(struct list *from, struct chunk_claim *claim)
{
	struct list_node *n = list_shift(from);
	struct chunk *c;

	check(n != NULL);
	c = container_of(n, struct chunk, node);
	check(c->canary == CANARY_FREE);
	c->canary = CANARY_HELD;
	c->len = c->taken = 0;
	c->given = false;
	c->account = claim->account;
	c->claim = claim;
	c->account->held += c->weight;
	claim->held++;
	c->pool->held += c->weight;
	return c;
}

static struct chunk *
hand_out(struct chunk_pool *p, struct chunk_claim *claim)
{
	struct chunk *c;

	if (p->held >= p->budget || !has_share(p, claim->account, 1) ||
	    !make_one(p))
		return NULL;
	c = charge(&p->free, claim);
	ASAN_UNPOISON_MEMORY_REGION(c->data, p->size);
	if (p->unused > p->made - p->held)
		p->unused = p->made - p->held;
	return c;
}

/* Does a claim wait that holds none and could have one? */
static bool
others_come_first(const struct chunk_pool *p)
{
	if (list_is_empty(&p->first_waiting))
		return false;
	LIST_FOREACH(struct chunk_account, a, &p->accounts, node) {
		if (a->waiting_first > 0 && has_share(p, a, 1))
			return true;
	}
	return false;
}

static void
begin_waiting(struct chunk_pool *p, struct chunk_claim *claim)
{
	bool first = claim->held == 0;

	claim->since = ++p->waits;
	list_append(first ? &p->first_waiting : &p->more_waiting, &claim->node);
	claim->waits_first = first;
	claim->account->waiting++;
	claim->account->waiting_first += first;
}

struct chunk *
chunk_take(struct chunk_pool *p, struct chunk_claim *claim)
{
	bool behind = others_come_first(p);
	struct chunk *c;

	check(!list_is_linked(&claim->node));
	/* A first chunk for each claim comes before a second for any, and
	 * claims that wait for one come before this one. */
	c = behind ? NULL : hand_out(p, claim);
	if (c == NULL)
		begin_waiting(p, claim);
	if (behind)
		serve_later(p);
	return c;
}

struct chunk *
chunk_take_spare(struct chunk_pool *p, struct chunk_claim *claim)
{
	check(claim->held > 0 && !list_is_linked(&claim->node));
	if (chunk_pool_is_short(p) ||
	    p->budget - p->held <= p->budget / KEPT_FREE)
		return NULL;
	return hand_out(p, claim);
}

/* Bring a chunk with a pipe to the front of its free list when there is none. */
static bool
make_pipe(struct chunk_pool *p, unsigned weight)
{
	struct chunk *c;

	if (!list_is_empty(&p->free_pipes))
		return true;
	if (p->pipes == CHUNK_PIPES_MAX || ev_now(p->loop) < p->no_pipes)
		return false;
	c = calloc(1, sizeof(*c));
	if (c == NULL || pipe_open(&c->pipe, CHUNK_PIPE_BYTES) < 0) {
		free(c);
		p->no_pipes = ev_now(p->loop) + PIPES_AGAIN_S;
		return false;
	}
	c->pool = p;
	c->weight = weight;
	c->canary = CANARY_FREE;
	list_prepend(&p->free_pipes, &c->node);
	p->pipes++;
	return true;
}

/* Close a pipe, which nobody has. */
static void
unmake_pipe(struct chunk_pool *p, struct chunk *c)
{
	pipe_close(&c->pipe);
	free(c);
	p->pipes--;
}

struct chunk *
chunk_take_pipe(struct chunk_pool *p, struct chunk_claim *claim)
{
	size_t weight = (CHUNK_PIPE_BYTES + p->size - 1) / p->size;

	check(!list_is_linked(&claim->node));
	if (chunk_pool_is_short(p) || p->made + weight > p->budget ||
	    p->held + weight > p->budget - p->budget / KEPT_FREE ||
	    !has_share(p, claim->account, weight) ||
	    !make_pipe(p, (unsigned)weight))
		return NULL;
	p->made += weight;
	return charge(&p->free_pipes, claim);
}

static void
end_waiting(struct chunk_claim *claim)
{
	list_remove(&claim->node);
	check(claim->account->waiting > 0);
	claim->account->waiting--;
	claim->account->waiting_first -= claim->waits_first;
}

void
chunk_stop_waiting(struct chunk_pool *p, struct chunk_claim *claim)
{
	if (!list_is_linked(&claim->node))
		return;
	p->moves++;
	end_waiting(claim);
	serve_later(p); /* a share may have been held up by it */
}

/* The first of a list that began to wait after `since`; else its head. */
static struct list_node *
first_since(struct list *waiting, uint64_t since)
{
	LIST_FOREACH(struct chunk_claim, claim, waiting, node) {
		if (claim->since > since)
			return &claim->node;
	}
	return &waiting->head;
}

/*
 * A claim has one chunk fewer.  One that waits for more, and has none left now,
 * waits for a first one from here on, in the place that it would have if it had
 * done so from the beginning: behind all claims that came meanwhile, and those
 * that will come, it might wait for ever.
 */
static void
give_up_one(struct chunk_pool *p, struct chunk_claim *claim)
{
	check(claim->held > 0);
	if (--claim->held > 0 || !list_is_linked(&claim->node) ||
	    claim->waits_first)
		return;
	p->moves++;
	list_remove(&claim->node);
	claim->waits_first = true;
	claim->account->waiting_first++;
	list_insert_before(
	    first_since(&p->first_waiting, claim->since), &claim->node);
}

/* No device and no claim pays for it any more. */
static void
chunk_uncharge(struct chunk *c)
{
	if (c->claim != NULL)
		give_up_one(c->pool, c->claim);
	c->claim = NULL;
	if (c->account == NULL)
		return;
	check(c->account->held >= c->weight);
	c->account->held -= c->weight;
	c->account = NULL;
}

/* The bytes that are left in it belong to its upload, and to no other. */
static void
put_back_pipe(struct chunk_pool *p, struct chunk *c)
{
	p->made -= c->weight;
	if (c->taken == c->len)
		list_prepend(&p->free_pipes, &c->node);
	else
		unmake_pipe(p, c);
	serve_later(p);
}

static void
put_back(struct chunk *c)
{
	struct chunk_pool *p = c->pool;

	check(p->held >= c->weight);
	chunk_uncharge(c);
	p->held -= c->weight;
	c->canary = CANARY_FREE;
	if (chunk_is_pipe(c)) {
		put_back_pipe(p, c);
		return;
	}
	ASAN_POISON_MEMORY_REGION(c->data, p->size);
	list_prepend(&p->free, &c->node);
	if (p->made - p->held > SPARE && !ev_is_active(&p->trim)) {
		p->unused = p->made - p->held;
		ev_timer_start(p->loop, &p->trim);
	}
	serve_later(p);
}

void
chunk_give(struct chunk *c)
{
	check(c->canary == CANARY_HELD && !c->given);
	check(!list_is_linked(&c->node)); /* in the queue, or a write */
	if (c->shares == 0) {
		put_back(c);
		return;
	}
	c->given = true;
	if (c->claim != NULL)
		return;
	chunk_uncharge(c);
	serve_later(c->pool);
}

void
chunk_disown(struct chunk *c)
{
	if (c->claim != NULL)
		give_up_one(c->pool, c->claim);
	c->claim = NULL;
	if (c->given)
		chunk_uncharge(c);
}

void
chunk_share(struct chunk *c)
{
	check(c->canary == CANARY_HELD && !c->given);
	c->shares++;
}

void
chunk_unshare(struct chunk *c)
{
	check(c->canary == CANARY_HELD && c->shares > 0);
	if (--c->shares == 0 && c->given)
		put_back(c);
}

/* Serve the claims of one list that may have one, the longest waiting first. */
static void
serve(struct chunk_pool *p, struct list *waiting)
{
	struct list_node *n = waiting->head.next, *next;

	for (; n != &waiting->head && p->held < p->budget; n = next) {
		struct chunk_claim *claim =
		    container_of(n, struct chunk_claim, node);
		uint64_t since = claim->since, moves = p->moves;
		struct chunk *c = hand_out(p, claim);

		next = n->next;
		if (c == NULL)
			continue; /* its device has its share */
		end_waiting(claim);
		claim->on_grant(claim, c); /* others may wait no more */
		if (p->moves != moves)
			next = first_since(waiting, since);
	}
}

static void
on_given(struct deferred *d)
{
	struct chunk_pool *p = container_of(d, struct chunk_pool, given);

	serve(p, &p->first_waiting);
	serve(p, &p->more_waiting);
}

struct chunk_pool *
chunk_pool_new(struct ev_loop *loop, size_t size, size_t budget)
{
	struct chunk_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->loop = loop;
	p->size = size;
	p->budget = budget / size;
	check(p->budget > 0);
	list_init(&p->free);
	list_init(&p->free_pipes);
	list_init(&p->accounts);
	list_init(&p->first_waiting);
	list_init(&p->more_waiting);
	deferred_init(&p->given, loop, on_given);
	ev_timer_init(&p->trim, on_trim, TRIM_S, TRIM_S);
	p->trim.data = p;
	return p;
}

void
chunk_pool_free(struct chunk_pool **pp)
{
	struct chunk_pool *p = *pp;
	struct list_node *n;

	if (p == NULL)
		return;
	check(p->held == 0);
	deferred_cancel(&p->given);
	ev_timer_stop(p->loop, &p->trim);
	while ((n = list_first(&p->free)) != NULL)
		unmake(p, container_of(n, struct chunk, node));
	while ((n = list_shift(&p->free_pipes)) != NULL)
		unmake_pipe(p, container_of(n, struct chunk, node));
	free(p);
	*pp = NULL;
}

size_t
chunk_size(const struct chunk_pool *p)
{
	return p->size;
}

bool
chunk_pool_is_short(const struct chunk_pool *p)
{
	return !list_is_empty(&p->first_waiting) ||
	       !list_is_empty(&p->more_waiting);
}

size_t
chunk_pool_held(const struct chunk_pool *p)
{
	return p->held;
}

void
chunk_account_add(struct chunk_pool *p, struct chunk_account *a)
{
	list_append(&p->accounts, &a->node);
	p->account_count++;
}

void
chunk_account_remove(struct chunk_pool *p, struct chunk_account *a)
{
	check(a->held == 0 && a->waiting == 0);
	list_remove(&a->node);
	p->account_count--;
}
