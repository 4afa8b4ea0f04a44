#include "app/terms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/conditions.h"

struct terms {
	struct head head;
	char text[];
};

/* The fields that conditions.c looks at. */
static struct span *
span_of(struct head *h, size_t i)
{
	struct span *const spans[] = {&h->if_match, &h->if_none_match,
	    &h->if_modified_since, &h->if_unmodified_since, &h->if_range,
	    &h->range};

	return i < COUNT_OF(spans) ? spans[i] : NULL;
}

int
terms_copy(const struct head *h, struct terms **ret)
{
	struct head from = *h;
	struct terms *t;
	struct span *s;
	size_t len = 0;
	char *at;

	*ret = NULL;
	for (size_t i = 0; (s = span_of(&from, i)) != NULL; i++)
		len += s->s ? s->len + 1 : 0;
	if (len == 0)
		return 0;
	t = calloc(1, sizeof(*t) + len);
	if (t == NULL)
		return -ENOMEM;
	t->head.method = h->method;
	at = t->text;
	for (size_t i = 0; (s = span_of(&from, i)) != NULL; i++) {
		if (s->s == NULL)
			continue;
		memcpy(at, s->s, s->len);
		*span_of(&t->head, i) = (struct span){at, s->len};
		at += s->len + 1;
	}
	*ret = t;
	return 0;
}

const struct head *
terms_head(const struct terms *t)
{
	static const struct head none = {.method = METHOD_GET};

	return t ? &t->head : &none;
}

bool
terms_hold(const void *terms, const struct file_version *existing,
    const char **ret_why)
{
	return conditions_write(terms_head(terms), existing, ret_why) == 0;
}
