/*
 * local/incoming_moves.h - what moves of a file on its way in have in common: for
 * incoming_moves.c and incoming_partial_moves.c.
 */
#ifndef LOCAL_INCOMING_MOVES_H
#define LOCAL_INCOMING_MOVES_H

#include "incoming_file.h"

/* It has a job from here on; false when out of memory. */
NODISCARD bool incoming_have_job(struct incoming_file *f);

/* The job is told what is known of the file by now. */
void incoming_prepare(struct incoming_file *f);

/* Then: call(arg) on an engine thread, with an `arg` that is part of the job; what it comes
 * to is an event. */
void incoming_begin_job(
    struct incoming_file *f, int (*call)(void *), void *arg, unsigned flags);

/* As if the job had begun, and failed for want of memory. */
void incoming_fail_job(struct incoming_file *f);

/* Its bytes are read back, beside the moves: its owner does nothing else meanwhile, but for
 * letting go of it. */
void incoming_begin_hash(struct incoming_file *f, struct digest *d);

/* Its owner is told, and may abort `f`. */
void incoming_tell_failure(struct incoming_file *f, int err);

#endif
