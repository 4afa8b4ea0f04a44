#include "app/outcome.h"

#include <errno.h>

#include "flow/reader.h"
#include "store/store.h"
#include "http/body.h"

static const struct row {
	int status;
	enum blame blame;
	const char *word, *detail;
} rows[ENDING_COUNT] = {
#define ENDING(name, status, blame, word, detail)                              \
	[ENDED_##name] = {status, BLAME_##blame, word, detail},
#include "app/outcome.tbl.h"
};

/* clang-format off */
static const struct error_row {
	int err;
	enum ending ending;
} errors[] = {
	{ BODY_CLIENT_GONE,      ENDED_CLIENT_GONE },
	{ BODY_BAD_FRAMING,      ENDED_BAD_FRAMING },
	{ BODY_TOO_LARGE,        ENDED_TOO_LARGE },
	{ STORE_NOT_READY,       ENDED_NOT_READY },
	{ STORE_OUTCOME_UNKNOWN, ENDED_OUTCOME_UNKNOWN },
	{ STORE_SYNC_FAILED,     ENDED_SYNC_FAILED },
	{ STORE_REFUSED,         ENDED_PRECONDITION },
	{ STORE_NONE,            ENDED_NONE_YET },
	{ STORE_LOOKING,         ENDED_LOOKING },
	{ STORE_DIGEST_DIFFERS,  ENDED_DIGEST_DIFFERS },
	{ STORE_NO_DIGEST,       ENDED_NO_DIGEST },
	{ STORE_SICK,            ENDED_DISK_SICK },
	{ STORE_VANISHED,        ENDED_VANISHED },
	{ STORE_NO_ROOM,         ENDED_NO_ROOM },
	{ STORE_APART,           ENDED_APART },
	{ STORE_BAD_NAME,        ENDED_BAD_NAME },
	{ -ETIMEDOUT,            ENDED_TOO_SLOW },
	{ READER_BELOW_RATE,     ENDED_BELOW_RATE },
	{ -ENOENT,               ENDED_NOT_FOUND },
	{ -EEXIST,               ENDED_EXISTS },
	{ -EISDIR,               ENDED_IS_DIRECTORY },
	{ -ENOTDIR,              ENDED_PARENT_IS_FILE },
	{ -ELOOP,                ENDED_SYMLINK },
	{ -EXDEV,                ENDED_MOUNT_POINT },
	{ -ENAMETOOLONG,         ENDED_NAME_TOO_LONG },
	{ -EILSEQ,               ENDED_BAD_NAME },
	{ -EBUSY,                ENDED_IN_USE },
	{ -ETXTBSY,              ENDED_IN_USE },
	{ -EMLINK,               ENDED_DIRECTORY_FULL },
	{ -ENOSPC,               ENDED_DISK_FULL },
	{ -EDQUOT,               ENDED_DISK_FULL },
	{ -EFBIG,                ENDED_FILE_LIMIT },
	{ -EACCES,               ENDED_NO_PERMISSION },
	{ -EPERM,                ENDED_NO_PERMISSION },
	{ -EROFS,                ENDED_READ_ONLY },
	{ -ENOMEM,               ENDED_NO_MEMORY },
	{ -EMFILE,               ENDED_NO_MEMORY },
	{ -ENFILE,               ENDED_NO_MEMORY },
	{ -EAGAIN,               ENDED_NO_MEMORY },
	{ -EPIPE,                ENDED_CLIENT_GONE },
	{ -ECONNRESET,           ENDED_CLIENT_GONE },
};
/* clang-format on */

int
ending_status(enum ending e)
{
	return rows[e].status;
}

enum blame
ending_blame(enum ending e)
{
	return rows[e].blame;
}

const char *
ending_word(enum ending e)
{
	return rows[e].word;
}

enum ending
ending_of_error(int err)
{
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		if (errors[i].err == err)
			return errors[i].ending;
	return ENDED_DISK_ERROR;
}

enum ending
ending_of_store_error(int err)
{
	if (err == -EPIPE || err == -ECONNRESET || err == -ETIMEDOUT)
		return ENDED_DISK_ERROR;
	return ending_of_error(err);
}

/* What stands for the letter after a %; NULL: it is no such letter. */
static const char *
value_of(char letter, const struct ending_context *of)
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
add_detail(struct str *out, const char *detail, const struct ending_context *of)
{
	for (; *detail != '\0'; detail++) {
		const char *value =
		    detail[0] == '%' ? value_of(detail[1], of) : NULL;

		if (value != NULL) {
			str_puts(out, value);
			detail++;
		} else {
			str_add(out, detail, 1);
		}
	}
}

void
ending_respond(
    enum ending e, const struct ending_context *of, struct response *r)
{
	struct str detail = {0};

	add_detail(&detail, rows[e].detail, of);
	response_problem(r, rows[e].status, "%s", detail.s ? detail.s : "");
	str_fini(&detail);
}
