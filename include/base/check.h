/*
 * base/check.h - live assertions, and the words every header uses.
 *
 * check() stays on in release builds: an invariant that does not hold is a
 * bug in this program, and a worker that ends at once is better than one
 * that goes on with wrong state.  It is never for what a client, a disk or
 * a user can cause.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stddef.h>

#define NODISCARD __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* End the process when `cond` is false, saying what, where and in whom. */
#define check(cond)                                                            \
	((cond) ? (void)0 : check_failed(#cond, __FILE__, __LINE__, __func__))

/* The pointer that came back through a void * is what it was sent as. */
#define check_magic(p, m) check((p)->magic == (m))

/* The struct of type `type` whose member `member` is at `p`. */
#define container_of(p, type, member)                                          \
	((type *)(void *)((char *)(p)-offsetof(type, member)))

/* Elements of an array, never of a pointer. */
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Log the failed condition at level error and abort(). */
void check_failed(
    const char *cond, const char *file, int line, const char *func) NORETURN;

/* Log the message at level error and abort(): for states that cannot be. */
void die(const char *fmt, ...) NORETURN PRINTF_LIKE(1, 2);

#endif
