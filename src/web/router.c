#include "web/router.h"

#include <string.h>

#include "http/upload_kind.h"

static const char allow_index[] = "GET, HEAD, OPTIONS";
static const char allow_all[] = "GET, HEAD, POST, PUT, OPTIONS";
static const char allow_store[] = "POST, PUT, OPTIONS";

static const char reading_is_off[] =
    "reading is off in this location (read off): it only takes uploads";
static const char not_served[] =
    "uploads are stored with PUT and POST and read with GET and HEAD; nothing "
    "else is served, deleting neither";

static void
route_refuse(struct route *r, int status, const char *why)
{
	r->kind = ROUTE_REFUSED;
	r->status = status;
	r->why = why;
	r->outcome = OUTCOME_REFUSED;
	r->fields = "";
}

static void
refuse_upload(struct route *r, enum upload_kind kind)
{
	const struct upload_refusal *u = upload_kind_refusal(kind);

	route_refuse(r, u->status, u->why);
	r->outcome = u->outcome;
	r->fields = u->fields;
}

static bool
is_read(const struct head *h)
{
	return h->method == METHOD_GET || h->method == METHOD_HEAD;
}

static bool
is_store(const struct head *h)
{
	return h->method == METHOD_PUT || h->method == METHOD_POST;
}

static void
route_collection(const struct head *h, struct route *r)
{
	if (is_store(h))
		r->kind = ROUTE_STORE_NEW;
	else if (is_read(h) && r->location->read)
		r->kind = ROUTE_READ_NEWEST;
	else
		route_refuse(r, 405, is_read(h) ? reading_is_off : not_served);
}

static void
route_name(const struct head *h, struct route *r)
{
	if (is_store(h))
		r->kind = ROUTE_STORE_NAMED;
	else if (is_read(h) && r->location->read)
		r->kind = ROUTE_READ_NAMED;
	else
		route_refuse(r, 405, is_read(h) ? reading_is_off : not_served);
}

/* The location with a slash behind it, and no name. */
static void
route_slash(const struct head *h, struct route *r)
{
	if (h->method == METHOD_POST)
		r->kind = ROUTE_STORE_NEW;
	else if (h->method == METHOD_PUT)
		route_refuse(r, 400,
		    "add a name after the slash, or leave out the "
		    "slash to get a generated name (curl -T adds "
		    "the file's name to a URL that ends in one)");
	else if (is_read(h) && r->location->read)
		route_refuse(r, 404,
		    "there is no list of files; without the slash "
		    "it is the newest upload");
	else
		route_refuse(r, 405, is_read(h) ? reading_is_off : not_served);
}

static void
route_location(const struct head *h, struct route *r)
{
	size_t prefix = strlen(r->location->prefix);

	r->allow = r->location->read ? allow_all : allow_store;
	if (upload_kind_is_tus(h)) {
		refuse_upload(r, UPLOAD_TUS);
		return;
	}
	/* "/" is both its own name and the slash behind it. */
	if (prefix == 1)
		prefix = 0;
	if (h->path.len <= prefix + (prefix == 0)) {
		route_collection(h, r);
		return;
	}
	r->name.s = h->path.s + prefix + 1;
	r->name.len = h->path.len - prefix - 1;
	if (r->name.len == 0)
		route_slash(h, r);
	else
		route_name(h, r);
}

void
router_route(
    const struct conf_server *s, const struct head *h, struct route *ret)
{
	*ret = (struct route){0};
	if (h->method == METHOD_CONNECT ||
	    (h->path.len == 1 && h->path.s[0] == '*')) {
		ret->allow = allow_all;
		if (h->method == METHOD_OPTIONS)
			ret->kind = ROUTE_OPTIONS;
		else
			route_refuse(ret, 405, "this is no proxy");
		return;
	}
	ret->location = config_location(s, h->path.s, h->path.len);
	if (ret->location != NULL) {
		route_location(h, ret);
	} else if (h->path.len == 1) {
		ret->allow = allow_index;
		if (is_read(h))
			ret->kind = ROUTE_INDEX;
		else
			route_refuse(ret, 405,
			    "upload to one of the locations that "
			    "GET / names");
	} else {
		route_refuse(ret, 404,
		    "no location of the configuration serves this "
		    "path; GET / names those there are");
	}
	if (h->method == METHOD_OPTIONS && ret->status != 404) {
		ret->kind = ROUTE_OPTIONS;
		return;
	}
	if (ret->kind == ROUTE_STORE_NEW || ret->kind == ROUTE_STORE_NAMED) {
		enum upload_kind kind = upload_kind_of(h);

		if (kind == UPLOAD_FORM && ret->location->form)
			ret->form = true;
		else if (kind != UPLOAD_FILE)
			refuse_upload(ret, kind);
	}
}
