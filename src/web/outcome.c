#include "web/outcome.h"

#include <errno.h>

#include "flow/reader.h"
#include "store/store.h"
#include "http/body.h"

static const struct row {
	int status;
	enum blame blame;
	const char *word, *detail;
} rows[OUTCOME_COUNT] = {
#define OUTCOME(name, status, blame, word, detail)                             \
	[OUTCOME_##name] = {status, BLAME_##blame, word, detail},
#include "web/outcome.tbl.h"
};

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
	{ -ENOENT,               OUTCOME_NOT_FOUND },
	{ -EEXIST,               OUTCOME_EXISTS },
	{ -EISDIR,               OUTCOME_IS_DIRECTORY },
	{ -ENOTDIR,              OUTCOME_PARENT_IS_FILE },
	{ -ELOOP,                OUTCOME_SYMLINK },
	{ -EXDEV,                OUTCOME_MOUNT_POINT },
	{ -ENAMETOOLONG,         OUTCOME_NAME_TOO_LONG },
	{ -EILSEQ,               OUTCOME_BAD_NAME },
	{ -EBUSY,                OUTCOME_IN_USE },
	{ -ETXTBSY,              OUTCOME_IN_USE },
	{ -EMLINK,               OUTCOME_DIRECTORY_FULL },
	{ -ENOSPC,               OUTCOME_DISK_FULL },
	{ -EDQUOT,               OUTCOME_DISK_FULL },
	{ -EFBIG,                OUTCOME_FILE_LIMIT },
	{ -EACCES,               OUTCOME_NO_PERMISSION },
	{ -EPERM,                OUTCOME_NO_PERMISSION },
	{ -EROFS,                OUTCOME_READ_ONLY },
	{ -ENOMEM,               OUTCOME_NO_MEMORY },
	{ -EMFILE,               OUTCOME_NO_MEMORY },
	{ -ENFILE,               OUTCOME_NO_MEMORY },
	{ -EAGAIN,               OUTCOME_NO_MEMORY },
	{ -EPIPE,                OUTCOME_CLIENT_GONE },
	{ -ECONNRESET,           OUTCOME_CLIENT_GONE },
};
/* clang-format on */

int
outcome_status(enum outcome e)
{
	return rows[e].status;
}

enum blame
outcome_blame(enum outcome e)
{
	return rows[e].blame;
}

const char *
outcome_word(enum outcome e)
{
	return rows[e].word;
}

enum outcome
outcome_of_error(int err)
{
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		if (errors[i].err == err)
			return errors[i].outcome;
	return OUTCOME_DISK_ERROR;
}

enum outcome
outcome_of_store_error(int err)
{
	if (err == -EPIPE || err == -ECONNRESET || err == -ETIMEDOUT)
		return OUTCOME_DISK_ERROR;
	return outcome_of_error(err);
}

/* What stands for the letter after a %; NULL: it is no such letter. */
static const char *
outcome_value_of(char letter, const struct outcome_context *of)
{
	switch (letter) {
	case 's':
		return of->prefix != NULL ? of->prefix : "";
	case 'l':
		return of->limit != NULL ? of->limit : "the limit";
	case 'n':
		return of->name != NULL ? of->name : "of the file";
	default:
		return NULL;
	}
}

static void
add_detail(
    struct str *out, const char *detail, const struct outcome_context *of)
{
	for (; *detail != '\0'; detail++) {
		const char *value =
		    detail[0] == '%' ? outcome_value_of(detail[1], of) : NULL;

		if (value != NULL) {
			str_puts(out, value);
			detail++;
		} else {
			str_add(out, detail, 1);
		}
	}
}

void
outcome_respond(
    enum outcome e, const struct outcome_context *of, struct response *r)
{
	struct str detail = {0};

	add_detail(&detail, rows[e].detail, of);
	response_problem(r, rows[e].status, "%s", detail.s ? detail.s : "");
	str_fini(&detail);
}
