#include "web/outcome.h"

#include <errno.h>

#include "base/failure.h"
#include "flow/reader.h"
#include "store/store.h"
#include "http/body.h"

/* clang-format off */
static const struct error_row {
	int err;
	enum outcome outcome;
} errors[] = {
	{ BODY_CLIENT_GONE,      OUTCOME_CLIENT_GONE },
	{ BODY_BAD_FRAMING,      OUTCOME_BAD_FRAMING },
	{ BODY_TOO_LARGE,        OUTCOME_TOO_LARGE },
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
	{ -ETIMEDOUT,            OUTCOME_TOO_SLOW },
	{ READER_BELOW_RATE,     OUTCOME_BELOW_RATE },
	{ -EPIPE,                OUTCOME_CLIENT_GONE },
	{ -ECONNRESET,           OUTCOME_CLIENT_GONE },
};
/* clang-format on */

enum outcome
outcome_of_error(int err)
{
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		if (errors[i].err == err)
			return errors[i].outcome;
	return failure_of_errno(err).outcome;
}

enum outcome
outcome_of_store_error(int err)
{
	if (err == -EPIPE || err == -ECONNRESET || err == -ETIMEDOUT)
		return OUTCOME_DISK_ERROR;
	return outcome_of_error(err);
}
