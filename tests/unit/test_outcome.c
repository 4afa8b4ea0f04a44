/*
 * How requests end: every errno has its row, every row its words.
 */
#include "base/outcome.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/failure.h"
#include "http/answer.h"
#include "local/local_error.h"

/* clang-format off */
/* All of them, in their order. */
static const struct {
	enum outcome outcome;
	int status;
	const char *word;
} outcomes[] = {
	{ OUTCOME_NONE, 0, "-" },
	{ OUTCOME_STORED, 201, "stored" },
	{ OUTCOME_REPLACED, 200, "replaced" },
	{ OUTCOME_SUPERSEDED, 200, "superseded" },
	{ OUTCOME_PART, 200, "part" },
	{ OUTCOME_REMOVED, 200, "removed" },
	{ OUTCOME_SENT, 200, "sent" },
	{ OUTCOME_CLIENT_GONE, 0, "client-gone" },
	{ OUTCOME_NOT_TAKEN, 0, "send-timeout" },
	{ OUTCOME_BAD_FRAMING, 400, "bad-framing" },
	{ OUTCOME_DIGEST_DIFFERS, 400, "digest-differs" },
	{ OUTCOME_NO_DIGEST, 501, "no-digest" },
	{ OUTCOME_TOO_SLOW, 408, "too-slow" },
	{ OUTCOME_BELOW_RATE, 408, "below-rate" },
	{ OUTCOME_TOO_LARGE, 413, "too-large" },
	{ OUTCOME_FILE_LIMIT, 413, "file-limit" },
	{ OUTCOME_NOT_FOUND, 404, "not-found" },
	{ OUTCOME_NO_LISTING, 404, "no-listing" },
	{ OUTCOME_SLASH, 404, "ends-in-slash" },
	{ OUTCOME_NONE_YET, 404, "none-yet" },
	{ OUTCOME_EXISTS, 409, "exists" },
	{ OUTCOME_IS_DIRECTORY, 409, "is-directory" },
	{ OUTCOME_PARENT_IS_FILE, 409, "parent-is-file" },
	{ OUTCOME_PRECONDITION, 412, "precondition" },
	{ OUTCOME_SYMLINK, 403, "symlink" },
	{ OUTCOME_MOUNT_POINT, 403, "mount-point" },
	{ OUTCOME_NAME_TOO_LONG, 414, "name-too-long" },
	{ OUTCOME_BAD_NAME, 400, "bad-name" },
	{ OUTCOME_IN_USE, 409, "in-use" },
	{ OUTCOME_DIRECTORY_FULL, 507, "directory-full" },
	{ OUTCOME_DISK_FULL, 507, "disk-full" },
	{ OUTCOME_NO_ROOM, 507, "no-room" },
	{ OUTCOME_DISK_ERROR, 500, "disk-error" },
	{ OUTCOME_SYNC_FAILED, 500, "sync-failed" },
	{ OUTCOME_OUTCOME_UNKNOWN, 500, "outcome-unknown" },
	{ OUTCOME_NO_PERMISSION, 500, "no-permission" },
	{ OUTCOME_READ_ONLY, 500, "read-only" },
	{ OUTCOME_APART, 500, "apart" },
	{ OUTCOME_VANISHED, 503, "vanished" },
	{ OUTCOME_DISK_UNHEALTHY, 503, "disk-stalled" },
	{ OUTCOME_NOT_READY, 503, "not-ready" },
	{ OUTCOME_LOOKING, 503, "looking" },
	{ OUTCOME_TOO_MANY, 503, "too-many" },
	{ OUTCOME_NO_MEMORY, 503, "no-memory" },
	{ OUTCOME_NO_UPLOAD, 404, "no-upload" },
	{ OUTCOME_EXPIRED, 410, "expired" },
	{ OUTCOME_HELD, 423, "held" },
	{ OUTCOME_TAKEN_OVER, 503, "taken-over" },
	{ OUTCOME_TOO_MANY_PARTIALS, 503, "too-many-partials" },
	{ OUTCOME_CUT, 403, "cut" },
	{ OUTCOME_BAD_FORM, 400, "bad-form" },
	{ OUTCOME_FORM_LIMIT, 413, "form-limit" },
	{ OUTCOME_FIELDS_TOO_LARGE, 413, "fields-too-large" },
	{ OUTCOME_STOPPED, 503, "stopped" },
	{ OUTCOME_CONDITIONAL, 0, "conditional" },
	{ OUTCOME_REFUSED, 0, "refused" },
	{ OUTCOME_FORM, 0, "form" },
	{ OUTCOME_RESUMABLE, 0, "resumable" },
	{ OUTCOME_PARTIAL, 0, "partial" },
	{ OUTCOME_UNAUTHORIZED, 0, "unauthorized" },
	{ OUTCOME_GUESSING, 0, "guessing" },
	{ OUTCOME_DENIED, 0, "denied" },
	{ OUTCOME_CROSS_SITE, 0, "cross-site" },
	{ OUTCOME_MISDIRECTED, 0, "misdirected" },
	{ OUTCOME_TLS, 0, "tls-on-plain-port" },
	{ OUTCOME_NO_TLS, 0, "plain-on-tls-port" },
	{ OUTCOME_CERTIFICATE, 0, "client-certificate" },
	{ OUTCOME_PROXY_PROTOCOL, 0, "proxy-protocol" },
	{ OUTCOME_HTTP2, 0, "http2" },
	{ OUTCOME_UNREAD, 0, "unread" },
};

