/*
 * shared/attempts.h - who guesses: failed attempts to say who one is, by address, over all
 * workers.
 *
 * An address may fail ATTEMPTS_BURST times in a row, and then once each ATTEMPTS_EVERY_MS.
 * What is right is never held up by this: a caller asks before it looks at what costs much,
 * or before it says that something is wrong.
 *
 * The table has a fixed size.  When it is full an address that has failed least recently is
 * forgotten.  Nothing in it is a worker's: none has to clear it when one ends.
 */
#ifndef SHARED_ATTEMPTS_H
#define SHARED_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/shm.h"

enum {
	ATTEMPTS_BURST = 20,
	ATTEMPTS_EVERY_MS = 3000,
};

struct attempts;

/* Bytes of shared memory. */
size_t attempts_size(void);

/* Make the table, before the first fork. */
struct attempts *attempts_new(struct shm *s);

/* For how many seconds who has this key (a network, addr_network()) may try no more; 0: he
 * may now.  `now_ns` is of clock_mono_ns(), here and below. */
unsigned attempts_wait_s(
    const struct attempts *t, const void *key, size_t len, uint64_t now_ns);

/* He has failed; or he tries, and it will be known later whether he is right. */
void attempts_failed(
    struct attempts *t, const void *key, size_t len, uint64_t now_ns);

/* He was right: take back one attempts_failed(). */
void attempts_forgive(struct attempts *t, const void *key, size_t len);

/* Was it told of him, since he has begun to fail?  After a pause that makes up for all his
 * failures it was not. */
bool attempts_are_told(const struct attempts *t, const void *key, size_t len);
void attempts_tell(struct attempts *t, const void *key, size_t len);

#endif
