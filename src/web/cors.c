#include "web/cors.h"

#include <string.h>

#include "base/origin.h"

/* What a page sees without these is little: length, type, Last-Modified. */
#define EXPOSED                                                                \
	"Location, ETag, Repr-Digest, Server-Timing, Retry-After, "            \
	"Content-Range, Accept-Ranges, Allow"

/* The same of uploads that can be resumed. */
#define EXPOSED_RESUME                                                         \
	", Content-Location, Upload-Offset, Upload-Length, "                   \
	"Upload-Defer-Length, "                                                \
	"Upload-Metadata, Upload-Concat, Upload-Expires, Upload-Complete, "    \
	"Upload-Incomplete, Upload-Limit, Upload-Draft-Interop-Version, "      \
	"Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, "            \
	"Tus-Checksum-Algorithm"

/* As long as Chromium keeps it at most; a page that asks much later asks
 * again. */
#define PREFLIGHT_KEPT_S "7200"

/* What allow_origin says of a request. */
struct cors {
	bool open;    /* there is one */
	bool any;     /* and it is * */
	bool allowed; /* the page is among those that it names */
	bool resumes; /* resume is on */
};

static bool
is_listed(const struct conf_list *l, const struct origin *o)
{
	const char *why;
	struct origin one;

	for (size_t i = 0; i < l->count; i++)
		if (origin_parse(
			l->values[i], strlen(l->values[i]), &one, &why) == 0 &&
		    origin_equal(o, &one))
			return true;
	return false;
}

/* Add what one location says; `o`: the page's, or NULL. */
static void
look_at(struct cors *c, const struct conf_location *l, const struct origin *o)
{
	const struct conf_list *list = &l->allow_origin;

	if (list->count == 0)
		return;
	c->open = true;
	c->resumes |= l->policy.resume;
	c->any |= strcmp(list->values[0], "*") == 0;
	c->allowed |= c->any || (o != NULL && is_listed(list, o));
}

static struct cors
look(const struct conf_server *s, const struct head *h)
{
	const struct conf_location *l = NULL;
	struct origin page, *o = &page;
	struct cors c = {0};
	const char *why;

	if (h->path.s != NULL)
		l = config_location(s, h->path.s, h->path.len);
	if (h->origin.s == NULL ||
	    origin_parse(h->origin.s, h->origin.len, o, &why) < 0)
		o = NULL;
	if (l != NULL)
		look_at(&c, l, o);
	for (size_t i = 0; l == NULL && i < s->location_count; i++)
		look_at(&c, &s->locations[i], o);
	return c;
}

/* Most servers have none: then nothing is looked at any further. */
static bool
is_anywhere(const struct conf_server *s)
{
	for (size_t i = 0; i < s->location_count; i++)
		if (s->locations[i].allow_origin.count > 0)
			return true;
	return false;
}

bool
cors_allows(const struct conf_server *s, const struct head *h)
{
	return is_anywhere(s) && look(s, h).allowed;
}

void
cors_add_fields(
    const struct conf_server *s, const struct head *h, struct str *out)
{
	struct span whose = {"*", 1};
	struct cors c;

	if (!is_anywhere(s))
		return;
	c = look(s, h);
	if (!c.open)
		return;
	str_puts(out, "Vary: Origin\r\n");
	if (!c.allowed)
		return;
	if (!c.any)
		whose = h->origin;
	str_puts(out, "Access-Control-Allow-Origin: ");
	str_add(out, whose.s, whose.len);
	str_puts(out, "\r\nTiming-Allow-Origin: ");
	str_add(out, whose.s, whose.len);
	str_puts(out, "\r\nAccess-Control-Expose-Headers: " EXPOSED);
	str_puts(out, c.resumes ? EXPOSED_RESUME "\r\n" : "\r\n");
}

/* Names of fields, with commas between. */
static bool
are_names(struct span list)
{
	struct span member;

	if (list.s == NULL)
		return false;
	while (syntax_next_member(&list, &member))
		if (!syntax_is_token(member))
			return false;
	return true;
}

void
cors_add_preflight(const struct head *h, const char *methods, struct str *out)
{
	str_printf(out,
	    "Access-Control-Allow-Methods: %s\r\n"
	    "Access-Control-Max-Age: " PREFLIGHT_KEPT_S "\r\n",
	    methods);
	/* All are passed over that are not known, so all are allowed; * would
	 * not cover Authorization, which a proxy in front may want. */
	if (are_names(h->preflight_fields)) {
		str_puts(out, "Access-Control-Allow-Headers: ");
		str_add(out, h->preflight_fields.s, h->preflight_fields.len);
		str_puts(out, "\r\n");
	}
	/* Asked by some versions of Chromium when a page of the internet
	 * reaches into a private network: who set allow_origin wants that. */
	if (str_ieq(h->preflight_private.s, h->preflight_private.len, "true"))
		str_puts(out, "Access-Control-Allow-Private-Network: true\r\n");
}
