#include "config/config.h"

#include <string.h>

#include "base/method_set.h"
#include "config/access_log.h"
#include "config/directives.h"
#include "config/lexer.h"
#include "config/listen.h"
#include "config/value.h"

enum {
	NAME_WIDTH = 24,
	VALUE_WIDTH = 24, /* longer ones push their comment aside */
};

/* One row, or one address of it, to be written. */
struct line {
	const struct directive *d;
	struct str value;
	bool unset; /* written as a comment */
};

static void
put_line(const struct line *l, const char *indent, struct str *out)
{
	int name_width = NAME_WIDTH - (l->unset ? 1 : 0);
	const char *value = l->value.s != NULL ? l->value.s : "";

	str_printf(out, "%s%s%-*s%s%s;", indent, l->unset ? "#" : "",
	    name_width, l->d->name,
	    strlen(l->d->name) < (size_t)name_width ? "" : " ", value);
	for (size_t i = l->value.len; i < VALUE_WIDTH; i++)
		str_puts(out, " ");
	str_printf(out, " # %s\n", l->d->help);
}

static void
put_listens(const struct directive *d, const struct conf_server *s,
    const char *indent, struct str *out)
{
	for (size_t i = 0; i < s->listen_count; i++) {
		struct line l = {.d = d};

		listen_format(&s->listens[i], &l.value);
		put_line(&l, indent, out);
		out->failed |= str_failed(&l.value);
		str_fini(&l.value);
	}
}

/* A line for each; one as a comment when there is none. */
static void
put_files(const struct directive *d, const void *base, const char *indent,
    struct str *out)
{
	const struct conf_files *f =
	    (const void *)((const char *)base + d->offset);

	for (size_t i = 0; i < f->count || i == 0; i++) {
		struct line l = {.d = d, .unset = f->count == 0};

		if (l.unset)
			str_puts(&l.value, "FILE");
		else
			lexer_quote(&l.value, f->values[i].path);
		put_line(&l, indent, out);
		out->failed |= str_failed(&l.value);
		str_fini(&l.value);
	}
}

/* The rules, a line each; none: both directives as comments. */
static void
put_rules(const struct directive *allow, const struct conf_networks *n,
    const char *indent, struct str *out)
{
	const struct directive *deny = directives_find("deny");

	check(deny != NULL);
	for (size_t i = 0; i < (n->count > 0 ? n->count : 2); i++) {
		bool denies = n->count > 0 ? !n->list[i].allow : i > 0;
		struct line l = {.d = denies ? deny : allow};
		char text[CIDR_TEXT_MAX] = "ADDRESS";

		l.unset = n->count == 0;
		if (!l.unset)
			cidr_format(&n->list[i].net, text);
		str_puts(&l.value, text);
		put_line(&l, indent, out);
		out->failed |= str_failed(&l.value);
		str_fini(&l.value);
	}
}

/* May it stand in this very block?  Both server and admin are a struct conf_server. */
static bool
belongs(const struct directive *d, const void *base)
{
	const struct conf_server *s = base;

	return d->owner != BLOCK_SERVER ||
	       directives_is_allowed(
		   d, s->admin != NULL ? BLOCK_ADMIN : BLOCK_SERVER);
}

/* All values that the struct of a block owns, but for addresses. */
static void
put_values(const void *base, enum directives_block owner, const char *indent,
    struct str *out)
{
	for (size_t i = 0; i < directives_count; i++) {
		struct line l = {.d = &directives[i]};

		if (l.d->owner == owner && l.d->type == VALUE_FILES) {
			put_files(l.d, base, indent, out);
			continue;
		}
		if (l.d->owner != owner || !directives_has_value(l.d) ||
		    l.d->type == VALUE_LISTEN || !belongs(l.d, base))
			continue;
		if (l.d->type == VALUE_RULES) {
			put_rules(l.d,
			    (const void *)((const char *)base + l.d->offset),
			    indent, out);
			continue;
		}
		l.unset = !value_format(l.d, base, &l.value);
		if (l.unset)
			str_puts(&l.value, l.d->type == VALUE_ORIGINS ? "ORIGIN"
					   : l.d->type == VALUE_PATH  ? "FILE"
					   : l.d->type == VALUE_NETWORKS
					       ? "ADDRESS"
					       : "NAME");
		put_line(&l, indent, out);
		out->failed |= str_failed(&l.value);
		str_fini(&l.value);
	}
}

