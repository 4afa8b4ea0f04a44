/*
 * What a reload cannot apply, by the directive table.
 */
#include <errno.h>
#include <string.h>

#include "config/config.h"
#include "config/directives.h"
#include "config/value.h"

/* Whether going from one value to the other takes a restart. */
static bool
takes_restart(const struct directive *d, const struct config *old,
    const struct config *fresh)
{
	switch (d->apply) {
	case APPLY_RESTART:
		return true;
	case APPLY_RESTART_ZERO:
		return (old->worker_processes == 0) !=
		       (fresh->worker_processes == 0);
	case APPLY_RELOAD:
	default:
		return false;
	}
}

/* If the two values differ, add a line that says so, and give `fresh` the old
 * one.  1 if they do, 0 or -ENOMEM. */
static int
config_restart_keep(const struct directive *d, const struct config *old,
    struct config *fresh, struct str *why)
{
	struct str was = {0}, is = {0};
	int res = -ENOMEM;

	check(d->owner == BLOCK_TOP);
	if (!value_format(d, old, &was))
		str_puts(&was, "none");
	if (!value_format(d, fresh, &is))
		str_puts(&is, "none");
	if (str_failed(&was) || str_failed(&is))
		goto end;
	res = strcmp(was.s, is.s) != 0;
	if (res == 0)
		goto end;
	str_printf(why, "%s: the change from %s to %s needs a restart\n",
	    d->name, was.s, is.s);
	value_clear(d, fresh);
	if (value_copy(d, fresh, old) < 0)
		res = -ENOMEM;
end:
	str_fini(&was);
	str_fini(&is);
	return res;
}

int
config_keep_until_restart(
    const struct config *old, struct config *fresh, struct str *why)
{
	int kept = 0;

	for (size_t i = 0; i < directives_count; i++) {
		const struct directive *d = &directives[i];
		int res;

		if (!takes_restart(d, old, fresh))
			continue;
		res = config_restart_keep(d, old, fresh, why);
		if (res < 0)
			return res;
		kept += res;
	}
	return kept;
}
