/*
 * admin/metrics_uploads.h - the families of /metrics that are about uploads.
 */
#ifndef ADMIN_METRICS_UPLOADS_H
#define ADMIN_METRICS_UPLOADS_H

#include "admin/exposition.h"
#include "shared/metrics.h"

struct shared;

/* Those that have ended, by location and by user; and those that run. */
void metrics_uploads(struct exposition *e, const struct shared *shared,
    const struct metrics_sum *sum);

#endif
