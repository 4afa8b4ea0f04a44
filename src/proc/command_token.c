#include "command_token.h"

#include <stdio.h>
#include <string.h>

#include "auth/bearer.h"
#include "auth/secret_file.h"
#include "base/str.h"
#include "command_file.h"
#include "proc/options.h"

/* Without a slash at its end, which says the same to people. */
static int
prefix_length(const char *prefix)
{
	size_t len = strlen(prefix);

	while (len > 1 && prefix[len - 1] == '/')
		len--;
	return (int)len;
}

/* The limits as they stand in a line; NULL, or which one is wrong. */
static const char *
add_limits(const struct command_words *w, struct str *line)
{
	const char *why;
	uint64_t n;

	if (w->methods != NULL)
		str_printf(line, " methods=%s", w->methods);
	if (w->prefix != NULL)
		str_printf(
		    line, " prefix=%.*s", prefix_length(w->prefix), w->prefix);
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

/* The line of a new token; NULL, or what is wrong. */
static const char *
make_line(const struct command_words *w, struct str *ret_token, struct str *ret)
{
	struct str hash = {0};
	const char *why = NULL;

	if (!bearer_make(ret_token, &hash))
		why = "out of memory";
	str_printf(ret, "%s %s", w->word[1], hash.s ? hash.s : "");
	str_fini(&hash);
	if (why == NULL)
		why = add_limits(w, ret);
	return str_failed(ret) ? "out of memory" : why;
}

/* As the server will read it: what would be a mistake there is one here. */
static const char *
check_line(const struct str *line, struct str *errors, uint64_t *ret_expires_s)
{
	struct bearer b = {0};
	bool good = bearer_parse(&b, line->s, line->len, errors) == 0 &&
		    b.count == 1 && errors->len == 0;

	*ret_expires_s = good ? b.tokens[0].expires_s : 0;
	bearer_fini(&b);
	return good		 ? NULL
	       : errors->len > 0 ? command_file_mistake(errors)
				 : "a blank is in no value";
}

static bool
has_name(const struct bearer *b, const char *name)
{
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->tokens[i].name, name) == 0)
			return true;
	return false;
}

/* Is it a file of tokens, and is the name new?  0, or the status to exit with. */
static int
check_file(const char *path, const char *name)
{
	struct str text = {0}, errors = {0};
	const char *why = command_file_read(path, &text);
	struct bearer b = {0};
	int status = 0;

	if (why != NULL)
		status = command_failed(path, why);
	else if (bearer_parse(&b, text.s ? text.s : "", text.len, &errors) < 0)
		status = command_failed(path, "out of memory");
	else if (errors.len > 0)
		status = command_file_refuse(path, "auth_bearer_file", &errors);
	else if (has_name(&b, name))
		status = command_failed(path,
		    "nothing was added, since there is a token of this name: "
		    "take another name, or remove its line first");
	bearer_fini(&b);
	str_fini(&text);
	str_fini(&errors);
	return status;
}

static int
add_and_print(const char *path, struct str *line, const struct str *token)
{
	int err = command_file_add(path, line, false);

	if (err < 0)
		return command_failed(path, strerror(-err));
	puts(token->s);
	return options_end_output();
}

int
command_token(const struct command_words *w, const struct config *conf)
{
	struct str token = {0}, line = {0}, errors = {0};
	const char *name = w->word[1], *why;
	uint64_t expires_s = 0;
	int status;

	(void)conf;
	if (!secret_name_is_good((struct span){name, strlen(name)}))
		return command_failed("token",
		    "the name has 1 to 64 letters, digits, and - . _ @ +");
	why = make_line(w, &token, &line);
	if (why == NULL)
		why = check_line(&line, &errors, &expires_s);
	if (why != NULL) {
		(void)command_failed("token", why);
		status = OPTIONS_EXIT_USAGE;
	} else {
		status = check_file(w->word[0], name);
	}
	if (status == 0)
		status = add_and_print(w->word[0], &line, &token);
	if (status == 0 && expires_s != 0)
		command_tell_expiry("token", expires_s);
	str_fini(&token);
	str_fini(&line);
	str_fini(&errors);
	return status;
}
