#include "auth/secrets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auth/secret_file.h"
#include "base/clock.h"
#include "base/list.h"

enum kind { KIND_BEARER, KIND_HTPASSWD, KIND_LINKS, KIND_COUNT };

/* The directive that names a file of each kind. */
static const char *const directive_of[KIND_COUNT] = {
    [KIND_BEARER] = "auth_bearer_file",
    [KIND_HTPASSWD] = "auth_basic_user_file",
    [KIND_LINKS] = "signed_link_keys",
};

struct file {
	struct list_node node;
	enum kind kind;
	const char *path; /* the configuration's */
	struct bearer bearer;
	struct htpasswd htpasswd;
	struct link_keys links;
};

struct secrets {
	struct list files;
};

/* One loading. */
struct loading {
	struct secrets *secrets;
	struct str *errors, *warnings;
};

static struct file *
find_file(const struct secrets *s, enum kind kind, const char *path)
{
	LIST_FOREACH(struct file, f, &s->files, node)
		if (f->kind == kind && strcmp(f->path, path) == 0)
			return f;
	return NULL;
}

static int
parse_file(struct file *f, const struct str *text, struct str *errors)
{
	const char *s = text->s ? text->s : "";

	switch (f->kind) {
	case KIND_BEARER:
		return bearer_parse(&f->bearer, s, text->len, errors);
	case KIND_HTPASSWD:
		return htpasswd_parse(&f->htpasswd, s, text->len, errors);
	case KIND_LINKS:
		return link_keys_parse(&f->links, s, text->len, errors);
	case KIND_COUNT:
	default:
		die("no such kind of file");
	}
}

/* Add each line of `why`, with the place before it. */
static void
tell(const struct file *f, const struct conf_place *at, const char *why,
    struct str *out)
{
	while (*why != '\0') {
		size_t len = strcspn(why, "\n");

		config_name_value(at, directive_of[f->kind], f->path, out);
		str_puts(out, ": ");
		str_add(out, why, len);
		str_puts(out, "\n");
		why += len + (why[len] == '\n');
	}
}

/* Why nobody can be let in by what stands there; NULL: somebody can. */
static const char *
nobody_in(const struct file *f)
{
	uint64_t now = (uint64_t)clock_wall_s();
	const struct bearer *b = &f->bearer;
	size_t i = 0;

	if (b->count + f->htpasswd.count + f->links.count == 0)
		return "nobody is let in by it: it has no line but empty ones "
		       "and comments";
	while (i < b->count && b->tokens[i].expires_s != 0 &&
	       b->tokens[i].expires_s <= now)
		i++;
	return b->count > 0 && i == b->count
		   ? "nobody is let in by it: all of its tokens have expired"
		   : NULL;
}

static int
read_file(struct loading *l, struct file *f, const struct conf_place *at)
{
	struct str text = {0}, mistakes = {0};
	const char *warning, *why = secret_file_read(f->path, &text, &warning);
	int err = 0;

	if (why != NULL)
		tell(f, at, why, l->errors);
	else
		err = parse_file(f, &text, &mistakes);
	if (warning != NULL)
		tell(f, at, warning, l->warnings);
	if (mistakes.len > 0)
		tell(f, at, mistakes.s, l->errors);
	else if (why == NULL && nobody_in(f) != NULL)
		tell(f, at, nobody_in(f), l->warnings);
	if (str_failed(&mistakes))
		err = -ENOMEM;
	if (text.s != NULL)
		mac_wipe(text.s, text.len);
	str_fini(&text);
	str_fini(&mistakes);
	return err;
}

static int
load_file(struct loading *l, enum kind kind, const char *path,
    const struct conf_place *at)
{
	struct file *f;

	if (!conf_is_on(path) || find_file(l->secrets, kind, path) != NULL)
		return 0;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -ENOMEM;
	f->kind = kind;
	f->path = path;
	list_append(&l->secrets->files, &f->node);
	return read_file(l, f, at);
}

/* Where marks are made: the workers' user has to be able to write there, and nobody else. */
static void
look_at_spent(struct loading *l, const struct conf_rights *r)
{
	const char *path = r->signed_link_spent, *why = NULL;
	struct stat st;

	if (!conf_is_on(path))
		return;
	if (stat(path, &st) == -1)
		why = strerror(errno);
	else if (!S_ISDIR(st.st_mode))
		why = "it is not a directory";
	else if ((st.st_mode & S_IWOTH) != 0)
		why = "any user of this machine can remove marks there, and so "
		      "use links again: chmod o-w";
	if (why == NULL)
		return;
	config_name_value(
	    &r->signed_link_spent_at, "signed_link_spent", path, l->errors);
	str_printf(l->errors, ": %s\n", why);
}

static int
load_rights(struct loading *l, const struct conf_rights *r)
{
	int err;

	look_at_spent(l, r);
	err = load_file(
	    l, KIND_BEARER, r->auth_bearer_file, &r->auth_bearer_file_at);

	if (err == 0)
		err = load_file(l, KIND_LINKS, r->signed_link_keys,
		    &r->signed_link_keys_at);
	if (err == 0 && conf_is_on(r->auth_basic))
		err = load_file(l, KIND_HTPASSWD, r->auth_basic_user_file,
		    &r->auth_basic_user_file_at);
	return err;
}

static int
load_location(struct loading *l, const struct conf_location *loc)
{
	int err = load_rights(l, &loc->rights);

	if (err == 0 && loc->except.methods != 0)
		err = load_rights(l, &loc->except.rights);
	return err;
}

int
secrets_load(const struct config *c, struct str *errors, struct str *warnings,
    struct secrets **ret)
{
	struct secrets *s = calloc(1, sizeof(*s));
	struct loading l = {s, errors, warnings};
	size_t before = errors->len;
	int err = 0;

	if (s == NULL)
		return -ENOMEM;
	list_init(&s->files);
	for (size_t i = 0; i < c->server_count; i++)
		for (size_t k = 0; err == 0; k++) {
			const struct conf_location *one =
			    config_ruled(&c->servers[i], k);

			if (one == NULL)
				break;
			err = load_location(&l, one);
		}
	if (err == 0 && (str_failed(errors) || str_failed(warnings)))
		err = -ENOMEM;
	if (err == 0 && errors->len > before)
		err = -EINVAL;
	if (err < 0)
		secrets_free(&s);
	else
		*ret = s;
	return err;
}

const struct bearer *
secrets_bearer(const struct secrets *s, const char *path)
{
	const struct file *f;

	if (!conf_is_on(path))
		return NULL;
	f = find_file(s, KIND_BEARER, path);
	check(f != NULL);
	return &f->bearer;
}

const struct htpasswd *
secrets_htpasswd(const struct secrets *s, const char *path)
{
	const struct file *f;

	if (!conf_is_on(path))
		return NULL;
	f = find_file(s, KIND_HTPASSWD, path);
	check(f != NULL);
	return &f->htpasswd;
}

const struct link_keys *
secrets_links(const struct secrets *s, const char *path)
{
	const struct file *f;

	if (!conf_is_on(path))
		return NULL;
	f = find_file(s, KIND_LINKS, path);
	check(f != NULL);
	return &f->links;
}

void
secrets_free(struct secrets **sp)
{
	struct secrets *s = *sp;

	if (s == NULL)
		return;
	LIST_FOREACH(struct file, f, &s->files, node) {
		list_remove(&f->node);
		bearer_fini(&f->bearer);
		htpasswd_fini(&f->htpasswd);
		link_keys_fini(&f->links);
		free(f);
	}
	free(s);
	*sp = NULL;
}
