/*
 * admin/pages.h - what is told: each page is added to `out`.
 */
#ifndef ADMIN_PAGES_H
#define ADMIN_PAGES_H

#include "admin/admin.h"
#include "base/str.h"

struct uploads_query;

/* For Prometheus.  False: out of memory. */
NODISCARD bool metrics_page(
    const struct admin_subject *s, bool open_metrics, struct str *out);

/* For people: JSON.  False: out of memory. */
NODISCARD bool status_page(const struct admin_subject *s, struct str *out);

/* Those uploads that run and are asked for: JSON.  False: out of memory. */
NODISCARD bool uploads_page(const struct admin_subject *s,
    const struct uploads_query *q, struct str *out);

/* What there is of an upload. */
enum upload_page {
	UPLOAD_PAGE_NONE, /* nothing: it never was, or has ended long ago */
	UPLOAD_PAGE_RUNS,
	UPLOAD_PAGE_COMMITS, /* it runs, and is whole */
	UPLOAD_PAGE_ENDED,
};

/* One upload, by the id of its request: JSON.  Look at str_failed(). */
enum upload_page upload_page(
    const struct admin_subject *s, uint64_t id, struct str *out);

#endif
