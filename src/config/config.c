#include "config/config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/num.h"
#include "config/access_log.h"
#include "config/directives.h"
#include "config/lexer.h"
#include "config/parser.h"
#include "config/prefix.h"
#include "config/value.h"

enum {
	WORKERS_MAX = 256, /* for `auto`: what a file may ask for */
};

/* What holds without a file: all the rest are the table's defaults.
 * conf/penstock.conf says the same at length; a test compares them. */
static const char builtin_name[] = "built-in defaults";
static const char builtin_text[] = "server { location /file { } }";

/* The loading of one config: the tree that was parsed, and where it goes. */
struct load {
	struct config *c;
	struct str *errors;
	const char *cwd; /* NULL: it cannot be told */
};

static void
clear_values(void *base, enum directives_block owner)
{
	for (size_t i = 0; i < directives_count; i++) {
		const struct directive *d = &directives[i];

		if (d->owner == owner && directives_has_value(d))
			value_clear(d, base);
	}
}

static void
location_clear(struct conf_location *l)
{
	free(l->prefix);
	clear_values(l, BLOCK_LOCATION);
	clear_values(&l->rights, BLOCK_EXCEPT);
	clear_values(&l->except.rights, BLOCK_EXCEPT);
}

void
config_free(struct config **cp)
{
	struct config *c = *cp;

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->server_count; i++) {
		struct conf_server *s = &c->servers[i];

		for (size_t j = 0; j < s->location_count; j++) {
			location_clear(&s->locations[j]);
		}
		free(s->locations);
		if (s->admin != NULL)
			location_clear(s->admin);
		free(s->admin);
		clear_values(s, BLOCK_SERVER);
		access_log_clear(&s->access_log);
	}
	free(c->servers);
	clear_values(c, BLOCK_TOP);
	for (size_t i = 0; i < c->file_count; i++)
		free(c->files[i]);
	free(c->files);
	free(c->file);
	free(c->directives);
	free(c);
	*cp = NULL;
}

/*
 * Give `base` every value that `owner` has, as seen from the block `b`: the one given
 * there, or in the nearest block around it, or the default.  One that was given with a
 * mistake stays as it is, zero: the mistake was told.
 */
static int
config_fill(const struct load *l, struct parser_block *b, void *base,
    enum directives_block owner)
{
	for (size_t i = 0; i < directives_count; i++) {
		const struct directive *d = &directives[i];
		struct parser_block *from;
		int err = 0;

		if (d->owner != owner || !directives_has_value(d))
			continue;
		from = parser_where(b, d);
		if (from == NULL)
			err = value_set_default(d, base, l->cwd);
		else if (!from->given[i].bad || directives_repeats(d))
			err = value_copy(d, base, parser_base(from, d));
		if (from != NULL && d->place != 0)
			memcpy((char *)base + d->place, &from->given[i].at,
			    sizeof(from->given[i].at));
		if (err == -EINVAL)
			lexer_mistake(l->errors, &b->at, d->name,
			    "the default, %s, has too long a path here",
			    d->dflt);
		else if (err == -ENOENT)
			lexer_mistake(l->errors, &b->at, d->name,
			    "the default, %s, is relative to the working "
			    "directory, which is gone or cannot be read: "
			    "write an absolute path, or start it elsewhere",
			    d->dflt);
		else if (err < 0)
			return err;
	}
	return 0;
}

/* Where `name` was given, seen from `b`; *bad when with a mistake. */
static const struct conf_place *
given_at(struct parser_block *b, const char *name, bool *bad)
{
	const struct directive *d = directives_find(name);
	const struct parser_given *g;

	check(d != NULL);
	b = parser_where(b, d);
	if (b == NULL)
		return NULL;
	g = &b->given[directives_index(d)];
	*bad |= g->bad;
	return &g->at;
}

/* An upload holds up to queue_depth + 2 chunks: with less memory it could
 * stop for good. */
