#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/bearer.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/span.h"
#include "base/str.h"
#include "proc/options.h"

static int
command_wrong(const struct command *c, const char *what, const char *word)
{
	fprintf(stderr, "penstock %s: %s%s\nusage: penstock %s\n", c->name,
	    what, word, c->usage);
	return OPTIONS_EXIT_USAGE;
}

int
command_failed(const char *what, const char *why)
{
	fprintf(stderr, "penstock: %s: %s\n", what, why);
	return EXIT_FAILURE;
}

/* Where the value of an option goes; NULL: there is none of that name. */
static const char **
value_of(struct command_words *w, const char *name)
{
	const struct {
		const char *name;
		const char **to;
	} known[] = {{"--methods", &w->methods}, {"--prefix", &w->prefix},
	    {"--expires", &w->expires}, {"--max-size", &w->max_size},
	    {"--base", &w->base}};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].to;
	return NULL;
}

static bool
takes(const struct command *c, const char *option)
{
	const char *at = strstr(c->options, option);

	return at != NULL && at[strlen(option)] == ' ';
}

int
command_read_words(
    const struct command *c, char **argv, struct command_words *ret)
{
	unsigned n = 0;

	for (argv++; *argv != NULL; argv++) {
		bool is_option = strncmp(*argv, "--", 2) == 0;

		if (is_option && !takes(c, *argv))
			return command_wrong(c, "there is no option ", *argv);
		if (is_option && strcmp(*argv, "--once") == 0) {
			ret->once = true;
		} else if (is_option && strcmp(*argv, "--first") == 0) {
			ret->first = true;
		} else if (is_option) {
			const char **to = value_of(ret, *argv);

			check(to != NULL);
			if (argv[1] == NULL || *to != NULL)
				return command_wrong(
				    c, "one value must follow ", *argv);
			*to = *++argv;
		} else if (n == c->words) {
			return command_wrong(c, "what is ", *argv);
		} else {
			ret->word[n++] = *argv;
		}
	}
	return n == c->words ? 0 : command_wrong(c, "something is missing", "");
}

const char *
command_read_expiry(const char *text, uint64_t *ret_s)
{
	uint64_t ms, now = (uint64_t)clock_wall_s();

	if (bearer_read_time((struct span){text, strlen(text)}, ret_s))
		return *ret_s > now ? NULL : "--expires: that time is past";
	if (strspn(text, "0123456789") == strlen(text))
		return "--expires takes a time with its unit, such as 90d, 1h "
		       "or 2027-01-01";
	if (num_parse_time(text, strlen(text), &ms) < 0 || ms < 1000)
		return "--expires takes a time such as 1h, 30d or 2027-01-01";
	*ret_s = now + ms / 1000;
	return NULL;
}

void
command_tell_expiry(const char *what, uint64_t expires_s)
{
	struct str out = {0};

	bearer_format_time(expires_s, &out);
	if (!str_failed(&out))
		fprintf(
		    stderr, "penstock: the %s is good until %s\n", what, out.s);
	str_fini(&out);
}
