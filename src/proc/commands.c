#include "proc/commands.h"

#include <string.h>

#include "command.h"
#include "command_key.h"
#include "command_sign.h"
#include "command_token.h"

static const struct command commands[] = {
    {"token",
	"token FILE NAME [--methods PUT,POST] [--prefix /PATH]\n"
	"                      [--expires 30d] [--max-size 1g]",
	false, 2, "--methods --prefix --expires --max-size ", command_token},
    {"key", "key FILE NAME [--first]", false, 2, "--first ", command_key},
    {"sign",
	"-c CONF sign METHOD /PATH --expires 1h [--max-size 1g]\n"
	"                      [--once] [--base https://HOST]",
	true, 2, "--expires --max-size --once --base ", command_sign},
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

bool
commands_has(const char *name)
{
	return find_command(name) != NULL;
}

bool
commands_needs_config(const char *name)
{
	const struct command *c = find_command(name);

	check(c != NULL);
	return c->needs_config;
}

const char *
commands_take_file(char **argv)
{
	char **at = argv + 1, *option, *file;

	while (*at != NULL && strcmp(*at, "-c") != 0)
		at++;
	if (*at == NULL || at[1] == NULL)
		return NULL;
	option = at[0];
	file = at[1];
	for (; at[2] != NULL; at++)
		at[0] = at[2];
	/* They stay in the array, behind its end: they are its owner's. */
	at[0] = NULL;
	at[1] = option;
	at[2] = file;
	return file;
}

int
commands_run(char **argv, const struct config *conf)
{
	const struct command *c = find_command(argv[0]);
	struct command_words w = {0};
	int status;

	check(c != NULL);
	status = command_read_words(c, argv, &w);
	return status == 0 ? c->run(&w, conf) : status;
}
