/*
 * flow/source.h - what a reader reads from.
 *
 * There are two kinds.  One has a descriptor (a request body from a socket): it is read
 * when that is ready, and fills the chunk within read().  The other has none (a file):
 * it keeps the chunk while an operation fills it, and then calls reader_filled().
 */
#ifndef FLOW_SOURCE_H
#define FLOW_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/failure.h"

struct chunk;
struct reader;
struct source;

enum {
	SOURCE_CHUNKS_MAX = 16, /* of one read */
};

enum source_result {
	SOURCE_BYTES,  /* c->len grew, unless only framing was read, or
			  `ahead` grew */
	SOURCE_NONE,   /* nothing is there yet: wait for the descriptor */
	SOURCE_TAKEN,  /* the source keeps the chunk until reader_filled() */
	SOURCE_FAILED, /* source->failure says why; it is read no more */
};

struct source_ops {
	/*
	 * Read once into the free part of `c` (of `size` bytes in all).  When
	 * the last byte was read, source->ended is set, with BYTES (also when
	 * the source was empty).
	 */
	enum source_result (*read)(
	    struct source *s, struct chunk *c, size_t size, struct reader *r);

	/*
	 * Read once, as read() of the kind with a descriptor does, into the free
	 * parts of up to SOURCE_CHUNKS_MAX chunks: the first may be part-filled,
	 * the others are empty, and each is filled before the next.  Called
	 * instead of read() while source->several is set.
	 */
	enum source_result (*read_several)(struct source *s,
	    struct chunk *const *chunks, unsigned count, size_t size);

	/*
	 * Read once, as read() of the kind with a descriptor does, up to `most`
	 * bytes into the empty pipe of `c`.  May be called while
	 * source->splices is set.  NULL: this source cannot.
	 */
	enum source_result (*splice)(
	    struct source *s, struct chunk *c, size_t most);

	/* Would a read bring bytes or the end now, as far as can be told without
	 * reading?  NULL: `ready` says it. */
	bool (*has_bytes)(struct source *s);

	/* The reader ends while the source has its chunk (TAKEN): the source must
	 * not call it any more. */
	void (*abandon)(struct source *s);
};

struct source {
	const struct source_ops *ops;
	int fd;			/* watched; -1: the kind without a descriptor */
	struct failure failure; /* after FAILED */
	uint8_t wants;		/* EV_READ, EV_WRITE or both: what `fd` is
				   watched for after the last read */
	bool ended;		/* no byte will come any more */
	/* About how many bytes are on their way within the source: they have
	 * come, but cannot be read before others have.  The client sends, also
	 * when only this grows. */
	uint32_t ahead;
	/* More will come than one chunk has room for: the next read may be one
	 * into several. */
	bool several : 1;
	/* So much will come that a pipe pays: the next read may be one into
	 * that. */
	bool splices : 1;
	/* A read may bring bytes though the descriptor is not ready. */
	bool ready;
};

#endif
