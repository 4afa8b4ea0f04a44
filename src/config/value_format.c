/*
 * Writes the value of a directive as it would stand in a configuration.
 */
#include <string.h>

#include "base/num.h"
#include "config/access_log.h"
#include "config/config.h"
#include "config/lexer.h"
#include "config/lists.h"
#include "config/networks.h"
#include "config/value.h"

/* The word of a VALUE_CHOICE that has this value. */
static const char *
word_of(const struct directive *d, int value)
{
	int i = value;

	if (d->values != NULL)
		for (i = 0; d->values[i] != value; i++)
			check(d->words[i] != NULL);
	return d->words[i];
}

static void
format_set(const struct directive *d, int bits, struct str *out)
{
	const char *between = "";

	for (size_t i = 0; d->words[i] != NULL; i++) {
		if ((bits & d->values[i]) == 0)
			continue;
		str_printf(out, "%s%s", between, d->words[i]);
		between = " ";
	}
}

/* A number as the row says: of bytes, of seconds, or a plain one. */
static void
format_number(const struct directive *d, const void *value, struct str *out)
{
	char number[NUM_TEXT_MAX];
	double seconds;
	uint64_t n;

	if (d->type == VALUE_TIME) {
		memcpy(&seconds, value, sizeof(seconds));
		num_format_seconds(seconds, number);
	} else {
		memcpy(&n, value, sizeof(n));
		if (n == (d->type == VALUE_MODE ? 0 : VALUE_AUTO) &&
		    d->words != NULL) {
			str_puts(out, d->words[0]);
			return;
		}
		if (d->type == VALUE_MODE)
			snprintf(number, sizeof(number), "%04o", (unsigned)n);
		else
			directives_format_number(d, n, number);
	}
	str_puts(out, number);
}

static bool
format_text(const struct directive *d, const void *base, struct str *out)
{
	const struct config *top = base;
	const char *text;

	memcpy(&text, (const char *)base + d->offset, sizeof(text));
	if (text == NULL)
		return false;
	lexer_quote(out, text);
	if (d->type == VALUE_ERROR_LOG)
		str_printf(out, " %s", log_level_name[top->error_level]);
	return true;
}

bool
value_format(const struct directive *d, const void *base, struct str *out)
{
	const void *value = (const char *)base + d->offset;
	bool on;
	int i;

	switch (d->type) {
	case VALUE_NUMBER:
	case VALUE_SIZE:
	case VALUE_TIME:
	case VALUE_MODE:
		format_number(d, value, out);
		return true;
	case VALUE_FLAG:
		memcpy(&on, value, sizeof(on));
		str_puts(out, on ? "on" : "off");
		return true;
	case VALUE_CHOICE:
		memcpy(&i, value, sizeof(i));
		str_puts(out, word_of(d, i));
		return true;
	case VALUE_SET:
		memcpy(&i, value, sizeof(i));
		format_set(d, i, out);
		return true;
	case VALUE_PATH:
	case VALUE_TEXT:
	case VALUE_REFERENCE:
	case VALUE_ERROR_LOG:
		return format_text(d, base, out);
	case VALUE_ACCESS_LOG:
		access_log_format(value, out);
		return true;
	case VALUE_NAMES:
	case VALUE_ORIGINS:
	case VALUE_FORM_NAME:
		return lists_format(value, out);
	case VALUE_NETWORKS:
		return networks_format(value, out);
	case VALUE_FILES:
	case VALUE_RULES:
	case VALUE_DENY:
	case VALUE_LISTEN:
	case VALUE_INCLUDE:
	case VALUE_BLOCK:
	default:
		die("%s has no one value to show", d->name);
	}
}
