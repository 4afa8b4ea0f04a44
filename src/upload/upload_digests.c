#include "upload/upload_digests.h"

#include <errno.h>

#include "upload/env.h"

void
upload_digests_init(struct upload_digests *d)
{
	d->claims.set = 0;
	d->whole = d->part = 0;
	d->by_part = d->is_finished = false;
	d->digester = NULL;
	d->read_back = NULL;
	d->ns = 0;
}

void
upload_digests_want(struct upload_digests *d, unsigned whole,
    const struct digest_claims *claims, unsigned depth, bool by_part)
{
	d->claims.set = 0;
	d->whole = whole;
	d->depth = depth;
	d->by_part = by_part;
	if (claims == NULL)
		return;
	d->whole |= claims->set | claims->wanted;
	if (claims->set != 0)
		d->claims = *claims;
}

static void
drop_digester(struct upload_digests *d)
{
	if (d->digester != NULL)
		d->ns += digester_ns(d->digester);
	digester_free(&d->digester);
	d->is_finished = false;
}

/* The one digester of an upload that is no partial goes on with each transfer. */
struct failure
upload_digests_begin(struct upload_digests *d, const struct upload_env *env,
    const struct digest_claims *part, uint64_t offset)
{
	unsigned set;

	check(d->by_part || part == NULL);
	if (!d->by_part && d->digester != NULL)
		return failure_none();
	drop_digester(d);
	d->part = part != NULL ? part->set | part->wanted : 0;
	set = d->part | (offset == 0 ? d->whole : 0);
	if (set == 0)
		return failure_none();
	d->from = offset;
	return digester_new(
	    &(struct digester_setup){
		.loop = env->loop,
		.engine = env->engine,
		.compute = env->compute,
		.set = set,
		.claims = part,
		.depth = d->depth,
	    },
	    &d->digester);
}

static struct failure
finish(struct upload_digests *d, uint64_t offset)
{
	struct failure why = digester_finish(d->digester);

	d->is_finished = !failure_is(why);
	d->until = offset;
	return why;
}

struct failure
upload_digests_end(struct upload_digests *d, uint64_t offset)
{
	if (!d->by_part || d->digester == NULL)
		return failure_none();
	return finish(d, offset);
}

void
upload_digests_cut(struct upload_digests *d)
{
	if (d->by_part)
		drop_digester(d);
}

/* Has one digester had all bytes? */
static bool
passed(const struct upload_digests *d, uint64_t offset)
{
	if (!d->by_part)
		return true;
	if (d->digester == NULL || !d->is_finished)
		return false;
	return d->from == 0 && d->until == offset &&
	       (d->whole & ~digest_set(digester_values(d->digester))) == 0;
}

bool
upload_digests_need_reading(const struct upload_digests *d, uint64_t offset)
{
	return d->whole != 0 && !passed(d, offset);
}

struct failure
upload_digests_read_back(struct upload_digests *d, struct digest **ret)
{
	int err;

	drop_digester(d);
	digest_free(&d->read_back);
	err = digest_new(d->whole, &d->read_back);
	if (err == -EOPNOTSUPP)
		return failure_of(OUTCOME_NO_DIGEST, 0);
	if (err < 0)
		return failure_of_errno(err);
	*ret = d->read_back;
	return failure_none();
}

struct failure
upload_digests_end_whole(struct upload_digests *d, uint64_t offset)
{
	struct failure why = failure_none();
	int err = 0;

	if (d->whole == 0)
		return why;
	if (d->read_back != NULL)
		err = digest_finish(d->read_back);
	else if (!d->is_finished)
		why = finish(d, offset);
	if (err < 0)
		why = failure_of_errno(err);
	if (!failure_is(why) &&
	    digest_differ(upload_digests_values(d), &d->claims) != 0)
		why = failure_of(OUTCOME_DIGEST_DIFFERS, 0);
	return why;
}

const struct digest *
upload_digests_values(const struct upload_digests *d)
{
	if (d->whole == 0)
		return NULL;
	if (d->read_back != NULL)
		return d->read_back;
	return d->digester != NULL ? digester_values(d->digester) : NULL;
}

const struct digest *
upload_digests_part(const struct upload_digests *d)
{
	return d->part != 0 && d->is_finished ? digester_values(d->digester)
					      : NULL;
}

uint64_t
upload_digests_ns(const struct upload_digests *d)
{
	return d->ns + (d->digester != NULL ? digester_ns(d->digester) : 0);
}

void
upload_digests_fini(struct upload_digests *d)
{
	drop_digester(d);
	digest_free(&d->read_back);
}
