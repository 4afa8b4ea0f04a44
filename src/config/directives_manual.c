/*
 * The directives in penstock.conf(5).
 */
#include "config/directives.h"

#include <ctype.h>

/* As text of troff: "-" is a minus that can be typed, and neither a dot nor a quote at
 * the start of a line makes a request of it. */
static void
manual_text(const char *s, FILE *out)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", out);
	for (; *s != '\0'; s++)
		if (*s == '\\')
			fputs("\\e", out);
		else if (*s == '-')
			fputs("\\-", out);
		else
			fputc(*s, out);
}

/* A clause as a sentence. */
static void
manual_sentence(const char *clause, FILE *out)
{
	char first[] = {(char)toupper((unsigned char)*clause), '\0'};

	manual_text(first, out);
	manual_text(*clause == '\0' ? "" : clause + 1, out);
	fputs(".\n", out);
}

static void
manual_row(const struct directive *d, FILE *out)
{
	struct str where = {0}, allowed = {0};

	directives_where(d, &where);
	directives_allowed(d, &allowed);
	fprintf(out, ".TP\n.B %s\n", d->name);
	manual_sentence(d->help, out);
	fputs(".br\n", out);
	if (!str_failed(&allowed) && allowed.len > 0) {
		fputs("Values: ", out);
		manual_text(allowed.s, out);
		fputs(".\n", out);
	}
	if (d->dflt != NULL) {
		fputs("Default: ", out);
		manual_text(d->dflt, out);
		fputs(".\n", out);
	}
	fputs("Stands ", out);
	manual_text(str_failed(&where) || where.len == 0 ? "?" : where.s, out);
	manual_text(directives_apply_text(d), out);
	fputs(".\n", out);
	str_fini(&where);
	str_fini(&allowed);
}

void
directives_manual(FILE *out)
{
	for (unsigned t = TOPIC_NONE + 1; t < TOPIC_COUNT; t++) {
		fprintf(out, ".SS \"%s\"\n", directives_topic_text[t]);
		for (size_t i = 0; i < directives_count; i++)
			if (directives[i].topic == t)
				manual_row(&directives[i], out);
	}
}
