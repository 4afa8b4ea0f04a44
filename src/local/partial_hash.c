#include "partial_hash.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/num.h"
#include "local/space.h"
#include "commit.h"
#include "local_error.h"
#include "partial_jobs.h"

enum {
	BUFFER = 256 * 1024,
	STEP = 4 * 1024 * 1024, /* bytes */
};

struct partial_hash {
	struct commit *commit;
	struct digest *own, *to;
	uint64_t at, end;
	void *buffer; /* aligned: the file may be open for direct I/O */
};

struct partial_hash *
partial_hash_new(struct digest *to, uint64_t end)
{
	struct partial_hash *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->to = to;
	h->end = end;
	if (posix_memalign(&h->buffer, SPACE_ALIGN, BUFFER) != 0 ||
	    digest_new(digest_set(to), &h->own) < 0)
		partial_hash_free(&h);
	return h;
}

void
partial_hash_prepare(struct partial_hash *h, struct commit *c)
{
	h->commit = c;
}

/* How many bytes, or an error. */
static ssize_t
read_some(struct partial_hash *h)
{
	ssize_t n;

	do {
		n = pread(h->commit->create.target->u.fd, h->buffer, BUFFER,
		    (off_t)h->at);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return -errno;
	return n == 0 ? LOCAL_GARBLED : n; /* others have cut it off */
}

int
partial_hash_job(void *hash)
{
	struct partial_hash *h = hash;
	uint64_t stop = num_least(h->at + STEP, h->end);
	int err = partial_open_data(h->commit);

	while (err == 0 && h->at < stop) {
		ssize_t n = read_some(h);

		if (n < 0)
			return (int)n;
		n = (ssize_t)num_least((uint64_t)n, h->end - h->at);
		h->at += (uint64_t)n;
		err = digest_update(h->own, h->buffer, (size_t)n);
	}
	return err;
}

bool
partial_hash_is_done(const struct partial_hash *h)
{
	return h->at == h->end;
}

void
partial_hash_give(struct partial_hash *h)
{
	check(partial_hash_is_done(h));
	digest_swap(h->own, h->to);
}

void
partial_hash_free(struct partial_hash **hp)
{
	struct partial_hash *h = *hp;

	*hp = NULL;
	if (h == NULL)
		return;
	digest_free(&h->own);
	free(h->buffer);
	free(h);
}
