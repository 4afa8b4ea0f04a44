/*
 * How requests end: every errno has its row, every row its words.
 */
#include "web/outcome.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/store.h"
#include "http/answer.h"
#include "http/body.h"

/* clang-format off */
static const struct {
	int err, status;
	const char *word;
} rows[] = {
	{ BODY_CLIENT_GONE, 0, "client-gone" },
	{ BODY_BAD_FRAMING, 400, "bad-framing" },
	{ BODY_TOO_LARGE, 413, "too-large" },
	{ STORE_NOT_READY, 503, "not-ready" },
	{ STORE_OUTCOME_UNKNOWN, 500, "outcome-unknown" },
	{ STORE_SYNC_FAILED, 500, "sync-failed" },
	{ STORE_REFUSED, 412, "precondition" },
	{ STORE_NONE, 404, "none-yet" },
	{ STORE_LOOKING, 503, "looking" },
	{ STORE_NO_ROOM, 507, "no-room" },
	{ -ETIMEDOUT, 408, "too-slow" },
	{ -ENOENT, 404, "not-found" },
	{ -EEXIST, 409, "exists" },
	{ -EISDIR, 409, "is-directory" },
	{ -ENOTDIR, 409, "parent-is-file" },
	{ -ELOOP, 403, "symlink" },
	{ -EXDEV, 403, "mount-point" },
	{ -ENAMETOOLONG, 414, "name-too-long" },
	{ -ENOSPC, 507, "disk-full" },
	{ -EDQUOT, 507, "disk-full" },
	{ STORE_BAD_NAME, 400, "bad-name" },
	{ -EILSEQ, 400, "bad-name" },
	{ -EBUSY, 409, "in-use" },
	{ -ETXTBSY, 409, "in-use" },
	{ -EMLINK, 507, "directory-full" },
	{ -EFBIG, 413, "file-limit" },
	{ -EACCES, 500, "no-permission" },
	{ -EPERM, 500, "no-permission" },
	{ -EROFS, 500, "read-only" },
	{ -ENOMEM, 503, "no-memory" },
	{ -EMFILE, 503, "no-memory" },
	{ -ENFILE, 503, "no-memory" },
	{ -EAGAIN, 503, "no-memory" },
	{ -EPIPE, 0, "client-gone" },
	{ -ECONNRESET, 0, "client-gone" },
	/* what no row knows is the disk's doing */
	{ -EIO, 500, "disk-error" },
	{ -ENOTCONN, 500, "disk-error" },
	{ -ESTALE, 500, "disk-error" },
	{ -ENXIO, 500, "disk-error" },
	{ -EBADF, 500, "disk-error" },
	{ -EINVAL, 500, "disk-error" },
	{ -4000, 500, "disk-error" },
	{ -19999, 500, "disk-error" },
	{ -30000, 500, "disk-error" },
	{ 0, 500, "disk-error" },
	{ 1, 500, "disk-error" },
};
/* clang-format on */

static void
each_error_has_its_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum outcome e = outcome_of_error(rows[i].err);

		if (answer_status(e) != rows[i].status ||
		    strcmp(outcome_word(e), rows[i].word) != 0)
			fail_msg("%d (%s) is %d %s", rows[i].err,
			    strerror(-rows[i].err), answer_status(e),
			    outcome_word(e));
	}
}

/* A disk behind FUSE or NFS may say any errno: none makes it the client's fault,
 * or leaves it without an answer. */
static void
no_errno_of_a_disk_is_the_clients_fault(void **state)
{
	static const int errs[] = {-EPIPE, -ECONNRESET, -ETIMEDOUT};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(errs); i++)
		assert_int_equal(
		    outcome_of_store_error(errs[i]), OUTCOME_DISK_ERROR);
	assert_int_equal(outcome_of_store_error(-EEXIST), OUTCOME_EXISTS);
	assert_int_equal(outcome_of_store_error(STORE_SICK), OUTCOME_DISK_SICK);
}

static void
each_ending_has_a_word_of_its_own(void **state)
{
	(void)state;
	for (int a = 0; a < OUTCOME_COUNT; a++) {
		const char *word = outcome_word((enum outcome)a);

		assert_non_null(word);
		assert_true(word[0] != '\0');
		assert_int_equal(
		    strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
		for (int b = 0; b < a; b++)
			assert_string_not_equal(
			    word, outcome_word((enum outcome)b));
	}
}

static void
each_status_is_one_that_is_sent(void **state)
{
	(void)state;
	for (int e = 0; e < OUTCOME_COUNT; e++) {
		int status = answer_status((enum outcome)e);

		if (status == 0) /* nobody is there to be answered */
			continue;
		assert_in_range(status, 200, 599);
		assert_string_not_equal(response_reason(status), "");
		/* Whom to blame goes with the class. */
		if (status < 400)
			assert_int_equal(
			    outcome_blame((enum outcome)e), BLAME_NOBODY);
		if (outcome_blame((enum outcome)e) == BLAME_CLIENT)
			assert_in_range(status, 400, 499);
	}
}

/* Those that the other modules answer with. */
static void
each_status_has_a_reason(void **state)
{
	static const int used[] = {200, 201, 204, 206, 304, 400, 403, 404, 405,
	    408, 409, 411, 412, 413, 414, 415, 416, 417, 431, 500, 501, 503,
	    505, 507};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(used); i++)
		assert_string_not_equal(response_reason(used[i]), "");
	assert_string_equal(response_reason(299), "");
}

static void
each_error_tells_the_user_what_to_change(void **state)
{
	(void)state;
	for (int e = 0; e < OUTCOME_COUNT; e++) {
		struct response r = {0};
		int status = answer_status((enum outcome)e);

		if (status < 400)
			continue;
		answer_problem((enum outcome)e,
		    &(struct answer_context){
			"/a%20b%s", "most_of_all 7%l", "a name%n\"x"},
		    &r);
		assert_int_equal(r.status, status);
		assert_string_equal(r.content_type, "application/problem+json");
		assert_non_null(strstr(r.content.s, "\"detail\":\""));
		assert_null(strstr(r.content.s, "\"detail\":\"\""));
		/* One line, and no format left in it. */
		assert_ptr_equal(
		    strchr(r.content.s, '\n'), r.content.s + r.content.len - 1);
		if (strstr(r.content.s, "location") != NULL)
			assert_non_null(
			    strstr(r.content.s, "location /a%20b%s"));
		if (strstr(r.content.s, "%l") != NULL)
			assert_non_null(strstr(r.content.s, "most_of_all 7%l"));
		if (strstr(r.content.s, "%n") != NULL)
			assert_non_null(strstr(r.content.s, "a name%n\\\"x"));
		assert_int_equal(
		    r.fields.len > 0 &&
			strstr(r.fields.s, "Retry-After: ") != NULL,
		    status == 503);
		response_fini(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_error_has_its_outcome),
	    cmocka_unit_test(no_errno_of_a_disk_is_the_clients_fault),
	    cmocka_unit_test(each_ending_has_a_word_of_its_own),
	    cmocka_unit_test(each_status_is_one_that_is_sent),
	    cmocka_unit_test(each_status_has_a_reason),
	    cmocka_unit_test(each_error_tells_the_user_what_to_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
