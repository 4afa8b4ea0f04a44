#include "http/router.h"

#include <string.h>

static const char allow_index[] = "GET, HEAD, OPTIONS";
static const char allow_all[] = "GET, HEAD, POST, PUT, OPTIONS";
static const char allow_store_new[] = "POST, PUT, OPTIONS";
static const char allow_named[] = "GET, HEAD, PUT, OPTIONS";
static const char allow_store_named[] = "PUT, OPTIONS";

static const char reading_is_off[] =
    "reading is off in this location (read off): it only takes uploads";
static const char not_served[] =
    "uploads are stored with PUT and POST and read with GET and HEAD; nothing "
    "else is served, deleting neither";

static void
refuse(struct route *r, int status, const char *why)
{
	r->kind = ROUTE_REFUSED;
	r->status = status;
	r->why = why;
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

/* What must be so in the head of an upload, whatever it is for. */
static void
check_store(const struct head *h, struct route *r)
{
	if (h->expect_unknown)
		refuse(r, 417,
		    "the only expectation met here is 100-continue; "
		    "leave out the Expect field");
	else if (h->content_range)
		refuse(r, 400,
		    "an upload cannot be a part of a file: send it "
		    "whole, without Content-Range (curl: without "
		    "-C and -r)");
	else if (h->content_coded)
		refuse(r, 415,
		    "the body is stored as it is sent: leave out "
		    "Content-Encoding");
	else if (!h->has_length && !h->chunked)
		refuse(r, 411,
		    "say Content-Length (0 for an empty upload) or "
		    "Transfer-Encoding: chunked");
}

static void
route_collection(const struct head *h, struct route *r)
{
	r->allow = r->location->read ? allow_all : allow_store_new;
	if (is_store(h))
		r->kind = ROUTE_STORE_NEW;
	else if (is_read(h) && r->location->read)
		r->kind = ROUTE_READ_NEWEST;
	else
		refuse(r, 405, is_read(h) ? reading_is_off : not_served);
}

static void
route_name(const struct head *h, struct route *r)
{
	r->allow = r->location->read ? allow_named : allow_store_named;
	if (h->method == METHOD_PUT && r->name.len == 0)
		refuse(r, 400,
		    "add a name after the slash, or leave out the "
		    "slash to get a generated name (curl -T adds "
		    "the file's name to a URL that ends in one)");
	else if (h->method == METHOD_PUT)
		r->kind = ROUTE_STORE_NAMED;
	else if (is_read(h) && r->location->read && r->name.len == 0)
		refuse(r, 404,
		    "there is no list of files; without the slash "
		    "it is the newest upload");
	else if (is_read(h) && r->location->read)
		r->kind = ROUTE_READ_NAMED;
	else if (h->method == METHOD_POST)
		refuse(r, 405,
		    "POST to the location itself, without a slash behind it, "
		    "gets a generated name; PUT stores under this one");
	else
		refuse(r, 405, is_read(h) ? reading_is_off : not_served);
}

static void
route_location(const struct head *h, struct route *r)
{
	size_t prefix = strlen(r->location->prefix);

	/* "/" is both its own name and the slash behind it. */
	if (prefix == 1)
		prefix = 0;
	if (h->path.len <= prefix + (prefix == 0)) {
		route_collection(h, r);
		return;
	}
	r->name.s = h->path.s + prefix + 1;
	r->name.len = h->path.len - prefix - 1;
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
			refuse(ret, 405, "this is no proxy");
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
			refuse(ret, 405,
			    "upload to one of the locations that "
			    "GET / names");
	} else {
		refuse(ret, 404,
		    "no location of the configuration serves this "
		    "path; GET / names those there are");
	}
	if (h->method == METHOD_OPTIONS && ret->status != 404) {
		ret->kind = ROUTE_OPTIONS;
		return;
	}
	if (ret->kind == ROUTE_STORE_NEW || ret->kind == ROUTE_STORE_NAMED)
		check_store(h, ret);
}
