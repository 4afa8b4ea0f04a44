#include "rights_advice.h"

#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"

/* Add a line, unless it is there: locations inherit rules. */
static void
advise(const struct conf_place *at, const char *directive, const char *value,
    const char *why, struct str *warnings)
{
	struct str one = {0};

	config_name_value(at, directive, value, &one);
	str_printf(&one, ": %s\n", why);
	if (str_failed(&one))
		warnings->failed = true;
	else if (warnings->len == 0 || strstr(warnings->s, one.s) == NULL)
		str_add(warnings, one.s, one.len);
	str_fini(&one);
}

/* ---- addresses ---- */

static bool
takes_secrets(const struct conf_server *s)
{
	const struct conf_location *l;

	for (size_t i = 0; (l = config_ruled(s, i)) != NULL; i++) {
		if (conf_rights_take_secrets(&l->rights) ||
		    (l->except.methods != 0 &&
			conf_rights_take_secrets(&l->except.rights)))
			return true;
	}
	return false;
}

/* Others than this machine's users and a proxy come there, without TLS. */
static bool
is_open(const struct conf_listen *l)
{
	return !l->ssl && !l->proxy_protocol &&
	       l->addr.ss.ss_family != AF_UNIX && !addr_is_loopback(&l->addr);
}

static void
advise_on_addresses(const struct conf_server *s, struct str *warnings)
{
	if (s->trusted_proxies.count > 0 || !takes_secrets(s))
		return;
	for (size_t i = 0; i < s->listen_count; i++) {
		char text[ADDR_TEXT_MAX];

		if (!is_open(&s->listens[i]))
			continue;
		addr_format(&s->listens[i].addr, text);
		advise(&s->listens[i].place, "listen", text,
		    "passwords, tokens and links can be read on the way to it: "
		    "add ssl; or name a proxy in front that has TLS "
		    "(trusted_proxies)",
		    warnings);
	}
}

/* ---- files ---- */

/* Whom the workers become; false: they stay who started them. */
static bool
find_user(const struct config *conf, uid_t *ret)
{
	const struct passwd *pw;
	uint64_t n;

	if (conf->user == NULL || geteuid() != 0)
		return false;
	pw = getpwnam(conf->user);
	if (pw != NULL)
		*ret = pw->pw_uid;
	else if (num_parse_u64(conf->user, strlen(conf->user), &n) == 0)
		*ret = (uid_t)n;
	else
		return false;
	return *ret != 0;
}

static void
advise_on_file(uid_t user, const char *path, const struct conf_place *at,
    const char *directive, struct str *warnings)
{
	struct stat st;

	if (conf_is_on(path) && stat(path, &st) == 0 && st.st_uid == user)
		advise(at, directive, path,
		    "it belongs to the user of the workers, who so could let "
		    "in whom he likes: chown root",
		    warnings);
}

static void
advise_on_files(uid_t user, const struct conf_rights *r, struct str *warnings)
{
	advise_on_file(user, r->auth_bearer_file, &r->auth_bearer_file_at,
	    "auth_bearer_file", warnings);
	advise_on_file(user, r->signed_link_keys, &r->signed_link_keys_at,
	    "signed_link_keys", warnings);
	if (conf_is_on(r->auth_basic))
		advise_on_file(user, r->auth_basic_user_file,
		    &r->auth_basic_user_file_at, "auth_basic_user_file",
		    warnings);
}

void
rights_advise(const struct config *conf, struct str *warnings)
{
	uid_t user;
	bool has_user = find_user(conf, &user);

	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];
		const struct conf_location *l;

		advise_on_addresses(s, warnings);
		for (size_t k = 0; has_user; k++) {
			l = config_ruled(s, k);
			if (l == NULL)
				break;
			advise_on_files(user, &l->rights, warnings);
			if (l->except.methods != 0)
				advise_on_files(
				    user, &l->except.rights, warnings);
		}
	}
}
