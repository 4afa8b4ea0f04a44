#include "web/router.h"

#include <string.h>

#include "base/name_limits.h"
#include "base/str.h"
#include "http/upload_kind.h"

static const char allow_index[] = "GET, HEAD, OPTIONS";
static const char allow_all[] = "GET, HEAD, POST, PUT, OPTIONS";
static const char allow_store[] = "POST, PUT, OPTIONS";

static const char allow_resume[] = "GET, HEAD, PATCH, DELETE, POST, OPTIONS";

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

/* ---- uploads that can be resumed ---- */

static const char begin_of_upload[] = FILE_NAME_RESERVED "/";

static bool
is_of_upload(const struct route *r)
{
	size_t len = sizeof(begin_of_upload) - 1;

	return r->location->policy.resume && r->name.len > len &&
	       memcmp(r->name.s, begin_of_upload, len) == 0;
}

/* What a POST to an upload stands for. */
static enum head_method
method_of(const struct head *h)
{
	static const struct {
		const char *word;
		enum head_method method;
	} words[] = {
	    {"PATCH", METHOD_PATCH},
	    {"DELETE", METHOD_DELETE},
	    {"HEAD", METHOD_HEAD},
	};
	struct span asked = h->method_override;

	for (size_t i = 0; h->method == METHOD_POST && i < COUNT_OF(words); i++)
		if (str_ieq(asked.s, asked.len, words[i].word))
			return words[i].method;
	return h->method;
}

static void
route_upload(const struct head *h, struct route *r)
{
	size_t len = sizeof(begin_of_upload) - 1;

	r->name.s += len;
	r->name.len -= len;
	r->allow = allow_resume;
	r->method = method_of(h);
	if (r->method == METHOD_PATCH || r->method == METHOD_DELETE ||
	    is_read(h) || r->method == METHOD_HEAD)
		r->kind = ROUTE_RESUME;
	else
		route_refuse(r, 405,
		    "this is an upload that can be resumed: append to it with "
		    "PATCH, ask for it with HEAD, drop it with DELETE");
}

/* A request of tus that is for no upload. */
static void
route_tus(const struct head *h, struct route *r)
{
	if (h->method == METHOD_POST) {
		r->kind = ROUTE_RESUME_NEW;
	} else if (h->method == METHOD_PUT) {
		route_refuse(r, 405,
		    "tus begins an upload with POST, and appends to it with "
		    "PATCH");
	} else {
		route_refuse(r, 404, "there is no such upload");
		r->outcome = OUTCOME_NO_UPLOAD;
	}
}

static bool
is_other_version(const struct head *h, const struct route *r)
{
	return r->dialect == &resume_tus && h->method != METHOD_OPTIONS &&
	       (is_of_upload(r) || upload_kind_is_tus(h)) &&
	       !str_ieq(h->tus_resumable.s, h->tus_resumable.len,
		   RESUME_TUS_VERSION);
}

/* The upload begins as one of a draft if its client could go on with it: it says that
 * more follows, or has a version, so that it is told where (104). */
static bool
is_begun_by_draft(const struct head *h, const struct route *r)
{
	bool complete;

	return r->dialect != NULL && is_store(h) &&
	       !resume_dialect_is_tus(r->dialect) &&
	       resume_dialect_complete(r->dialect, h, &complete) &&
	       (!complete || h->upload_version.s != NULL) &&
	       h->upload_offset.s == NULL;
}

/* True when it is a request for an upload, or begins one: it has its route. */
static bool
route_resume(const struct head *h, struct route *r)
{
	enum upload_kind kind;

	if (!r->location->policy.resume)
		return false;
	r->dialect = resume_dialect_of(h, r->location);
	if (is_other_version(h, r)) {
		route_refuse(r, 412,
		    "only version " RESUME_TUS_VERSION
		    " of tus is spoken here (Tus-Resumable)");
		r->fields = "Tus-Version: " RESUME_TUS_VERSION "\r\n";
		r->outcome = OUTCOME_RESUMABLE;
	} else if (is_of_upload(r)) {
		route_upload(h, r);
	} else if (upload_kind_is_tus(h)) {
		if (r->dialect == NULL)
			return false;
		route_tus(h, r);
	} else if (is_begun_by_draft(h, r)) {
		kind = upload_kind_of_begun(h);
		if (kind == UPLOAD_FILE)
			r->kind = ROUTE_RESUME_NEW;
		else
			refuse_upload(r, kind);
	} else {
		return false;
	}
	return true;
}

static void
route_location(const struct head *h, struct route *r)
{
	size_t prefix = strlen(r->location->prefix);

	r->allow = r->location->read ? allow_all : allow_store;
	/* "/" is both its own name and the slash behind it. */
	if (prefix == 1)
		prefix = 0;
	if (h->path.len > prefix + (prefix == 0)) {
		r->name.s = h->path.s + prefix + 1;
		r->name.len = h->path.len - prefix - 1;
	}
	if (route_resume(h, r))
		return;
	if (upload_kind_is_tus(h))
		refuse_upload(r, UPLOAD_TUS);
	else if (r->name.s == NULL)
		route_collection(h, r);
	else if (r->name.len == 0)
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