static void
check_memory(const struct load *l, struct parser_block *b,
    const struct conf_location *loc)
{
	const struct config *c = l->c;
	const struct conf_place *at, *other;
	char have[NUM_TEXT_MAX], need[NUM_TEXT_MAX], chunk[NUM_TEXT_MAX];
	bool bad = false;

	at = given_at(b, "queue_depth", &bad);
	other = given_at(b, "chunk_size", &bad);
	at = at != NULL ? at : other;
	other = given_at(b, "buffer_memory", &bad);
	at = other != NULL ? other : at;
	if (bad || c->buffer_memory / c->chunk_size >= loc->queue_depth + 2)
		return;
	num_format_size(c->buffer_memory, have);
	num_format_size((loc->queue_depth + 2) * c->chunk_size, need);
	num_format_size(c->chunk_size, chunk);
	lexer_mistake(l->errors, at != NULL ? at : &b->at, "buffer_memory",
	    "%s is below %s, the %u + 2 chunks of %s (queue_depth, "
	    "chunk_size) of location %s",
	    have, need, (unsigned)loc->queue_depth, chunk, loc->prefix);
}

/* Also the rights of those methods that a limit_except does not name. */
static int
fill_rights(
    const struct load *l, struct parser_block *b, struct conf_location *loc)
{
	struct parser_block *first = NULL;
	int err = config_fill(l, b, &loc->rights, BLOCK_EXCEPT);

	LIST_FOREACH(struct parser_block, inner, &b->blocks, node) {
		if (err < 0)
			return err;
		if (first != NULL) {
			lexer_mistake(l->errors, &inner->at, "limit_except",
			    "a location has one at most");
			continue;
		}
		first = inner;
		loc->except.methods = inner->methods;
		err = config_fill(l, inner, &loc->except.rights, BLOCK_EXCEPT);
	}
	return err;
}

static int
build_location(
    const struct load *l, struct parser_block *b, struct conf_location *loc)
{
	bool bad = false;
	int err;

	loc->place = b->at;
	loc->prefix = b->location.prefix;
	b->location.prefix = NULL;
	err = config_fill(l, b, loc, BLOCK_LOCATION);
	if (err == 0)
		err = fill_rights(l, b, loc);
	if (err < 0)
		return err;
	check_memory(l, b, loc);
	/* Nothing can be said of a directory whose `keep` is not known. */
	given_at(b, "keep", &bad);
	if (bad) {
		free(loc->policy.output_dir);
		loc->policy.output_dir = NULL;
	}
	return 0;
}

/* access_log is a location's; the server has what holds outside of all of them. */
static int
fill_access_log(
    const struct load *l, struct parser_block *b, struct conf_server *s)
{
	const struct directive *d = directives_find("access_log");
	struct parser_block *from;
	struct conf_location outside = {0};
	int err = 0;

	check(d != NULL);
	from = parser_where(b, d);
	if (from == NULL)
		err = value_set_default(d, &outside, l->cwd);
	else if (!from->given[directives_index(d)].bad)
		err = value_copy(d, &outside, parser_base(from, d));
	if (from != NULL)
		s->access_log_at = from->given[directives_index(d)].at;
	s->access_log = outside.access_log;
	return err;
}

static size_t
count_blocks(const struct parser_block *b)
{
	const struct list_node *n;
	size_t count = 0;

	for (n = b->blocks.head.next; n != &b->blocks.head; n = n->next)
		count++;
	return count;
}

/* What uploads go by to others than those who watch is not for a block `admin`: neither
 * the address by default, nor the log, in which each look would be a line. */
