/*
 * What is kept beside the bytes of a partial: whatever a crash or an enemy leaves of it, it is
 * what was written, or not believed.
 */
#include "local/partial_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cmocka_with.h"
#include "lib/directory.h"

#define ID "0123456789abcdef0123456789abcdef"
#define OTHER_ID "0123456789abcdef0123456789abcdee"

enum {
	SECTOR = PARTIAL_FILE_SECTOR,
	LENGTH = 1000,
};

static const struct span record = {"a\0record\r\n", 10};
static const struct span state = {"state", 5};
static const struct span answer = {"HTTP/1.1 201 Created", 20};

static struct partial
of(const char *id)
{
	struct partial p = {
	    .length = LENGTH, .client = 77, .record = record, .state = state};

	memcpy(p.id, id, PARTIAL_ID_LEN);
	return p;
}

static int
temp_file(void)
{
	char path[] = "/tmp/partial.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	return fd;
}

static void
assert_span(struct span got, struct span want)
{
	assert_int_equal(got.len, want.len);
	if (want.len > 0)
		assert_memory_equal(got.s, want.s, want.len);
}

/* A file with a suspend at `offset`. */
static int
suspended_at(uint64_t offset)
{
	struct partial p = of(ID);
	struct partial_file file;
	int fd = temp_file();

	assert_int_equal(partial_file_begin(fd, &p, true, &file), 0);
	p.offset = offset;
	assert_int_equal(partial_file_put(fd, &file, &p, false, true), 0);
	partial_file_fini(&file);
	return fd;
}

/* All of a file. */
static size_t
bytes_of(int fd, unsigned char bytes[PARTIAL_FILE_MAX])
{
	ssize_t len = pread(fd, bytes, PARTIAL_FILE_MAX, 0);

	assert_true(len >= PARTIAL_FILE_HEAD);
	return (size_t)len;
}

static int
parse(const unsigned char *bytes, size_t len, struct partial_file *ret)
{
	return partial_file_parse(bytes, len, ID, true, ret);
}

/* ---- what it says ---- */

static void
a_new_one_says_what_it_was_given(void **nothing)
{
	struct partial p = of(ID);
	struct partial_file made, got;
	int fd = temp_file();

	(void)nothing;
	assert_int_equal(partial_file_begin(fd, &p, true, &made), 0);
	assert_int_equal(partial_file_read(fd, ID, &got), 0);
	assert_string_equal(got.shown.id, ID);
	assert_int_equal(got.shown.phase, PARTIAL_OPEN);
	assert_false(got.is_committing);
	assert_int_equal(got.shown.offset, 0);
	assert_int_equal(got.shown.length, LENGTH);
	assert_int_equal(got.shown.client, 77);
	assert_true(got.created_s > 0 && got.shown.changed_s == got.created_s);
	assert_int_equal(made.created_s, got.created_s);
	assert_span(got.shown.record, record);
	assert_span(got.shown.state, state);
	assert_span(got.shown.answer, (struct span){0});
	partial_file_fini(&made);
	partial_file_fini(&got);
	close(fd);
}

static void
the_last_of_many_changes_counts(void **nothing)
{
	struct partial p = of(ID);
	struct partial_file file, got;
	int fd = temp_file();

	(void)nothing;
	assert_int_equal(partial_file_begin(fd, &p, false, &file), 0);
	for (unsigned i = 1; i <= 5; i++) {
		p.offset = i * 10;
		p.changed_s = i;
		p.state.len = i;
		assert_int_equal(
		    partial_file_put(fd, &file, &p, i == 4, false), 0);
		assert_int_equal(partial_file_read(fd, ID, &got), 0);
		assert_int_equal(got.shown.offset, i * 10);
		assert_int_equal(got.shown.changed_s, i);
		assert_int_equal(got.is_committing, i == 4);
		assert_int_equal(got.shown.phase, PARTIAL_OPEN);
		assert_span(got.shown.state, p.state);
		assert_span(got.shown.record, record);
		assert_int_equal(file.shown.offset, i * 10);
		partial_file_fini(&got);
	}
	partial_file_fini(&file);
	close(fd);
}

