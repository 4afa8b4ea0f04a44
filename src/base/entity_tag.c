#include "base/entity_tag.h"

#include <string.h>

/* One of a list: what stands in the quotes, with them. */
struct tag {
	struct span opaque;
	bool weak;
};

/* Take a tag from the front of *t; false: there is none. */
static bool
take_tag(struct span *t, struct tag *ret)
{
	size_t i;

	ret->weak = t->len >= 2 && memcmp(t->s, "W/", 2) == 0;
	if (ret->weak) {
		t->s += 2;
		t->len -= 2;
	}
	if (t->len < 2 || t->s[0] != '"')
		return false;
	for (i = 1; i < t->len && t->s[i] != '"'; i++) {
		unsigned char c = (unsigned char)t->s[i];

		if (c <= 0x20 || c == 0x7f)
			return false;
	}
	if (i == t->len)
		return false;
	ret->opaque = (struct span){t->s, i + 1};
	t->s += i + 1;
	t->len -= i + 1;
	return true;
}

static bool
is_equal(
    const struct tag *tag, const char *etag, enum entity_tag_comparison how)
{
	bool weak = etag[0] == 'W';
	const char *opaque = weak ? etag + 2 : etag;

	return !(how == ENTITY_TAG_STRONGLY && (weak || tag->weak)) &&
	       tag->opaque.len == strlen(opaque) &&
	       memcmp(tag->opaque.s, opaque, tag->opaque.len) == 0;
}

/* Take the next tag from a list; false: it is at its end, or (*ret_bad) it is no
 * list.  Empty members are allowed (RFC 9110 5.6.1.2). */
static bool
next_tag(struct span *t, struct tag *ret, bool *ret_bad)
{
	*t = span_trim(*t);
	while (t->len > 0 && t->s[0] == ',')
		*t = span_trim((struct span){t->s + 1, t->len - 1});
	if (t->len == 0)
		return false;
	*ret_bad = !take_tag(t, ret);
	if (*ret_bad)
		return false;
	*t = span_trim(*t);
	*ret_bad = t->len > 0 && t->s[0] != ',';
	return !*ret_bad;
}

struct entity_tags
entity_tags_read(struct span field)
{
	struct span rest = field;
	bool bad = false;
	unsigned count = 0;
	struct tag tag;

	if (field.s == NULL)
		return (struct entity_tags){.kind = ENTITY_TAGS_ABSENT};
	if (field.len == 1 && field.s[0] == '*')
		return (struct entity_tags){.kind = ENTITY_TAGS_ANY};
	while (next_tag(&rest, &tag, &bad))
		count++;
	if (bad || count == 0)
		return (struct entity_tags){.kind = ENTITY_TAGS_MALFORMED};
	return (struct entity_tags){.kind = ENTITY_TAGS_LISTED, .list = field};
}

bool
entity_tags_name(const struct entity_tags *tags, const char *etag,
    enum entity_tag_comparison how)
{
	struct span t = tags->list;
	struct tag tag;
	bool bad;

	if (etag == NULL)
		return false;
	if (tags->kind == ENTITY_TAGS_ANY)
		return true;
	while (next_tag(&t, &tag, &bad))
		if (is_equal(&tag, etag, how))
			return true;
	return false;
}

bool
entity_tag_is(
    struct span field, const char *etag, enum entity_tag_comparison how)
{
	struct tag tag;

	return take_tag(&field, &tag) && field.len == 0 &&
	       is_equal(&tag, etag, how);
}