static int
build_admin(const struct load *l, struct parser_block *b, struct conf_server *s)
{
	const struct directive *listen = directives_find("listen");
	const struct directive *log = directives_find("access_log");

	check(listen != NULL && log != NULL);
	if (b->given[directives_index(listen)].at.line == 0)
		lexer_mistake(l->errors, &b->at, "admin",
		    "it needs an address of its own: write listen "
		    "unix:/run/penstock/admin.sock, or listen 127.0.0.1:PORT, "
		    "into it");
	if (b->given[directives_index(log)].at.line == 0) {
		access_log_clear(&s->access_log);
		s->access_log.target = strdup("off");
	}
	s->admin = calloc(1, sizeof(*s->admin));
	if (s->access_log.target == NULL || s->admin == NULL)
		return -ENOMEM;
	s->admin->place = b->at;
	s->admin->prefix = strdup("/");
	if (s->admin->prefix == NULL)
		return -ENOMEM;
	return config_fill(l, b, &s->admin->rights, BLOCK_EXCEPT);
}

static int
build_server(
    const struct load *l, struct parser_block *b, struct conf_server *s)
{
	int err;

	s->place = b->at;
	err = config_fill(l, b, s, BLOCK_SERVER);
	if (err == 0)
		err = fill_access_log(l, b, s);
	if (err < 0)
		return err;
	for (size_t i = 0; i < s->listen_count; i++)
		if (s->listens[i].place.line == 0)
			s->listens[i].place = b->at;
	if (b->block == BLOCK_ADMIN)
		return build_admin(l, b, s);
	if (!b->has_blocks)
		lexer_mistake(l->errors, &b->at, "server",
		    "it has no location; write location /PREFIX { }");
	s->locations = calloc(count_blocks(b) + 1, sizeof(*s->locations));
	if (s->locations == NULL)
		return -ENOMEM;
	LIST_FOREACH(struct parser_block, inner, &b->blocks, node) {
		err = build_location(
		    l, inner, &s->locations[s->location_count++]);
		if (err < 0)
			return err;
	}
	return 0;
}

static uint64_t
online_cores(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 1)
		return 1;
	return cores > WORKERS_MAX ? WORKERS_MAX : (uint64_t)cores;
}

/* Or some block that has a mistake, and may have been meant as one. */
static bool
has_server(const struct parser_block *top)
{
	size_t count = 0;

	LIST_FOREACH(const struct parser_block, b, &top->blocks, node) {
		if (b->block == BLOCK_SERVER)
			return true;
		count++;
	}
	return top->has_blocks && count == 0;
}

