/*
 * The README's tables of directives.
 */
#include "config/directives.h"

const char *const directives_topic_text[TOPIC_COUNT] = {
    [TOPIC_ADDRESS] = "Addresses and blocks",
    [TOPIC_FILES] = "Which files are kept, and where",
    [TOPIC_STORED] = "When an upload counts as stored, or has no room",
    [TOPIC_FORMS] = "Forms",
    [TOPIC_RESUME] = "Uploads that go on after a cut",
    [TOPIC_RIGHTS] = "Who may upload and read",
    [TOPIC_LIMITS] = "Limits for clients",
    [TOPIC_TLS] = "TLS",
    [TOPIC_PATIENCE] = "How long a client may take",
    [TOPIC_SPEED] = "Speed and memory",
    [TOPIC_PROCESS] = "Processes",
    [TOPIC_LOGS] = "Logs, and what is told",
};

const char *
directives_apply_text(const struct directive *d)
{
	switch (d->apply) {
	case APPLY_RESTART:
		return "; a change needs a restart";
	case APPLY_RESTART_ZERO:
		return "; a change from or to 0 needs a restart";
	case APPLY_RELOAD:
	default:
		return "";
	}
}

static void
markdown_row(const struct directive *d, FILE *out)
{
	struct str where = {0}, allowed = {0};

	directives_where(d, &where);
	directives_allowed(d, &allowed);
	fprintf(out, "| `%s` | %s | %s%s%s | %s | %s%s |\n", d->name, where.s,
	    d->dflt ? "`" : "", d->dflt ? d->dflt : "none", d->dflt ? "`" : "",
	    allowed.s, d->help, directives_apply_text(d));
	str_fini(&where);
	str_fini(&allowed);
}

void
directives_markdown(FILE *out)
{
	for (unsigned t = TOPIC_NONE + 1; t < TOPIC_COUNT; t++) {
		fprintf(out, "%s**%s**\n\n", t > TOPIC_NONE + 1 ? "\n" : "",
		    directives_topic_text[t]);
		fputs(
		    "| directive | where | default | values | what it does |\n"
		    "|---|---|---|---|---|\n",
		    out);
		for (size_t i = 0; i < directives_count; i++)
			if (directives[i].topic == t)
				markdown_row(&directives[i], out);
	}
}
