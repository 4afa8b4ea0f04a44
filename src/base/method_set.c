#include "base/method_set.h"

#include <string.h>

static const char *const method_names[] = {"GET", "HEAD", "POST", "PUT",
    "DELETE", "PATCH", "MKCOL", "COPY", "MOVE", "OPTIONS", "PROPFIND",
    "PROPPATCH", "LOCK", "UNLOCK"};

enum {
	METHOD_GET_AT = 0, /* in method_names[] */
	METHOD_HEAD_AT = 1,
	METHOD_UNKNOWN_AT = 31,
};

#define BIT(i) (1U << (i))

_Static_assert(COUNT_OF(method_names) < METHOD_UNKNOWN_AT, "bits for all");

/* COUNT_OF(method_names): none. */
static unsigned
method_index(const char *name, size_t len)
{
	unsigned i = 0;

	while (i < COUNT_OF(method_names) &&
	       (strlen(method_names[i]) != len ||
		   memcmp(method_names[i], name, len) != 0))
		i++;
	return i;
}

unsigned
method_set_find(const char *name, size_t len)
{
	unsigned i = method_index(name, len);

	if (i == METHOD_GET_AT)
		return BIT(METHOD_GET_AT) | BIT(METHOD_HEAD_AT);
	return i < COUNT_OF(method_names) ? BIT(i) : 0;
}

unsigned
method_set_of_request(const char *name, size_t len)
{
	unsigned i = method_index(name, len);

	return BIT(i < COUNT_OF(method_names) ? i : METHOD_UNKNOWN_AT);
}

void
method_set_format(unsigned set, const char *separator, struct str *out)
{
	const char *between = "";

	if (set & BIT(METHOD_GET_AT))
		set &= ~BIT(METHOD_HEAD_AT);
	for (unsigned i = 0; i < COUNT_OF(method_names); i++) {
		if (!(set & BIT(i)))
			continue;
		str_puts(out, between);
		str_puts(out, method_names[i]);
		between = separator;
	}
}

void
method_set_known(struct str *out)
{
	for (unsigned i = 0; i < COUNT_OF(method_names); i++) {
		if (i > 0)
			str_puts(out,
			    i + 1 < COUNT_OF(method_names) ? ", " : " or ");
		str_puts(out, method_names[i]);
	}
}
