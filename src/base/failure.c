#include "base/failure.h"

#include <errno.h>

#include "base/check.h"

/* clang-format off */
static const struct failure failures[] = {
	{ OUTCOME_NOT_FOUND,      -ENOENT },
	{ OUTCOME_EXISTS,         -EEXIST },
	{ OUTCOME_IS_DIRECTORY,   -EISDIR },
	{ OUTCOME_PARENT_IS_FILE, -ENOTDIR },
	{ OUTCOME_SYMLINK,        -ELOOP },
	{ OUTCOME_MOUNT_POINT,    -EXDEV },
	{ OUTCOME_NAME_TOO_LONG,  -ENAMETOOLONG },
	{ OUTCOME_BAD_NAME,       -EILSEQ },
	{ OUTCOME_IN_USE,         -EBUSY },
	{ OUTCOME_IN_USE,         -ETXTBSY },
	{ OUTCOME_DIRECTORY_FULL, -EMLINK },
	{ OUTCOME_DISK_FULL,      -ENOSPC },
	{ OUTCOME_DISK_FULL,      -EDQUOT },
	{ OUTCOME_FILE_LIMIT,     -EFBIG },
	{ OUTCOME_NO_PERMISSION,  -EACCES },
	{ OUTCOME_NO_PERMISSION,  -EPERM },
	{ OUTCOME_READ_ONLY,      -EROFS },
	{ OUTCOME_NO_MEMORY,      -ENOMEM },
	{ OUTCOME_NO_MEMORY,      -EMFILE },
	{ OUTCOME_NO_MEMORY,      -ENFILE },
	{ OUTCOME_NO_MEMORY,      -EAGAIN },
};
/* clang-format on */

struct failure
failure_of_errno(int err)
{
	for (size_t i = 0; i < COUNT_OF(failures); i++)
		if (failures[i].err == err)
			return failures[i];
	return failure_of(OUTCOME_DISK_ERROR, err);
}