static void
an_answer_is_there_with_the_phase_it_is_for(void **nothing)
{
	struct partial p = of(ID);
	struct partial_file file, got;
	int fd = temp_file();

	(void)nothing;
	assert_int_equal(partial_file_begin(fd, &p, false, &file), 0);
	p.phase = PARTIAL_STORED;
	p.offset = LENGTH;
	p.answer = answer;
	assert_int_equal(partial_file_put(fd, &file, &p, false, false), 0);
	assert_int_equal(partial_file_read(fd, ID, &got), 0);
	assert_int_equal(got.shown.phase, PARTIAL_STORED);
	assert_span(got.shown.answer, answer);
	assert_span(got.shown.record, record);
	partial_file_fini(&got);
	assert_int_equal(partial_file_peek(fd, ID, &got), 0);
	assert_int_equal(got.shown.phase, PARTIAL_STORED);
	assert_int_equal(got.shown.record.len + got.shown.answer.len, 0);
	partial_file_fini(&got);
	partial_file_fini(&file);
	close(fd);
}

static void
what_is_as_long_as_may_be_fits(void **nothing)
{
	static char bytes[PARTIAL_RECORD_MAX];
	struct partial p = of(ID);
	struct partial_file file, got;
	int fd = temp_file();

	(void)nothing;
	memset(bytes, 'x', sizeof(bytes));
	p.record = (struct span){bytes, PARTIAL_RECORD_MAX};
	p.state = (struct span){bytes, PARTIAL_STATE_MAX};
	p.length = p.offset = INT64_MAX;
	assert_int_equal(partial_file_begin(fd, &p, false, &file), 0);
	p.answer = (struct span){bytes, PARTIAL_ANSWER_MAX};
	p.phase = PARTIAL_REFUSED;
	assert_int_equal(partial_file_put(fd, &file, &p, false, false), 0);
	assert_int_equal(partial_file_read(fd, ID, &got), 0);
	assert_span(got.shown.record, p.record);
	assert_span(got.shown.state, p.state);
	assert_span(got.shown.answer, p.answer);
	assert_int_equal(got.shown.offset, INT64_MAX);
	partial_file_fini(&got);
	partial_file_fini(&file);
	close(fd);
}

/* ---- what a crash leaves ---- */

/* However much of a slot was written, it is the one before that counts, or this one, and
 * never anything between. */
static void
a_slot_that_was_torn_leaves_the_one_before(void **nothing)
{
	unsigned char was[PARTIAL_FILE_MAX], is[PARTIAL_FILE_MAX];
	struct partial p = of(ID);
	struct partial_file file, got;
	int fd = suspended_at(100);
	size_t len = bytes_of(fd, was), at = 0, new = 0;

	(void)nothing;
	assert_int_equal(partial_file_read(fd, ID, &file), 0);
	p.offset = 200;
	assert_int_equal(partial_file_put(fd, &file, &p, false, false), 0);
	assert_int_equal(bytes_of(fd, is), len);
	while (was[at] == is[at])
		at++;
	at -= at % SECTOR; /* the slot that was written */
	assert_true(at == SECTOR || at == SECTOR * 2);
	for (size_t cut = 0; cut <= SECTOR; cut++) {
		unsigned char torn[PARTIAL_FILE_MAX];

		memcpy(torn, was, len);
		memcpy(torn + at, is + at, cut);
		assert_int_equal(parse(torn, len, &got), 0);
		assert_true(got.shown.offset == 100 || got.shown.offset == 200);
		new += got.shown.offset == 200;
		/* the end was written, and not the beginning */
		memcpy(torn, is, len);
		memcpy(torn + at, was + at, cut);
		assert_int_equal(parse(torn, len, &got), 0);
		assert_true(got.shown.offset == 100 || got.shown.offset == 200);
	}
	assert_true(new > 0 && new < SECTOR);
	partial_file_fini(&file);
	close(fd);
}

static void
what_is_cut_off_is_not_believed(void **nothing)
{
	unsigned char bytes[PARTIAL_FILE_MAX];
	struct partial_file got;
	int fd = suspended_at(100);
	size_t len = bytes_of(fd, bytes);

	(void)nothing;
	assert_int_equal(len, PARTIAL_FILE_HEAD + record.len);
	for (size_t cut = 0; cut < len; cut++) {
		unsigned char *less = malloc(cut + 1); /* for ASan */

		assert_non_null(less);
		memcpy(less, bytes, cut);
		assert_int_equal(parse(less, cut, &got), -EBADMSG);
		free(less);
	}
	assert_int_equal(parse(bytes, len, &got), 0);
	close(fd);
}

