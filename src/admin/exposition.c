#include "admin/exposition.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/clock.h"

enum {
	MEMBER_MAX = 128, /* of an Accept; a longer one is none of ours */
	FRACTION = 9,	  /* digits of nanoseconds */
};

static const char open_type[] = "application/openmetrics-text";

/* ---- which format ---- */

/* The value of a parameter of a member of Accept, in lower case; NULL: it has none. */
static const char *
parameter_of(const char *member, const char *name)
{
	const char *at = strchr(member, ';');

	for (; at != NULL; at = strchr(at, ';')) {
		at++;
		at += strspn(at, " \t");
		if (strncmp(at, name, strlen(name)) == 0)
			return at + strlen(name);
	}
	return NULL;
}

/* How much a member wants its type, if it is `type`; 0: not at all. */
static double
wish_of(const char *member, const char *type)
{
	size_t len = strlen(type);
	const char *q = parameter_of(member, "q=");

	if (strncmp(member, type, len) != 0 ||
	    strchr("; \t", member[len]) == NULL)
		return 0;
	return q != NULL ? strtod(q, NULL) : 1;
}

static double
wish_of_open_metrics(const char *member)
{
	const char *version = parameter_of(member, "version=");

	if (version != NULL && strncmp(version, "1.0.0", 5) != 0)
		return 0;
	return wish_of(member, open_type);
}

/* The next member from *rest on, in lower case; false: there is none. */
static bool
next_member(struct span *rest, char ret[MEMBER_MAX])
{
	const char *comma;
	size_t len, n;

	if (rest->len == 0)
		return false;
	comma = memchr(rest->s, ',', rest->len);
	len = comma != NULL ? (size_t)(comma - rest->s) : rest->len;
	while (len > 0 && (*rest->s == ' ' || *rest->s == '\t')) {
		rest->s++;
		rest->len--;
		len--;
	}
	n = len < MEMBER_MAX ? len : 0;
	for (size_t i = 0; i < n; i++)
		ret[i] = ascii_lower(rest->s[i]);
	ret[n] = '\0';
	len += comma != NULL;
	rest->s += len;
	rest->len -= len;
	return true;
}

bool
exposition_prefers_open_metrics(struct span accept)
{
	double open = 0, plain = 0;
	char member[MEMBER_MAX] = "";

	while (accept.s != NULL && next_member(&accept, member)) {
		double o = wish_of_open_metrics(member);
		double p = wish_of(member, "text/plain");

		open = o > open ? o : open;
		plain = p > plain ? p : plain;
	}
	return open > 0 && open >= plain;
}

const char *
exposition_media_type(bool open_metrics)
{
	return open_metrics ? "application/openmetrics-text; version=1.0.0; "
			      "charset=utf-8"
			    : "text/plain; version=0.0.4; charset=utf-8";
}

/* ---- samples ---- */

void
exposition_family(struct exposition *e, const char *name,
    enum exposition_type type, const char *help)
{
	static const char *const word[] = {
	    [EXPOSITION_COUNTER] = "counter",
	    [EXPOSITION_GAUGE] = "gauge",
	    [EXPOSITION_HISTOGRAM] = "histogram",
	};
	const char *suffix = type == EXPOSITION_COUNTER ? "_total" : "";
	const char *shown = e->open_metrics ? "" : suffix;

	e->name = name;
	e->suffix = suffix;
	str_printf(e->out, "# HELP %s%s %s.\n# TYPE %s%s %s\n", name, shown,
	    help, name, shown, word[type]);
}

/* Text from outside: str_escape() leaves of it \", \\ and \u0000.  The first two are the same
 * here, and of the third each backslash is to be one. */
static void
add_value(struct str *out, const char *value)
{
	struct str plain = {0};
	size_t i = 0;

	str_escape(&plain, value, strlen(value));
	out->failed |= str_failed(&plain);
	while (i < plain.len) {
		size_t n = plain.s[i] == '\\' ? 2 : 1;

		if (n == 2 && plain.s[i + 1] == 'u')
			str_puts(out, "\\");
		str_add(out, &plain.s[i], n);
		i += n;
	}
	str_fini(&plain);
}

static void
add_label(struct str *out, bool *first, const char *name, const char *value)
{
	str_puts(out, *first ? "{" : ",");
	*first = false;
	str_puts(out, name);
	str_puts(out, "=\"");
	add_value(out, value);
	str_puts(out, "\"");
}

/* NAME{LABELS} and a space; `le`: of a bucket, or NULL. */
static void
begin_sample(struct exposition *e, const char *suffix,
    const struct exposition_label *labels, const char *le)
{
	bool first = true;

	str_puts(e->out, e->name);
	str_puts(e->out, suffix);
	for (; labels != NULL && labels->name != NULL; labels++)
		add_label(e->out, &first, labels->name, labels->value);
	if (le != NULL)
		add_label(e->out, &first, "le", le);
	str_puts(e->out, first ? " " : "} ");
}

static void
end_sample(struct exposition *e, uint64_t value)
{
	str_add_u64(e->out, value);
	str_puts(e->out, "\n");
}

static void
end_sample_ns(struct exposition *e, uint64_t ns)
{
	char fraction[FRACTION + 2] = ".";
	uint64_t rest = ns % NS_PER_S;

	for (size_t i = FRACTION; i > 0; i--, rest /= 10)
		fraction[i] = (char)('0' + rest % 10);
	str_add_u64(e->out, ns / NS_PER_S);
	str_add(e->out, fraction, FRACTION + 1);
	str_puts(e->out, "\n");
}

void
exposition_sample(
    struct exposition *e, const struct exposition_label *labels, uint64_t value)
{
	begin_sample(e, e->suffix, labels, NULL);
	end_sample(e, value);
}

void
exposition_sample_ns(
    struct exposition *e, const struct exposition_label *labels, uint64_t ns)
{
	begin_sample(e, e->suffix, labels, NULL);
	end_sample_ns(e, ns);
}

void
exposition_histogram(struct exposition *e,
    const struct exposition_label *labels, const struct metrics_histogram *h)
{
	uint64_t count = 0;

	for (size_t i = 0; i <= METRICS_BUCKETS; i++)
		count += h->buckets[i];
	if (count == 0)
		return;
	count = 0;
	for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
		count += h->buckets[i];
		begin_sample(e, "_bucket", labels,
		    i < METRICS_BUCKETS ? metrics_bound_text[i] : "+Inf");
		end_sample(e, count);
	}
	begin_sample(e, "_sum", labels, NULL);
	end_sample_ns(e, h->sum_ns);
	begin_sample(e, "_count", labels, NULL);
	end_sample(e, count);
}

void
exposition_end(struct exposition *e)
{
	if (e->open_metrics)
		str_puts(e->out, "# EOF\n");
}