static void
put_except(const struct conf_except *e, struct str *out)
{
	if (e->methods == 0) {
		str_puts(out, "        #limit_except GET { }\n");
		return;
	}
	str_puts(out, "\n        limit_except ");
	method_set_format(e->methods, " ", out);
	str_puts(out, " {\n");
	put_values(&e->rights, BLOCK_EXCEPT, "            ", out);
	str_puts(out, "        }\n");
}

/* Of what is in no location: these have their own. */
static void
put_access_log(const struct conf_server *s, struct str *out)
{
	struct line l = {.d = directives_find("access_log")};

	check(l.d != NULL);
	access_log_format(&s->access_log, &l.value);
	put_line(&l, "    ", out);
	out->failed |= str_failed(&l.value);
	str_fini(&l.value);
}

static void
put_server(const struct conf_server *s, struct str *out)
{
	const struct directive *listen = directives_find("listen");

	check(listen != NULL);
	str_puts(out, s->admin != NULL ? "\nadmin {\n" : "\nserver {\n");
	put_listens(listen, s, "    ", out);
	put_access_log(s, out);
	put_values(s, BLOCK_SERVER, "    ", out);
	if (s->admin != NULL)
		put_values(&s->admin->rights, BLOCK_EXCEPT, "    ", out);
	for (size_t i = 0; i < s->location_count; i++) {
		str_puts(out, "\n    location ");
		lexer_quote(out, s->locations[i].prefix);
		str_puts(out, " {\n");
		put_values(&s->locations[i], BLOCK_LOCATION, "        ", out);
		put_values(
		    &s->locations[i].rights, BLOCK_EXCEPT, "        ", out);
		put_except(&s->locations[i].except, out);
		str_puts(out, "    }\n");
	}
	str_puts(out, "}\n");
}

/* What there could be. */
static void
put_no_admin(struct str *out)
{
	struct line l = {.d = directives_find("admin_write"), .unset = true};

	check(l.d != NULL);
	str_puts(out, "\n#admin { listen unix:/run/penstock/admin.sock; }\n");
	str_puts(&l.value, l.d->dflt);
	put_line(&l, "    ", out);
	out->failed |= str_failed(&l.value);
	str_fini(&l.value);
}

static bool
has_admin(const struct config *c)
{
	for (size_t i = 0; i < c->server_count; i++)
		if (c->servers[i].admin != NULL)
			return true;
	return false;
}

void
config_print(const struct config *c, FILE *out)
{
	struct config shown = *c;
	struct str text = {0};

	if (c->worker_auto)
		shown.worker_processes = VALUE_AUTO;
	str_puts(&text, "# configuration of ");
	if (c->file != NULL)
		str_escape(&text, c->file, strlen(c->file));
	else
		str_puts(&text, "the built-in defaults");
	if (c->directives != NULL) {
		str_puts(&text, ", with -g ");
		str_escape(&text, c->directives, strlen(c->directives));
	}
	str_puts(&text, "\n\n");
	put_values(&shown, BLOCK_TOP, "", &text);
	for (size_t i = 0; i < c->server_count; i++)
		put_server(&c->servers[i], &text);
	if (!has_admin(c))
		put_no_admin(&text);
	if (str_failed(&text))
		fputs("# out of memory\n", out);
	else
		fwrite(text.s, 1, text.len, out);
	str_fini(&text);
}
