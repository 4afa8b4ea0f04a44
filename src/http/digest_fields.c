#include "http/digest_fields.h"

#include <string.h>

#include "base/base64.h"
#include "http/head.h"
#include "http/structured.h"

/* One field, and how each thing that may be wrong with it is said. */
struct digest_field {
	const char *malformed;
	const char *wrong[DIGEST_COUNT]; /* the value of an algorithm read */
};

/* clang-format off */
#define DIGEST_FIELD(name) {                                                   \
	.malformed = name " must be a list like: sha-256=:base64:, "           \
	    "sha-512=:base64: (names in lower case, values between colons)",   \
	.wrong = {                                                             \
		[DIGEST_SHA256] = name ": sha-256 must be 32 bytes, the digest "\
		    "itself and not its hexadecimal digits, as padded base64 " \
		    "between colons",                                          \
		[DIGEST_SHA512] = name ": sha-512 must be 64 bytes, the digest "\
		    "itself and not its hexadecimal digits, as padded base64 " \
		    "between colons",                                          \
	},                                                                     \
}

static const struct digest_field content_digest = DIGEST_FIELD("Content-Digest");
static const struct digest_field repr_digest = DIGEST_FIELD("Repr-Digest");

static const char *const differ[DIGEST_COUNT] = {
	[DIGEST_SHA256] = "Content-Digest and Repr-Digest have different values "
	    "for sha-256: the content is the whole file, so send one of them",
	[DIGEST_SHA512] = "Content-Digest and Repr-Digest have different values "
	    "for sha-512: the content is the whole file, so send one of them",
};
/* clang-format on */

/* The algorithm that a member names; DIGEST_COUNT: none that is read. */
static enum digest_algo
algo_of(struct span key)
{
	static const enum digest_algo read[] = {DIGEST_SHA256, DIGEST_SHA512};

	for (size_t i = 0; i < COUNT_OF(read); i++) {
		const char *name = digest_kinds[read[i]].name;

		if (key.len == strlen(name) &&
		    memcmp(key.s, name, key.len) == 0)
			return read[i];
	}
	return DIGEST_COUNT;
}

/*
 * The last member of each algorithm, from all lines of a field.  A member may
 * not be cut by the end of its line, and an empty line is an empty member
 * when there are others.
 */
static bool
find_members(const struct head_lines *lines,
    struct structured_member ret_last[DIGEST_COUNT])
{
	for (size_t i = 0; i < lines->count; i++) {
		struct span rest = lines->line[i];
		struct structured_member m;
		enum structured_result got;
		bool any = false;

		while (
		    (got = structured_next(&rest, &m)) == STRUCTURED_MEMBER) {
			enum digest_algo a = algo_of(m.key);

			any = true;
			if (a != DIGEST_COUNT)
				ret_last[a] = m;
		}
		if (got == STRUCTURED_MALFORMED || (!any && lines->count > 1))
			return false;
	}
	return true;
}

/* Read one field; NULL, or what is wrong with it. */
static const char *
read_field(const struct head_lines *lines, const struct digest_field *field,
    struct digest_claims *ret)
{
	struct structured_member last[DIGEST_COUNT] = {0};

	if (!find_members(lines, last))
		return field->malformed;
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		const struct structured_member *m = &last[a];

		if (m->key.s == NULL)
			continue;
		if (m->type != STRUCTURED_BYTES ||
		    base64_decode(m->value.s, m->value.len, ret->value[a],
			digest_kinds[a].len) < 0)
			return field->wrong[a];
		ret->set |= digest_bit(a);
	}
	return NULL;
}

/* Add to *ret what `more` has; NULL, or how they differ. */
static const char *
join(struct digest_claims *ret, const struct digest_claims *more)
{
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		size_t len = digest_kinds[a].len;

		if ((more->set & digest_bit(a)) == 0)
			continue;
		if ((ret->set & digest_bit(a)) != 0 &&
		    memcmp(ret->value[a], more->value[a], len) != 0)
			return differ[a];
		memcpy(ret->value[a], more->value[a], len);
		ret->set |= digest_bit(a);
	}
	return NULL;
}

/* Content-MD5, which is no structured field. */
static const char *
read_md5(struct span t, struct digest_claims *ret)
{
	if (t.s == NULL)
		return NULL;
	if (base64_decode(t.s, t.len, ret->value[DIGEST_MD5],
		digest_kinds[DIGEST_MD5].len) < 0)
		return "Content-MD5 must be 16 bytes, the digest itself and "
		       "not its hexadecimal digits, as padded base64";
	ret->set |= digest_bit(DIGEST_MD5);
	return NULL;
}

/* All fields; NULL, or what is wrong. */
static const char *
read_fields(const struct head *h, struct digest_claims *content,
    struct digest_claims *repr)
{
	const char *why =
	    read_field(&h->content_digest, &content_digest, content);

	if (why == NULL)
		why = read_field(&h->repr_digest, &repr_digest, repr);
	return why != NULL ? why : read_md5(h->content_md5, content);
}

int
digest_fields_read(
    const struct head *h, struct digest_claims *ret, const char **ret_why)
{
	struct digest_claims content = {0}, repr = {0};
	const char *why = read_fields(h, &content, &repr);

	if (why == NULL)
		why = join(&content, &repr);
	if (why != NULL) {
		*ret_why = why;
		return 400;
	}
	*ret = content;
	return 0;
}

int
digest_fields_read_part(const struct head *h, struct digest_claims *ret_part,
    struct digest_claims *ret_whole, const char **ret_why)
{
	struct digest_claims content = {0}, repr = {0};
	const char *why = read_fields(h, &content, &repr);

	if (why != NULL) {
		*ret_why = why;
		return 400;
	}
	*ret_part = content;
	*ret_whole = repr;
	return 0;
}