static int
build_top(const struct load *l, struct parser_block *b)
{
	struct config *c = l->c;
	int err;

	c->files = b->top.files;
	c->file_count = b->top.file_count;
	b->top.files = NULL;
	b->top.file_count = 0;
	err = config_fill(l, b, c, BLOCK_TOP);
	if (err < 0)
		return err;
	c->worker_auto = c->worker_processes == VALUE_AUTO;
	if (c->worker_auto)
		c->worker_processes = online_cores();
	if (!has_server(b))
		lexer_mistake(l->errors, &b->at, "server",
		    "there is none; write server { location /PREFIX { } }");
	c->servers = calloc(count_blocks(b) + 1, sizeof(*c->servers));
	if (c->servers == NULL)
		return -ENOMEM;
	LIST_FOREACH(struct parser_block, inner, &b->blocks, node) {
		err = build_server(l, inner, &c->servers[c->server_count++]);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Longest prefix first, so that the first that matches is the one. */
static int
compare_prefixes(const void *a, const void *b)
{
	const struct conf_location *x = a, *y = b;
	size_t x_len = strlen(x->prefix), y_len = strlen(y->prefix);

	if (x_len != y_len)
		return x_len > y_len ? -1 : 1;
	return strcmp(x->prefix, y->prefix);
}

/* From the tree to a config that is whole; the tree loses its strings. */
static int
build(struct parser_block *top, const char *cwd, struct str *errors,
    struct config **ret)
{
	struct load l = {.errors = errors, .cwd = cwd};
	int err;

	l.c = calloc(1, sizeof(*l.c));
	if (l.c == NULL)
		return -ENOMEM;
	err = build_top(&l, top);
	if (err < 0) {
		config_free(&l.c);
		return err;
	}
	config_check(l.c, errors);
	for (size_t i = 0; i < l.c->server_count; i++) {
		struct conf_server *s = &l.c->servers[i];

		/* That of admin has none. */
		if (s->location_count > 0)
			qsort(s->locations, s->location_count,
			    sizeof(*s->locations), compare_prefixes);
	}
	*ret = l.c;
	return 0;
}

/* Keep the first CONFIG_MISTAKES_MAX of the mistakes, a line each, that were added
 * behind `before`: a file with more of them is probably no configuration. */
static void
cut_mistakes(struct str *errors, size_t before)
{
	size_t lines = 0, end = 0;

	for (size_t i = before; i < errors->len; i++) {
		if (errors->s[i] != '\n')
			continue;
		if (++lines == CONFIG_MISTAKES_MAX)
			end = i + 1;
	}
	if (lines <= CONFIG_MISTAKES_MAX)
		return;
	errors->len = (uint32_t)end;
	str_printf(errors, "and %zu more\n", lines - CONFIG_MISTAKES_MAX);
}

/* `file` is what the config is to remember as its own; NULL: none. */
static int
config_load_input(struct parser_input in, const char *file, struct str *errors,
    struct config **ret)
{
	struct parser_block *top = NULL;
	struct config *c = NULL;
	size_t before = errors->len;
	char buf[PATH_MAX];
	const char *cwd;
	int err;

	/* It may be gone, or a directory above it may not be searchable: that
	 * is no mistake as long as all paths are absolute. */
	cwd = getcwd(buf, sizeof(buf));
	in.cwd = cwd;
	err = parser_run(&in, errors, &top);
	if (err < 0)
		return err;
	err = build(top, cwd, errors, &c);
	parser_free(&top);
	if (err == 0 && file != NULL) {
		c->file = strdup(file);
		if (c->file == NULL)
			err = -ENOMEM;
	}
	if (err == 0 && in.directives != NULL) {
		c->directives = strdup(in.directives);
		if (c->directives == NULL)
			err = -ENOMEM;
	}
	if (err == 0 && str_failed(errors))
		err = -ENOMEM;
	if (err == 0 && errors->len > before) {
		cut_mistakes(errors, before);
		err = str_failed(errors) ? -ENOMEM : -EINVAL;
	}
	if (err < 0)
		config_free(&c);
	else
		*ret = c;
	return err;
}

int
config_load_with(const char *path, const char *extra, struct str *errors,
    struct config **ret)
{
	struct parser_input in = {.name = path, .directives = extra};

	if (path == NULL) {
		in.name = builtin_name;
		in.text = builtin_text;
		in.len = sizeof(builtin_text) - 1;
	}
	return config_load_input(in, path, errors, ret);
}

int
config_reload(const struct config *old, struct str *errors, struct config **ret)
{
	struct parser_input in = {
	    .name = old->file, .again = true, .directives = old->directives};

	if (old->file == NULL)
		return config_load_with(NULL, old->directives, errors, ret);
	return config_load_input(in, old->file, errors, ret);
}

int
config_parse_text(const char *name, const char *text, size_t len,
    struct str *errors, struct config **ret)
{
	struct parser_input in = {.name = name, .text = text, .len = len};

	return config_load_input(in, name, errors, ret);
}

void
config_name_value(const struct conf_place *at, const char *directive,
    const char *value, struct str *out)
{
	bool given = at->line != 0;

	if (given) {
		lexer_place(out, at);
		str_puts(out, ": ");
	}
	str_puts(out, directive);
	if (value != NULL) {
		str_puts(out, " ");
		str_escape(out, value, strlen(value));
	}
	str_puts(out, given ? "" : " (by default)");
}

const struct conf_location *
config_location(const struct conf_server *s, const char *path, size_t len)
{
	if (s->admin != NULL)
		return s->admin;
	for (size_t i = 0; i < s->location_count; i++)
		if (prefix_matches(s->locations[i].prefix, path, len))
			return &s->locations[i];
	return NULL;
}
