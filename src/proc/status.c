#include "proc/status.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "status_live.h"

enum {
	TRIES = 50, /* while it is being written */
	LOOK_MS = 20,
};

static const char name[] = "status", running[] = "running";

/* Of a certificate, and of a file of revocation lists. */
static const char *const term_key[] = {"certificate", "revocations"};

/* ---- in the server ---- */

static void
put_term(const struct certificates_term *t, struct str *out)
{
	str_printf(out, "%s %" PRId64 " %s\n", term_key[t->of_list], t->ends_s,
	    t->path);
}

static void
status_put(const struct status *s, const char *phase,
    const struct certificates *certificates)
{
	struct bulletin_said said = {.number = s->generation};
	struct str text = {0};

	str_printf(&text, "start %" PRId64 "\napply %" PRId64 "\n", s->start_s,
	    s->apply_s);
	if (s->file != NULL)
		str_printf(&text, "configuration %s\n", s->file);
	if (s->memory != -1)
		str_printf(&text, "memory %d\n", s->memory);
	for (size_t i = 0; certificates && i < certificates->term_count; i++)
		put_term(&certificates->terms[i], &text);
	if (!str_failed(&text)) {
		said.text = text.s;
		said.len = text.len;
	}
	snprintf(said.word, sizeof(said.word), "%s", phase);
	if (bulletin_put(&s->bulletin, &said) < 0)
		log_warn("%s: cannot be written: -s status says what was true "
			 "before",
		    s->bulletin.path);
	str_fini(&text);
}

void
status_open(struct status *s, const char *pid_file, int pid_fd,
    const char *conf_file, int memory)
{
	int err;

	*s = (struct status){.file = bulletin_absolute(conf_file),
	    .memory = memory,
	    .start_s = (int64_t)clock_wall_s()};
	s->apply_s = s->start_s;
	err = bulletin_open(&s->bulletin, pid_file, name, pid_fd);
	if (err < 0)
		log_warn("%s: cannot be made: %s: -s status cannot tell more "
			 "than that this runs",
		    s->bulletin.path, strerror(-err));
	status_put(s, "starting", NULL);
}

void
status_say(struct status *s, const char *phase, unsigned generation,
    const struct certificates *certificates)
{
	if (s->generation != generation)
		s->apply_s = (int64_t)clock_wall_s();
	s->generation = generation;
	bulletin_renew(&s->bulletin);
	status_put(s, phase, certificates);
}

void
status_move(struct status *s, const char *pid_file)
{
	bulletin_move(&s->bulletin, pid_file, name);
}

void
status_close(struct status *s, bool remove)
{
	bulletin_close(&s->bulletin, remove);
	free(s->file);
	s->file = NULL;
}

/* ---- in a client ---- */

/* Where the line goes on behind `key` and a space; NULL: it is another line. */
static char *
after(char *line, const char *key)
{
	size_t len = strlen(key);

	return strncmp(line, key, len) == 0 && line[len] == ' ' ? line + len + 1
								: NULL;
}

/* "ENDS PATH", of a certificate or a file of revocation lists.  False: it has ended. */
static bool
status_add_term(const char *text, bool of_list, struct str *out)
{
	char *path;
	struct certificates_term t = {
	    .of_list = of_list, .ends_s = strtoll(text, &path, 10)};

	t.path = *path == ' ' ? path + 1 : path;
	certificates_add_term(&t, out);
	return t.ends_s > (int64_t)clock_wall_s();
}

/* One line of the bulletin, for people.  False: something is wrong there. */
static bool
status_add_line(
    char *line, const struct bulletin_said *said, pid_t pid, struct str *out)
{
	bool good = true;
	char *rest;

	if ((rest = after(line, "start")) != NULL) {
		str_puts(out, "started: ");
		certificates_add_moment(strtoll(rest, NULL, 10), out);
		str_puts(out, "\n");
	} else if ((rest = after(line, "apply")) != NULL) {
		str_printf(out, "generation: %lu, since ", said->number);
		certificates_add_moment(strtoll(rest, NULL, 10), out);
		str_puts(out, "\n");
	} else if ((rest = after(line, "configuration")) != NULL) {
		str_printf(out, "configuration: %s\n", rest);
	} else if ((rest = after(line, "memory")) != NULL) {
		good = status_live_add(pid, (int)strtol(rest, NULL, 10), out);
	} else {
		for (int of_list = 0; of_list <= 1; of_list++)
			if ((rest = after(line, term_key[of_list])) != NULL)
				good = status_add_term(rest, of_list, out);
	}
	return good;
}

/* All that was said, for people. */
static bool
status_describe(const struct bulletin_said *said, pid_t pid, struct str *out)
{
	char *text = strndup(said->text, said->len), *line, *rest = NULL;
	bool good = text != NULL && strcmp(said->word, running) == 0;

	str_printf(out, "penstock: process %ld is %s\n", (long)pid, said->word);
	line = text != NULL ? strtok_r(text, "\n", &rest) : NULL;
	for (; line != NULL; line = strtok_r(NULL, "\n", &rest))
		good &= status_add_line(line, said, pid, out);
	free(text);
	return good;
}

static bool
hear(struct bulletin_reader *r, struct bulletin_said *ret)
{
	for (int i = 0; i < TRIES; i++) {
		switch (bulletin_read(r, ret)) {
		case BULLETIN_WHOLE:
			return true;
		case BULLETIN_NONE:
			return false;
		case BULLETIN_BROKEN:
			(void)poll(NULL, 0, LOOK_MS);
		}
	}
	return false;
}

int
status_ask(const char *pid_file, pid_t pid)
{
	struct bulletin_reader *r = bulletin_reader_new(pid_file, name, pid);
	struct bulletin_said said;
	struct str text = {0};
	bool good = false;

	if (r == NULL) {
		fprintf(stderr, "penstock: pid_file %s: %s\n", pid_file,
		    strerror(errno));
		return EXIT_FAILURE;
	}
	if (hear(r, &said)) {
		good = status_describe(&said, pid, &text);
		if (!str_failed(&text))
			bulletin_print(text.s, text.len, stdout);
	} else {
		fprintf(stderr,
		    "penstock: process %ld runs; %s cannot be read, so no more "
		    "is known: ask as root, or as the user that started it\n",
		    (long)pid, bulletin_reader_path(r));
	}
	good &= !str_failed(&text);
	str_fini(&text);
	bulletin_reader_free(r);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
