#include "web/limit_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "auth/signed_link.h"
#include "base/num.h"

/* The store does not say which of the two it was. */
static void
partials_text(const struct store_policy *p, char text[LIMIT_TEXT_MAX])
{
	uint64_t all = p->max_resumable, each = p->max_resumable_per_client;

	if (each == 0)
		snprintf(text, LIMIT_TEXT_MAX, "max_resumable %" PRIu64, all);
	else if (all == 0)
		snprintf(text, LIMIT_TEXT_MAX,
		    "max_resumable_per_client %" PRIu64, each);
	else
		snprintf(text, LIMIT_TEXT_MAX,
		    "max_resumable %" PRIu64
		    " or max_resumable_per_client %" PRIu64,
		    all, each);
}

const char *
limit_text(enum outcome e, const struct conf_server *s,
    const struct conf_location *l, char text[LIMIT_TEXT_MAX])
{
	char value[NUM_TEXT_MAX];
	const char *name;

	if (e == OUTCOME_TOO_LARGE) {
		name = "max_body_size";
		num_format_size(l->max_body_size, value);
	} else if (e == OUTCOME_BELOW_RATE) {
		name = "min_rate";
		num_format_size(l->min_rate, value);
	} else if (e == OUTCOME_TOO_SLOW) {
		name = "body_timeout";
		num_format_seconds(s->body_timeout_s, value);
	} else if (e == OUTCOME_TOO_MANY) {
		name = "max_uploads";
		snprintf(value, sizeof(value), "%" PRIu64, l->max_uploads);
	} else if (e == OUTCOME_FORM_LIMIT) {
		name = "form_max_parts";
		snprintf(value, sizeof(value), "%" PRIu64, l->form_max_parts);
	} else if (e == OUTCOME_FIELDS_TOO_LARGE) {
		name = "form_max_field_size";
		num_format_size(l->form_max_field_size, value);
	} else if (e == OUTCOME_TOO_MANY_PARTIALS) {
		partials_text(&l->policy, text);
		return text;
	} else if (e == OUTCOME_EXPIRED) {
		name = "resume_expire";
		num_format_seconds(l->policy.resume_expire_s, value);
	} else {
		return NULL;
	}
	snprintf(text, LIMIT_TEXT_MAX, "%s %s", name, value);
	return text;
}

const char *
limit_text_of_file(const struct conf_location *l, char text[LIMIT_TEXT_MAX])
{
	char value[NUM_TEXT_MAX];

	num_format_size(l->form_max_file_size, value);
	snprintf(text, LIMIT_TEXT_MAX, "form_max_file_size %s", value);
	return text;
}

const char *
limit_text_of_user(enum outcome e, const struct conf_location *l,
    uint64_t size_max, const char *user, char text[LIMIT_TEXT_MAX])
{
	const char *what;

	if (e != OUTCOME_TOO_LARGE || size_max == l->max_body_size ||
	    user == NULL)
		return NULL;
	what = signed_link_is_user(user) ? "link" : "token";
	snprintf(text, LIMIT_TEXT_MAX,
	    "larger than the %" PRIu64
	    " bytes that this %s allows: send a smaller file, or ask for "
	    "another %s",
	    size_max, what, what);
	return text;
}
