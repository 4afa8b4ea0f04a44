/*
 * flow/reader.h - the reading side of a flow: source -> chunk -> queue.
 *
 * It watches the source's descriptor.  It takes a chunk from the pool when there is
 * something to read and not before, so that a silent client holds no memory.  It puts
 * the chunk into the queue when it is full, when the source has ended, or when nothing
 * came for 10 ms (100 ms if the sink wants whole chunks).  It stops while the queue
 * is full or the pool is empty.
 *
 * Where the source can read into a pipe and the sink takes one, bytes that come fast go
 * that way, unless there is a tap or `rate_max`: such a chunk is put at once.
 *
 * The limits on the client's silence and rate count only time in which the reader
 * waits for the client, not that of a full queue, an empty pool or limit_rate.  When
 * time is up but bytes are there, this process was late, and the client is not blamed.
 */
#ifndef FLOW_READER_H
#define FLOW_READER_H

#include <ev.h>
#include <stdbool.h>

#include "base/check.h"
#include "base/failure.h"
#include "loop/deadline.h"
#include "disk/chunk.h"
#include "flow/client_clock.h"
#include "flow/link.h"
#include "flow/pace.h"

/* How fast a client was, for the next source that it sends; zeroed: it begins. */
struct reader_past {
	bool began;
	struct client_clock clock;
	struct pace pace;
};

/* Limits on a source; zeroed: none. */
struct reader_limits {
	struct client_limits client; /* passed: TOO_SLOW or BELOW_RATE */
	uint64_t rate_max;	     /* bytes per second; 0: no limit */
	/* The rates are those of all sources that are read with it, one after the
	 * other, as if they were one; NULL: of this one alone.  It outlives the
	 * reader. */
	struct reader_past *past;
};

struct reader {
	struct flow_link *to;
	unsigned magic;
	bool pacing;	    /* rate_max is reached: no reading for a while */
	bool reading_ahead; /* the source has our chunk (SOURCE_TAKEN) */
	bool running;
	/* The last pipe was hardly worth it: memory is used until more comes at
	 * once. */
	bool trickles;
	ev_io watcher;	      /* of the source's descriptor; without one it is
				 fed */
	struct deadline look; /* the next look at `clock`, or the end of a pause
				 of `pace` */
	struct client_clock clock;
	struct pace pace;
	struct reader_past *past; /* NULL: none */
	double filling_since;
	struct chunk_claim claim;
	struct chunk *filling; /* ours, part-filled; NULL: none */
};

/* Begin to read for `to`, charging `account`, within `limits`, which are copied.  The
 * first read is made from the loop, not within this call. */
void reader_start(struct reader *r, struct flow_link *to,
    struct chunk_account *account, const struct reader_limits *limits);

/* The queue has room again: go on, from the loop. */
void reader_resume(struct reader *r);

/* For a source that took `c` (SOURCE_TAKEN): it has added bytes, or has failed, if
 * failure_is(why).  The reader owns `c` from here on.  May end the reader. */
void reader_filled(struct reader *r, struct chunk *c, struct failure why);

/* The source has failed.  A chunk that it has taken stays the source's until
 * abandon().  May end the reader. */
void reader_failed(struct reader *r, struct failure why);

/* To be called from within on_read_failed(): take the source as ended.  What was read is put
 * into the queue, and on_read_all() is called from within. */
void reader_finish(struct reader *r);

/* Stop for good, and give back the chunks it holds.  Idempotent. */
void reader_stop(struct reader *r);

#endif
