/*
 * local/partial_jobs.h - what is done for a partial on an engine thread.
 *
 * Each is given a struct commit whose `partial` is set, and returns 0, a negative errno or
 * an enum local_error.
 */
#ifndef LOCAL_PARTIAL_JOBS_H
#define LOCAL_PARTIAL_JOBS_H

struct commit;

/* Make the partial->next, and lock it.  What it cannot make whole it takes away; its name
 * in `.penstock` is still to be synced: synced.dir and synced.inode. */
int partial_create_job(void *commit);

/* Open the partial->file.shown.id: LOCAL_HELD (then partial->file.bytes, unless they are
 * NULL, have its record), LOCAL_NO_UPLOAD or LOCAL_GARBLED, too. */
int partial_find_job(void *commit);

/* Its bytes are to get more, and then the name of the target: open them, and look whether
 * they may have that; what create.room is to reserve room for. */
int partial_append_job(void *commit);

/* Open its bytes, if they are not. */
int partial_open_data(struct commit *c);

/* Its bytes up to next.offset are durable, and then it says so.  Nothing is behind them. */
int partial_suspend_job(void *commit);

/* The last word about it.  Of one that is PARTIAL_REFUSED the bytes go. */
int partial_conclude_job(void *commit);

/* All of it goes. */
int partial_remove_job(void *commit);

#endif
