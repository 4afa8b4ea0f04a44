#include "web/handshake.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
	SOON_S = 10, /* curl sends the second as soon as it has the answer */
};

/* What the next request of the connection is told. */
struct note {
	const struct conf_location *location;
	char etag[OBJECT_ETAG_SIZE]; /* of what was stored */
	uint64_t when_ns;
	char name[];
};

void
handshake_note(struct exchange *x, const struct conf_location *l,
    const char *name, const struct object_info *stored)
{
	size_t len = strlen(name);
	struct note *n;

	if (exchange_is_unix(x) || l->policy.overwrite || stored->size > 0 ||
	    object_info_is_weak(stored))
		return;
	n = malloc(sizeof(*n) + len + 1);
	if (n == NULL)
		return; /* the second request gets 409 then */
	n->location = l;
	memcpy(n->etag, stored->etag, sizeof(n->etag));
	n->when_ns = clock_mono_ns();
	memcpy(n->name, name, len + 1);
	exchange_leave_note(x, n);
}

static bool
has_conditions(const struct head *h)
{
	return h->if_match.s != NULL || h->if_none_match.s != NULL ||
	       h->if_modified_since.s != NULL ||
	       h->if_unmodified_since.s != NULL;
}

static bool
may_be_second(const struct head *h)
{
	return (h->chunked || h->content_length > 0) && !has_conditions(h) &&
	       !h->forwarded;
}

bool
handshake_follows(struct exchange *x, const struct conf_location *l,
    const char *name, const struct head *h, char ret_etag[OBJECT_ETAG_SIZE])
{
	struct note *n = exchange_take_note(x);
	bool follows;

	if (n == NULL)
		return false;
	follows = n->location == l && strcmp(n->name, name) == 0 &&
		  clock_mono_ns() - n->when_ns < SOON_S * NS_PER_S &&
		  may_be_second(h);
	memcpy(ret_etag, n->etag, sizeof(n->etag));
	free(n);
	return follows;
}
