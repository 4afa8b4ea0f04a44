/*
 * disk/engine.h - waits for the disk, so that the loop never does.
 *
 *	engine_submit(op) -> [device: at most `cap` in flight] -> io_uring
 *	                                                       |  threads
 *	op->on_done(op, res)  <-  one eventfd per worker  <----'
 *
 * Reads and writes go to the ring where there is one (but see engine.c on
 * several disks); everything else (open, sync, link, close, whole recipes of
 * them) is an OP_CALL on a thread, which costs as much as a chain on the ring
 * and reads as plain C.  Both kinds are capped per device, so that a dead disk
 * holds up its own callers only.  On tmpfs nothing waits for a disk: operations
 * run at submission, except calls that are `slow` (disk/op.h), and their
 * completions are delivered from the loop as all others.
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

struct ev_loop;
struct engine;

/*
 * engine_new(loop, choice, ret):
 * 0, -ENOSYS or -EPERM when the ring was asked for and cannot be had, or
 * another negative errno.  The caller owns it until engine_free().
 */
NODISCARD int engine_new(
    struct ev_loop *loop, enum conf_engine choice, struct engine **ret);

/* "io_uring" or "threads". */
const char *engine_name(const struct engine *e);

/*
 * engine_submit(e, dev, op):
 * Hand `op` over; it comes back through op->on_done from the loop, never
 * from within this call.  Submitting one that is in flight is a bug.
 */
void engine_submit(struct engine *e, struct device *dev, struct op *op);

/* What a call is; combined with |. */
enum engine_call_flag {
	CALL_SLOW = 1,	   /* as `slow` of disk/op.h */
	CALL_NO_STALL = 2, /* as `no_stall` */
};

/*
 * engine_call(e, dev, op, call, arg, flags, on_done):
 * Make `op` an OP_CALL and submit it: call(arg) on a thread, then on_done(op,
 * what it returned) from the loop, with `arg` in op->owner.  `arg` is the
 * thread's until then.  `op` is zeroed memory or was used before, for whatever
 * kind; calling with one that is in flight is a bug.
 */
void engine_call(struct engine *e, struct device *dev, struct op *op,
    int (*call)(void *arg), void *arg, unsigned flags,
    void (*on_done)(struct op *op, int res));

/*
 * engine_cancel(e, op):
 * Call it off if it still waits for its place on the device: then it comes
 * back with -ECANCELED, as ever from the loop.  False: it has been started, or
 * is not in flight.
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

/* Operations submitted and not completed yet. */
size_t engine_in_flight(const struct engine *e);

/* All of them are in flight on devices that are stalled, or wait for a place
 * there. */
bool engine_is_stuck(const struct engine *e);

/*
 * engine_free(ep):
 * End the threads, free it and the caller's pointer.  With operations in
 * flight that is a bug: such a process can only _exit().
 */
void engine_free(struct engine **ep);

#endif
