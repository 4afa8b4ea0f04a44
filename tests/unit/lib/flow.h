/*
 * lib/flow.h - a source and a sink that are made up, and a flow with an owner that
 * keeps what it is told.
 *
 * The fakes go on once in each turn of the loop: those of a faked_flow by themselves,
 * others when the test calls their _turn() from test_loop.on_turn.
 */
#ifndef LIB_FLOW_H
#define LIB_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"
#include "flow/sink.h"
#include "flow/source.h"
#include "lib/loop.h"

enum {
	FAKE_BODY_MAX = 200 * 1024 + 123, /* bytes that a sink can keep */
	FAKE_SINK_MAX = 16,		  /* chunks that one can have */
	FAKE_TRICKLE_MS = 4,
};

/* The byte at `at` of all bodies that are made up. */
static inline unsigned char
fake_byte(size_t at)
{
	return (unsigned char)(at * 2654435761U >> 11);
}

/* Fails the test unless these are the first `len` bytes of such a body. */
void assert_fake_bytes(const unsigned char *got, size_t len);

/*
 * A source gives `len` bytes in pieces that look random; as one with a descriptor
 * (which is readable while it says so), or as one that takes the chunk along and
 * brings it back in a later turn of the loop.  With source.several set by the test
 * it can be read into several at once, with source.splices into pipes.
 */
struct fake_source {
	struct source source;
	size_t at, len;
	size_t fail_at, pause_at; /* SIZE_MAX: never */
	unsigned seed;
	bool takes;
	size_t next;	  /* so many come next, if they fit; 0: any number */
	bool whole;	  /* as much as fits, each time */
	unsigned offered; /* chunks, by the last read that brought bytes; 0: it
			     was not one into several */
	unsigned offered_most; /* by any */
	size_t spliced;	       /* bytes that went into pipes */
	bool framing;	       /* the next read brings no byte of the body */
	bool trickles;	       /* a byte every FAKE_TRICKLE_MS, and no more */
	uint64_t trickled_ns;
	struct chunk *taken;
	size_t taken_size;
	struct reader *reader; /* NULL: gone, or nothing taken */
	int ends[2];	       /* a pipe: the one end is watched */
};

/* The source's descriptor is there, and readable, until close. */
void fake_source_open(struct fake_source *s);
void fake_source_close(struct fake_source *s);

/* All anew, for a flow that begins; what is special about it is set after that. */
void fake_source_begin(struct fake_source *s, size_t len, bool takes);
void fake_source_turn(struct fake_source *s);

/* The source's descriptor is not readable any more; and is again. */
void fake_source_fall_silent(struct fake_source *s);
void fake_source_speak_up(struct fake_source *s);

/* It trickled: back to one that is always readable. */
void fake_source_stop_trickling(struct fake_source *s);

/*
 * A sink keeps what it was given, of `size` bytes at most in `depth` chunks at a
 * time.  It is done with a chunk `lag` turns later; never while it stalls.  With
 * sink.takes_pipes set by the test it takes pipes.
 */
struct fake_sink {
	struct sink sink;
	size_t size;
	unsigned depth;
	unsigned char got[FAKE_BODY_MAX];
	size_t len, fail_at;
	unsigned lag, writes, most;
	unsigned piped;		     /* writes of what was in pipes */
	unsigned flushes, unflushed; /* writes since the last one */
	bool stalled;
	bool backwards; /* the last one first */
	struct {
		struct chunk *chunk;
		unsigned due;
	} has[FAKE_SINK_MAX];
	unsigned count;
	unsigned turns;
	struct writer *writer; /* NULL: gone */
};

/* All anew, but for the bytes it has. */
void fake_sink_begin(struct fake_sink *s, size_t size, unsigned depth);
void fake_sink_turn(struct fake_sink *s);

/* Of a flow: which one failed? */
enum flow_side {
	READING,
	WRITING,
};

/* A flow, and what its owner was told. */
struct test_flow {
	struct flow flow;
	bool read_all, drained;
	struct failure failed; /* the first of the two */
	enum flow_side failed_side;
	bool drains; /* what was read is written although the source failed */
	/* Called last in what tells that it has drained, or failed; NULL: none. */
	void (*on_end)(struct test_flow *t);

	struct failure failed_of[2];
};

/*
 * test_flow_start(t, l, setup):
 * Start a flow on `l`; the fields of `setup` that `l` has, and the owner's, are
 * filled in.  `on_end` stays as it is, the rest begins anew.
 */
void test_flow_start(
    struct test_flow *t, struct test_loop *l, const struct flow_setup *setup);

/* Another flow after one that is at rest: the meter goes on. */
void test_flow_go_on(
    struct test_flow *t, struct test_loop *l, const struct flow_setup *setup);

/* A loop with all of these on it, whose fakes go on in each of its turns. */
struct faked_flow {
	struct test_loop l;
	struct test_flow t;
	struct fake_source source;
	struct fake_sink sink;
};

/* Set it up, with a pool of so many chunks of that size; one at a time. */
void faked_flow_set_up(struct faked_flow *f, size_t chunk_size, size_t chunks);

/* Stop the flow, if a test that failed has left it, and fail if a chunk was lost. */
void faked_flow_tear_down(struct faked_flow *f);

static inline bool
test_flow_has_ended(const struct test_flow *t)
{
	return t->drained || failure_is(t->failed);
}

#endif
