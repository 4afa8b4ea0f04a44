/*
 * What a location with `resume on` says to all requests, and to those that ask what it can
 * do.
 */
#include <inttypes.h>

#include "base/name_limits.h"
#include "http/resume_fields.h"
#include "web/resume.h"

void
resume_add_options(const struct conf_location *l, struct str *out)
{
	if ((l->resume_versions & RESUME_TUS) != 0) {
		str_puts(out, "Tus-Resumable: " RESUME_TUS_VERSION "\r\n"
			      "Tus-Version: " RESUME_TUS_VERSION "\r\n"
			      "Tus-Extension: " RESUME_TUS_EXTENSIONS "\r\n"
			      "Tus-Checksum-Algorithm: ");
		resume_fields_add_algorithms(out);
		str_puts(out, "\r\n");
		if (l->max_body_size > 0)
			str_printf(out, "Tus-Max-Size: %" PRIu64 "\r\n",
			    l->max_body_size);
	}
	if ((l->resume_versions & ~RESUME_TUS) == 0)
		return;
	str_puts(out, "Upload-Limit: ");
	if (l->max_body_size > 0)
		str_printf(out, "max-size=%" PRIu64 ", ", l->max_body_size);
	str_printf(out, "max-age=%" PRIu64 "\r\n",
	    (uint64_t)l->policy.resume_expire_s);
}

/* The location of a request; NULL: none, or nothing is resumed there. */
static const struct conf_location *
location_of(const struct conf_server *s, const struct head *h)
{
	const struct conf_location *l = NULL;

	if (h->path.s != NULL)
		l = config_location(s, h->path.s, h->path.len);
	return l != NULL && l->policy.resume ? l : NULL;
}

/* Refusals have it, too; of OPTIONS it is no matter. */
void
resume_add_fields(
    const struct conf_server *s, const struct head *h, struct str *out)
{
	const struct conf_location *l;

	if (h->tus_resumable.s == NULL || h->method == METHOD_OPTIONS)
		return;
	l = location_of(s, h);
	if (l != NULL && (l->resume_versions & RESUME_TUS) != 0)
		str_puts(out, "Tus-Resumable: " RESUME_TUS_VERSION "\r\n");
}

static bool
asks_for_head(const struct head *h)
{
	struct span instead = h->method_override;

	return h->method == METHOD_HEAD ||
	       (h->method == METHOD_POST &&
		   str_ieq(instead.s, instead.len, "HEAD"));
}

bool
resume_is_literal(const struct conf_server *s, const struct head *h)
{
	static const char begin[] = "/" FILE_NAME_RESERVED "/";
	const struct conf_location *l;
	size_t len, prefix;

	if (!asks_for_head(h))
		return false;
	l = location_of(s, h);
	if (l == NULL)
		return false;
	prefix = strlen(l->prefix);
	if (prefix == 1)
		prefix = 0;
	len = sizeof(begin) - 1;
	return h->path.len > prefix + len &&
	       memcmp(h->path.s + prefix, begin, len) == 0;
}
