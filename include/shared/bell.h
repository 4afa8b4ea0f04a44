/*
 * shared/bell.h - wakes the loops of other workers (bell_linux.c, bell_posix.c).
 *
 * One bell for all: whoever rings wakes each worker that listens at that moment, or
 * has not looked since.  It says nothing; what has changed is in shared memory.
 * Where there is none, workers have to look from time to time.
 */
#ifndef SHARED_BELL_H
#define SHARED_BELL_H

#include "base/check.h"

struct bell {
	int fd; /* -1: there is none */
};

/* Make it, before the first fork.  It stays until the last process ends. */
void bell_init(struct bell *b);

/*
 * bell_listen(b):
 * A descriptor for this worker's loop, readable after the bell was rung and until
 * bell_heard(); the caller's to close.  -1: there is none.
 */
NODISCARD int bell_listen(const struct bell *b);
void bell_heard(int fd);

/* Never blocks. */
void bell_ring(const struct bell *b);

#endif
