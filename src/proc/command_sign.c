#include "command_sign.h"

#include <stdio.h>
#include <string.h>

#include "auth/secret_file.h"
#include "auth/signed_link.h"
#include "base/method_set.h"
#include "base/num.h"
#include "base/str.h"
#include "proc/options.h"
#include "upload/names.h"

enum {
	WHY_MAX = 512, /* bytes of a message, with the NUL */
};

static bool
read_size(const char *text, uint64_t *ret)
{
	return num_parse_size(text, strlen(text), ret) == 0 && *ret > 0;
}

static const struct conf_rights *
rights_of(const struct conf_location *l, unsigned method)
{
	return l->except.methods == 0 || (l->except.methods & method) != 0
		   ? &l->rights
		   : &l->except.rights;
}

/* The server block and the location that take links for it; false: none does. */
static bool
find_location(const struct config *conf, unsigned method, const char *path,
    const struct conf_server **ret_server, const struct conf_location **ret)
{
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];
		const struct conf_location *l =
		    config_location(s, path, strlen(path));

		if (l != NULL &&
		    conf_is_on(rights_of(l, method)->signed_link_keys)) {
			*ret_server = s;
			*ret = l;
			return true;
		}
	}
	return false;
}

/* Why find_location() found none. */
static const char *
why_none(const struct config *conf, const char *method, const char *path,
    char buf[WHY_MAX])
{
	const struct conf_location *l = NULL;

	for (size_t i = 0; l == NULL && i < conf->server_count; i++)
		l = config_location(&conf->servers[i], path, strlen(path));
	if (l == NULL)
		return "no location has this path (is it the right -c FILE?)";
	if (conf_is_on(l->rights.signed_link_keys) ||
	    (l->except.methods != 0 &&
		conf_is_on(l->except.rights.signed_link_keys)))
		snprintf(buf, WHY_MAX,
		    "location %s takes no links for %s, but for other methods "
		    "(limit_except)",
		    l->prefix, method);
	else
		snprintf(buf, WHY_MAX,
		    "location %s takes no links: set signed_link_keys there "
		    "(is it the right -c FILE?)",
		    l->prefix);
	return buf;
}

/* The first name of the block that is one; NULL: there is none. */
static const char *
name_of(const struct conf_server *s)
{
	for (size_t i = 0; i < s->server_name.count; i++)
		if (strchr(s->server_name.values[i], '*') == NULL)
			return s->server_name.values[i];
	return NULL;
}

/* NULL: there are only UNIX sockets. */
static const struct conf_listen *
listen_of(const struct conf_server *s)
{
	for (size_t i = 0; i < s->listen_count; i++)
		if (s->listens[i].addr.ss.ss_family != AF_UNIX)
			return &s->listens[i];
	return NULL;
}

/* Where a client of this machine finds what listens there: "ADDRESS:PORT". */
static void
add_authority(const struct addr *a, struct str *out)
{
	static const char *const any[] = {"0.0.0.0:", "[::]:"};
	char text[ADDR_TEXT_MAX];

	addr_format(a, text);
	for (size_t i = 0; i < COUNT_OF(any); i++) {
		size_t len = strlen(any[i]);

		if (strncmp(text, any[i], len) != 0)
			continue;
		str_printf(out, "localhost:%s", text + len);
		return;
	}
	str_puts(out, text);
}

/* Where all clients find it: "NAME", and ":PORT" if it is not the usual one. */
static void
add_named_authority(
    const char *name, const struct conf_listen *l, struct str *out)
{
	char text[ADDR_TEXT_MAX];
	const char *port;

	addr_format(&l->addr, text);
	port = strrchr(text, ':');
	str_puts(out, name);
	if (port != NULL && strcmp(port, l->ssl ? ":443" : ":80") != 0)
		str_puts(out, port);
}

/* The URL that clients use, as far as the configuration tells; the rest is said on stderr.
 * A plain address that only this machine reaches is a proxy's, and what it is called
 * outside, the proxy knows. */
static void
add_likely_base(const struct conf_server *s, struct str *out)
{
	const struct conf_listen *l = listen_of(s);
	const char *name = name_of(s), *what = "no address";
	bool named = l != NULL && name != NULL &&
		     (l->ssl || !addr_is_loopback(&l->addr));

	if (l != NULL) {
		what = "a guess for an address";
		str_puts(out, l->ssl ? "https://" : "http://");
	}
	if (named)
		add_named_authority(name, l, out);
	else if (l != NULL)
		add_authority(&l->addr, out);
	if (!named)
		fprintf(stderr,
		    "penstock: sign: the link has %s: --base https://HOST says "
		    "what its user will reach%s\n",
		    what,
		    l != NULL && name == NULL
			? ", or server_name in the server block"
			: "");
}

