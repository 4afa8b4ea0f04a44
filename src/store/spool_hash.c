/*
 * Digests of a file on its way in.
 *
 *	chunk -> to_hash -> [hashing: one job at a time] -> given back
 *	      \-> pending -> writing ---> moved ---------/
 *
 * A chunk is hashed and written at the same time, and goes back to its pool
 * when both are done.  The jobs run on a device of their own, which has as
 * many threads as there are processors.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "flow/writer.h"
#include "spool_internal.h"

static void begin(struct incoming_file *f);

int
spool_hash_now(struct incoming_file *f, const void *bytes, size_t len)
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
	struct list_node *n, *tmp;
	int err = 0;

	LIST_EACH(&f->hash->hashing, n, tmp)
	{
		const struct chunk *c =
		    container_of(n, struct chunk, hash_node);

		if (err == 0)
			err = spool_hash_now(f, c->data, c->len);
	}
	return err;
}

static void
on_hashed(struct op *op, int res)
{
	struct incoming_file *f = op->owner;
	struct writer *w = f->writer;
	struct list_node *n;
	unsigned chunks = 0;

	check_magic(f, INCOMING_MAGIC);
	while ((n = list_shift(&f->hash->hashing)) != NULL) {
		struct chunk *c = container_of(n, struct chunk, hash_node);

		if (!c->moved)
			continue; /* the write gives it back */
		list_remove(&c->node);
		chunk_give(c);
		chunks++;
	}
	if (w == NULL) {
		if (f->abandoned)
			spool_in_settle(f);
		return;
	}
	if (res == 0)
		begin(f);
	writer_wrote(w, chunks, res); /* may abort `f` */
}

/* Hash what is there, unless that is being done. */
static void
begin(struct incoming_file *f)
{
	struct list_node *n;

	if (f->hash->op.in_flight || list_is_empty(&f->hash->to_hash))
		return;
	while ((n = list_shift(&f->hash->to_hash)) != NULL)
		list_append(&f->hash->hashing, n);
	f->hash->op = (struct op){.kind = OP_CALL,
	    .call = hash_job,
	    .arg = f,
	    .lengthy = true,
	    .unhurried = true, /* it says nothing of a disk */
	    .owner = f,
	    .on_done = on_hashed};
	engine_submit(f->spool->to.engine, f->spool->to.compute, &f->hash->op);
}

void
spool_hash_add(struct incoming_file *f, struct chunk *c)
{
	if (f->hash == NULL)
		return;
	list_append(&f->hash->to_hash, &c->hash_node);
	begin(f);
}

bool
spool_hash_release(struct incoming_file *f, struct chunk *c)
{
	if (!list_is_linked(&c->hash_node)) {
		chunk_give(c);
		return true;
	}
	c->moved = true;
	list_append(&f->hash->moved, &c->node);
	return false;
}

void
spool_hash_abandon(struct incoming_file *f)
{
	struct list_node *n, *tmp;

	if (f->hash == NULL)
		return;
	while (list_shift(&f->hash->to_hash) != NULL)
		;
	LIST_EACH(&f->hash->moved, n, tmp)
	{
		struct chunk *c = container_of(n, struct chunk, node);

		chunk_disown(c);
		if (list_is_linked(&c->hash_node))
			continue; /* in the job */
		list_remove(&c->node);
		chunk_give(c);
	}
}

bool
spool_hash_is_busy(const struct incoming_file *f)
{
	return f->hash != NULL && f->hash->op.in_flight;
}

bool
spool_hash_has_moved(const struct incoming_file *f)
{
	return f->hash != NULL && !list_is_empty(&f->hash->moved);
}

int
spool_hash_finish(struct incoming_file *f)
{
	struct spool_hash *h = f->hash;
	int err;

	if (h == NULL)
		return 0;
	err = digest_finish(h->digest);
	if (err < 0)
		return err;
	f->base.digest = h->digest;
	return digest_differ(h->digest, &h->claims) != 0 ? STORE_DIGEST_DIFFERS
							 : 0;
}

int
spool_hash_init(struct incoming_file *f, const struct store_wish *wish)
{
	unsigned claimed = wish->claims != NULL ? wish->claims->set : 0;
	struct spool_hash *h;
	int err;

	if ((wish->digests | claimed) == 0)
		return 0;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	f->hash = h;
	if (claimed != 0)
		h->claims = *wish->claims;
	list_init(&h->to_hash);
	list_init(&h->hashing);
	list_init(&h->moved);
	err = digest_new(wish->digests | claimed, &h->digest);
	return err == -EOPNOTSUPP ? (int)STORE_NO_DIGEST : err;
}

void
spool_hash_fini(struct incoming_file *f)
{
	if (f->hash == NULL)
		return;
	digest_free(&f->hash->digest);
	free(f->hash);
}
