/*
 * A config, from any bytes.  An accepted one, printed, is accepted again and
 * prints the same; a refused one has mistakes that name places which are
 * there.  What `include` reads are further texts of the same input, never
 * files: this stands in for config/source.c.
 *
 *	first text \n%%\n text `a` \n%%\n text `b` ...
 */
#include "config/config.h"

#include <errno.h>
#include <stdio.h>

#include "config/source.h"
#include "fuzz.h"

enum {
	TEXTS_MAX = 4,
};

static const char first_name[] = "fuzz.conf";

/* The texts, each in memory of its own. */
static struct text {
	char *s;
	size_t len;
} texts[TEXTS_MAX];
static size_t text_count;

/*
 * config/source.h, without files.
 */

/* The text that goes by this name; NULL: none. */
static const struct text *
text_of(const char *name, size_t len)
{
	size_t i;

	if (len == sizeof(first_name) - 1 && memcmp(name, first_name, len) == 0)
		return text_count > 0 ? &texts[0] : NULL;
	if (len != 1 || name[0] < 'a')
		return NULL;
	i = (size_t)(name[0] - 'a') + 1;
	return i < text_count ? &texts[i] : NULL;
}

const char *
source_read(const char *name, bool is_first, struct source_id *ret_id,
    struct str *ret_text)
{
	const struct text *t = text_of(name, strlen(name));

	check(!is_first);
	if (t == NULL)
		return "there is no such text";
	str_add(ret_text, t->s, t->len);
	*ret_id = (struct source_id){true, 1, (ino_t)(t - texts) + 1};
	return NULL;
}

bool
source_is_same(const struct source_id *a, const struct source_id *b)
{
	return a->is_set && b->is_set && a->ino == b->ino;
}

void
source_find(const char *from, const char *pattern, struct str *ret_names)
{
	check(text_of(from, strlen(from)) != NULL);
	if (strcmp(pattern, "*") != 0) {
		str_add(ret_names, pattern, strlen(pattern) + 1);
		return;
	}
	for (size_t i = 1; i < text_count; i++) {
		char name[2] = {(char)('a' + i - 1), '\0'};

		str_add(ret_names, name, sizeof(name));
	}
}

static void
split(const uint8_t *data, size_t size)
{
	static const char mark[] = "\n%%\n";

	text_count = 0;
	for (;;) {
		const uint8_t *end = NULL;
		size_t len = size;

		if (size > 0 && text_count < TEXTS_MAX - 1)
			end = memmem(data, size, mark, sizeof(mark) - 1);
		if (end != NULL)
			len = (size_t)(end - data) + 1; /* with its LF */
		texts[text_count++] = (struct text){fuzz_copy(data, len), len};
		if (end == NULL)
			return;
		len += sizeof(mark) - 2;
		data += len;
		size -= len;
	}
}

/*
 * What came of it.
 */

/* A number as it is printed, with `end` behind it; 0: none. */
static uint64_t
take_number(const char **s, char end)
{
	uint64_t n = 0;

	if (**s == '0')
		return 0;
	for (; **s >= '0' && **s <= '9'; ++*s)
		n = n * 10 + (uint64_t)(**s - '0');
	if (**s != end)
		return 0;
	++*s;
	return n;
}

/* Line and column, from 1, are in the text or right behind it. */
static void
check_place(const struct text *t, uint64_t line, uint64_t column)
{
	const char *s = t->s, *end = t->s + t->len;

	for (; line > 1; line--) {
		const char *lf =
		    s < end ? memchr(s, '\n', (size_t)(end - s)) : NULL;

		check(lf != NULL);
		s = lf + 1;
	}
	if (s < end && memchr(s, '\n', (size_t)(end - s)) != NULL)
		end = memchr(s, '\n', (size_t)(end - s));
	check(column <= (uint64_t)(end - s) + 1);
}

/* "and N more", behind as many as are told at most. */
static bool
is_rest(const char *s, size_t told)
{
	unsigned long more;
	char end;

	return told == CONFIG_MISTAKES_MAX &&
	       sscanf(s, "and %lu more%c", &more, &end) == 2 && end == '\n' &&
	       more > 0 && strchr(s, '\n')[1] == '\0';
}

/* Each line but that is "name:line:column: message". */
static void
check_errors(const struct str *errors)
{
	const char *s = errors->s;

	check(errors->len > 0 && strlen(s) == errors->len);
	for (size_t told = 0; *s != '\0' && !is_rest(s, told); told++) {
		size_t len = strcspn(s, "\n"), name = strcspn(s, ":");
		const struct text *t = text_of(s, name);
		uint64_t line, column;
		const char *p = s + name + 1;

		check(t != NULL && name < len && s[len] == '\n');
		line = take_number(&p, ':');
		column = take_number(&p, ':');
		check(line > 0 && column > 0);
		check(p[0] == ' ' && p + 1 < s + len);
		check_place(t, line, column);
		for (; p < s + len; p++)
			check((unsigned char)*p >= ' ' && *p != 0x7f);
		s += len + 1;
	}
}

/* The caller frees it. */
static char *
print(const struct config *c, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	check(out != NULL);
	config_print(c, out);
	check(fclose(out) == 0);
	return text;
}

/* Every value is set. */
static void
check_whole(const struct config *c)
{
	check(c->server_count > 0 && c->chunk_size > 0);
	check(c->pid_file != NULL && c->error_log != NULL);
	check(c->worker_processes <= 256);
	for (size_t i = 0; i < c->server_count; i++) {
		const struct conf_server *s = &c->servers[i];

		check(s->listen_count > 0 && s->location_count > 0);
		check(s->access_log.target != NULL);
		for (size_t j = 0; j < s->location_count; j++) {
			const struct conf_location *l = &s->locations[j];

			check(l->prefix[0] == '/' &&
			      l->policy.output_dir[0] == '/');
			check(c->buffer_memory / c->chunk_size >=
			      l->queue_depth + 2);
			check(config_location(
				  s, l->prefix, strlen(l->prefix)) == l);
		}
	}
}

static void
check_accepted(const struct config *c)
{
	struct config *again = NULL;
	struct str errors = {0}, why = {0};
	char *text, *other, *copy;
	size_t len, other_len;

	check_whole(c);
	text = print(c, &len);
	copy = fuzz_copy(text, len);
	check(config_parse_text(first_name, copy, len, &errors, &again) == 0);
	free(copy);
	check(errors.len == 0);
	check_whole(again);
	other = print(again, &other_len);
	check(len == other_len && memcmp(text, other, len) == 0);
	check(again->worker_auto == c->worker_auto);
	check(config_keep_until_restart(c, again, &why) == 0 && why.len == 0);
	free(text);
	free(other);
	config_free(&again);
	str_fini(&errors);
	str_fini(&why);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = NULL;
	struct str errors = {0};
	int err;

	split(data, size);
	err = config_parse_text(
	    first_name, texts[0].s, texts[0].len, &errors, &c);
	check(err == 0 || err == -EINVAL);
	check((err == 0) == (c != NULL));
	if (err == 0) {
		check(errors.len == 0);
		check_accepted(c);
	} else {
		check_errors(&errors);
	}
	config_free(&c);
	check(c == NULL);
	str_fini(&errors);
	for (size_t i = 0; i < text_count; i++)
		free(texts[i].s);
	return 0;
}