/* The URL without its query. */
static void
add_url(const struct command_words *w, const struct conf_server *s,
    const char *path, struct str *out)
{
	if (w->base != NULL) {
		size_t len = strlen(w->base);

		len -= len > 0 && w->base[len - 1] == '/';
		str_add(out, w->base, len);
	} else {
		add_likely_base(s, out);
	}
	names_encode(path, out);
}

/* A name that no request could have is no name to sign. */
static const char *
check_path(const struct conf_location *l, const char *path)
{
	size_t prefix = strlen(l->prefix);
	char name[FILE_NAME_SIZE];
	struct str encoded = {0};
	const char *why = NULL;

	if (strlen(path) == prefix)
		return NULL;
	names_encode(path + prefix + (prefix > 1), &encoded);
	if (str_failed(&encoded))
		why = "out of memory";
	else if (names_decode(encoded.s, encoded.len, l->policy.dotfiles, name,
		     &why) == OUTCOME_NONE)
		why = NULL;
	str_fini(&encoded);
	return why;
}

static const char *
read_keys(const char *path, struct link_keys *ret)
{
	struct str text = {0}, errors = {0};
	const char *warning, *why = secret_file_read(path, &text, &warning);

	if (why == NULL &&
	    link_keys_parse(ret, text.s ? text.s : "", text.len, &errors) < 0)
		why = "out of memory";
	if (why == NULL && (errors.len > 0 || ret->count == 0))
		why = "it has no key, or a line that is none: penstock -t says "
		      "more, penstock key makes one";
	if (text.s != NULL)
		mac_wipe(text.s, text.len);
	str_fini(&text);
	str_fini(&errors);
	return why;
}

static int
print_link(const struct command_words *w, const struct conf_server *s,
    const struct link_key *key, const struct signed_link *l)
{
	struct str url = {0};
	int status;

	add_url(w, s, w->word[1], &url);
	str_puts(&url, "?");
	if (!signed_link_sign(key, l, &url) || str_failed(&url)) {
		status = command_failed("sign", "out of memory");
	} else {
		puts(url.s);
		status = options_end_output();
	}
	str_fini(&url);
	return status;
}

/* What no request could be. */
static const char *
check_request(const char *method, const char *path)
{
	static const char *const known[] = {"PUT", "POST", "GET", "HEAD"};
	size_t i = 0;

	while (i < COUNT_OF(known) && strcmp(known[i], method) != 0)
		i++;
	if (i == COUNT_OF(known))
		return "the method is PUT, POST, GET or HEAD: penstock answers "
		       "no others";
	if (strstr(path, "://") != NULL)
		return "the path alone, such as /file/a, is signed: what "
		       "stands before it goes behind --base";
	if (path[0] != '/')
		return "the path begins with a slash, such as /file/a";
	return NULL;
}

/* What the link is to allow; NULL, or what is wrong. */
static const char *
read_link(const struct command_words *w, struct signed_link *ret)
{
	const char *why;

	*ret = (struct signed_link){
	    .method = {w->word[0], strlen(w->word[0])},
	    .path = {w->word[1], strlen(w->word[1])},
	};
	why = check_request(w->word[0], w->word[1]);
	if (why != NULL)
		return why;
	if (w->expires == NULL)
		return "--expires must be given: a time such as 1h, 30d or "
		       "2027-01-01";
	why = command_read_expiry(w->expires, &ret->expires_s);
	if (why != NULL)
		return why;
	if (w->max_size != NULL && !read_size(w->max_size, &ret->max_size))
		return "--max-size takes a size such as 100m";
	if (w->once && strcmp(w->word[0], "PUT") != 0 &&
	    strcmp(w->word[0], "POST") != 0)
		return "--once is for uploads: PUT or POST";
	if (w->once)
		signed_link_make_once(ret);
	return NULL;
}

int
command_sign(const struct command_words *w, const struct config *conf)
{
	const struct conf_location *l = NULL;
	const struct conf_server *s = NULL;
	struct link_keys keys = {0};
	struct signed_link link;
	const char *why = read_link(w, &link), *path;
	char buf[WHY_MAX];
	unsigned method;
	int status;

	if (why != NULL) {
		(void)command_failed("sign", why);
		return OPTIONS_EXIT_USAGE;
	}
	method = method_set_of_request(link.method.s, link.method.len);
	if (!find_location(conf, method, w->word[1], &s, &l))
		return command_failed(
		    w->word[1], why_none(conf, w->word[0], w->word[1], buf));
	if (w->once && !conf_is_on(rights_of(l, method)->signed_link_spent))
		return command_failed(w->word[1],
		    "--once needs a directory for marks: set signed_link_spent "
		    "in its location");
	why = check_path(l, w->word[1]);
	if (why != NULL)
		return command_failed(w->word[1], why);
	path = rights_of(l, method)->signed_link_keys;
	why = read_keys(path, &keys);
	status = why != NULL ? command_failed(path, why)
			     : print_link(w, s, &keys.keys[0], &link);
	link_keys_fini(&keys);
	return status;
}
