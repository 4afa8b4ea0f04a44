#include "base/file_version.h"

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
