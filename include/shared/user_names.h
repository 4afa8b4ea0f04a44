/*
 * shared/user_names.h - numbers of users who upload, so that they can be counted.
 *
 * The same user has the same number in all workers, for as long as the server runs, so that
 * what is counted of one never goes down.  There are few of them, and who comes later is to
 * have one if it matters: the first half is for whoever comes first, the other half for those
 * who have brought USER_NAMES_MUCH bytes.  All others are USER_NAMES_OTHER together.
 */
#ifndef SHARED_USER_NAMES_H
#define SHARED_USER_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "shared/shm.h"

enum {
	USER_NAMES_LAYOUT = 1, /* of the shared memory */
	USER_NAMES = 128,
	USER_NAMES_OTHER = USER_NAMES,
	USER_NAME_MAX =
	    128, /* bytes, with the NUL; who has a longer one is OTHER */
};

#define USER_NAMES_MUCH (UINT64_C(1) << 30)

struct user_names;

/* Bytes of shared memory; and make it there, before the first fork. */
size_t user_names_size(void);
struct user_names *user_names_new(struct shm *s);

/* The number of who has brought `bytes` just now; it may get one by that. */
unsigned user_names_take(
    struct user_names *u, const char *name, uint64_t bytes);

/* The name; NULL: nobody has that number. */
const char *user_names_of(const struct user_names *u, unsigned number);

#endif
