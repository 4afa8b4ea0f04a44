#include "web/context.h"

#include <inttypes.h>
#include <string.h>

struct store *
context_store(const struct context *c, const struct conf_location *location)
{
	return c->stores[location - c->conf->locations];
}

bool
context_count_upload(const struct context *c,
    const struct conf_location *location, limits_entry *ret)
{
	static struct log_limit limit;
	enum limits_answer answer;

	if (location->max_uploads == 0)
		return true;
	answer = limits_enter(&c->uploads, location->prefix,
	    strlen(location->prefix), location->max_uploads, ret);
	if (answer == LIMITS_CROWDED && log_allowed(&limit))
		log_warn("max_uploads of location %s: no room to count one",
		    location->prefix);
	return answer != LIMITS_FULL;
}

void
context_note_failure(const struct context *c, const struct conf_location *l,
    const char *what, uint64_t id, const char *name, struct failure why)
{
	size_t at =
	    (size_t)(l - c->conf->locations) * OUTCOME_COUNT + why.outcome;
	char quoted[128];

	if (outcome_blame(why.outcome) != BLAME_SERVER ||
	    !log_allowed(&c->failures[at]))
		return;
	log_error("%s %" PRIu64 ": %s: %s: %s%s%s%s", what, id,
	    l->policy.output_dir,
	    str_quote(name, strlen(name), quoted, sizeof(quoted)),
	    outcome_word(why.outcome), why.err != 0 ? " (" : "",
	    why.err != 0 ? strerror(-why.err) : "", why.err != 0 ? ")" : "");
}