/* Without it the partial is stored all the same. */
static void
an_answer_that_is_cut_or_torn_is_left_out(void **nothing)
{
	unsigned char bytes[PARTIAL_FILE_MAX];
	struct partial p = of(ID);
	struct partial_file file, got;
	int fd = temp_file();
	size_t len;

	(void)nothing;
	assert_int_equal(partial_file_begin(fd, &p, false, &file), 0);
	p.phase = PARTIAL_STORED;
	p.answer = answer;
	assert_int_equal(partial_file_put(fd, &file, &p, false, false), 0);
	len = bytes_of(fd, bytes);
	for (size_t cut = 1; cut <= answer.len; cut++) {
		assert_int_equal(parse(bytes, len - cut, &got), 0);
		assert_int_equal(got.shown.phase, PARTIAL_STORED);
		assert_int_equal(got.shown.answer.len, 0);
	}
	for (size_t i = 1; i <= answer.len; i++) {
		bytes[len - i] ^= 1;
		assert_int_equal(parse(bytes, len, &got), 0);
		assert_int_equal(got.shown.answer.len, 0);
		bytes[len - i] ^= 1;
	}
	assert_int_equal(parse(bytes, len, &got), 0);
	assert_span(got.shown.answer, answer);
	partial_file_fini(&file);
	close(fd);
}

/* Any one bit: it says the same, or what it said before the last change, or is not
 * believed. */
static void
no_bit_that_turns_over_makes_it_say_something_else(void **nothing)
{
	unsigned char bytes[PARTIAL_FILE_MAX];
	struct partial_file got;
	int fd = suspended_at(100);
	size_t len = bytes_of(fd, bytes), believed = 0;

	(void)nothing;
	for (size_t bit = 0; bit < len * 8; bit++) {
		int err;

		bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
		err = parse(bytes, len, &got);
		bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
		if (err < 0) {
			assert_true(err == -EBADMSG || err == -EPROTONOSUPPORT);
			continue;
		}
		believed++;
		assert_true(got.shown.offset == 100 || got.shown.offset == 0);
		assert_int_equal(got.shown.length, LENGTH);
		assert_int_equal(got.shown.client, 77);
		assert_span(got.shown.record, record);
		assert_span(got.shown.state, state);
	}
	assert_true(believed > 0);
	close(fd);
}

/* ---- what others write ---- */

static void
what_another_version_wrote_is_refused_as_that(void **nothing)
{
	unsigned char bytes[PARTIAL_FILE_MAX];
	struct partial_file got;
	int fd = suspended_at(100);
	size_t len = bytes_of(fd, bytes);

	(void)nothing;
	bytes[8] = PARTIAL_FILE_FORMAT + 1;
	assert_int_equal(parse(bytes, len, &got), -EPROTONOSUPPORT);
	assert_int_equal(got.format, PARTIAL_FILE_FORMAT + 1);
	close(fd);
}

static void
the_file_of_another_partial_is_not_believed(void **nothing)
{
	unsigned char bytes[PARTIAL_FILE_MAX], others[PARTIAL_FILE_MAX];
	struct partial p = of(OTHER_ID);
	struct partial_file got;
	int fd = suspended_at(100);
	size_t len = bytes_of(fd, bytes);

	(void)nothing;
	assert_int_equal(
	    partial_file_parse(bytes, len, OTHER_ID, true, &got), -EBADMSG);
	/* and its slots neither */
	p.length = 5000;
	assert_int_equal(partial_file_encode(&p, 1, others), len);
	memcpy(bytes + SECTOR, others + SECTOR, SECTOR * 2);
	assert_int_equal(parse(bytes, len, &got), -EBADMSG);
	close(fd);
}

