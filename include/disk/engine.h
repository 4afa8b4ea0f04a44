/*
 * disk/engine.h - runs operations that may block on a disk, so that the loop never
 * does.
 *
 *	engine_submit(op) -> [its turn?] -> [device: at most `cap` in flight] -> io_uring
 *	                                                                      |  threads
 *	op->on_done(op, res)  <-  one eventfd per worker  <-------------------'
 *
 * Reads and writes go to io_uring where it can be used (engine.c says how with several
 * disks).  Everything else (open, sync, link, close, and sequences of these) is an
 * OP_CALL, a function that runs on a thread: that costs as much as a chain of ring
 * operations, and is plain C.  The operations in flight on a device are limited, so that
 * a dead disk holds up its own callers only; and small uploads and bulk take turns there
 * (disk/fair.h).  On tmpfs nothing blocks: operations are run when they are submitted,
 * except calls that are `slow` (disk/op.h), but on_done is called from the loop all the
 * same.
 *
 * One engine per worker, made after the fork.
 */
#ifndef DISK_ENGINE_H
#define DISK_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "config/choices.h"
#include "disk/op.h"

struct bell;
struct ev_loop;
struct engine;

/*
 * engine_new(loop, choice, ret):
 * 0 and *ret, which the caller owns until engine_free(); -ENOSYS or -EPERM when
 * io_uring was asked for and cannot be used; or another negative errno.
 */
NODISCARD int engine_new(
    struct ev_loop *loop, enum conf_engine choice, struct engine **ret);

/* "io_uring" or "threads". */
const char *engine_name(const struct engine *e);

/*
 * engine_submit(e, dev, op):
 * Hand over `op`, which must not be in flight.  When it has ended op->on_done is called
 * from the loop, never from within this call.
 */
void engine_submit(struct engine *e, struct device *dev, struct op *op);

/* Flags for engine_call(), combined with |. */
enum engine_call_flag {
	CALL_SLOW = 1,	   /* as `slow` of disk/op.h */
	CALL_NO_STALL = 2, /* as `no_stall` */
	CALL_SMALL = 4,	   /* it waits for OP_TURN_SMALL */
	CALL_JOINS = 8,	   /* as `joins` */
	CALL_FLUSHES = 16, /* as `flushes` */
	CALL_BULK = 32,	   /* it waits for OP_TURN_BULK; the caller has set
			      `weight` */
	CALL_BRIEF = 64,   /* as `brief` */
};

/*
 * engine_call(e, dev, op, call, arg, flags, on_done):
 * Make `op` an OP_CALL and submit it: call(arg) runs on a thread, then on_done(op,
 * what it returned) is called from the loop, with op->owner set to `arg`.  Until then
 * only the thread may use `arg`.  `op` is zeroed, or was used before for any kind of
 * operation, and must not be in flight; but for CALL_BULK nothing of it counts.
 */
void engine_call(struct engine *e, struct device *dev, struct op *op,
    int (*call)(void *arg), void *arg, unsigned flags,
    void (*on_done)(struct op *op, int res));

/* `op` is in flight and still waits for its turn, or for a place on its device: nothing
 * of it has been done.  (One that was cancelled waits no more.) */
bool engine_is_waiting(const struct op *op);

/*
 * engine_cancel(e, op):
 * Cancel `op` if it is waiting: then on_done is called from the loop with -ECANCELED.
 * False: it has been started, or is not in flight.
 */
bool engine_cancel(struct engine *e, struct op *op);

/*
 * engine_watch(e, stall_s):
 * From now on a device is stalled when its oldest operation (of those without
 * `no_stall`) was started more than `stall_s` seconds ago, or when all its
 * places have been taken for that long without one becoming free.  Before the
 * call, and with 0, no device is.
 */
void engine_watch(struct engine *e, double stall_s);

/*
 * engine_hear(e, bell):
 * While operations wait for their turn here, wake as soon as another worker rings.  (The
 * engine looks each millisecond in any case, since some turns come by time alone.)  To be
 * called once at most; `bell` is not used after the call.
 */
void engine_hear(struct engine *e, const struct bell *bell);

/* Operations submitted and not completed yet. */
size_t engine_in_flight(const struct engine *e);

/* True when all of these are on devices that are stalled, started or waiting for a
 * place. */
bool engine_is_stuck(const struct engine *e);

/*
 * engine_free(ep):
 * End the threads, free the engine and clear the caller's pointer.  No operation may be
 * in flight: a process that has one can only _exit().
 */
void engine_free(struct engine **ep);

#endif
