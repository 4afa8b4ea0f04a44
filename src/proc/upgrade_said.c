#include "upgrade_said.h"

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

enum {
	TEXT_MAX = 65536, /* bytes; the rest is cut */
};

void
upgrade_said_read(struct upgrade_said *s)
{
	char buf[1024];
	ssize_t n;

	while (s->fd != -1 && (n = read(s->fd, buf, sizeof(buf))) > 0)
		if (s->text.len < TEXT_MAX)
			str_add(&s->text, buf, (size_t)n);
}

/* Of "TIME LEVEL PID: message" the level, and where the message begins; else the line. */
static enum log_level
level_of(const char **line)
{
	const char *word = strchr(*line, ' '), *message;

	for (int l = 0; word != NULL && l < LEVEL_COUNT; l++) {
		const char *name = log_level_name[l];
		size_t len = strlen(name);

		if (strncmp(word + 1, name, len) != 0 || word[1 + len] != ' ')
			continue;
		message = strstr(word, ": ");
		if (message == NULL)
			break;
		*line = message + 2;
		return (enum log_level)l;
	}
	return LEVEL_ERROR;
}

static void
log_one(const char *line)
{
	enum log_level level = level_of(&line);

	log_line(level, "upgrade: %s", line);
}

void
upgrade_said_log(struct upgrade_said *s)
{
	char *line, *rest = NULL;

	upgrade_said_read(s);
	if (str_failed(&s->text))
		log_error("upgrade: out of memory");
	else if (s->text.len > 0)
		for (line = strtok_r(s->text.s, "\n", &rest); line != NULL;
		     line = strtok_r(NULL, "\n", &rest))
			log_one(line);
	str_fini(&s->text);
}

void
upgrade_said_end(struct upgrade_said *s)
{
	fd_close(&s->fd);
	str_fini(&s->text);
}
