/*
 * local/open_ids.h - which partials this process has open, or looks at.
 *
 * Where locks belong to a process (publish_locks_last()) the kernel gives it the lock of an
 * ID.info that it has already, and takes that from it when it closes any descriptor of the
 * file.  So there only one of this process opens an ID.info at a time.  Elsewhere all of it
 * does nothing.  Any thread.
 */
#ifndef LOCAL_OPEN_IDS_H
#define LOCAL_OPEN_IDS_H

#include <stdbool.h>

#include "base/list.h"
#include "store/partial.h"

/* Zeroed at first. */
struct open_id {
	struct list_node node;
	char id[PARTIAL_ID_LEN + 1];
};

/* It is about to open the ID.info of `id`.  False: another one of this process has it open. */
bool open_id_enter(struct open_id *o, const char *id);

/* It has closed it.  Idempotent. */
void open_id_leave(struct open_id *o);

#endif
