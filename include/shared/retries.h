/*
 * shared/retries.h - who sends the same again and again, and fails each time.
 *
 *	failed, failed, ... (RETRIES_TOLD times within RETRIES_WITHIN_S) --> told
 *	succeeded --> forgotten
 *
 * Of all workers together.  A key stands for who sends what where.  There is room for so many
 * keys; one that has the place of another takes it over, so what is said is never wrong, but
 * may be said late.
 */
#ifndef SHARED_RETRIES_H
#define SHARED_RETRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "shared/shm.h"

enum {
	RETRIES_LAYOUT = 1, /* of the shared memory */
	RETRIES_TOLD = 10,  /* and ten times as often, and so on */
	RETRIES_WITHIN_S = 600,
};

struct retries;

/* Bytes of shared memory; and make it there, before the first fork. */
size_t retries_size(void);
struct retries *retries_new(struct shm *s);

/* It has failed at `now_ns` by clock_mono_ns().  How often so far, if that is to be told now, and
 * *ret_since_ns is when it began; else 0. */
unsigned retries_failed(
    struct retries *r, uint64_t key, uint64_t now_ns, uint64_t *ret_since_ns);

/* Has any failed in the time that counts?  Else nobody need say that it has not. */
bool retries_any(const struct retries *r, uint64_t now_ns);

/* It has not failed. */
void retries_succeeded(struct retries *r, uint64_t key);

#endif
