/*
 * web/form_atomic.h - all files of a form, or none (form_atomic).
 *
 *	transferred ... transferred -> settle each -> commit each -> stored
 *	                                                  \-> failed: take back each
 *
 * What was written is made durable before the first file gets its name, so that little can fail
 * after that; if something does, the files that have their names lose them again.  One that has
 * replaced another cannot be taken back.  A crash between two names leaves the first ones, since
 * they are given from the first to the last, each for good before the next, and taken back from
 * the last to the first.
 */
#ifndef WEB_FORM_ATOMIC_H
#define WEB_FORM_ATOMIC_H

#include "base/list.h"
#include "store/task.h"
#include "form_file.h"

/* The fields are the module's. */
struct form_atomic {
	struct list *files; /* of struct form_file */
	struct list_node *at;
	struct store *store;
	struct store_task *task; /* that runs; or NULL */
	int err;
	size_t left; /* files that could not be taken back */
	void *owner;
	void (*on_settled)(void *owner, int err);
	void (*on_taken_back)(void *owner, size_t left);
};

/* Settle all of `files`: on_settled() follows, with 0 or the first error, perhaps from
 * within. */
void form_atomic_settle(struct form_atomic *a, struct list *files);

/* Take back all of `files`, which are stored: on_taken_back() follows, perhaps from within,
 * with the number of those that stay. */
void form_atomic_take_back(struct form_atomic *a, struct list *files);

/* Nothing is called any more; what was begun goes on. */
void form_atomic_forget(struct form_atomic *a);

#endif
