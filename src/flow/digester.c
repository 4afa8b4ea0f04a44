#include "flow/digester.h"

#include <errno.h>
#include <ev.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "disk/chunk.h"
#include "disk/engine.h"

#define DIGESTER_MAGIC 0x64696765U

enum {
	ON_LOOP_BYTES = 16 * 1024,	/* of all, so many are hashed there */
	ROUND_BYTES = 16 * 1024 * 1024, /* then it is another job's turn */
};

/*
 * Chunks are numbered as they come; the one with number n stands in
 * ring[n % depth].
 *
 *	released <= hashed <= added <= released + depth
 *
 * The loop adds and releases, the job hashes: each of the three counts is
 * written by one side only.
 */
struct digester {
	unsigned magic;
	struct tap tap;
	struct digester_setup to;
	struct writer *writer; /* NULL: no chunk was taken yet, or it is gone */
	struct digest *digest;
	uint64_t total; /* bytes taken */
	uint64_t ns;
	int err; /* of what was hashed: then there are no values */
	bool is_freed;
	struct op op;	   /* the job, while there is something to hash */
	ev_async progress; /* some chunks are hashed; runs while the job does */
	atomic_bool called_off;
	atomic_size_t added, hashed;
	size_t released;
	struct chunk *ring[];
};

static void
hash_chunk(struct digester *d, const struct chunk *c)
{
	uint64_t since = clock_mono_ns();

	if (d->err == 0)
		d->err = digest_update(d->digest, c->data, c->len);
	d->ns += clock_mono_ns() - since;
}

/* On an engine thread. */
static int
hash_job(void *digester)
{
	struct digester *d = digester;
	size_t n = atomic_load(&d->hashed);
	uint64_t bytes = 0;

	while (bytes < ROUND_BYTES && n < atomic_load(&d->added) &&
	       !atomic_load(&d->called_off)) {
		const struct chunk *c = d->ring[n % d->to.depth];

		hash_chunk(d, c);
		bytes += c->len;
		atomic_store(&d->hashed, ++n);
		ev_async_send(d->to.loop, &d->progress);
	}
	return d->err;
}

/* Let go of all chunks before number `end`; how many were they? */
static unsigned
release_until(struct digester *d, size_t end)
{
	unsigned count = (unsigned)(end - d->released);

	for (; d->released < end; d->released++)
		chunk_unshare(d->ring[d->released % d->to.depth]);
	return count;
}

static void
release_hashed(struct digester *d)
{
	unsigned count = release_until(d, atomic_load(&d->hashed));

	if (d->writer != NULL && count > 0)
		writer_tapped(d->writer, count);
}

static void
on_progress(struct ev_loop *loop, ev_async *a, int revents)
{
	struct digester *d = a->data;

	(void)loop;
	(void)revents;
	check_magic(d, DIGESTER_MAGIC);
	release_hashed(d);
}

static void
free_now(struct digester *d)
{
	check(d->released == atomic_load(&d->added));
	d->magic = 0;
	digest_free(&d->digest);
	free(d);
}

static void digester_begin_job(struct digester *d);

static void
on_hashed(struct op *op, int res)
{
	struct digester *d = op->owner;

	check_magic(d, DIGESTER_MAGIC);
	ev_async_stop(d->to.loop, &d->progress);
	if (res < 0) /* there was no thread for it, perhaps */
		d->err = res;
	if (d->writer == NULL) {
		(void)release_until(d, atomic_load(&d->added));
		if (d->is_freed)
			free_now(d);
		return;
	}
	release_hashed(d);
	if (res == 0)
		digester_begin_job(d);
	else /* may free `d` */
		writer_failed(d->writer, failure_of_errno(res));
}

/* Hash what waits, unless that is being done. */
static void
digester_begin_job(struct digester *d)
{
	if (d->op.in_flight ||
	    atomic_load(&d->hashed) == atomic_load(&d->added))
		return;
	ev_async_start(d->to.loop, &d->progress);
	/* It says nothing of a disk. */
	engine_call(d->to.engine, d->to.compute, &d->op, hash_job, d,
	    CALL_SLOW | CALL_NO_STALL, on_hashed);
}

