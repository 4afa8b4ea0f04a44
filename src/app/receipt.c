#include "app/receipt.h"

#include <inttypes.h>
#include <string.h>

#include "http/conditions.h"

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
	struct meter_time times[METER_TIMES_MAX];
	size_t n = meter_times(rc->meter, rc->digest != NULL, times);

	str_puts(out, "{\"name\":\"");
	str_escape(out, rc->name, strlen(rc->name));
	str_printf(out,
	    "\",\"location\":\"%s\",\"bytes\":%" PRIu64
	    ",\"durability\":\"%s\",\"verdict\":\"%s\",\"ms\":{",
	    rc->location, rc->bytes, durability_name[rc->durability],
	    verdict_name[meter_verdict(rc->meter)]);
	for (size_t i = 0; i < n; i++)
		str_printf(out, "%s\"%s\":" METER_MS_FMT, i > 0 ? "," : "",
		    times[i].name, METER_MS(times[i].ns));
	str_printf(out, "},\"overlap_saved_ms\":" METER_MS_FMT,
	    METER_MS(meter_saved_ns(rc->meter)));
	if (rc->digest != NULL)
		add_digests(rc->digest, out);
	str_puts(out, "}\n");
}

static void
add_fields(const struct receipt *rc, struct str *out)
{
	struct meter_time times[METER_TIMES_MAX];
	size_t n = meter_times(rc->meter, rc->digest != NULL, times);
	const char *separator = "Repr-Digest: ";

	str_printf(out, "Location: %s\r\n", rc->location);
	conditions_add_validators(rc->version, out);
	str_puts(out, "Server-Timing: ");
	for (size_t i = 0; i < n; i++)
		str_printf(out, "%s%s;dur=" METER_MS_FMT, i > 0 ? ", " : "",
		    times[i].name, METER_MS(times[i].ns));
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
