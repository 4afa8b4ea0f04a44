/* local/report.h - what is said of a directory: how it is written to, and what
 * that is worth. */
#ifndef LOCAL_REPORT_H
#define LOCAL_REPORT_H

#include "disk/device.h"
#include "store/kind.h"

/* What a 201 stands for where a sync is worth that, with `sync` on or off. */
enum durability report_durability(enum device_sync worth, bool sync);

/* What a start-up line says of a directory that is published into by `way`;
 * `file` is a new one in it, -1: there is no room for one. */
void report_describe(const struct store_policy *policy, const char *way,
    int file, const struct device_traits *t, struct str *report);

/* Since the path leads elsewhere, a sync is worth less, or more, than it was:
 * `now`.  At the start the master says so. */
void report_doubt(const char *dir, enum device_sync now);

#endif
