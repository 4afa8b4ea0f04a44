#include "web/receipt.h"

#include <string.h>

#include "http/conditions.h"

/* Add all times, with this between two, before a name, and behind it. */
static void
add_times(const struct meter *m, bool hashed, const char *between,
    const char *before, const char *behind, struct str *out)
{
	struct meter_time times[METER_TIMES_MAX];
	size_t n = meter_times(m, hashed, times);

	for (size_t i = 0; i < n; i++) {
		str_puts(out, i > 0 ? between : "");
		str_puts(out, before);
		str_puts(out, times[i].name);
		str_puts(out, behind);
		str_add_ms(out, times[i].ns);
	}
}

void
receipt_add(const struct receipt *rc, struct str *out)
{
	str_puts(out, "\"name\":\"");
	str_escape(out, rc->name, strlen(rc->name));
	str_puts(out, "\",\"location\":\"");
	str_puts(out, rc->location);
	if (rc->user != NULL) {
		str_puts(out, "\",\"remote_user\":\"");
		str_escape(out, rc->user, strlen(rc->user));
	}
	str_puts(out, "\",\"bytes\":");
	str_add_u64(out, rc->bytes);
	if (rc->parts > 0) {
		str_puts(out, ",\"parts\":");
		str_add_u64(out, rc->parts);
	}
	str_puts(out, ",\"durability\":\"");
	str_puts(out, durability_name[rc->durability]);
	str_puts(out, "\",\"verdict\":\"");
	str_puts(out, verdict_name[meter_verdict(rc->meter)]);
	str_puts(out, "\",\"ms\":{");
	add_times(rc->meter, rc->digest != NULL, ",", "\"", "\":", out);
	str_puts(out, "},\"overlap_saved_ms\":");
	str_add_ms(out, meter_saved_ns(rc->meter));
	if (rc->digest != NULL) {
		str_puts(out, ",\"digest\":{");
		digest_add_members(rc->digest, out);
		str_puts(out, "}");
	}
	str_puts(out, ",\"id\":");
	str_add_u64(out, rc->id);
}

void
receipt_add_timing(const struct meter *m, bool hashed, struct str *out)
{
	str_puts(out, "Server-Timing: ");
	add_times(m, hashed, ", ", "", ";dur=", out);
	str_puts(out, "\r\n");
}

void
receipt_add_fields(const struct receipt *rc, struct str *out)
{
	const char *separator = "Repr-Digest: ";

	str_puts(out, rc->parts > 0 ? "Content-Location: " : "Location: ");
	str_puts(out, rc->location);
	str_puts(out, "\r\n");
	conditions_add_validators(rc->info, out);
	receipt_add_timing(rc->meter, rc->digest != NULL, out);
	if (rc->digest == NULL)
		return;
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		if (!digest_is_told(rc->digest, a))
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
	str_puts(&r->content, "{");
	receipt_add(rc, &r->content);
	str_puts(&r->content, "}\n");
	receipt_add_fields(rc, &r->fields);
}