/* With sums that are right: one who may write there can make them. */
static void
lengths_that_cannot_be_are_not_believed(void **nothing)
{
	static const struct {
		uint64_t offset, length;
		unsigned phase;
		bool is_possible;
	} rows[] = {
	    {0, 0, PARTIAL_OPEN, true},
	    {LENGTH, LENGTH, PARTIAL_OPEN, true},
	    {LENGTH, UINT64_MAX, PARTIAL_EXPIRED, true},
	    {LENGTH + 1, LENGTH, PARTIAL_OPEN, false},
	    {INT64_MAX + UINT64_C(1), UINT64_MAX, PARTIAL_OPEN, false},
	    {UINT64_MAX, UINT64_MAX, PARTIAL_OPEN, false},
	    {0, LENGTH, 5, false},
	    {0, LENGTH, UINT_MAX, false},
	};
	unsigned char bytes[PARTIAL_FILE_MAX];
	struct partial p = of(ID);
	struct partial_file made, got;
	size_t len;

	(void)nothing;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		len = partial_file_encode(&p, 1, bytes);
		assert_int_equal(parse(bytes, len, &made), 0);
		p.offset = rows[i].offset;
		p.length = rows[i].length;
		p.phase = (enum partial_phase)rows[i].phase;
		partial_file_encode_slot(&made, &p, false, bytes + SECTOR * 2);
		assert_int_equal(parse(bytes, len, &got), 0);
		assert_int_equal(got.seq == 1, rows[i].is_possible);
		p = of(ID);
	}
}

static void
nothing_like_it_is_believed(void **nothing)
{
	static unsigned char bytes[PARTIAL_FILE_MAX];
	struct partial_file got;
	int fd = temp_file();

	(void)nothing;
	assert_int_equal(partial_file_read(fd, ID, &got), -EBADMSG);
	assert_int_equal(partial_file_peek(fd, ID, &got), -EBADMSG);
	for (int fill = 0; fill < 256; fill++) {
		memset(bytes, fill, sizeof(bytes));
		assert_int_equal(parse(bytes, sizeof(bytes), &got), -EBADMSG);
	}
	/* too long to be one */
	assert_int_equal(ftruncate(fd, PARTIAL_FILE_MAX + 1), 0);
	assert_int_equal(partial_file_read(fd, ID, &got), -EBADMSG);
	close(fd);
}

/* ---- disks ---- */

static int sync_error;

int
fdatasync(int fd)
{
	(void)fd;
	errno = sync_error;
	return sync_error != 0 ? -1 : 0;
}

static void
a_change_that_could_not_be_synced_is_taken_back(void **nothing)
{
	struct partial p = of(ID);
	struct partial_file file, got;
	int fd = suspended_at(100);

	(void)nothing;
	assert_int_equal(partial_file_read(fd, ID, &file), 0);
	p.offset = 200;
	sync_error = EIO;
	assert_int_equal(partial_file_put(fd, &file, &p, false, true), -EIO);
	sync_error = 0;
	assert_int_equal(file.shown.offset, 100);
	assert_int_equal(partial_file_read(fd, ID, &got), 0);
	assert_int_equal(got.shown.offset, 100);
	partial_file_fini(&got);
	/* and the next one counts */
	assert_int_equal(partial_file_put(fd, &file, &p, false, true), 0);
	assert_int_equal(partial_file_read(fd, ID, &got), 0);
	assert_int_equal(got.shown.offset, 200);
	partial_file_fini(&got);
	partial_file_fini(&file);
	close(fd);
}

/* ---- its bytes ---- */

static struct dir {
	char path[64];
	int fd;
} d;

static int
set_up_dir(void **nothing)
{
	(void)nothing;
	snprintf(d.path, sizeof(d.path), "/tmp/settle.XXXXXX");
	assert_non_null(mkdtemp(d.path));
	d.fd = open(d.path, O_RDONLY | O_DIRECTORY);
	assert_true(d.fd >= 0);
	return 0;
}

static int
tear_down_dir(void **nothing)
{
	(void)nothing;
	close(d.fd);
	test_directory_remove(d.path);
	return 0;
}

