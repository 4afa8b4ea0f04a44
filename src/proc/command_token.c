#include "command_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/bearer.h"
#include "auth/secret_file.h"
#include "base/str.h"
#include "command_file.h"
#include "proc/options.h"

/* The limits as they stand in a line; NULL, or which one is wrong. */
static const char *
add_limits(const struct command_words *w, struct str *line)
{
	const char *why;
	uint64_t n;

	if (w->methods != NULL)
		str_printf(line, " methods=%s", w->methods);
	if (w->prefix != NULL)
		str_printf(line, " prefix=%s", w->prefix);
	if (w->expires != NULL) {
		why = command_read_expiry(w->expires, &n);
		if (why != NULL)
			return why;
		str_puts(line, " expires=");
		bearer_format_time(n, line);
	}
	if (w->max_size != NULL)
		str_printf(line, " max_size=%s", w->max_size);
	str_puts(line, "\n");
	return NULL;
}

/* As the server will read it: what would be a mistake there is one here. */
static bool
is_good_token(const struct str *line, struct str *errors)
{
	struct bearer b = {0};
	bool good = bearer_parse(&b, line->s, line->len, errors) == 0 &&
		    b.count == 1 && errors->len == 0;

	bearer_fini(&b);
	return good;
}

int
command_token(const struct command_words *w, const struct config *conf)
{
	const char *path = w->word[0], *name = w->word[1], *why;
	struct str token = {0}, hash = {0}, line = {0}, errors = {0};
	int status = EXIT_FAILURE, err;

	(void)conf;
	if (!secret_name_is_good((struct span){name, strlen(name)}))
		return command_failed("token",
		    "the name has 1 to 64 letters, digits, and - . _ @ +");
	if (!bearer_make(&token, &hash)) {
		(void)command_failed(name, "out of memory");
		goto end;
	}
	str_printf(&line, "%s %s", name, hash.s);
	why = add_limits(w, &line);
	if (why != NULL || str_failed(&line) ||
	    !is_good_token(&line, &errors)) {
		status = OPTIONS_EXIT_USAGE;
		(void)command_failed("token",
		    why != NULL	     ? why
		    : errors.len > 8 ? errors.s + 8 /* without "line 1: " */
				     : "a blank is in no value");
		goto end;
	}
	err = command_file_add(path, &line);
	if (err < 0) {
		(void)command_failed(path, strerror(-err));
		goto end;
	}
	puts(token.s);
	status = options_end_output();
end:
	str_fini(&token);
	str_fini(&hash);
	str_fini(&line);
	str_fini(&errors);
	return status;
}
