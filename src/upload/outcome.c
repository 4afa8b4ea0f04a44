#include "upload/outcome.h"

#include <errno.h>

#include "store/store.h"

/* clang-format off */
static const struct error_row {
	int err;
	enum outcome outcome;
} errors[] = {
	{ STORE_NOT_READY,       OUTCOME_NOT_READY },
	{ STORE_OUTCOME_UNKNOWN, OUTCOME_OUTCOME_UNKNOWN },
	{ STORE_SYNC_FAILED,     OUTCOME_SYNC_FAILED },
	{ STORE_REFUSED,         OUTCOME_PRECONDITION },
	{ STORE_NONE,            OUTCOME_NONE_YET },
	{ STORE_LOOKING,         OUTCOME_LOOKING },
	{ STORE_SICK,            OUTCOME_DISK_SICK },
	{ STORE_VANISHED,        OUTCOME_VANISHED },
	{ STORE_NO_ROOM,         OUTCOME_NO_ROOM },
	{ STORE_APART,           OUTCOME_APART },
	{ STORE_BAD_NAME,        OUTCOME_BAD_NAME },
};
/* clang-format on */

static struct failure
outcome_of_store(int err)
{
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		if (errors[i].err == err)
			return failure_of(errors[i].outcome, 0);
	return failure_of_errno(err);
}

struct failure
outcome_of_put(int err, int cause)
{
	struct failure f = outcome_of_store(err);

	/* It is not its own file that is not there. */
	if (err == -ENOENT)
		f.outcome = OUTCOME_VANISHED;
	if (cause != 0)
		f.err = -cause;
	return f;
}

struct failure
outcome_of_get(int err)
{
	struct failure f = outcome_of_store(err);

	/* For a read these only mean that there is no such file. */
	if (err == -ENOTDIR || err == -ENAMETOOLONG)
		f.outcome = OUTCOME_NOT_FOUND;
	else if (err == -EISDIR)
		f.outcome = OUTCOME_NO_LISTING;
	return f;
}
