/*
 * flow/gather.h - reads a source to its end, into a text or to nowhere: what is not stored.
 *
 *	source -> reader -> queue -> writer -> gather: a text of at most so many bytes
 *
 * The chunks are charged to a group, which all that gather have together, so that they wait
 * for no disk.
 */
#ifndef FLOW_GATHER_H
#define FLOW_GATHER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"
#include "base/str.h"
#include "flow/flow.h"
#include "flow/gather_group.h"
#include "flow/sink.h"
#include "loop/deferred.h"

/* The fields are the module's. */
struct gather {
	struct sink sink;
	struct deferred later;
	struct flow flow;
	struct gather_group *group;
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct writer *writer; /* that is to be told of `taken` */
	unsigned taken;
	struct str *text; /* NULL: the bytes go nowhere */
	size_t left;	  /* so many bytes may be added still */
	bool over;	  /* there were more */
	void *owner;
	void (*on_done)(void *owner, struct failure why);
};

struct gather_setup {
	struct source *source;
	struct reader_limits limits; /* on the source */
	struct str *text;	     /* to add to; NULL: the bytes go nowhere */
	size_t most; /* bytes that are added; of more, TOO_LARGE */
	/* The source was read to its end; or it has failed, or there were more
	 * bytes than `most`, if failure_is(why).  Another gather_start() may
	 * follow, or gather_fini(). */
	void (*on_done)(void *owner, struct failure why);
	void *owner;
};

/* What the pointers point to outlives it. */
void gather_init(struct gather *g, struct gather_group *group,
    struct ev_loop *loop, struct chunk_pool *pool);

/* Begin to read: on_done() follows, from the loop. */
void gather_start(struct gather *g, const struct gather_setup *setup);

/* Stop, at any time, and let go; on_done() is not called any more.  Idempotent, also for a
 * zeroed one. */
void gather_fini(struct gather *g);

#endif
