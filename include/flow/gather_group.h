/*
 * flow/gather_group.h - all that gather (flow/gather.h) together: what their chunks are
 * charged to.
 */
#ifndef FLOW_GATHER_GROUP_H
#define FLOW_GATHER_GROUP_H

#include <stddef.h>

#include "disk/chunk.h"

/* Zeroed: nobody gathers.  It outlives all that do. */
struct gather_group {
	struct chunk_account account; /* the pool's while somebody does */
	size_t users;
};

#endif
