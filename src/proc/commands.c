#include "proc/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/bearer.h"
#include "auth/secret_file.h"
#include "auth/signed_link.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/method_set.h"
#include "base/num.h"
#include "proc/options.h"
#include "upload/names.h"

enum {
	WORDS_MAX = 2,
};

/* What stands behind the name of a command. */
struct words {
	const char *word[WORDS_MAX]; /* those without -- */
	const char *methods, *prefix, *expires, *max_size, *base;
	bool once;
};

/* ---- the command line ---- */

struct command {
	const char *name, *usage;
	bool needs_config;
	unsigned words;
	const char *options; /* those that it takes, with a blank behind each */
	int (*run)(const struct words *w, const struct config *conf);
};

static int
commands_wrong(const struct command *c, const char *what, const char *word)
{
	fprintf(stderr, "penstock %s: %s%s\nusage: penstock %s\n", c->name,
	    what, word, c->usage);
	return OPTIONS_EXIT_USAGE;
}

static int
commands_failed(const char *what, const char *why)
{
	fprintf(stderr, "penstock: %s: %s\n", what, why);
	return EXIT_FAILURE;
}

/* Where the value of an option goes; NULL: there is none of that name. */
static const char **
value_of(struct words *w, const char *name)
{
	const struct {
		const char *name;
		const char **to;
	} known[] = {{"--methods", &w->methods}, {"--prefix", &w->prefix},
	    {"--expires", &w->expires}, {"--max-size", &w->max_size},
	    {"--base", &w->base}};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].to;
	return NULL;
}

static bool
takes(const struct command *c, const char *option)
{
	const char *at = strstr(c->options, option);

	return at != NULL && at[strlen(option)] == ' ';
}

/* 0, or the status to exit with. */
static int
read_words(const struct command *c, char **argv, struct words *ret)
{
	unsigned n = 0;

	for (argv++; *argv != NULL; argv++) {
		bool is_option = strncmp(*argv, "--", 2) == 0;

		if (is_option && !takes(c, *argv))
			return commands_wrong(c, "there is no option ", *argv);
		if (is_option && strcmp(*argv, "--once") == 0) {
			ret->once = true;
		} else if (is_option) {
			const char **to = value_of(ret, *argv);

			check(to != NULL);
			if (argv[1] == NULL || *to != NULL)
				return commands_wrong(
				    c, "one value must follow ", *argv);
			*to = *++argv;
		} else if (n == c->words) {
			return commands_wrong(c, "what is ", *argv);
		} else {
			ret->word[n++] = *argv;
		}
	}
	return n == c->words ? 0
			     : commands_wrong(c, "something is missing", "");
}

/* ---- values ---- */

/* A duration from now, or a date that is to come; NULL, or what is wrong. */
static const char *
read_expiry(const char *text, uint64_t *ret_s)
{
	uint64_t ms, now = (uint64_t)clock_wall_s();

	if (bearer_read_time((struct span){text, strlen(text)}, ret_s))
		return *ret_s > now ? NULL : "--expires: that time is past";
	if (num_parse_time(text, strlen(text), &ms) < 0 || ms < 1000)
		return "--expires takes a time such as 1h, 30d or 2027-01-01";
	*ret_s = now + ms / 1000;
	return NULL;
}

static bool
read_size(const char *text, uint64_t *ret)
{
	return num_parse_size(text, strlen(text), ret) == 0 && *ret > 0;
}

/* ---- adding a line ---- */

/* The line, behind a newline if the last one in the file lacks its own. */
static int
write_line(int fd, struct str *line)
{
	struct stat st;
	char last = '\n';

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == -1)
		return -errno;
	if (last != '\n') {
		struct str whole = {0};

		str_puts(&whole, "\n");
		str_add(&whole, line->s, line->len);
		str_fini(line);
		*line = whole;
	}
	if (str_failed(line))
		return -ENOMEM;
	if (fd_write_all(fd, line->s, line->len) < 0 || fsync(fd) == -1)
		return -errno;
	return 0;
}

