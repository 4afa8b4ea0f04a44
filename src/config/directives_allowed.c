/*
 * Which values a directive takes, and in which blocks it may stand, for messages and for the
 * README.
 */
#include <string.h>

#include "base/log.h"
#include "base/num.h"
#include "config/directives.h"

/* Add the words, "off, stdout or stderr", and `more` as the last of them. */
static void
add_words(const char *const *words, const char *more, struct str *out)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		if (i > 0)
			str_puts(
			    out, words[i + 1] == NULL && !more ? " or " : ", ");
		str_puts(out, words[i]);
	}
	if (more != NULL)
		str_printf(out, "%s%s", words != NULL ? " or " : "", more);
}

static void
add_modes(const struct directive *d, struct str *out)
{
	struct str range = {0};

	str_printf(&range, "a mode from %04o to %04o with %04o in it",
	    (unsigned)d->min, (unsigned)d->max, (unsigned)d->min);
	add_words(d->words, range.s, out);
	str_fini(&range);
}

static void
add_range(const struct directive *d, struct str *out)
{
	char min[NUM_TEXT_MAX], max[NUM_TEXT_MAX], multiple[NUM_TEXT_MAX];
	struct str range = {0};

	directives_format_number(d, d->min, min);
	directives_format_number(d, d->max, max);
	str_printf(&range, "%s to %s", min, max);
	if (d->multiple != 0) {
		directives_format_number(d, d->multiple, multiple);
		str_printf(&range, ", a multiple of %s", multiple);
	}
	add_words(d->words, range.s, out);
	str_fini(&range);
}

static const char networks_text[] =
    "addresses and networks such as 127.0.0.1 or 10.0.0.0/8, and unix:";
static const char rules_text[] =
    "an address, a network such as 192.0.2.0/24 or 2001:db8::/32, unix: or all";
static const char listen_text[] =
    "PORT, ADDRESS:PORT, [IPV6]:PORT or unix:PATH; then, as needed, ssl, "
    "backlog=N, for [::]:PORT ipv6only=on or off, for unix:PATH mode=OCTAL, "
    "owner=USER, group=GROUP; and proxy_protocol";

/* Of types whose values have no bounds and no words. */
static const char *const allowed_text[] = {
    [VALUE_NAMES] = "names such as files.example.org, or *.example.org",
    [VALUE_ORIGINS] = "origins such as https://www.example.org, or *",
    [VALUE_NETWORKS] = networks_text,
    [VALUE_RULES] = rules_text,
    [VALUE_DENY] = rules_text,
    [VALUE_LISTEN] = listen_text,
    [VALUE_INCLUDE] = "a path, in which *, ? and [ ] match many",
};

void
directives_allowed(const struct directive *d, struct str *out)
{
	switch (d->type) {
	case VALUE_NUMBER:
	case VALUE_SIZE:
	case VALUE_TIME:
		add_range(d, out);
		break;
	case VALUE_MODE:
		add_modes(d, out);
		break;
	case VALUE_FLAG:
		str_puts(out, "on or off");
		break;
	case VALUE_CHOICE:
		add_words(d->words, NULL, out);
		break;
	case VALUE_SET:
		add_words(d->words, NULL, out);
		str_puts(out, ", one or more");
		break;
	case VALUE_PATH:
	case VALUE_FILES:
		add_words(d->words, "a path", out);
		break;
	case VALUE_TEXT:
		add_words(d->words, "a name", out);
		break;
	case VALUE_FORM_NAME:
		add_words(d->words, NULL, out);
		str_puts(out, " NAME");
		break;
	case VALUE_REFERENCE:
		add_words(d->words, "a path or URL", out);
		break;
	case VALUE_ERROR_LOG:
		add_words(d->words, "a path", out);
		str_puts(out, "; then ");
		for (size_t i = 0; i < LEVEL_COUNT; i++)
			str_printf(out, "%s%s",
			    i == 0		  ? ""
			    : i + 1 < LEVEL_COUNT ? ", "
						  : " or ",
			    log_level_name[i]);
		break;
	case VALUE_ACCESS_LOG:
		add_words(d->words, "a path", out);
		str_puts(out,
		    ", or syslog:server=unix:PATH,tag=NAME; then text, "
		    "json or combined");
		break;
	case VALUE_BLOCK:
		str_puts(out, d->owner == BLOCK_LOCATION ? "/PREFIX { ... }"
			      : d->owner == BLOCK_EXCEPT ? "METHOD ... { ... }"
							 : "{ ... }");
		break;
	case VALUE_NAMES:
	case VALUE_ORIGINS:
	case VALUE_NETWORKS:
	case VALUE_RULES:
	case VALUE_DENY:
	case VALUE_LISTEN:
	case VALUE_INCLUDE:
		str_puts(out, allowed_text[d->type]);
		break;
	default:
		die("%s has no type", d->name);
	}
}

void
directives_where(const struct directive *d, struct str *out)
{
	unsigned left = d->contexts;

	for (unsigned b = 0; b < BLOCK_COUNT; b++) {
		if ((d->contexts & 1U << b) == 0)
			continue;
		if (left != d->contexts)
			str_puts(out, left == 1U << b ? " or " : ", ");
		str_puts(out, directives_block_text[b]);
		left &= ~(1U << b);
	}
}
