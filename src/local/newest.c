#include "newest.h"

#include <sys/stat.h>

void
newest_note(struct latest_entry *e, const struct file_version *v)
{
	file_version_digest(v, e->version);
	e->is_sure = file_version_is_sure(v);
}

bool
newest_is(const struct latest_entry *e, const struct file_version *v)
{
	uint64_t digest[2];

	file_version_digest(v, digest);
	return S_ISREG(v->mode) && e->is_sure && file_version_is_sure(v) &&
	       digest[0] == e->version[0] && digest[1] == e->version[1];
}
