/*
 * local/incoming_partial.h - what a file on its way in has beside the rest when it is a
 * partial (store/partial.h).
 *
 * No other of this process opens the same while it is there (open_ids.h).
 */
#ifndef LOCAL_INCOMING_PARTIAL_H
#define LOCAL_INCOMING_PARTIAL_H

#include "base/list.h"
#include "open_ids.h"
#include "open_partial.h"
#include "partial_hash.h"

struct incoming_partial {
	struct list_node node; /* of those that this process has */
	struct open_id own;
	struct open_partial open;
	char *name; /* of the target, and behind it the forerunner; owned */
	struct partial_hash *hash; /* while its bytes are read back */
	bool is_syncing; /* its job waits for the sync of `.penstock` */
	bool is_known;	 /* its owner was told of it: its record is there */
	uint64_t offset; /* the last one that its owner was told: `open` may be
			    a job's just now */
};

/* One that is to be found by its ID, or made as `what`; NULL when out of memory. */
NODISCARD struct incoming_partial *incoming_partial_find(const char *id);
NODISCARD struct incoming_partial *incoming_partial_begin(
    const struct partial *what);

/* On the loop: has this process one open with this ID?  Then *ret_offset is what its owner
 * was told. */
bool incoming_partial_is_open(const char *id, uint64_t *ret_offset);

/* It was to be found, and another one has it: what never changes of it; valid as long as
 * `p`.  NULL: it could not be read. */
const struct partial *incoming_partial_show_held(struct incoming_partial *p);

/* Nothing is written to it any more: have others open it from now on, if that can be said
 * without waiting for a disk.  It is still to be closed. */
void incoming_partial_let_go(struct incoming_partial *p);

/* It is closed.  Clears the caller's pointer, which may be NULL. */
void incoming_partial_free(struct incoming_partial **pp);

#endif