static const struct {
	int err;
	enum outcome outcome;
} errors[] = {
	{ -ETIMEDOUT, OUTCOME_DISK_ERROR },
	{ -ENOENT, OUTCOME_NOT_FOUND },
	{ -EEXIST, OUTCOME_EXISTS },
	{ -EISDIR, OUTCOME_IS_DIRECTORY },
	{ -ENOTDIR, OUTCOME_PARENT_IS_FILE },
	{ -ELOOP, OUTCOME_SYMLINK },
	{ -EXDEV, OUTCOME_MOUNT_POINT },
	{ -ENAMETOOLONG, OUTCOME_NAME_TOO_LONG },
	{ -ENOSPC, OUTCOME_DISK_FULL },
	{ -EDQUOT, OUTCOME_DISK_FULL },
	{ -EILSEQ, OUTCOME_BAD_NAME },
	{ -EBUSY, OUTCOME_IN_USE },
	{ -ETXTBSY, OUTCOME_IN_USE },
	{ -EMLINK, OUTCOME_DIRECTORY_FULL },
	{ -EFBIG, OUTCOME_FILE_LIMIT },
	{ -EACCES, OUTCOME_NO_PERMISSION },
	{ -EPERM, OUTCOME_NO_PERMISSION },
	{ -EROFS, OUTCOME_READ_ONLY },
	{ -ENOMEM, OUTCOME_NO_MEMORY },
	{ -EMFILE, OUTCOME_NO_MEMORY },
	{ -ENFILE, OUTCOME_NO_MEMORY },
	{ -EAGAIN, OUTCOME_NO_MEMORY },
	{ -EPIPE, OUTCOME_DISK_ERROR },
	{ -ECONNRESET, OUTCOME_DISK_ERROR },
	{ -EIO, OUTCOME_DISK_ERROR },
	{ -ENOTCONN, OUTCOME_DISK_ERROR },
	{ -ESTALE, OUTCOME_DISK_ERROR },
	{ -ENXIO, OUTCOME_DISK_ERROR },
	{ -EBADF, OUTCOME_DISK_ERROR },
	{ -EINVAL, OUTCOME_DISK_ERROR },
	{ -4000, OUTCOME_DISK_ERROR },
	{ -19999, OUTCOME_DISK_ERROR },
	{ -30000, OUTCOME_DISK_ERROR },
	{ 0, OUTCOME_DISK_ERROR },
	{ 1, OUTCOME_DISK_ERROR },
};

static const struct {
	int err;
	enum outcome outcome;
} local_errors[] = {
	{ LOCAL_NOT_READY, OUTCOME_NOT_READY },
	{ LOCAL_OUTCOME_UNKNOWN, OUTCOME_OUTCOME_UNKNOWN },
	{ LOCAL_SYNC_FAILED, OUTCOME_SYNC_FAILED },
	{ LOCAL_REFUSED, OUTCOME_PRECONDITION },
	{ LOCAL_NONE, OUTCOME_NONE_YET },
	{ LOCAL_LOOKING, OUTCOME_LOOKING },
	{ LOCAL_UNHEALTHY, OUTCOME_DISK_UNHEALTHY },
	{ LOCAL_VANISHED, OUTCOME_VANISHED },
	{ LOCAL_NO_ROOM, OUTCOME_NO_ROOM },
	{ LOCAL_APART, OUTCOME_APART },
	{ LOCAL_BAD_NAME, OUTCOME_BAD_NAME },
	{ LOCAL_UNMOUNTED, OUTCOME_NOT_READY },
	{ LOCAL_CROWDED, OUTCOME_NOT_READY },
	{ LOCAL_HELD_UP, OUTCOME_NOT_READY },
};
/* clang-format on */

