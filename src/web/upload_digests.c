#include "upload_digests.h"

#include <errno.h>
#include <stdlib.h>

int
upload_digests_begin(struct upload_digests *d, const struct context *c,
    const struct conf_location *l, const struct digest_claims *claims)
{
	unsigned set = l->checksum | claims->set;

	if (set == 0)
		return 0;
	if (claims->set != 0) {
		d->claims = malloc(sizeof(*d->claims));
		if (d->claims == NULL)
			return -ENOMEM;
		*d->claims = *claims;
	}
	return digester_new(
	    &(struct digester_setup){
		.loop = c->loop,
		.engine = c->engine,
		.compute = c->compute,
		.set = set,
		.depth = (unsigned)l->write_depth,
	    },
	    &d->digester);
}

struct tap *
upload_digests_tap(const struct upload_digests *d)
{
	return d->digester != NULL ? digester_tap(d->digester) : NULL;
}

int
upload_digests_finish(const struct upload_digests *d)
{
	int err;

	if (d->digester == NULL)
		return 0;
	err = digester_finish(d->digester);
	if (err < 0 || d->claims == NULL)
		return err;
	return digest_differ(digester_values(d->digester), d->claims) == 0
		   ? 0
		   : -EBADMSG;
}

const struct digest *
upload_digests_values(const struct upload_digests *d)
{
	return d->digester != NULL ? digester_values(d->digester) : NULL;
}

uint64_t
upload_digests_ns(const struct upload_digests *d)
{
	return d->digester != NULL ? digester_ns(d->digester) : 0;
}

void
upload_digests_end(struct upload_digests *d)
{
	digester_free(&d->digester);
	free(d->claims);
	d->claims = NULL;
}
