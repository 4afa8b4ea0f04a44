#include "config/check_rights.h"

#include <string.h>

#include "config/lexer.h"
#include "config/prefix.h"

/* Add a mistake, unless it was added before: a rule that stands around several locations
 * is looked at for each of them. */
static void
tell(struct str *errors, const struct conf_place *at, const char *directive,
    const char *why)
{
	struct str one = {0};

	lexer_mistake(&one, at, directive, "%s", why);
	if (str_failed(&one))
		errors->failed = true;
	else if (errors->len == 0 || strstr(errors->s, one.s) == NULL)
		str_add(errors, one.s, one.len);
	str_fini(&one);
}

/* ---- addresses ---- */

/* The number of the first rule that is for everybody; the count: there is none. */
static size_t
rule_for_all(const struct conf_networks *n)
{
	size_t i = 0;

	while (i < n->count && n->list[i].net.family != AF_UNSPEC)
		i++;
	return i;
}

static bool
has_deny(const struct conf_networks *n)
{
	for (size_t i = 0; i < n->count; i++)
		if (!n->list[i].allow)
			return true;
	return false;
}

/* Rules that look as if they kept somebody out, or let somebody in, and do not. */
static void
check_access(const struct conf_rights *r, struct str *errors)
{
	const struct conf_networks *n = &r->access;
	size_t all = rule_for_all(n);
	bool any = r->satisfy == SATISFY_ANY && conf_rights_ask_person(r);

	if (all + 1 < n->count)
		tell(errors, &r->access_at,
		    n->list[all].allow ? "allow all" : "deny all",
		    "the first rule that matches counts, and this one is for "
		    "all, so those behind it are never reached: write it last");
	else if (n->count > 0 && all == n->count && !has_deny(n) && !any)
		tell(errors, &r->access_at, "allow",
		    "nobody is kept out, since whom no rule is for may as "
		    "well: write deny all behind it");
	else if (any && all + 1 == n->count && !has_deny(n))
		tell(errors, &r->access_at, "allow all",
		    "nobody is kept out, since with satisfy any the address is "
		    "enough: name those of whom nobody is asked who he is");
}

/* ---- persons ---- */

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* One of the two without the other would ask nobody, or could let in nobody. */
static void
check_basic(const struct conf_rights *r, struct str *errors)
{
	if (conf_is_on(r->auth_basic) && !conf_is_on(r->auth_basic_user_file))
		tell(errors, &r->auth_basic_at, "auth_basic",
		    "nobody could know a password: name the file with "
		    "auth_basic_user_file");
	else if (conf_is_on(r->auth_basic_user_file) &&
		 r->auth_basic_at.line == 0)
		tell(errors, &r->auth_basic_user_file_at,
		    "auth_basic_user_file",
		    "nobody is asked for a password: write auth_basic NAME, "
		    "too");
	if (conf_is_on(r->auth_basic) && has_control(r->auth_basic))
		tell(errors, &r->auth_basic_at, "auth_basic",
		    "the name has a control character");
}

/* Marks alone ask nobody. */
static void
check_links(const struct conf_rights *r, struct str *errors)
{
	if (conf_is_on(r->signed_link_spent) && !conf_rights_ask_person(r) &&
	    r->signed_link_keys_at.line == 0)
		tell(errors, &r->signed_link_spent_at, "signed_link_spent",
		    "nobody is asked for a link: name the file of keys with "
		    "signed_link_keys, or write signed_link_keys off");
}

/* Nobody could have shown one. */
static void
check_certificates(const struct conf_server *s, const struct conf_rights *r,
    struct str *errors)
{
	if (r->auth_client_certificate && s->ssl_verify_client == VERIFY_OFF)
		tell(errors, &r->auth_client_certificate_at,
		    "auth_client_certificate",
		    "no client is asked for a certificate: write "
		    "ssl_verify_client optional, or on, into the server "
		    "block");
}

/* Pages of any site, in the browser of somebody who may upload, could upload: that is not
 * what rules are for. */
static void
check_origins(const struct conf_location *l, struct str *errors)
{
	const struct conf_list *origins = &l->allow_origin;

	if (origins->count > 0 && strcmp(origins->values[0], "*") == 0 &&
	    (conf_rights_are_any(&l->rights) ||
		(l->except.methods != 0 &&
		    conf_rights_are_any(&l->except.rights))))
		lexer_mistake(errors, &l->place, "allow_origin",
		    "* lets pages of all sites in, beside rules that say who "
		    "may upload to location %s: name the sites",
		    l->prefix);
}

/* ---- files ---- */

/* Who may upload there could replace the file, and who may read there read it. */
static void
check_file(const struct config *c, const char *path,
    const struct conf_place *at, const char *directive, struct str *errors)
{
	static const char why[] =
	    "it lies in an output_dir, where clients could read or replace it: "
	    "name a place outside";

	if (!conf_is_on(path))
		return;
	for (size_t i = 0; i < c->server_count; i++) {
		const struct conf_server *s = &c->servers[i];

		for (size_t k = 0; k < s->location_count; k++) {
			const char *dir = s->locations[k].policy.output_dir;

			if (dir != NULL &&
			    prefix_matches(dir, path, strlen(path)))
				tell(errors, at, directive, why);
		}
	}
}

static void
check_files(
    const struct config *c, const struct conf_rights *r, struct str *errors)
{
	check_file(c, r->auth_basic_user_file, &r->auth_basic_user_file_at,
	    "auth_basic_user_file", errors);
	check_file(c, r->auth_bearer_file, &r->auth_bearer_file_at,
	    "auth_bearer_file", errors);
	check_file(c, r->signed_link_keys, &r->signed_link_keys_at,
	    "signed_link_keys", errors);
	check_file(c, r->signed_link_spent, &r->signed_link_spent_at,
	    "signed_link_spent", errors);
}

/* ---- all of it ---- */

static void
check_one(const struct config *c, const struct conf_server *s,
    const struct conf_rights *r, struct str *errors)
{
	check_access(r, errors);
	check_basic(r, errors);
	check_links(r, errors);
	check_certificates(s, r, errors);
	check_files(c, r, errors);
}

void
check_rights(const struct config *c, struct str *errors)
{
	for (size_t i = 0; i < c->server_count; i++) {
		const struct conf_server *s = &c->servers[i];
		const struct conf_location *l;

		for (size_t k = 0; (l = config_ruled(s, k)) != NULL; k++) {
			check_one(c, s, &l->rights, errors);
			if (l->except.methods != 0)
				check_one(c, s, &l->except.rights, errors);
			check_origins(l, errors);
		}
	}
}
