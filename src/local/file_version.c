#include "file_version.h"

#include "base/hash.h"

void
file_version_digest(const struct file_version *v, uint64_t ret[2])
{
	/* Where inode numbers are made up (FUSE), only a stamp identifies a
	 * file. */
	const uint64_t words[] = {v->kind == FILE_STAMPED ? 0 : v->inode,
	    v->size, (uint64_t)v->mtime_ns, v->mark};
	uint64_t a = UINT64_C(0x9e3779b97f4a7c15), b = 0;

	/* Each step is one-to-one: a difference in a single word always changes
	 * the result. */
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		a = hash_mix(a ^ words[i]);
		b = hash_mix((b + a) ^ words[i]);
	}
	ret[0] = a;
	ret[1] = b;
}

/* `v` in `len` hexadecimal digits, the last one first. */
static void
put_hex(uint64_t v, char *end, int len)
{
	while (len-- > 0) {
		*--end = "0123456789abcdef"[v & 15];
		v >>= 4;
	}
}

static void
write_etag(const struct file_version *v, char *s)
{
	uint64_t digest[2];

	file_version_digest(v, digest);
	if (!file_version_is_sure(v)) {
		*s++ = 'W';
		*s++ = '/';
	}
	*s++ = '"';
	put_hex(digest[0], s + 16, 16);
	put_hex(digest[1], s + 32, 16);
	s[32] = '"';
	s[33] = '\0';
}

void
file_version_describe(const struct file_version *v, struct object_info *ret)
{
	ret->size = v->size;
	ret->modified_s = v->mtime_s;
	write_etag(v, ret->etag);
	ret->weak_why =
	    file_version_is_sure(v)
		? NULL
		: "If-Match cannot name this file: it has neither a birth "
		  "time nor the attribute user.penstock.id, so nothing "
		  "tells its versions apart, and its ETag is weak";
}
