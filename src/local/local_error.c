#include "local_error.h"

#include <errno.h>

#include "base/check.h"
#include "base/errno_class.h"

/* clang-format off */
static const struct error_row {
	int err;
	enum outcome outcome;
} errors[] = {
	{ LOCAL_NOT_READY,       OUTCOME_NOT_READY },
	{ LOCAL_OUTCOME_UNKNOWN, OUTCOME_OUTCOME_UNKNOWN },
	{ LOCAL_SYNC_FAILED,     OUTCOME_SYNC_FAILED },
	{ LOCAL_REFUSED,         OUTCOME_PRECONDITION },
	{ LOCAL_NONE,            OUTCOME_NONE_YET },
	{ LOCAL_LOOKING,         OUTCOME_LOOKING },
	{ LOCAL_UNHEALTHY,       OUTCOME_DISK_UNHEALTHY },
	{ LOCAL_VANISHED,        OUTCOME_VANISHED },
	{ LOCAL_NO_ROOM,         OUTCOME_NO_ROOM },
	{ LOCAL_APART,           OUTCOME_APART },
	{ LOCAL_BAD_NAME,        OUTCOME_BAD_NAME },
	{ LOCAL_NO_UPLOAD,       OUTCOME_NO_UPLOAD },
	{ LOCAL_HELD,            OUTCOME_HELD },
	{ LOCAL_GARBLED,         OUTCOME_NO_UPLOAD },
	{ LOCAL_TOO_MANY,        OUTCOME_TOO_MANY_PARTIALS },
	/* Of opening a directory, which no request hears of. */
	{ LOCAL_UNMOUNTED,       OUTCOME_NOT_READY },
	{ LOCAL_CROWDED,         OUTCOME_NOT_READY },
	{ LOCAL_HELD_UP,         OUTCOME_NOT_READY },
};
/* clang-format on */

static struct failure
local_error_of(int err)
{
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		if (errors[i].err == err)
			return failure_of(errors[i].outcome, 0);
	return failure_of_errno(err);
}

struct failure
local_error_in_put(int err, int cause)
{
	struct failure f = local_error_of(err);

	/* It is not its own file that is not there. */
	if (err == -ENOENT)
		f.outcome = OUTCOME_VANISHED;
	if (cause != 0)
		f.err = -cause;
	return f;
}

struct failure
local_error_in_get(int err)
{
	struct failure f = local_error_of(err);

	if (err == -ENOTDIR || err == -ENAMETOOLONG)
		f.outcome = OUTCOME_NOT_FOUND;
	else if (err == -EISDIR)
		f.outcome = OUTCOME_NO_LISTING;
	return f;
}

struct failure
local_error_in_read(int err)
{
	struct failure f = local_error_in_get(err);

	if (err == -ENOENT)
		f.outcome = OUTCOME_DISK_ERROR; /* it was there */
	return f;
}
