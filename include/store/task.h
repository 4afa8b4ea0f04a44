/*
 * store/task.h - what a store does beside one file's way in, for an owner that may leave
 * before it is done.
 */
#ifndef STORE_TASK_H
#define STORE_TASK_H

#include <stddef.h>

struct store_task {
	/* From the loop, once: 0, or what kept it from being done (a negative
	 * errno).  The task is gone then. */
	void (*on_done)(void *owner, int err);
	void *owner; /* NULL: it has left */
};

/* The owner of a task that is not done does not want to be told any more.  Clears the
 * caller's pointer, which may be NULL. */
static inline void
store_task_forget(struct store_task **tp)
{
	if (*tp != NULL)
		(*tp)->owner = NULL;
	*tp = NULL;
}

#endif
