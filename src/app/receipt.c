#include "app/receipt.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

/* Nanoseconds as milliseconds with three digits behind the point. */
#define MS(ns) ((ns) / NS_PER_MS), (unsigned)((ns) % NS_PER_MS / 1000)
#define MS_FMT "%" PRIu64 ".%03u"

/* What the times are called, in their order; the digest's comes last, where
 * there is one. */
enum {
	TIMES_MAX = 8,
};

struct time_of {
	const char *name;
	uint64_t ns;
};

static size_t
list_times(const struct receipt *rc, struct time_of ret[TIMES_MAX])
{
	const struct meter *m = rc->meter;
	const struct time_of all[TIMES_MAX] = {
	    {"network", meter_network_ns(m)},
	    {"queue", m->reader_ns[READER_QUEUE]},
	    {"memory", m->reader_ns[READER_MEMORY]},
	    {"data", m->writer_ns[WRITER_DATA]},
	    {"write", m->writer_ns[WRITER_WRITE]},
	    {"sync", m->writer_ns[WRITER_SYNC]},
	    {"total", meter_total_ns(m)},
	    {"hash", m->hash_ns},
	};

	memcpy(ret, all, sizeof(all));
	return rc->digest != NULL ? TIMES_MAX : TIMES_MAX - 1;
}

static void
add_digests(const struct digest *d, struct str *out)
{
	const char *separator = "";

	str_puts(out, ",\"digest\":{");
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		if (!(digest_set(d) & digest_bit(a)))
			continue;
		str_printf(out, "%s\"%s\":\"", separator, digest_kinds[a].name);
		digest_add_hex(out, a, digest_value(d, a));
		str_puts(out, "\"");
		separator = ",";
	}
	str_puts(out, "}");
}

static void
add_content(const struct receipt *rc, struct str *out)
{
	struct time_of times[TIMES_MAX];
	size_t n = list_times(rc, times);

	str_puts(out, "{\"name\":\"");
	str_escape(out, rc->name, strlen(rc->name));
	str_printf(out,
	    "\",\"location\":\"%s\",\"bytes\":%" PRIu64
	    ",\"durability\":\"%s\",\"verdict\":\"%s\",\"ms\":{",
	    rc->location, rc->bytes, durability_name[rc->durability],
	    verdict_name[meter_verdict(rc->meter)]);
	for (size_t i = 0; i < n; i++)
		str_printf(out, "%s\"%s\":" MS_FMT, i > 0 ? "," : "",
		    times[i].name, MS(times[i].ns));
	str_printf(out, "},\"overlap_saved_ms\":" MS_FMT,
	    MS(meter_saved_ns(rc->meter)));
	if (rc->digest != NULL)
		add_digests(rc->digest, out);
	str_puts(out, "}\n");
}

static void
add_fields(const struct receipt *rc, struct str *out)
{
	struct time_of times[TIMES_MAX];
	size_t n = list_times(rc, times);
	const char *separator = "Repr-Digest: ";

	str_printf(out, "Location: %s\r\nServer-Timing: ", rc->location);
	for (size_t i = 0; i < n; i++)
		str_printf(out, "%s%s;dur=" MS_FMT, i > 0 ? ", " : "",
		    times[i].name, MS(times[i].ns));
	str_puts(out, "\r\n");
	if (rc->digest == NULL)
		return;
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		if (!(digest_set(rc->digest) & digest_bit(a)))
			continue;
		str_puts(out, separator);
		digest_add_field(out, a, digest_value(rc->digest, a));
		separator = ", ";
	}
	str_puts(out, "\r\n");
}

void
receipt_respond(const struct receipt *rc, struct response *r)
{
	add_content(rc, &r->content);
	add_fields(rc, &r->fields);
}

void
receipt_note(const struct receipt *rc, struct str *note)
{
	struct time_of times[TIMES_MAX];
	const struct meter *m = rc->meter;

	str_puts(note, ending_word(rc->ending));
	if (m->end == 0)
		return;
	str_printf(note, " %s", verdict_name[meter_verdict(m)]);
	for (size_t i = 0, n = list_times(rc, times); i < n; i++)
		if (strcmp(times[i].name, "total") != 0)
			str_printf(note, " %s=" MS_FMT, times[i].name,
			    MS(times[i].ns));
	str_printf(note, " saved=" MS_FMT " name=\"", MS(meter_saved_ns(m)));
	str_escape(note, rc->name, strlen(rc->name));
	str_puts(note, "\"");
}
