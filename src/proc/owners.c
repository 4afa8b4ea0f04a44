#include "proc/owners.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "config/lexer.h"

enum {
	GROUPS_MAX = 1024,
};

/* A number is an id, unless there is a user or group of that name. */
static bool
number_of(const char *name, uint64_t max, uint64_t *ret)
{
	return num_parse_u64(name, strlen(name), ret) == 0 && *ret < max;
}

static bool
find_user(const char *name, uid_t *ret)
{
	const struct passwd *pw = getpwnam(name);
	uint64_t n;

	if (pw != NULL)
		*ret = pw->pw_uid;
	else if (number_of(name, (uid_t)-1, &n))
		*ret = (uid_t)n;
	else
		return false;
	return true;
}

static bool
find_group(const char *name, gid_t *ret)
{
	const struct group *gr = getgrnam(name);
	uint64_t n;

	if (gr != NULL)
		*ret = gr->gr_gid;
	else if (number_of(name, (gid_t)-1, &n))
		*ret = (gid_t)n;
	else
		return false;
	return true;
}

/* As root one may give it to any group, else to those one is in. */
static bool
is_member(gid_t gid)
{
	gid_t in[GROUPS_MAX];
	int count;

	if (geteuid() == 0 || gid == getegid())
		return true;
	count = getgroups(GROUPS_MAX, in);
	for (int i = 0; i < count; i++)
		if (in[i] == gid)
			return true;
	return false;
}

static bool
owner_is_known(const struct conf_account *a, struct str *errors)
{
	char shown[64];
	uid_t uid;

	if (a->name == NULL)
		return true;
	str_quote(a->name, strlen(a->name), shown, sizeof(shown));
	if (!find_user(a->name, &uid))
		lexer_mistake(errors, &a->place, "listen",
		    "owner=%s: there is no such user", shown);
	else if (geteuid() != 0 && uid != geteuid())
		lexer_mistake(errors, &a->place, "listen",
		    "owner=%s: only root can give a socket to another user: "
		    "start it as root, or leave this out",
		    shown);
	else
		return true;
	return false;
}

static bool
group_is_known(const struct conf_account *a, struct str *errors)
{
	char shown[64];
	gid_t gid;

	if (a->name == NULL)
		return true;
	str_quote(a->name, strlen(a->name), shown, sizeof(shown));
	if (!find_group(a->name, &gid))
		lexer_mistake(errors, &a->place, "listen",
		    "group=%s: there is no such group", shown);
	else if (!is_member(gid))
		lexer_mistake(errors, &a->place, "listen",
		    "group=%s: only root can give a socket to a group that it "
		    "is not in: start it as root, or put the user that it runs "
		    "as into that group",
		    shown);
	else
		return true;
	return false;
}

bool
owners_are_known(const struct config *conf, struct str *errors)
{
	bool known = true;

	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		for (size_t k = 0; k < s->listen_count; k++) {
			const struct conf_listen *l = &s->listens[k];

			known = owner_is_known(&l->owner, errors) && known;
			known = group_is_known(&l->group, errors) && known;
		}
	}
	return known;
}

/* Names are looked up for those alone that have a file: it may take long. */
static struct socket_rights
find_rights(const struct config *conf, const struct conf_listen *l)
{
	struct socket_rights r = {
	    .mode = (mode_t)l->mode, .owner = (uid_t)-1, .group = (gid_t)-1};
	const struct passwd *pw;

	if (addr_unix_path(&l->addr) == NULL)
		return r;
	if (l->owner.name != NULL)
		(void)find_user(l->owner.name, &r.owner);
	if (l->group.name != NULL) {
		(void)find_group(l->group.name, &r.group);
	} else if (conf->user != NULL && geteuid() == 0) {
		pw = getpwnam(conf->user);
		if (pw != NULL)
			r.group = pw->pw_gid;
	}
	return r;
}

struct listener_options
owners_options(const struct config *conf, const struct conf_listen *l)
{
	return (struct listener_options){.backlog = (int)l->backlog,
	    .ipv6only = l->ipv6only,
	    .rights = find_rights(conf, l)};
}

void
owners_describe(const struct config *conf, struct str *out)
{
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		for (size_t k = 0; k < s->listen_count; k++) {
			const struct conf_listen *l = &s->listens[k];
			struct listener_options o = owners_options(conf, l);
			char text[ADDR_TEXT_MAX];

			if (addr_unix_path(&l->addr) == NULL)
				continue;
			addr_format(&l->addr, text);
			str_printf(out, "listen %s", text);
			socket_file_describe_rights(&o.rights, out);
			str_puts(out, "\n");
		}
	}
}
