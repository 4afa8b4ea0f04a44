/*
 * What Prometheus is told: whatever a label has for a value, a reader of the text format 0.0.4
 * or of OpenMetrics finds the same families, labels and numbers in it that were put there, and
 * nothing else.
 *
 * The first byte is a knob: the format.  Lines: the first is an Accept; the others are values of
 * labels, in turn of a counter, a gauge and a histogram.  (A NUL ends a value.)
 */
#include <ctype.h>

#include "admin/exposition.h"
#include "fuzz.h"

enum {
	VALUES_MAX = 32,
};

/* What was put, in order. */
struct sample {
	const char *name, *value; /* value: of the label; NULL: there is none */
	const char *le;
	uint64_t n;
};

static struct sample samples[VALUES_MAX * (METRICS_BUCKETS + 4)];
static size_t count;

static void
note(const char *name, const char *value, const char *le, uint64_t n)
{
	samples[count++] = (struct sample){name, value, le, n};
}

static void
put(struct exposition *e, size_t which, const char *value)
{
	struct exposition_label labels[] = {{"value", value}, {0}};
	struct metrics_histogram h = {.sum_ns = 7 * which};
	uint64_t sum = 0;

	switch (which % 3) {
	case 0:
		exposition_sample(e, labels, UINT64_MAX - which);
		note("a_counter_total", value, NULL, UINT64_MAX - which);
		break;
	case 1:
		exposition_sample_ns(e, labels, which * 1000000000);
		note("a_gauge_seconds", value, NULL, which);
		break;
	default:
		for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
			h.buckets[i] = which + i;
			sum += which + i;
			note("a_time_bucket", value,
			    i < METRICS_BUCKETS ? metrics_bound_text[i]
						: "+Inf",
			    sum);
		}
		exposition_histogram(e, labels, &h);
		note("a_time_sum", value, NULL, 0);
		note("a_time_count", value, NULL, sum);
		break;
	}
}

/* ---- a strict reader ---- */

static const char *
expect(const char *s, const char *word)
{
	size_t len = strlen(word);

	check(strncmp(s, word, len) == 0);
	return s + len;
}

/* The text between quotes, its escapes undone once: \\, \" and \n, and no others. */
static const char *
read_value(const char *s, char *ret)
{
	s = expect(s, "\"");
	for (; *s != '"'; s++) {
		check(*s != '\0' && *s != '\n');
		if (*s != '\\') {
			*ret++ = *s;
			continue;
		}
		s++;
		check(*s == '\\' || *s == '"' || *s == 'n');
		*ret++ = *s == 'n' ? '\n' : *s;
	}
	*ret = '\0';
	return s + 1;
}

/* Of text that is none, or has controls, each such byte is told as \u00XX: what is left is
 * ASCII and the same as it was, if it was plain. */
static void
check_same(const char *read, const char *put_there)
{
	bool is_plain = true;

	for (const char *s = put_there; *s != '\0'; s++)
		is_plain &= *s >= ' ' && *s <= '~';
	if (is_plain)
		check(strcmp(read, put_there) == 0);
	for (const char *s = read; *s != '\0'; s++)
		check((unsigned char)*s >= ' ' && *s != 0x7f);
}

static const char *
read_sample(const char *s, const struct sample *expected)
{
	static char value[64 * 1024];
	char number[32];
	size_t len;

	s = expect(s, expected->name);
	s = expect(s, "{value=");
	s = read_value(s, value);
	check_same(value, expected->value);
	if (expected->le != NULL) {
		s = expect(s, ",le=");
		s = read_value(s, value);
		check(strcmp(value, expected->le) == 0);
	}
	s = expect(s, "} ");
	len = strspn(s, "0123456789");
	check(len > 0 && len < sizeof(number));
	memcpy(number, s, len);
	number[len] = '\0';
	check(strtoull(number, NULL, 10) == expected->n);
	s += len;
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	return expect(s, "\n");
}

static const char *
skip_family(const char *s, const char *name, const char *type)
{
	s = expect(s, "# HELP ");
	s = expect(s, name);
	s = expect(s, " Of a test.\n# TYPE ");
	s = expect(s, name);
	s = expect(s, " ");
	s = expect(s, type);
	return expect(s, "\n");
}

/* ---- */

static const struct {
	const char *name;
	enum exposition_type type;
	const char *word;
} families[] = {
    {"a_counter", EXPOSITION_COUNTER, "counter"},
    {"a_gauge_seconds", EXPOSITION_GAUGE, "gauge"},
    {"a_time", EXPOSITION_HISTOGRAM, "histogram"},
};

static void
fuzz_values(char **values, size_t n, bool open)
{
	struct str out = {0};
	struct exposition e = {.out = &out, .open_metrics = open};
	const char *s;
	size_t i = 0;

	count = 0;
	for (size_t f = 0; f < 3; f++) {
		exposition_family(
		    &e, families[f].name, families[f].type, "Of a test");
		for (size_t v = f; v < n; v += 3)
			put(&e, v, values[v]);
	}
	exposition_end(&e);
	check(!str_failed(&out));
	check(strlen(out.s) == out.len);
	s = out.s;
	for (size_t f = 0; f < 3; f++) {
		bool is_total = f == 0 && !open;

		s = skip_family(s,
		    is_total ? "a_counter_total" : families[f].name,
		    families[f].word);
		while (i < count && strncmp(samples[i].name, families[f].name,
					strlen(families[f].name)) == 0)
			s = read_sample(s, &samples[i++]);
	}
	check(i == count);
	s = open ? expect(s, "# EOF\n") : s;
	check(*s == '\0');
	str_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy, *values[VALUES_MAX], *at;
	size_t n = 0, len;
	bool open;

	if (size == 0)
		return 0;
	open = fuzz_knob(data, 0) % 2;
	copy = fuzz_alloc(size);
	memcpy(copy, data + 1, size - 1);
	copy[size - 1] = '\0';
	at = memchr(copy, '\n', size - 1);
	len = at != NULL ? (size_t)(at - copy) : size - 1;
	/* Exactly as long as it is, so that ASan sees one read too many. */
	at = fuzz_copy(copy, len);
	(void)exposition_prefers_open_metrics((struct span){at, len});
	free(at);
	for (at = copy + len; at < copy + size - 1 && n < VALUES_MAX;) {
		char *end;

		*at++ = '\0';
		values[n++] = at;
		end = memchr(at, '\n', (size_t)(copy + size - 1 - at));
		at = end != NULL ? end : copy + size - 1;
	}
	fuzz_values(values, n, open);
	free(copy);
	return 0;
}
