#include "config/value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "config/access_log.h"
#include "config/config.h"
#include "config/files.h"
#include "config/lexer.h"
#include "config/listen.h"
#include "config/lists.h"
#include "config/networks.h"

enum {
	PATH_BYTES_MAX = 4095, /* PATH_MAX of Linux without its NUL */
};

_Static_assert((int)DIRECTIVES_LISTEN_VALUES <= (int)VALUES_MAX &&
		   (int)DIRECTIVES_LIST_VALUES <= (int)VALUES_MAX,
    "all values of a listen are kept");

/* Enums are stored through memcpy() of an int. */
_Static_assert(sizeof(enum conf_engine) == sizeof(int) &&
		   sizeof(enum conf_keep) == sizeof(int),
    "an enum has the size of an int");

static void *
place_of(const struct directive *d, void *base)
{
	return (char *)base + d->offset;
}

static const void *
value_of(const struct directive *d, const void *base)
{
	return (const char *)base + d->offset;
}

/* Index of `text` in `words`, or -1. */
static int
word_index(const char *const *words, const char *text)
{
	for (int i = 0; words != NULL && words[i] != NULL; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return -1;
}

/* What is wrong is in in->why; which value, in in->wrong. */
static int value_refuse(struct value_input *in, size_t wrong, const char *fmt,
    ...) PRINTF_LIKE(3, 4);

static int
value_refuse(struct value_input *in, size_t wrong, const char *fmt, ...)
{
	va_list ap;

	in->wrong = wrong;
	va_start(ap, fmt);
	str_vprintf(&in->why, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* "TEXT" is no such thing; and what would be allowed. */
static int
refuse_kind(const struct directive *d, struct value_input *in, const char *what)
{
	char shown[64];
	const char *text = in->values[0];

	value_refuse(in, 0, "\"%s\" %s; allowed: ",
	    str_quote(text, strlen(text), shown, sizeof(shown)), what);
	directives_allowed(d, &in->why);
	return -EINVAL;
}

/* A time has been read as milliseconds. */
static void
store_number(const struct directive *d, void *base, uint64_t n)
{
	double seconds = (double)n / 1e3;

	if (d->type == VALUE_TIME)
		memcpy(place_of(d, base), &seconds, sizeof(seconds));
	else
		memcpy(place_of(d, base), &n, sizeof(n));
}

static int
set_number(const struct directive *d, void *base, struct value_input *in)
{
	const char *text = in->values[0];
	char bound[NUM_TEXT_MAX], shown[64];
	uint64_t n = 0;
	size_t len = strlen(text);
	int err;

	if (word_index(d->words, text) != -1) {
		n = VALUE_AUTO;
		memcpy(place_of(d, base), &n, sizeof(n));
		return 0;
	}
	if (d->type == VALUE_SIZE)
		err = num_parse_size(text, len, &n);
	else if (d->type == VALUE_TIME)
		err = num_parse_time(text, len, &n);
	else
		err = num_parse_u64(text, len, &n);
	if (err == -EINVAL && d->type == VALUE_SIZE)
		return refuse_kind(d, in, "is no size such as 256k or 1g");
	if (err == -EINVAL && d->type == VALUE_TIME)
		return refuse_kind(d, in, "is no time such as 500ms or 15s");
	if (err == -EINVAL)
		return refuse_kind(d, in, "is no number");
	str_quote(text, len, shown, sizeof(shown));
	if (err == -ERANGE || n > d->max) {
		directives_format_number(d, d->max, bound);
		return value_refuse(in, 0, "%s is above %s", shown, bound);
	}
	if (n < d->min) {
		directives_format_number(d, d->min, bound);
		return value_refuse(in, 0, "%s is below %s", shown, bound);
	}
	if (d->multiple != 0 && n % d->multiple != 0) {
		directives_format_number(d, d->multiple, bound);
		return value_refuse(
		    in, 0, "%s is no multiple of %s", shown, bound);
	}
	store_number(d, base, n);
	return 0;
}

static int
set_flag(const struct directive *d, void *base, struct value_input *in)
{
	bool *to = place_of(d, base);
	bool on = strcmp(in->values[0], "on") == 0;

	if (!on && strcmp(in->values[0], "off") != 0)
		return refuse_kind(d, in, "is neither on nor off");
	*to = on;
	return 0;
}

static int
set_choice(const struct directive *d, void *base, struct value_input *in)
{
	int i = word_index(d->words, in->values[0]);

	if (i == -1)
		return refuse_kind(d, in, "is no such choice");
	if (d->values != NULL)
		i = d->values[i];
	memcpy(place_of(d, base), &i, sizeof(i));
	return 0;
}

/* One of them, or several. */
static int
set_set(const struct directive *d, void *base, struct value_input *in)
{
	int bits = 0;

	for (size_t k = 0; k < in->count; k++) {
		int i = word_index(d->words, in->values[k]);

		if (i == -1) {
			int err;

			in->values[0] = in->values[k];
			err = refuse_kind(d, in, "is no such choice");
			in->wrong = k;
			return err;
		}
		bits |= d->values[i];
	}
	memcpy(place_of(d, base), &bits, sizeof(bits));
	return 0;
}

static int
store_text(char **to, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

/* Leave out empty parts and "." of an absolute path; ".." may cross a
 * symbolic link and stays. */
static void
tidy_path(char *path)
{
	char *to = path;

	for (const char *from = path; *from != '\0';) {
		size_t len = strcspn(from + 1, "/");

		if (len > 0 && !(len == 1 && from[1] == '.')) {
			memmove(to, from, len + 1);
			to += len + 1;
		}
		from += len + 1;
	}
	if (to == path)
		to++;
	*to = '\0';
}

/* Replace *ret by `path`, made absolute. */
static int
resolve(struct value_input *in, const char *path, char **ret)
{
	struct str b = {0};

	if (*path == '\0')
		return value_refuse(in, 0, "the path is empty");
	if (*path != '/' && in->cwd == NULL)
		return value_refuse(in, 0,
		    "the path is relative to the working directory, which is "
		    "gone or cannot be read: write an absolute one, or start "
		    "it elsewhere");
	if (*path != '/') {
		str_puts(&b, in->cwd);
		str_puts(&b, "/");
	}
	str_puts(&b, path);
	if (str_failed(&b)) {
		str_fini(&b);
		return -ENOMEM;
	}
	tidy_path(b.s);
	if (strlen(b.s) > PATH_BYTES_MAX) {
		str_fini(&b);
		return value_refuse(in, 0, "the path is longer than %d bytes",
		    (int)PATH_BYTES_MAX);
	}
	free(*ret);
	*ret = b.s;
	return 0;
}

static int
set_path(const struct directive *d, void *base, struct value_input *in)
{
	char **to = place_of(d, base);

	if (word_index(d->words, in->values[0]) != -1)
		return store_text(to, in->values[0]);
	return resolve(in, in->values[0], to);
}

static int
set_files(const struct directive *d, void *base, struct value_input *in)
{
	char *path = NULL;
	int err = resolve(in, in->values[0], &path);

	if (err == 0)
		err = files_add(place_of(d, base), path, &in->at);
	free(path);
	return err;
}

static int
set_text(const struct directive *d, void *base, struct value_input *in)
{
	if (*in->values[0] == '\0')
		return refuse_kind(d, in, "is empty");
	return store_text(place_of(d, base), in->values[0]);
}

/* Nothing that could end the field in which it will stand. */
static int
set_reference(const struct directive *d, void *base, struct value_input *in)
{
	const char *text = in->values[0];

	if (word_index(d->words, text) != -1)
		return store_text(place_of(d, base), text);
	for (const char *s = text; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return refuse_kind(
			    d, in, "has a byte that must be written with a %");
	if (*text != '/' && strncmp(text, "http://", 7) != 0 &&
	    strncmp(text, "https://", 8) != 0)
		return refuse_kind(d, in,
		    "begins neither with / nor with http:// or https://");
	return store_text(place_of(d, base), text);
}

static int
set_error_log(const struct directive *d, void *base, struct value_input *in)
{
	struct config *c = base;
	enum log_level level = LEVEL_INFO;
	char shown[64];
	int err;

	if (strcmp(in->values[0], "off") == 0)
		return value_refuse(in, 0,
		    "it cannot be off; the least is: error_log stderr error");
	if (in->count == 2) {
		for (level = 0; level < LEVEL_COUNT; level++)
			if (strcmp(in->values[1], log_level_name[level]) == 0)
				break;
		if (level == LEVEL_COUNT)
			return value_refuse(in, 1,
			    "\"%s\" is no level; allowed: error, warn, notice, "
			    "info or debug",
			    str_quote(in->values[1], strlen(in->values[1]),
				shown, sizeof(shown)));
	}
	err = set_path(d, base, in);
	if (err == 0)
		c->error_level = level;
	return err;
}

static int
set_access_log(const struct directive *d, void *base, struct value_input *in)
{
	struct conf_access_log l = {0}, *to = place_of(d, base);
	const char *text = in->values[0];
	int err, format = LOG_FORMAT_TEXT;
	char shown[64];

	if (in->count == 2)
		format = word_index(access_log_formats, in->values[1]);
	if (format == -1)
		return value_refuse(in, 1,
		    "\"%s\" is no form of a log; allowed: text, json or "
		    "combined",
		    str_quote(in->values[1], strlen(in->values[1]), shown,
			sizeof(shown)));
	if (access_log_is_syslog(text))
		err = access_log_read_syslog(text, &l, &in->why);
	else if (word_index(d->words, text) != -1)
		err = store_text(&l.target, text);
	else
		err = resolve(in, text, &l.target);
	if (err < 0)
		return err;
	l.format = (enum conf_log_format)format;
	access_log_clear(to);
	*to = l;
	return 0;
}

/* One more, which owns a copy of what `l` owns. */
static int
add_listen(struct conf_server *s, const struct conf_listen *l)
{
	struct conf_listen *grown, copy;
	int err;

	grown = realloc(s->listens, (s->listen_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	s->listens = grown;
	err = listen_copy(&copy, l);
	if (err == 0)
		grown[s->listen_count++] = copy;
	return err;
}

static int
set_listen(void *base, struct value_input *in)
{
	struct conf_listen l = {0};
	const char *text = in->values[0], *why = NULL;
	struct str full = {0};
	char *path = NULL;
	char shown[64];
	int err;

	str_puts(&full, text);
	if (strncmp(text, "unix:", 5) == 0 && text[5] != '\0') {
		err = resolve(in, text + 5, &path);
		if (err < 0)
			goto free_full;
		str_clear(&full);
		str_printf(&full, "unix:%s", path);
	}
	err = -ENOMEM;
	if (str_failed(&full))
		goto free_path;
	err = addr_parse(full.s, &l.addr, &why);
	if (err < 0)
		value_refuse(in, 0, "\"%s\": %s",
		    str_quote(text, strlen(text), shown, sizeof(shown)), why);
	else
		err = listen_options(&l, in);
	if (err == 0)
		err = add_listen(base, &l);
	listen_clear(&l);
free_path:
	free(path);
free_full:
	str_fini(&full);
	return err;
}

/* All or none of them. */
static int
set_list(const struct directive *d, void *base, struct value_input *in)
{
	struct conf_list list = {0}, *to = place_of(d, base);
	const char *why = NULL;
	char shown[64];
	int err = 0;

	for (size_t i = 0; err == 0 && i < in->count; i++) {
		const char *text = in->values[i];

		err = lists_add(d->type, text, &list, &why);
		if (err == -EINVAL)
			value_refuse(in, i, "\"%s\": %s",
			    str_quote(text, strlen(text), shown, sizeof(shown)),
			    why);
	}
	if (err < 0) {
		lists_clear(&list);
		return err;
	}
	*to = list;
	return 0;
}

/* One of the words; behind the last of them, a name. */
static int
set_form_name(const struct directive *d, void *base, struct value_input *in)
{
	int i = word_index(d->words, in->values[0]);
	bool takes_name = i != -1 && d->words[i + 1] == NULL;

	if (i == -1)
		return refuse_kind(d, in, "is no such choice");
	if (takes_name && (in->count == 1 || *in->values[1] == '\0'))
		return value_refuse(in, in->count - 1,
		    "the name of the field is missing behind it");
	if (!takes_name && in->count > 1)
		return value_refuse(
		    in, 1, "\"%s\" takes no name", in->values[0]);
	return set_list(d, base, in);
}

/* All or none of them. */
static int
set_networks(const struct directive *d, void *base, struct value_input *in)
{
	struct conf_networks set = {0}, *to = place_of(d, base);
	const char *why = NULL;
	char shown[64];
	int err = 0;

	for (size_t i = 0; err == 0 && i < in->count; i++) {
		const char *text = in->values[i];

		err = networks_add(&set, text, true, &why);
		if (err == -EINVAL)
			value_refuse(in, i, "\"%s\": %s",
			    str_quote(text, strlen(text), shown, sizeof(shown)),
			    why);
	}
	if (err < 0) {
		networks_clear(&set);
		return err;
	}
	*to = set;
	return 0;
}

/* One more rule. */
static int
set_rule(const struct directive *d, void *base, struct value_input *in)
{
	const char *text = in->values[0], *why = NULL;
	char shown[64];
	int err =
	    networks_add(place_of(d, base), text, d->type == VALUE_RULES, &why);

	if (err == -EINVAL)
		value_refuse(in, 0, "\"%s\": %s",
		    str_quote(text, strlen(text), shown, sizeof(shown)), why);
	return err;
}

static int
set_mode(const struct directive *d, void *base, struct value_input *in)
{
	const char *text = in->values[0];
	uint64_t mode = 0;
	size_t len = strspn(text, "01234567");

	if (word_index(d->words, text) == -1) {
		if (len < 3 || len > 4 || text[len] != '\0')
			return refuse_kind(d, in, "is no mode");
		mode = strtoul(text, NULL, 8);
		if ((mode & d->min) != d->min || (mode & ~d->max) != 0)
			return refuse_kind(d, in, "is no mode for this");
	}
	memcpy(place_of(d, base), &mode, sizeof(mode));
	return 0;
}

int
value_set(const struct directive *d, void *base, struct value_input *in)
{
	check(in->count >= 1 && in->count <= directives_values_max(d));

	in->wrong = 0;
	switch (d->type) {
	case VALUE_NUMBER:
	case VALUE_SIZE:
	case VALUE_TIME:
		return set_number(d, base, in);
	case VALUE_MODE:
		return set_mode(d, base, in);
	case VALUE_FLAG:
		return set_flag(d, base, in);
	case VALUE_CHOICE:
		return set_choice(d, base, in);
	case VALUE_SET:
		return set_set(d, base, in);
	case VALUE_PATH:
		return set_path(d, base, in);
	case VALUE_FILES:
		return set_files(d, base, in);
	case VALUE_TEXT:
		return set_text(d, base, in);
	case VALUE_REFERENCE:
		return set_reference(d, base, in);
	case VALUE_FORM_NAME:
		return set_form_name(d, base, in);
	case VALUE_ERROR_LOG:
		return set_error_log(d, base, in);
	case VALUE_ACCESS_LOG:
		return set_access_log(d, base, in);
	case VALUE_NAMES:
	case VALUE_ORIGINS:
		return set_list(d, base, in);
	case VALUE_NETWORKS:
		return set_networks(d, base, in);
	case VALUE_RULES:
	case VALUE_DENY:
		return set_rule(d, base, in);
	case VALUE_LISTEN:
		return set_listen(base, in);
	case VALUE_INCLUDE:
	case VALUE_BLOCK:
	default:
		die("%s has no value to set", d->name);
	}
}

int
value_set_default(const struct directive *d, void *base, const char *cwd)
{
	struct value_input in = {.cwd = cwd};
	char text[64];
	int err;

	if (d->dflt == NULL)
		return 0;
	check(strlen(d->dflt) < sizeof(text));
	memcpy(text, d->dflt, strlen(d->dflt) + 1);
	for (char *at = text; at != NULL;) {
		in.values[in.count++] = at;
		at = strchr(at, ' ');
		if (at != NULL)
			*at++ = '\0';
	}
	err = value_set(d, base, &in);
	/* Only the working directory can make a default wrong. */
	check(err != -EINVAL || d->type == VALUE_PATH);
	str_fini(&in.why);
	return err == -EINVAL && cwd == NULL ? -ENOENT : err;
}

static int
copy_text(char *const *from, char **to)
{
	if (*from == NULL)
		return 0;
	return store_text(to, *from);
}

int
value_copy(const struct directive *d, void *to, const void *from)
{
	const struct conf_server *server = from;
	const struct config *top = from;
	int err = 0;

	switch (d->type) {
	case VALUE_NUMBER:
	case VALUE_SIZE:
	case VALUE_MODE:
		memcpy(place_of(d, to), value_of(d, from), sizeof(uint64_t));
		return 0;
	case VALUE_TIME:
		memcpy(place_of(d, to), value_of(d, from), sizeof(double));
		return 0;
	case VALUE_FLAG:
		memcpy(place_of(d, to), value_of(d, from), sizeof(bool));
		return 0;
	case VALUE_CHOICE:
	case VALUE_SET:
		memcpy(place_of(d, to), value_of(d, from), sizeof(int));
		return 0;
	case VALUE_FILES:
		return files_copy(place_of(d, to), value_of(d, from));
	case VALUE_ERROR_LOG:
		((struct config *)to)->error_level = top->error_level;
		return copy_text(value_of(d, from), place_of(d, to));
	case VALUE_ACCESS_LOG:
		return access_log_copy(place_of(d, to), value_of(d, from));
	case VALUE_PATH:
	case VALUE_TEXT:
	case VALUE_REFERENCE:
		return copy_text(value_of(d, from), place_of(d, to));
	case VALUE_NAMES:
	case VALUE_ORIGINS:
	case VALUE_FORM_NAME:
		return lists_copy(place_of(d, to), value_of(d, from));
	case VALUE_NETWORKS:
	case VALUE_RULES:
		return networks_copy(place_of(d, to), value_of(d, from));
	case VALUE_LISTEN:
		for (size_t i = 0; err == 0 && i < server->listen_count; i++)
			err = add_listen(to, &server->listens[i]);
		return err;
	case VALUE_DENY:
	case VALUE_INCLUDE:
	case VALUE_BLOCK:
	default:
		die("%s has no value to copy", d->name);
	}
}

void
value_clear(const struct directive *d, void *base)
{
	struct conf_server *server = base;
	char **text;

	if (d->type == VALUE_PATH || d->type == VALUE_TEXT ||
	    d->type == VALUE_REFERENCE || d->type == VALUE_ERROR_LOG) {
		text = place_of(d, base);
		free(*text);
		*text = NULL;
	} else if (d->type == VALUE_NAMES || d->type == VALUE_ORIGINS ||
		   d->type == VALUE_FORM_NAME) {
		lists_clear(place_of(d, base));
	} else if (d->type == VALUE_FILES) {
		files_clear(place_of(d, base));
	} else if (d->type == VALUE_RULES || d->type == VALUE_NETWORKS) {
		networks_clear(place_of(d, base));
	} else if (d->type == VALUE_ACCESS_LOG) {
		access_log_clear(place_of(d, base));
	} else if (d->type == VALUE_LISTEN) {
		for (size_t i = 0; i < server->listen_count; i++)
			listen_clear(&server->listens[i]);
		free(server->listens);
		server->listens = NULL;
		server->listen_count = 0;
	}
}
