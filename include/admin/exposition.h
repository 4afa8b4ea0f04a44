/*
 * admin/exposition.h - the text in which numbers are told to Prometheus.
 *
 *	exposition_family -> exposition_sample ... -> exposition_family -> ...
 *
 * In one of two formats: the text format 0.0.4, or OpenMetrics 1.0, in which the name of a
 * counter's family lacks the _total of its samples, and the text has an end.  All numbers
 * are written in the same way in both.
 */
#ifndef ADMIN_EXPOSITION_H
#define ADMIN_EXPOSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/str.h"
#include "shared/metrics.h"

struct exposition {
	struct str *out;
	bool open_metrics;
	const char *name; /* of the family */
	const char *suffix;
};

enum exposition_type {
	EXPOSITION_COUNTER, /* samples are called NAME_total */
	EXPOSITION_GAUGE,
	EXPOSITION_HISTOGRAM,
};

/* A label and its value, which may be any text; name NULL: the end. */
struct exposition_label {
	const char *name, *value;
};

/* Does this Accept prefer OpenMetrics?  It may be absent. */
bool exposition_prefers_open_metrics(struct span accept);

/* The media type of it. */
const char *exposition_media_type(bool open_metrics);

/* Begin a family, whose name has no suffix; `help` is a clause without a full stop. */
void exposition_family(struct exposition *e, const char *name,
    enum exposition_type type, const char *help);

/* One number of the family; labels end with {0}, NULL: there are none.  _ns: seconds, from
 * nanoseconds. */
void exposition_sample(struct exposition *e,
    const struct exposition_label *labels, uint64_t value);
void exposition_sample_ns(
    struct exposition *e, const struct exposition_label *labels, uint64_t ns);

/* The samples of a histogram: buckets, sum and count; of one that has any. */
void exposition_histogram(struct exposition *e,
    const struct exposition_label *labels, const struct metrics_histogram *h);

/* Nothing follows. */
void exposition_end(struct exposition *e);

#endif
