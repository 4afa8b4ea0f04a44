#include "auth/rights.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/method_set.h"
#include "config/networks.h"

/* ---- preparing ---- */

static bool
has_any_rules(const struct conf_server *s)
{
	const struct conf_location *l;

	for (size_t i = 0; (l = config_ruled(s, i)) != NULL; i++) {
		if (conf_rights_are_any(&l->rights) ||
		    (l->except.methods != 0 &&
			conf_rights_are_any(&l->except.rights)))
			return true;
	}
	return false;
}

bool
rights_need_passwords(const struct config *c)
{
	for (size_t i = 0; i < c->server_count; i++) {
		const struct conf_server *s = &c->servers[i];
		const struct conf_location *l;

		for (size_t k = 0; (l = config_ruled(s, k)) != NULL; k++)
			if (conf_is_on(l->rights.auth_basic) ||
			    conf_is_on(l->except.rights.auth_basic))
				return true;
	}
	return false;
}

static struct rights
prepare(const struct conf_rights *conf, const struct secrets *secrets,
    struct basic *basic)
{
	return (struct rights){
	    .conf = conf,
	    .bearer = secrets_bearer(secrets, conf->auth_bearer_file),
	    .htpasswd =
		conf_is_on(conf->auth_basic)
		    ? secrets_htpasswd(secrets, conf->auth_basic_user_file)
		    : NULL,
	    .basic = basic,
	    .links = secrets_links(secrets, conf->signed_link_keys),
	};
}

int
rights_new(const struct conf_server *s, const struct secrets *secrets,
    struct basic *basic, struct location_rights **ret)
{
	const struct conf_location *l;
	struct location_rights *all;

	*ret = NULL;
	if (!has_any_rules(s))
		return 0;
	all = calloc(s->location_count + 1, sizeof(*all));
	if (all == NULL)
		return -ENOMEM;
	for (size_t i = 0; (l = config_ruled(s, i)) != NULL; i++) {
		all[i].named = prepare(&l->rights, secrets, basic);
		if (l->except.methods != 0)
			all[i].others =
			    prepare(&l->except.rights, secrets, basic);
	}
	*ret = all;
	return 0;
}

const struct rights *
rights_for(const struct location_rights *l, const struct conf_location *conf,
    unsigned method)
{
	return conf->except.methods == 0 || (conf->except.methods & method) != 0
		   ? &l->named
		   : &l->others;
}

/* ---- who sends it ---- */

static bool
asks_for_person(const struct rights *r)
{
	return r->bearer != NULL || r->htpasswd != NULL || r->links != NULL ||
	       r->conf->auth_client_certificate;
}

const char rights_wrong_login[] =
    "the name or the password is wrong: ask an operator";

/* The rest of Authorization behind this scheme; false: it is another one. */
static bool
has_scheme(struct span field, const char *scheme, struct span *ret)
{
	size_t len = strlen(scheme);

	if (field.s == NULL || field.len <= len || field.s[len] != ' ' ||
	    !str_ieq(field.s, len, scheme))
		return false;
	*ret = span_trim((struct span){field.s + len, field.len - len});
	return true;
}

static void
judge_token(const struct rights *r, const struct rights_request *q,
    struct span token, struct rights_verdict *ret)
{
	const struct bearer_token *t = NULL;

	switch (
	    bearer_judge(r->bearer, token, q->method, q->path, q->now_s, &t)) {
	case BEARER_GRANTED:
		ret->answer = RIGHTS_GRANTED;
		ret->max_size = t->max_size;
		break;
	case BEARER_METHOD:
		ret->answer = RIGHTS_LIMITED;
		ret->why = "the token is not for requests of this method";
		break;
	case BEARER_PATH:
		ret->answer = RIGHTS_LIMITED;
		ret->why = "the token is not for this path";
		break;
	case BEARER_UNKNOWN:
	default:
		ret->answer = RIGHTS_WRONG;
		ret->why = "the token is not known here, or has expired: ask "
			   "an operator for another one";
		break;
	}
	ret->user = t != NULL ? t->name : NULL;
}