static int
add_line(const char *path, struct str *line)
{
	int fd = open(
	    path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	int err;

	if (fd == -1)
		return -errno;
	err = write_line(fd, line);
	fd_close(&fd);
	return err;
}

/* ---- penstock token ---- */

/* The limits as they stand in a line; NULL, or which one is wrong. */
static const char *
add_limits(const struct words *w, struct str *line)
{
	const char *why;
	uint64_t n;

	if (w->methods != NULL)
		str_printf(line, " methods=%s", w->methods);
	if (w->prefix != NULL)
		str_printf(line, " prefix=%s", w->prefix);
	if (w->expires != NULL) {
		why = read_expiry(w->expires, &n);
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

/* As the server will read it: what would be a mistake there is one here. */
static bool
is_good_token(const struct str *line, struct str *errors)
{
	struct bearer b = {0};
	bool good = bearer_parse(&b, line->s, line->len, errors) == 0 &&
		    b.count == 1 && errors->len == 0;

	bearer_fini(&b);
	return good;
}

static int
make_token(const struct words *w, const struct config *conf)
{
	const char *path = w->word[0], *name = w->word[1], *why;
	struct str token = {0}, hash = {0}, line = {0}, errors = {0};
	int status = EXIT_FAILURE, err;

	(void)conf;
	if (!secret_name_is_good((struct span){name, strlen(name)}))
		return commands_failed("token",
		    "the name has 1 to 64 letters, digits, and - . _ @ +");
	if (!bearer_make(&token, &hash)) {
		(void)commands_failed(name, "out of memory");
		goto end;
	}
	str_printf(&line, "%s %s", name, hash.s);
	why = add_limits(w, &line);
	if (why != NULL || str_failed(&line) ||
	    !is_good_token(&line, &errors)) {
		status = OPTIONS_EXIT_USAGE;
		(void)commands_failed("token",
		    why != NULL	     ? why
		    : errors.len > 8 ? errors.s + 8 /* without "line 1: " */
				     : "a blank is in no value");
		goto end;
	}
	err = add_line(path, &line);
	if (err < 0) {
		(void)commands_failed(path, strerror(-err));
		goto end;
	}
	puts(token.s);
	status = options_end_output();
end:
	str_fini(&token);
	str_fini(&hash);
	str_fini(&line);
	str_fini(&errors);
	return status;
}

/* ---- penstock key ---- */

static int
make_key(const struct words *w, const struct config *conf)
{
	const char *path = w->word[0], *name = w->word[1];
	unsigned char bytes[MAC_BYTES];
	struct str line = {0}, errors = {0};
	struct link_keys keys = {0};
	int status = EXIT_SUCCESS, err;

	(void)conf;
	mac_random(bytes, sizeof(bytes));
	str_printf(&line, "%s ", name);
	mac_add_hex(&line, bytes, sizeof(bytes));
	mac_wipe(bytes, sizeof(bytes));
	str_puts(&line, "\n");
	err = str_failed(&line)
		  ? -ENOMEM
		  : link_keys_parse(&keys, line.s, line.len, &errors);
	if (err == 0 && keys.count != 1)
		status = commands_failed(
		    "key", "the name has 1 to 64 letters, digits, and - . _");
	else if (err == 0)
		err = add_line(path, &line);
	if (err < 0)
		status = commands_failed(path, strerror(-err));
	link_keys_fini(&keys);
	mac_wipe(line.s, line.len);
	str_fini(&line);
	str_fini(&errors);
	return status;
}

/* ---- penstock sign ---- */

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

/* Where a client of this machine finds what listens there. */
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

/* The URL without its query: the base that was asked for, or where the server listens. */
static void
add_url(const struct words *w, const struct conf_server *s, const char *path,
    struct str *out)
{
	const struct conf_listen *l = &s->listens[0];

	if (w->base != NULL) {
		size_t len = strlen(w->base);

		len -= len > 0 && w->base[len - 1] == '/';
		str_add(out, w->base, len);
	} else if (l->addr.ss.ss_family != AF_UNIX) {
		str_puts(out, l->ssl ? "https://" : "http://");
		add_authority(&l->addr, out);
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
print_link(const struct words *w, const struct conf_server *s,
    const struct link_key *key, const struct signed_link *l)
{
	struct str url = {0};
	int status;

	add_url(w, s, w->word[1], &url);
	str_puts(&url, "?");
	if (!signed_link_sign(key, l, &url) || str_failed(&url)) {
		status = commands_failed("sign", "out of memory");
	} else {
		puts(url.s);
		status = options_end_output();
	}
	str_fini(&url);
	return status;
}

/* What the link is to allow; NULL, or what is wrong. */
static const char *
read_link(const struct words *w, struct signed_link *ret)
{
	const char *why;

	*ret = (struct signed_link){
	    .method = {w->word[0], strlen(w->word[0])},
	    .path = {w->word[1], strlen(w->word[1])},
	};
	if (method_set_find(ret->method.s, ret->method.len) == 0)
		return "the method is one such as PUT, POST or GET";
	if (w->expires == NULL)
		return "--expires must be given: a time such as 1h, 30d or "
		       "2027-01-01";
	why = read_expiry(w->expires, &ret->expires_s);
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

static int
make_link(const struct words *w, const struct config *conf)
{
	const struct conf_location *l = NULL;
	const struct conf_server *s = NULL;
	struct link_keys keys = {0};
	struct signed_link link;
	const char *why = read_link(w, &link), *path;
	unsigned method;
	int status;

	if (why != NULL) {
		(void)commands_failed("sign", why);
		return OPTIONS_EXIT_USAGE;
	}
	method = method_set_of_request(link.method.s, link.method.len);
	if (!find_location(conf, method, w->word[1], &s, &l))
		return commands_failed(w->word[1],
		    "no location takes links for it: set signed_link_keys "
		    "there (is -c given?)");
	if (w->once && !conf_is_on(rights_of(l, method)->signed_link_spent))
		return commands_failed(w->word[1],
		    "--once needs a directory for marks: set signed_link_spent "
		    "in its location");
	why = check_path(l, w->word[1]);
	if (why != NULL)
		return commands_failed(w->word[1], why);
	path = rights_of(l, method)->signed_link_keys;
	why = read_keys(path, &keys);
	status = why != NULL ? commands_failed(path, why)
			     : print_link(w, s, &keys.keys[0], &link);
	link_keys_fini(&keys);
	return status;
}

/* ---- all of them ---- */

static const struct command commands[] = {
    {"token",
	"token FILE NAME [--methods PUT,POST] [--prefix /PATH]\n"
	"                      [--expires 30d] [--max-size 1g]",
	false, 2, "--methods --prefix --expires --max-size ", make_token},
    {"key", "key FILE NAME", false, 2, "", make_key},
    {"sign",
	"-c CONF sign METHOD /PATH --expires 1h [--max-size 1g]\n"
	"                      [--once] [--base https://HOST]",
	true, 2, "--expires --max-size --once --base ", make_link},
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

int
commands_run(char **argv, const struct config *conf)
{
	const struct command *c = find_command(argv[0]);
	struct words w = {0};
	int status;

	check(c != NULL);
	status = read_words(c, argv, &w);
	return status == 0 ? c->run(&w, conf) : status;
}
