/*
 * local/task.h - jobs beside a file's way in (store/task.h): each has descriptors of its own,
 * and ends by itself, whatever becomes of the file.
 */
#ifndef LOCAL_TASK_H
#define LOCAL_TASK_H

#include "store/store.h"

NODISCARD struct store_task *task_settle(struct incoming *in);
NODISCARD struct store_task *task_take_back(
    struct store *s, const char *name, const struct object_info *stored);

#endif
