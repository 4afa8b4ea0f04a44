/*
 * flow/source.h, what a reader reads from.
 *
 * Two kinds: one with a descriptor (a request body over a socket), which is
 * asked when the descriptor is ready and gives what is there; and one
 * without (a file), which takes the chunk along, has an operation fill it,
 * and brings it back with reader_filled().
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

enum source_result {
	SOURCE_BYTES, /* c->len grew, unless only framing was read */
	SOURCE_NONE,  /* nothing is there yet: ask when the descriptor says */
	SOURCE_TAKEN, /* the chunk is in an operation: wait for reader_filled */
	SOURCE_FAILED, /* source->failure says why; ask no more */
};

struct source_ops {
	/*
	 * Read once into the free part of `c` (of `size` bytes in all).  When
	 * the last byte was read, source->ended is set, with BYTES (also when
	 * the source was empty).
	 */
	enum source_result (*read)(
	    struct source *s, struct chunk *c, size_t size, struct reader *r);

	/* Would a read bring something now, as far as can be told without one?
	 * NULL: `ready` says all there is to say. */
	bool (*has_bytes)(struct source *s);

	/* The reader goes away while the source has its chunk (TAKEN). */
	void (*abandon)(struct source *s);
};

struct source {
	const struct source_ops *ops;
	int fd;			/* watched; -1: this kind takes chunks along */
	struct failure failure; /* after FAILED */
	uint8_t wants;		/* EV_READ, EV_WRITE or both: what `fd` is
				   watched for after the last read */
	bool ended;		/* no byte will come any more */
	bool ready; /* bytes are there of which the descriptor does not tell */
};

#endif