/* ---- what a writer calls ---- */

static struct digester *
digester_of(struct tap *t)
{
	struct digester *d = container_of(t, struct digester, tap);

	check_magic(d, DIGESTER_MAGIC);
	return d;
}

static bool
take_chunk(struct tap *t, struct chunk *c, struct writer *w)
{
	struct digester *d = digester_of(t);
	size_t n = atomic_load(&d->added);

	d->writer = w;
	d->total += c->len;
	if (d->total <= ON_LOOP_BYTES) {
		hash_chunk(d, c);
		return false;
	}
	check(n - d->released < d->to.depth);
	chunk_share(c);
	d->ring[n % d->to.depth] = c;
	atomic_store(&d->added, n + 1);
	digester_begin_job(d);
	return true;
}

static void
abandon_chunks(struct tap *t)
{
	struct digester *d = digester_of(t);
	size_t added = atomic_load(&d->added);

	d->writer = NULL;
	if (d->released == added)
		return; /* it has drained: another one may follow */
	for (size_t n = d->released; n < added; n++)
		chunk_disown(d->ring[n % d->to.depth]);
	atomic_store(&d->called_off, true);
	if (d->op.in_flight)
		(void)engine_cancel(d->to.engine, &d->op);
	else
		(void)release_until(d, added);
}

static const struct tap_ops digester_ops = {
    .take = take_chunk,
    .abandon = abandon_chunks,
};

/* ---- what its owner calls ---- */

/* The claims have a place behind the ring. */
static void
copy_claims(struct digester *d, const struct digest_claims *claims)
{
	struct digest_claims *copy = (void *)&d->ring[d->to.depth];

	*copy = *claims;
	d->to.claims = copy;
}

struct failure
digester_new(const struct digester_setup *setup, struct digester **ret)
{
	bool has_claims = setup->claims != NULL && setup->claims->set != 0;
	size_t size = sizeof(struct digester) +
		      setup->depth * sizeof(struct chunk *) +
		      (has_claims ? sizeof(*setup->claims) : 0);
	struct digester *d = calloc(1, size);
	int err;

	check(setup->depth > 0);
	if (d == NULL)
		return failure_of_errno(-ENOMEM);
	err = digest_new(setup->set, &d->digest);
	if (err < 0) {
		free(d);
		return err == -EOPNOTSUPP ? failure_of(OUTCOME_NO_DIGEST, 0)
					  : failure_of(OUTCOME_NO_MEMORY, err);
	}
	d->magic = DIGESTER_MAGIC;
	d->tap.ops = &digester_ops;
	d->to = *setup;
	d->to.claims = NULL;
	if (has_claims)
		copy_claims(d, setup->claims);
	ev_async_init(&d->progress, on_progress);
	d->progress.data = d;
	*ret = d;
	return failure_none();
}

struct tap *
digester_tap(struct digester *d)
{
	return &d->tap;
}

struct failure
digester_finish(struct digester *d)
{
	const struct digest_claims *claims = d->to.claims;
	int err;

	check_magic(d, DIGESTER_MAGIC);
	check(d->released == atomic_load(&d->added));
	err = d->err < 0 ? d->err : digest_finish(d->digest);
	if (err < 0)
		return failure_of_errno(err);
	if (claims != NULL && digest_differ(d->digest, claims) != 0)
		return failure_of(OUTCOME_DIGEST_DIFFERS, 0);
	return failure_none();
}

const struct digest *
digester_values(const struct digester *d)
{
	return d->digest;
}

uint64_t
digester_ns(const struct digester *d)
{
	return d->ns;
}

void
digester_free(struct digester **dp)
{
	struct digester *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	check_magic(d, DIGESTER_MAGIC);
	d->writer = NULL;
	d->is_freed = true;
	if (!d->op.in_flight)
		free_now(d);
}
