/*
 * local/incoming_turn.h - what the last job of a file on its way in waits for: its turn
 * on the disk, among small uploads and large ones (disk/fair.h), or other brief calls.
 */
#ifndef LOCAL_INCOMING_TURN_H
#define LOCAL_INCOMING_TURN_H

#include <stdbool.h>

struct incoming_file;

/* It has a job, which is about to begin: the flags for engine_call().  `slow`: the job
 * frees or scans much, or waits for a lock.  From here on it counts among the small
 * ones, if it is one, until incoming_turn_end(). */
unsigned incoming_turn_begin(struct incoming_file *f, bool slow);

/* It takes no part in the turns on its disk any more, if it did.  It was `stored`, or
 * says nothing of how long that takes. */
void incoming_turn_end(struct incoming_file *f, bool stored);

#endif