static void
judge_login(
    const struct rights *r, struct span field, struct rights_verdict *ret)
{
	const struct htpasswd_user *user = NULL;
	enum basic_answer a = BASIC_WRONG;
	struct basic_login login;

	if (basic_login_read(field, &login)) {
		a = basic_look(r->basic, r->htpasswd, &login, &user);
		basic_login_fini(&login);
	}
	ret->answer = a == BASIC_RIGHT	 ? RIGHTS_GRANTED
		      : a == BASIC_WRONG ? RIGHTS_WRONG
					 : RIGHTS_UNVERIFIED;
	ret->why = rights_wrong_login;
	ret->user = user != NULL ? user->name : NULL;
}

/* A link that is good once needs a place for its mark. */
static void
judge_once(const struct rights *r, const struct rights_request *q,
    struct rights_verdict *ret)
{
	unsigned stores =
	    method_set_find("PUT", 3) | method_set_find("POST", 4);

	if (ret->link.once[0] == '\0')
		return;
	if ((q->method & stores) == 0) {
		ret->answer = RIGHTS_BAD_LINK;
		ret->why = "a link that is good once is for an upload";
	} else if (!conf_is_on(r->conf->signed_link_spent)) {
		ret->answer = RIGHTS_LIMITED;
		ret->why = "links that are good once are not taken here: an "
			   "operator has to set signed_link_spent";
	}
}

static void
judge_link(const struct rights *r, const struct rights_request *q,
    struct rights_verdict *ret)
{
	struct signed_link *l = &ret->link;
	const struct link_key *key = NULL;

	l->method = q->method_text;
	l->path = q->path;
	switch (signed_link_verify(r->links, q->query, l, q->now_s, &key)) {
	case SIGNED_LINK_GOOD:
		ret->answer = RIGHTS_GRANTED;
		ret->max_size = l->max_size;
		ret->user = key->user;
		judge_once(r, q, ret);
		break;
	case SIGNED_LINK_EXPIRED:
		ret->answer = RIGHTS_LIMITED;
		ret->why = "the link has expired: ask for another one";
		ret->user = key->user;
		break;
	case SIGNED_LINK_BAD:
	default:
		ret->answer = RIGHTS_BAD_LINK;
		ret->why =
		    signed_link_key_is_gone(r->links, q->query)
			? "the link's key is not known here (any more): ask "
			  "for another link"
			: "the link is not for this request, or was changed: "
			  "use it as it is, with the method that it was made "
			  "for";
		break;
	}
}

static void
judge_person(const struct rights *r, const struct rights_request *q,
    struct rights_verdict *ret)
{
	struct span token;

	ret->answer = RIGHTS_ASKED;
	if (r->links != NULL && signed_link_is(q->query)) {
		judge_link(r, q, ret);
	} else if (r->links != NULL && signed_link_is_cut(q->query)) {
		ret->answer = RIGHTS_LIMITED;
		ret->why = "the link is not whole: in a shell put it in quotes";
	}
	if (ret->answer == RIGHTS_GRANTED)
		return;
	/* What a link says that is not good must not bind others. */
	ret->link.once[0] = '\0';
	ret->max_size = 0;
	if (r->conf->auth_client_certificate && q->certificate != NULL) {
		ret->answer = RIGHTS_GRANTED;
		ret->user = q->certificate;
		return;
	}
	if (r->bearer != NULL && has_scheme(q->authorization, "Bearer", &token))
		judge_token(r, q, token, ret);
	else if (r->htpasswd != NULL &&
		 has_scheme(q->authorization, "Basic", &token))
		judge_login(r, token, ret);
}

/* The name and password of a request; false: there are none. */
static bool
rights_login(const struct rights_request *q, struct basic_login *ret)
{
	struct span field;

	return has_scheme(q->authorization, "Basic", &field) &&
	       basic_login_read(field, ret);
}

struct basic_trial *
rights_is_verifying(const struct rights *r, const struct rights_request *q)
{
	struct basic_login login;
	struct basic_trial *t;

	if (!rights_login(q, &login))
		return NULL;
	t = basic_find(r->basic, r->htpasswd, &login);
	basic_login_fini(&login);
	return t;
}