static void
make_data(off_t size)
{
	int fd = openat(d.fd, ID ".data", O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static struct partial_file
at(enum partial_phase phase, bool is_committing)
{
	struct partial_file file = {.is_committing = is_committing};

	file.shown = of(ID);
	file.shown.phase = phase;
	file.shown.offset = 10;
	return file;
}

static void
an_open_one_needs_its_bytes(void **nothing)
{
	struct partial_file file = at(PARTIAL_OPEN, false);

	(void)nothing;
	assert_int_equal(partial_file_settle(&file, d.fd), -EBADMSG);
	make_data(9);
	assert_int_equal(partial_file_settle(&file, d.fd), -EBADMSG);
	make_data(10);
	assert_int_equal(partial_file_settle(&file, d.fd), 0);
	make_data(500); /* what a part that was cut has left */
	assert_int_equal(partial_file_settle(&file, d.fd), 0);
	assert_int_equal(file.shown.phase, PARTIAL_OPEN);
	assert_int_equal(unlinkat(d.fd, ID ".data", 0), 0);
	assert_int_equal(mkdirat(d.fd, ID ".data", 0700), 0);
	assert_int_equal(partial_file_settle(&file, d.fd), -EBADMSG);
}

static void
one_whose_commit_was_cut_is_open_or_stored(void **nothing)
{
	struct partial_file file = at(PARTIAL_OPEN, true);

	(void)nothing;
	make_data(10);
	assert_int_equal(partial_file_settle(&file, d.fd), 0);
	assert_int_equal(file.shown.phase, PARTIAL_OPEN);
	/* between the link and the unlink */
	assert_int_equal(linkat(d.fd, ID ".data", d.fd, "name", 0), 0);
	assert_int_equal(partial_file_settle(&file, d.fd), 0);
	assert_int_equal(file.shown.phase, PARTIAL_STORED);
	assert_int_equal(faccessat(d.fd, ID ".data", F_OK, 0), -1);
	assert_int_equal(faccessat(d.fd, "name", F_OK, 0), 0);
	/* after it */
	file = at(PARTIAL_OPEN, true);
	assert_int_equal(partial_file_settle(&file, d.fd), 0);
	assert_int_equal(file.shown.phase, PARTIAL_STORED);
}

static void
one_that_is_over_needs_none(void **nothing)
{
	static const enum partial_phase over[] = {
	    PARTIAL_STORED, PARTIAL_REFUSED, PARTIAL_EXPIRED};

	(void)nothing;
	for (size_t i = 0; i < sizeof(over) / sizeof(*over); i++) {
		struct partial_file file = at(over[i], false);

		assert_int_equal(partial_file_settle(&file, d.fd), 0);
		assert_int_equal(file.shown.phase, over[i]);
	}
}

static void
only_an_id_and_the_suffix_is_a_name(void **nothing)
{
	char id[PARTIAL_ID_LEN + 1], name[PARTIAL_NAME_SIZE];
	static const char *const others[] = {"", ".info", ID, ID ".data",
	    ID "0.info", ID ".info2", "../" ID ".info",
	    "0123456789abcdef0123456789abcdeF.info",
	    "0123456789abcdef0123456789abcde/.info"};

	(void)nothing;
	partial_file_name(ID, partial_info_suffix, name);
	assert_string_equal(name, ID ".info");
	assert_true(partial_file_is_name(name, partial_info_suffix, id));
	assert_string_equal(id, ID);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(
		    partial_file_is_name(others[i], partial_info_suffix, id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_one_says_what_it_was_given),
	    cmocka_unit_test(the_last_of_many_changes_counts),
	    cmocka_unit_test(an_answer_is_there_with_the_phase_it_is_for),
	    cmocka_unit_test(what_is_as_long_as_may_be_fits),
	    cmocka_unit_test(a_slot_that_was_torn_leaves_the_one_before),
	    cmocka_unit_test(what_is_cut_off_is_not_believed),
	    cmocka_unit_test(an_answer_that_is_cut_or_torn_is_left_out),
	    cmocka_unit_test(
		no_bit_that_turns_over_makes_it_say_something_else),
	    cmocka_unit_test(what_another_version_wrote_is_refused_as_that),
	    cmocka_unit_test(the_file_of_another_partial_is_not_believed),
	    cmocka_unit_test(lengths_that_cannot_be_are_not_believed),
	    cmocka_unit_test(nothing_like_it_is_believed),
	    cmocka_unit_test(a_change_that_could_not_be_synced_is_taken_back),
	    cmocka_unit_test_setup_teardown(
		an_open_one_needs_its_bytes, set_up_dir, tear_down_dir),
	    cmocka_unit_test_setup_teardown(
		one_whose_commit_was_cut_is_open_or_stored, set_up_dir,
		tear_down_dir),
	    cmocka_unit_test_setup_teardown(
		one_that_is_over_needs_none, set_up_dir, tear_down_dir),
	    cmocka_unit_test(only_an_id_and_the_suffix_is_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
