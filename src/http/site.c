#include "http/site.h"

#include <string.h>

#include "base/host.h"
#include "base/origin.h"
#include "base/str.h"

static bool
site_is_word(struct span v, const char *word)
{
	return str_ieq(v.s, v.len, word);
}

/* Any of the hosts that proxies were asked for, each of which may have added
 * its own behind those before. */
static bool
is_forwarded_for(const struct origin *o, const struct head_lines *lines)
{
	for (unsigned i = 0; i < lines->count; i++) {
		struct span rest = lines->line[i], member;

		while (syntax_next_member(&rest, &member))
			if (origin_is_at(o, member.s, member.len))
				return true;
	}
	return false;
}

static bool
site_has_name(const struct conf_list *names, const char *host, size_t len)
{
	for (size_t i = 0; i < names->count; i++)
		if (host_matches(names->values[i], host, len))
			return true;
	return false;
}

/* At one of our names, at the port that its scheme has anyway. */
static bool
is_named(const struct origin *o, const struct conf_list *names)
{
	return site_has_name(names, o->at.host, o->at.len) &&
	       origin_is_at(o, o->at.host, o->at.len);
}

static enum site
site_of_origin(const struct head *h, const struct conf_list *names)
{
	const char *why;
	struct origin o;

	if (origin_parse(h->origin.s, h->origin.len, &o, &why) < 0)
		return SITE_FOREIGN; /* null, or nonsense */
	if (h->host.s != NULL && origin_is_at(&o, h->host.s, h->host.len))
		return SITE_OWN;
	if (is_forwarded_for(&o, &h->forwarded_host) || is_named(&o, names))
		return SITE_OWN;
	return SITE_FOREIGN;
}

enum site
site_of(const struct head *h, const struct conf_list *names)
{
	struct span says = h->sec_fetch_site;

	if (says.s != NULL) {
		if (site_is_word(says, "same-origin"))
			return SITE_OWN;
		if (site_is_word(says, "none"))
			return SITE_NONE;
		/* same-site: another port, or another name beside ours. */
		if (site_is_word(says, "cross-site") ||
		    site_is_word(says, "same-site") || h->origin.s == NULL)
			return SITE_FOREIGN;
	}
	return h->origin.s != NULL ? site_of_origin(h, names) : SITE_NONE;
}

bool
site_knows_host(const struct head *h, const struct conf_list *names)
{
	struct host_port at;

	if (h->host.s == NULL)
		return true;
	if (!host_split(h->host.s, h->host.len, &at))
		return false;
	return host_is_localhost(at.host, at.len) ||
	       host_is_address(at.host, at.len) ||
	       site_has_name(names, at.host, at.len);
}
