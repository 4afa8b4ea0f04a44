/*
 * admin/pages.h - what is told: each page is added to `out`.
 */
#ifndef ADMIN_PAGES_H
#define ADMIN_PAGES_H

#include "admin/admin.h"
#include "base/str.h"

/* For Prometheus.  False: out of memory. */
NODISCARD bool metrics_page(
    const struct admin_subject *s, bool open_metrics, struct str *out);

/* For people: JSON.  False: out of memory. */
NODISCARD bool status_page(const struct admin_subject *s, struct str *out);

#endif