static void
each_outcome_has_its_status_and_word(void **state)
{
	(void)state;
	assert_int_equal(COUNT_OF(outcomes), OUTCOME_COUNT);
	for (int e = 0; e < OUTCOME_COUNT; e++) {
		assert_int_equal(outcomes[e].outcome, e);
		assert_int_equal(
		    answer_status((enum outcome)e), outcomes[e].status);
		assert_string_equal(
		    outcome_word((enum outcome)e), outcomes[e].word);
	}
}

static void
each_error_has_its_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		struct failure f = failure_of_errno(errors[i].err);

		if (f.outcome != errors[i].outcome || f.err != errors[i].err)
			fail_msg("%d (%s) is %d %s", errors[i].err,
			    strerror(-errors[i].err), f.err,
			    outcome_word(f.outcome));
	}
	for (size_t i = 0; i < COUNT_OF(local_errors); i++) {
		struct failure f = local_error_in_get(local_errors[i].err);

		if (f.outcome != local_errors[i].outcome || f.err != 0)
			fail_msg("%d is %d %s", local_errors[i].err, f.err,
			    outcome_word(f.outcome));
	}
}

/* A disk behind FUSE or NFS may say any errno: none makes it the client's fault,
 * or leaves it without an answer. */
static void
no_errno_of_a_disk_is_the_clients_fault(void **state)
{
	static const int errs[] = {-EPIPE, -ECONNRESET, -ETIMEDOUT};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(errs); i++) {
		assert_int_equal(
		    failure_of_errno(errs[i]).outcome, OUTCOME_DISK_ERROR);
		assert_int_equal(
		    local_error_in_put(errs[i], 0).outcome, OUTCOME_DISK_ERROR);
	}
	assert_int_equal(
	    local_error_in_put(-EEXIST, 0).outcome, OUTCOME_EXISTS);
	assert_int_equal(local_error_in_put(LOCAL_UNHEALTHY, 0).outcome,
	    OUTCOME_DISK_UNHEALTHY);
}

/* What is not there is another thing for what is stored and what is read. */
static void
an_errno_means_what_was_done(void **state)
{
	(void)state;
	assert_int_equal(
	    local_error_in_put(-ENOENT, 0).outcome, OUTCOME_VANISHED);
	assert_int_equal(
	    local_error_in_get(-ENOENT).outcome, OUTCOME_NOT_FOUND);
	assert_int_equal(
	    local_error_in_put(-ENOTDIR, 0).outcome, OUTCOME_PARENT_IS_FILE);
	assert_int_equal(
	    local_error_in_get(-ENOTDIR).outcome, OUTCOME_NOT_FOUND);
	assert_int_equal(local_error_in_put(-ENAMETOOLONG, 0).outcome,
	    OUTCOME_NAME_TOO_LONG);
	assert_int_equal(
	    local_error_in_get(-ENAMETOOLONG).outcome, OUTCOME_NOT_FOUND);
	assert_int_equal(
	    local_error_in_put(-EISDIR, 0).outcome, OUTCOME_IS_DIRECTORY);
	assert_int_equal(
	    local_error_in_get(-EISDIR).outcome, OUTCOME_NO_LISTING);
	/* What is open and read was there. */
	assert_int_equal(
	    local_error_in_read(-ENOENT).outcome, OUTCOME_DISK_ERROR);
	assert_int_equal(local_error_in_read(LOCAL_UNHEALTHY).outcome,
	    OUTCOME_DISK_UNHEALTHY);
}

static void
the_errno_behind_a_failure_is_kept(void **state)
{
	struct failure f = local_error_in_put(LOCAL_SYNC_FAILED, EIO);

	(void)state;
	assert_int_equal(f.outcome, OUTCOME_SYNC_FAILED);
	assert_int_equal(f.err, -EIO);
	assert_int_equal(local_error_in_put(-EACCES, 0).err, -EACCES);
	assert_int_equal(local_error_in_get(-EACCES).err, -EACCES);
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
		    strspn(word, "abcdefghijklmnopqrstuvwxyz-2"), strlen(word));
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

		if (status == 0) /* there is no client to answer */
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
		    status == 503 || status == 423);
		response_fini(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_outcome_has_its_status_and_word),
	    cmocka_unit_test(each_error_has_its_outcome),
	    cmocka_unit_test(an_errno_means_what_was_done),
	    cmocka_unit_test(the_errno_behind_a_failure_is_kept),
	    cmocka_unit_test(no_errno_of_a_disk_is_the_clients_fault),
	    cmocka_unit_test(each_ending_has_a_word_of_its_own),
	    cmocka_unit_test(each_status_is_one_that_is_sent),
	    cmocka_unit_test(each_status_has_a_reason),
	    cmocka_unit_test(each_error_tells_the_user_what_to_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
