/* local/newest.h - which version of a file a record of the newest upload
 * (shared/latest.h) is about. */
#ifndef LOCAL_NEWEST_H
#define LOCAL_NEWEST_H

#include <stdbool.h>

#include "shared/latest.h"
#include "file_version.h"

/* The record is about `v`. */
void newest_note(struct latest_entry *e, const struct file_version *v);

/* True when `v`, which has the record's name now, is certainly the same
 * unchanged file and not one that another program put there, so that it may be
 * removed. */
bool newest_is(const struct latest_entry *e, const struct file_version *v);

#endif