struct basic_trial *
rights_verify(const struct rights *r, const struct rights_request *q)
{
	struct basic_login login;
	struct basic_trial *t;

	if (!rights_login(q, &login))
		return NULL;
	t = basic_begin(r->basic, r->htpasswd, &login);
	basic_login_fini(&login);
	return t;
}

/* ---- all of it ---- */

/*
 * A client whose address is not known may have seen to that itself, by a field that the
 * proxy has only added to.  So it may be any that is denied, and is none that is allowed.
 */
static const struct conf_network *
rule_for_hidden(const struct conf_networks *n)
{
	for (size_t i = 0; i < n->count; i++) {
		int family = n->list[i].net.family;

		if (family == AF_UNSPEC ||
		    (!n->list[i].allow && family != AF_UNIX))
			return &n->list[i];
	}
	return NULL;
}

void
rights_judge(const struct rights *r, const struct rights_request *q,
    struct rights_verdict *ret)
{
	bool hidden = q->client->ss.ss_family == AF_UNSPEC;
	const struct conf_network *rule =
	    hidden ? rule_for_hidden(&r->conf->access)
		   : networks_find(&r->conf->access, q->client);
	bool allowed = rule != NULL && rule->allow;
	bool denied = rule != NULL && !rule->allow;
	bool any = r->conf->satisfy == SATISFY_ANY;

	*ret = (struct rights_verdict){.answer = RIGHTS_GRANTED};
	if (denied && (!any || !asks_for_person(r))) {
		ret->answer = RIGHTS_DENIED;
		ret->why =
		    hidden ? "there are rules about addresses here (allow, "
			     "deny), and the proxy does not tell yours: ask an "
			     "operator"
			   : "this address may not do that here (deny): ask an "
			     "operator";
	} else if (asks_for_person(r) && !(any && allowed)) {
		judge_person(r, q, ret);
	}
}

/* ---- how to say it ---- */

void
rights_add_ways(const struct rights *r, struct str *out)
{
	const struct {
		bool is_one;
		const char *text;
	} ways[] = {
	    {r->htpasswd != NULL, "a name and a password (curl: -u NAME)"},
	    {r->bearer != NULL,
		"a token (curl: -H \"Authorization: Bearer TOKEN\")"},
	    {r->conf->auth_client_certificate,
		"a certificate (curl: --cert FILE --key FILE)"},
	    {r->links != NULL, "a signed link (penstock sign makes them)"},
	};
	unsigned count = 0, n = 0;

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		count += ways[i].is_one;
	str_puts(out, "say who sends this: ");
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		if (!ways[i].is_one)
			continue;
		n++;
		str_puts(out, n == 1 ? "" : n == count ? " or " : ", ");
		str_puts(out, ways[i].text);
	}
	str_puts(out, " is needed here; ask an operator for one");
}

/* A quoted-string (RFC 9110 5.6.4); the configuration has no controls in it. */
static void
add_quoted(struct str *out, const char *text)
{
	str_puts(out, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			str_puts(out, "\\");
		str_add(out, text, 1);
	}
	str_puts(out, "\"");
}

static const char *
realm_of(const struct rights *r)
{
	return conf_is_on(r->conf->auth_basic) ? r->conf->auth_basic
					       : "penstock";
}

bool
rights_add_challenges(
    const struct rights *r, enum rights_answer answer, struct str *out)
{
	if (r->htpasswd != NULL) {
		str_puts(out, "WWW-Authenticate: Basic realm=");
		add_quoted(out, realm_of(r));
		str_puts(out, ", charset=\"UTF-8\"\r\n");
	}
	if (r->bearer != NULL) {
		str_puts(out, "WWW-Authenticate: Bearer realm=");
		add_quoted(out, realm_of(r));
		if (answer == RIGHTS_WRONG)
			str_puts(out, ", error=\"invalid_token\"");
		str_puts(out, "\r\n");
	}
	return r->htpasswd != NULL || r->bearer != NULL;
}
