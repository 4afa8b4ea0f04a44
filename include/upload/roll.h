/*
 * upload/roll.h - the uploads that run in this worker, for those who watch.
 *
 *	roll_enter -> [ ... a look each ROLL_LOOK_MS -> a record (shared/live.h) ... ] -> roll_leave
 *
 * An upload that has ended before the next look was never in a record, and costs no more than
 * a place on a list.  At each look it is also seen who is to be cut, and whether uploads wait
 * for the disk of a location for long (upload/bound.h), which is said in the error log.  While
 * no upload runs, nothing looks.
 */
#ifndef UPLOAD_ROLL_H
#define UPLOAD_ROLL_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "shared/live.h"

struct conf_location;
struct roll;
struct roll_entry;
struct shared;

enum {
	ROLL_LOOK_MS = 250,
};

struct roll_ops {
	/* Say how it is: all but id, location, rate and seen_ns.  False: it is none that is
	 * listed. */
	bool (*describe)(struct roll_entry *e, struct live_record *r);
	/* An operator wants it cut: called again and again, from the loop.  May end it from
	 * within. */
	void (*cut)(struct roll_entry *e);
};

/* The fields are the module's. */
struct roll_entry {
	struct list_node node; /* unlinked: it is on no roll */
	const struct roll_ops *ops;
	const struct conf_location *location;
	uint64_t id;
	unsigned at; /* of its record; LIVE_RECORDS: it has none */
};

/* `shared` outlives it.  NULL: out of memory. */
NODISCARD struct roll *roll_new(
    struct ev_loop *loop, const struct shared *shared, unsigned slot);

/* Nothing is on it.  Clears the caller's pointer, which may be NULL. */
void roll_free(struct roll **rp);

/* An upload begins: `id` is that of its request; `location` outlives it. */
void roll_enter(struct roll *r, struct roll_entry *e,
    const struct roll_ops *ops, uint64_t id,
    const struct conf_location *location);

/* It has ended.  Does nothing if it is on no roll. */
void roll_leave(struct roll *r, struct roll_entry *e);

/* Have the records say how it is now. */
void roll_look(struct roll *r);

#endif
