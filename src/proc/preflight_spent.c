#include "preflight_spent.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "proc/refusal.h"

static bool
is_usable(const struct conf_rights *r)
{
	static const char *told; /* many locations may inherit one */
	const char *path = r->signed_link_spent;
	char why[REFUSAL_WHY_MAX];
	int err;

	if (!conf_is_on(path) ||
	    faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK, AT_EACCESS) == 0)
		return true;
	err = -errno;
	if (told != NULL && strcmp(told, path) == 0)
		return !errno_is_denied(err);
	told = path;
	if (errno_is_denied(err))
		refusal_log(&r->signed_link_spent_at, "signed_link_spent", path,
		    "cannot be written: %s", refusal_why(err, why));
	else
		refusal_warn(&r->signed_link_spent_at, "signed_link_spent",
		    path,
		    "%s: links that are good once are refused until that is "
		    "mended",
		    strerror(-err));
	return !errno_is_denied(err);
}

bool
preflight_spent(const struct conf_location *l)
{
	bool good = is_usable(&l->rights);

	return (l->except.methods == 0 || is_usable(&l->except.rights)) && good;
}
