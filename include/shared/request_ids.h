/*
 * shared/request_ids.h - the numbers of requests, of which no two are the same: neither in two
 * workers, nor before and after a restart.
 *
 *	1764547200123456   microseconds since 1970 when the server was started,
 *	                   and one more for each request since
 *
 * Each worker takes them by the block.  So they would only repeat themselves if a server
 * answered more than a million requests a second from its start to its end, or after
 * the clock was set back.  They stay below 2^53 until the year 2255: a JavaScript number
 * holds them.
 */
#ifndef SHARED_REQUEST_IDS_H
#define SHARED_REQUEST_IDS_H

#include <stddef.h>
#include <stdint.h>

struct shm;

struct request_ids; /* of all workers */

/* Those of one worker, who has them alone; `last` and `end` begin as 0. */
struct request_ids_block {
	struct request_ids *from; /* NULL: it counts from 1 */
	uint64_t last, end;
};

/* Bytes of shared memory; and make it there, before the first fork. */
size_t request_ids_size(void);
struct request_ids *request_ids_new(struct shm *s);

/* The next one, never 0. */
uint64_t request_ids_take(struct request_ids_block *b);

#endif
