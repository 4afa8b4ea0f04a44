/*
 * upload/bound.h - do the uploads of a location wait for its disk, and for how long already?
 *
 * Time in which most of those that run are write-bound counts up, any other time counts down
 * twice as fast.  So a peak now and then is none of it, and a pause makes up for little.
 */
#ifndef UPLOAD_BOUND_H
#define UPLOAD_BOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

/* Of a location; zeroed: none was looked at yet. */
struct bound {
	uint64_t seen_ns;	   /* the last look */
	uint64_t long_ns;	   /* it is so for so long */
	unsigned running, waiting; /* uploads, and those that are write-bound */
};

/* At this look there is one more. */
void bound_add(struct bound *b, bool is_write_bound);

/* All were added.  True when it has been so for `for_ns`: then it begins again. */
NODISCARD bool bound_look(struct bound *b, uint64_t now_ns, uint64_t for_ns);

#endif
