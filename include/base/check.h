/*
 * base/check.h - live assertions, and the words every header uses.
 *
 * check() stays on in release builds: an invariant that does not hold is a
 * bug in this program, and a worker that ends at once is better than one
 * that goes on with wrong state.  It is never for what a client, a disk or
 * a user can cause.
 *
 * A check that fails uses none of the program but this file: it may be the log
 * or the clock that is wrong.  It writes one line with write(2), whatever
 * log_via() or log_listen() of base/log.h asked for, and aborts.  A reader of
 * the log sees a line of level error like any other:
 *
 *	2026-11-22T12:00:00.123Z error 4711 1.2: check failed: COND: FILE:LINE: FUNC
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

/* A pointer that came through a void * still leads to a struct with this magic. */
#define check_magic(p, m) check((p)->magic == (m))

/* The struct of type `type` whose member `member` is at `p`. */
#define container_of(p, type, member)                                          \
	((type *)(void *)((char *)(p)-offsetof(type, member)))

/* Elements of an array, never of a pointer. */
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Write the failed condition and abort(). */
void check_failed(
    const char *cond, const char *file, int line, const char *func) NORETURN;

/* Write "check failed: MESSAGE" and abort(): for states that cannot be. */
void die(const char *fmt, ...) NORETURN PRINTF_LIKE(1, 2);

/*
 * check_write_to(fd), check_set_who(who):
 * Where such a line goes, stderr before, and what stands in it behind the pid.
 * log_to() and log_set_who() of base/log.h call them.
 */
void check_write_to(int fd);
void check_set_who(const char *who);

/* Call tell("check failed: ...") instead of writing a line: for a process whose
 * descriptors lead nowhere.  It should do little more than write(2). */
void check_tell_to(void (*tell)(const char *message));

#endif
