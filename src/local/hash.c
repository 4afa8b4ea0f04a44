/*
 * Digests of a file on its way in.
 *
 *	chunk -> waiting -> [job] -> hashed -> given back
 *	      \-> pending -> writing -> moved ---/
 *
 * A chunk is hashed and written at the same time, and goes back to its pool
 * when both are done.  The job goes on while there are chunks and wakes the
 * loop when some are done: where hashing is the slowest of all, it waits for
 * nobody.  It runs on a device of its own, which has as many threads as there
 * are processors.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "flow/writer.h"
#include "internal.h"

enum {
	ROUND_BYTES = 16 * 1024 * 1024, /* then it is somebody else's turn */
};

/* ---- from the loop to the job, and back ---- */

/* True: there was none. */
static bool
push(_Atomic(struct chunk *) *to, struct chunk *c)
{
	struct chunk *before = atomic_load(to);

	do
		c->hash_next = before;
	while (!atomic_compare_exchange_weak(to, &before, c));
	return before == NULL;
}

/* All there are, in the order in which they came. */
static struct chunk *
take_all(_Atomic(struct chunk *) *from)
{
	struct chunk *c = atomic_exchange(from, NULL);
	struct chunk *first = NULL;

	while (c != NULL) {
		struct chunk *next = c->hash_next;

		c->hash_next = first;
		first = c;
		c = next;
	}
	return first;
}

/* ---- the job ---- */

int
incoming_hash_now(struct incoming_file *f, const void *bytes, size_t len)
{
	uint64_t since = clock_mono_ns();
	int err = digest_update(f->hash->digest, bytes, len);

	f->base.hash_ns += clock_mono_ns() - since;
	return err;
}

/* On an engine thread. */
static int
hash_job(void *file)
{
	struct incoming_file *f = file;
	struct incoming_hash *h = f->hash;
	struct chunk *c, *next;
	uint64_t bytes = 0;

	while (bytes < ROUND_BYTES && (c = take_all(&h->waiting)) != NULL) {
		for (; c != NULL; c = next) {
			next = c->hash_next;
			bytes += c->len;
			if (h->err == 0)
				h->err = incoming_hash_now(f, c->data, c->len);
			if (push(&h->hashed, c))
				ev_async_send(f->local->to.loop, &h->progress);
		}
	}
	return h->err;
}

/* Those that are written, too, go back: how many? */
static unsigned
give_hashed(struct incoming_hash *h)
{
	struct chunk *c, *next;
	unsigned chunks = 0;

	for (c = take_all(&h->hashed); c != NULL; c = next) {
		next = c->hash_next;
		c->hashing = false;
		if (!c->moved)
			continue; /* the write gives it back */
		list_remove(&c->node);
		chunk_give(c);
		chunks++;
	}
	return chunks;
}

static void
on_progress(struct ev_loop *loop, ev_async *a, int revents)
{
	struct incoming_file *f = a->data;
	unsigned chunks;

	(void)loop;
	(void)revents;
	check_magic(f, INCOMING_MAGIC);
	chunks = give_hashed(f->hash);
	if (f->writer != NULL && chunks > 0)
		writer_done(f->writer, chunks);
}

static void begin(struct incoming_file *f);

static void
on_hashed(struct op *op, int res)
{
	struct incoming_file *f = op->owner;
	struct writer *w = f->writer;
	unsigned chunks;

	check_magic(f, INCOMING_MAGIC);
	chunks = give_hashed(f->hash);
	ev_async_stop(f->local->to.loop, &f->hash->progress);
	if (w == NULL) {
		if (f->abandoned)
			incoming_end(f);
		return;
	}
	if (res == 0)
		begin(f);
	writer_done(w, chunks);
	if (res < 0)
		writer_failed(w, res); /* may abort `f` */
}

/* Hash what waits, unless that is being done. */
static void
begin(struct incoming_file *f)
{
	struct incoming_hash *h = f->hash;

	if (h->op.in_flight || atomic_load(&h->waiting) == NULL)
		return;
	ev_async_start(f->local->to.loop, &h->progress);
	h->op = (struct op){.kind = OP_CALL,
	    .call = hash_job,
	    .arg = f,
	    .slow = true,
	    .no_stall = true, /* it says nothing of a disk */
	    .owner = f,
	    .on_done = on_hashed};
	engine_submit(f->local->to.engine, f->local->to.compute, &h->op);
}

/* ---- what the rest of the store calls ---- */

void
incoming_hash_add(struct incoming_file *f, struct chunk *c)
{
	if (f->hash == NULL)
		return;
	c->hashing = true;
	(void)push(&f->hash->waiting, c);
	begin(f);
}

bool
incoming_hash_release(struct incoming_file *f, struct chunk *c)
{
	if (!c->hashing) {
		chunk_give(c);
		return true;
	}
	c->moved = true;
	list_append(&f->hash->moved, &c->node);
	return false;
}

void
incoming_hash_abandon(struct incoming_file *f)
{
	struct chunk *c, *next;

	if (f->hash == NULL)
		return;
	for (c = take_all(&f->hash->waiting); c != NULL; c = next) {
		next = c->hash_next;
		c->hashing = false;
	}
	LIST_FOREACH(struct chunk, moved, &f->hash->moved, node) {
		chunk_disown(moved);
		if (moved->hashing)
			continue; /* the job has it */
		list_remove(&moved->node);
		chunk_give(moved);
	}
}

bool
incoming_hash_is_busy(const struct incoming_file *f)
{
	return f->hash != NULL && f->hash->op.in_flight;
}

bool
incoming_hash_has_moved(const struct incoming_file *f)
{
	return f->hash != NULL && !list_is_empty(&f->hash->moved);
}

int
incoming_hash_finish(struct incoming_file *f)
{
	struct incoming_hash *h = f->hash;
	int err;

	if (h == NULL)
		return 0;
	/* The job's chunks may have come back before this did. */
	if (h->err < 0)
		return h->err;
	err = digest_finish(h->digest);
	if (err < 0)
		return err;
	f->base.digest = h->digest;
	return digest_differ(h->digest, &h->claims) != 0 ? STORE_DIGEST_DIFFERS
							 : 0;
}

int
incoming_hash_init(struct incoming_file *f, const struct store_wish *wish)
{
	unsigned claimed = wish->claims != NULL ? wish->claims->set : 0;
	struct incoming_hash *h;
	int err;

	if ((wish->digests | claimed) == 0)
		return 0;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	f->hash = h;
	if (claimed != 0)
		h->claims = *wish->claims;
	list_init(&h->moved);
	ev_async_init(&h->progress, on_progress);
	h->progress.data = f;
	err = digest_new(wish->digests | claimed, &h->digest);
	return err == -EOPNOTSUPP ? (int)STORE_NO_DIGEST : err;
}

int
incoming_hash_restart(struct incoming_file *f)
{
	struct digest *fresh;
	int err;

	if (f->hash == NULL)
		return 0;
	err = digest_new(digest_set(f->hash->digest), &fresh);
	if (err < 0)
		return err;
	f->base.digest = NULL;
	digest_free(&f->hash->digest);
	f->hash->digest = fresh;
	return 0;
}

void
incoming_hash_fini(struct incoming_file *f)
{
	if (f->hash == NULL)
		return;
	digest_free(&f->hash->digest);
	free(f->hash);
}
