/*
 * Partials as local files (store/partial.h; its contract is test_partial_contract's): what
 * kills, crashes, disks and others who use the directory leave of them.
 */
#include "local/partial_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "disk/device.h"
#include "lib/contract.h"
#include "lib/portable.h"
#include "local/publish_sys.h"

enum {
	PART = CONTRACT_CHUNK + 1000,
	ALL = CONTRACT_LARGE,
};

#define ID "0123456789abcdef0123456789abcdef"

/* ---- what a disk does ---- */

/* Which sync fails: that of bytes, of ID.info or of a directory. */
enum synced { SYNC_NONE, SYNC_DATA, SYNC_INFO, SYNC_DIR };

static atomic_int failing;
static atomic_uint syncs[SYNC_DIR + 1];
static int64_t info_offset_at_data_sync; /* what ID.info said meanwhile */

static int64_t
offset_in_info(void)
{
	struct partial_file file;
	char path[4200];
	int64_t offset = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/.penstock/" ID ".info", contract.dir);
	fd = open(path, O_RDONLY);
	if (fd != -1 && partial_file_peek(fd, ID, &file) == 0)
		offset = (int64_t)file.shown.offset;
	fd_close(&fd);
	return offset;
}

static enum synced
what_is(int fd)
{
	char link[64], path[4200];
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return SYNC_DIR;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	return strstr(path, ".info") != NULL ? SYNC_INFO : SYNC_DATA;
}

static int
sync_of(int fd)
{
	enum synced what = what_is(fd);

	syncs[what]++;
	if (what == SYNC_DATA)
		info_offset_at_data_sync = offset_in_info();
	if (failing != (int)what)
		return 0;
	errno = EIO;
	return -1;
}

int
fsync(int fd)
{
	return sync_of(fd);
}

int
fdatasync(int fd)
{
	return sync_of(fd);
}

/* What a crash just before an unlink would leave. */
static void (*before_unlink)(const char *name);
static unsigned unlinks;

int
unlinkat(int dir, const char *name, int flags)
{
	if (before_unlink != NULL)
		before_unlink(name);
	return (int)syscall(SYS_unlinkat, dir, name, flags);
}

/* Or just before it replaces what has its name. */
static void (*before_rename)(void);

int
renameat(int from_dir, const char *from, int dir, const char *name)
{
	if (before_rename != NULL)
		before_rename();
	return (int)syscall(SYS_renameat2, from_dir, from, dir, name, 0);
}

/* ---- steps ---- */

static struct span
text(const char *s)
{
	return (struct span){s, strlen(s)};
}

static struct told *const t = &contract.put;

static void
rest(void)
{
	flow_rest(&t->flow);
	t->drained = false;
}

static void
try_to_begin(void)
{
	struct partial p = {.length = ALL, .record = text("record")};
	struct put_request r = contract_request("a", ALL);

	memcpy(p.id, ID, sizeof(p.id));
	r.partial = &p;
	assert_false(contract_create(t, &r));
	CONTRACT_WAIT(t->ready + t->failed > 0);
}

static void
write_to(size_t end)
{
	t->body.at = (size_t)store_offset(t->in);
	t->body.len = end;
	contract_write(t);
	assert_true(t->drained);
	rest();
}

static void
try_to_suspend(void)
{
	struct partial p = {.offset = store_offset(t->in), .length = ALL};
	unsigned before = t->suspended;

	store_suspend(t->in, &p);
	CONTRACT_WAIT(t->suspended + t->failed > before);
}

static void
let_go(void)
{
	contract_let_go(t);
	CONTRACT_WAIT(
	    !store_has_files(contract.store) && store_is_idle(contract.store));
}

static void
leave_a_part(void)
{
	try_to_begin();
	assert_int_equal(t->ready, 1);
	write_to(PART);
	try_to_suspend();
	assert_int_equal(t->suspended, 1);
	let_go();
}

static void
resume(struct told *to)
{
	struct failure why;

	*to = (struct told){0};
	why =
	    store_resume(contract.store, ID, &contract_put_events, to, &to->in);
	assert_int_equal(why.outcome, OUTCOME_NONE);
	CONTRACT_WAIT(to->found + to->failed > 0);
}

static void
assert_refused(enum outcome why)
{
	resume(&contract.other);
	assert_int_equal(contract.other.failed, 1);
	assert_int_equal(contract.other.failure.outcome, why);
	contract_let_go(&contract.other);
}

static void
assert_found(enum partial_phase phase, uint64_t offset)
{
	resume(t);
	assert_int_equal(t->found, 1);
	assert_int_equal(t->in->partial->phase, phase);
	assert_int_equal(t->in->partial->offset, offset);
}

static void
append(void)
{
	struct put_request r = contract_request("a", ALL);
	unsigned before = t->ready;

	store_append(t->in, &r);
	CONTRACT_WAIT(t->ready + t->failed > before);
}

static void
commit(void)
{
	store_commit(t->in, 0);
	CONTRACT_WAIT(contract_has_ended(t));
}

/* It is open, and becomes what it was to be. */
static void
assert_goes_on(void)
{
	append();
	assert_int_equal(t->ready, 1);
	write_to(ALL);
	commit();
	assert_int_equal(t->stored, 1);
	let_go();
	contract_assert_there("a", ALL);
}

/* ---- files ---- */

/* In the output directory. */
static const char *
path_of(const char *name)
{
	static char path[2][4300];
	static unsigned next;
	char *p = path[next++ % 2];

	snprintf(p, sizeof(path[0]), "%s/%s", contract.dir, name);
	return p;
}

#define DATA ".penstock/" ID ".data"
#define INFO ".penstock/" ID ".info"

static bool
exists(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

static off_t
size_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(path_of(name), &st), 0);
	return st.st_size;
}

/* Write the next slot, as a process that was killed just after would have. */
static void
write_slot(bool is_committing, uint64_t offset)
{
	int fd = open(path_of(INFO), O_RDWR);
	struct partial_file file;
	struct partial next;

	assert_true(fd >= 0);
	assert_int_equal(partial_file_read(fd, ID, &file), 0);
	next = file.shown;
	next.offset = offset;
	assert_int_equal(
	    partial_file_put(fd, &file, &next, is_committing, false), 0);
	partial_file_fini(&file);
	close(fd);
}

/* All bytes are in its file. */
static void
fill_data(void)
{
	int fd = open(path_of(DATA), O_RDWR);

	assert_true(fd >= 0);
	for (size_t i = 0; i < ALL; i++) {
		unsigned char byte = contract_byte(i);

		assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
	}
	close(fd);
}

static unsigned
count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* What a probe would find a second later. */
static void
heal(void)
{
	int dir = open(contract.dir, O_RDONLY);
	struct stat st;
	struct device *d;

	assert_int_equal(fstat(dir, &st), 0);
	d = device_get(contract.devices, st.st_dev, device_traits_of(dir));
	assert_non_null(d);
	close(dir);
	device_set_failed(d, false);
	device_put(contract.devices, &d);
}

/* It would be open, or refused for good, or there would be nothing that says what it is. */
static void
look_at_removal(const char *name)
{
	struct partial_file file;
	int fd = open(path_of(INFO), O_RDONLY);

	unlinks++;
	if (strstr(name, ".data") != NULL && fd != -1) {
		assert_int_equal(partial_file_peek(fd, ID, &file), 0);
		assert_int_equal(file.shown.phase, PARTIAL_REFUSED);
		assert_true(syncs[SYNC_INFO] > 0);
	}
	fd_close(&fd);
}

/* ---- processes ---- */

/* A process that has it open and is in the middle of a part. */
static pid_t
hold_elsewhere(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		int info = open(path_of(INFO), O_RDWR);
		int data = open(path_of(DATA), O_RDWR);

		if (publish_lock(info) < 0 ||
		    pwrite(data, "half a part", 11, PART) != 11 ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void
what_a_killed_process_had_can_be_resumed(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	leave_a_part();
	pid = hold_elsewhere();
	assert_refused(OUTCOME_HELD);
	assert_refused(OUTCOME_HELD);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_found(PARTIAL_OPEN, PART);
	assert_goes_on();
}

static void
a_suspended_one_costs_no_descriptor(void **state)
{
	unsigned before;

	(void)state;
	SKIP_PORTABLE("/proc");
	leave_a_part();
	before = count_descriptors();
	for (int i = 0; i < 3; i++) {
		assert_found(PARTIAL_OPEN, PART);
		assert_true(count_descriptors() > before);
		append();
		try_to_suspend();
		let_go();
		assert_int_equal(count_descriptors(), before);
	}
}

/* Not only when a thread has closed it. */
static void
one_that_was_let_go_is_free_at_once(void **state)
{
	int info;

	(void)state;
	SKIP_PORTABLE("locks of descriptors");
	try_to_begin();
	write_to(PART);
	try_to_suspend();
	info = open(path_of(INFO), O_RDWR);
	assert_true(publish_lock(info) < 0);
	contract_let_go(t);
	assert_int_equal(publish_lock(info), 0);
	close(info);
}

/* What lies behind its offset is cut off first: who comes next could have written it. */
static void
what_did_not_count_is_gone_when_it_is_free(void **state)
{
	(void)state;
	leave_a_part();
	assert_found(PARTIAL_OPEN, PART);
	append();
	write_to(ALL);
	assert_true(size_of(DATA) > PART);
	let_go();
	assert_int_equal(size_of(DATA), PART);
	assert_found(PARTIAL_OPEN, PART);
}

static void
one_that_nobody_was_told_of_is_not_left(void **state)
{
	struct partial p = {.length = ALL};
	struct put_request r = contract_request("a", ALL);

	(void)state;
	memcpy(p.id, ID, sizeof(p.id));
	r.partial = &p;
	assert_false(contract_create(t, &r));
	if (t->ready > 0)
		skip(); /* it was at once */
	let_go();
	assert_false(exists(DATA));
	assert_false(exists(INFO));
}

/* ---- crashes ---- */

static void
a_crash_before_it_has_its_name_leaves_it_open(void **state)
{
	(void)state;
	leave_a_part();
	fill_data();
	write_slot(true, ALL);
	assert_found(PARTIAL_OPEN, ALL);
	append();
	assert_int_equal(t->ready, 1);
	commit();
	assert_int_equal(t->stored, 1);
	let_go();
	contract_assert_there("a", ALL);
	assert_false(exists(DATA));
}

static void
a_crash_between_link_and_unlink_leaves_it_stored(void **state)
{
	(void)state;
	leave_a_part();
	fill_data();
	write_slot(true, ALL);
	assert_int_equal(link(path_of(DATA), path_of("a")), 0);
	assert_found(PARTIAL_STORED, ALL);
	assert_int_equal(t->in->partial->answer.len, 0);
	assert_false(exists(DATA));
	let_go();
	contract_assert_there("a", ALL);
}

static void
a_crash_after_it_has_its_name_leaves_it_stored(void **state)
{
	(void)state;
	leave_a_part();
	fill_data();
	write_slot(true, ALL);
	assert_int_equal(rename(path_of(DATA), path_of("a")), 0);
	assert_found(PARTIAL_STORED, ALL);
	let_go();
	contract_assert_there("a", ALL);
}

static unsigned renames;

static void
look_at_commit(void)
{
	int fd = open(path_of(INFO), O_RDONLY);
	struct partial_file file;

	renames++;
	assert_int_equal(partial_file_peek(fd, ID, &file), 0);
	assert_true(file.is_committing);
	assert_int_equal(file.shown.offset, ALL);
	assert_int_equal(file.shown.length, ALL);
	assert_true(syncs[SYNC_DATA] > 0 && syncs[SYNC_INFO] > 0);
	assert_int_equal(info_offset_at_data_sync, PART);
	close(fd);
}

/* Else it would be there no more, and nobody would know that it was stored. */
static void
it_says_that_its_commit_has_begun(void **state)
{
	(void)state;
	SKIP_PORTABLE("/proc");
	contract_put_ok(&contract.other, "a", 10);
	leave_a_part();
	contract.policy.sync = true;
	assert_found(PARTIAL_OPEN, PART);
	append();
	write_to(ALL);
	before_rename = look_at_commit;
	commit();
	before_rename = NULL;
	assert_int_equal(t->stored, 1);
	assert_true(renames > 0);
	let_go();
	contract_assert_there("a", ALL);
}

/* Bytes that a power cut has taken, and what told of them not: never fewer than it says. */
static void
one_whose_bytes_are_too_few_is_not_believed(void **state)
{
	(void)state;
	leave_a_part();
	assert_int_equal(truncate(path_of(DATA), PART - 1), 0);
	assert_refused(OUTCOME_NO_UPLOAD);
	assert_true(exists(INFO)); /* a request removes nothing */
	assert_true(exists(DATA));
}

static void
one_that_says_nothing_is_not_believed(void **state)
{
	(void)state;
	leave_a_part();
	assert_int_equal(truncate(path_of(INFO), 100), 0);
	assert_refused(OUTCOME_NO_UPLOAD);
	assert_int_equal(truncate(path_of(INFO), 0), 0);
	assert_refused(OUTCOME_NO_UPLOAD);
	assert_true(exists(INFO));
	assert_true(exists(DATA));
}

static void
links_and_pipes_are_not_opened_in_its_place(void **state)
{
	(void)state;
	leave_a_part();
	assert_int_equal(rename(path_of(INFO), path_of("info")), 0);
	assert_int_equal(symlink("../info", path_of(INFO)), 0);
	resume(t);
	assert_int_equal(t->failed, 1);
	contract_let_go(t);
	assert_int_equal(unlink(path_of(INFO)), 0);
	assert_int_equal(mkfifo(path_of(INFO), 0600), 0);
	resume(t);
	assert_int_equal(t->failed, 1);
	contract_let_go(t);
}

/* A kill between the two steps of its removal, or of its refusal after a commit that failed:
 * it is never taken for one that is stored. */
static void
one_that_was_given_up_is_not_taken_for_stored(void **state)
{
	(void)state;
	SKIP_PORTABLE("/proc");
	leave_a_part();
	fill_data();
	write_slot(true, ALL);
	before_unlink = look_at_removal;
	assert_found(PARTIAL_OPEN, ALL);
	store_remove(t->in);
	CONTRACT_WAIT(t->removed > 0);
	assert_int_equal(unlinks, 2);
	let_go();
	before_unlink = NULL;
	leave_a_part();
	fill_data();
	write_slot(true, ALL);
	contract.policy.sync = true;
	assert_found(PARTIAL_OPEN, ALL);
	before_unlink = look_at_removal;
	unlinks = 0;
	syncs[SYNC_INFO] = 0;
	store_conclude(t->in, PARTIAL_REFUSED, text("409"));
	let_go();
	before_unlink = NULL;
	assert_int_equal(unlinks, 1);
	assert_false(exists(DATA));
	assert_found(PARTIAL_REFUSED, ALL);
}

/* ---- disks ---- */

static void
an_offset_is_durable_before_it_is_told(void **state)
{
	unsigned data, info;

	(void)state;
	SKIP_PORTABLE("/proc");
	contract.policy.sync = true;
	try_to_begin();
	assert_int_equal(t->ready, 1);
	assert_true(syncs[SYNC_INFO] > 0 && syncs[SYNC_DIR] > 0);
	write_to(PART);
	data = syncs[SYNC_DATA];
	info = syncs[SYNC_INFO];
	try_to_suspend();
	assert_int_equal(t->suspended, 1);
	assert_int_equal(syncs[SYNC_DATA], data + 1);
	assert_int_equal(syncs[SYNC_INFO], info + 1);
	/* and was not there to be read before its bytes were */
	assert_int_equal(info_offset_at_data_sync, 0);
	assert_int_equal(offset_in_info(), PART);
	let_go();
}

static void
with_sync_off_nothing_is_synced(void **state)
{
	(void)state;
	leave_a_part();
	assert_found(PARTIAL_OPEN, PART);
	assert_goes_on();
	for (int i = 0; i <= SYNC_DIR; i++)
		assert_int_equal(syncs[i], 0);
}

/* Its bytes may be lost, and a second sync would say 0 and lie. */
static void
after_a_sync_that_failed_the_offset_before_counts(void **state)
{
	static const enum synced which[] = {SYNC_DATA, SYNC_INFO};

	(void)state;
	SKIP_PORTABLE("/proc");
	leave_a_part();
	for (size_t i = 0; i < 2; i++) {
		assert_found(PARTIAL_OPEN, PART);
		append();
		write_to(ALL);
		contract.policy.sync = true;
		failing = which[i];
		try_to_suspend();
		assert_int_equal(t->failed, 1);
		assert_int_equal(t->failure.outcome, OUTCOME_SYNC_FAILED);
		failing = SYNC_NONE;
		contract.policy.sync = false;
		let_go();
		assert_int_equal(offset_in_info(), PART);
		/* its disk counts as failed */
		heal();
	}
	assert_found(PARTIAL_OPEN, PART);
	assert_goes_on();
}

static void
one_that_cannot_be_made_durable_is_not_begun(void **state)
{
	static const enum synced which[] = {SYNC_INFO, SYNC_DIR};

	(void)state;
	SKIP_PORTABLE("/proc");
	contract.policy.sync = true;
	for (size_t i = 0; i < 2; i++) {
		failing = which[i];
		try_to_begin();
		failing = SYNC_NONE;
		assert_int_equal(t->ready, 0);
		assert_int_equal(t->failed, 1);
		assert_int_equal(t->failure.outcome, OUTCOME_SYNC_FAILED);
		let_go();
		assert_false(exists(INFO));
		assert_false(exists(DATA));
		heal();
	}
}

/* The disk takes no more in the middle of a part. */
static void
what_was_written_before_a_write_failed_counts(void **state)
{
	struct rlimit limit, before;
	struct partial p = {.length = ALL};

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	leave_a_part();
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_found(PARTIAL_OPEN, PART);
	append();
	limit = before;
	limit.rlim_cur = PART + CONTRACT_CHUNK + 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	t->body.at = PART;
	t->body.len = ALL;
	contract_write(t);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(failure_is(t->write_failure));
	flow_stop(&t->flow);
	p.offset = store_offset(t->in);
	store_suspend(t->in, &p);
	CONTRACT_WAIT(t->suspended + t->failed > 0);
	assert_int_equal(t->suspended, 1);
	assert_true(t->in->partial->offset >= PART);
	assert_true(t->in->partial->offset <= PART + CONTRACT_CHUNK + 10);
	assert_int_equal(store_offset(t->in), (uint64_t)t->in->partial->offset);
	t->write_failure = failure_none();
	t->ready = 0;
	assert_goes_on();
}

/* ---- others ---- */

static void
one_that_was_removed_under_its_owner_is_not_suspended(void **state)
{
	static const char *const removed[] = {DATA, INFO};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		try_to_begin();
		write_to(PART);
		assert_int_equal(unlink(path_of(removed[i])), 0);
		try_to_suspend();
		assert_int_equal(t->failed, 1);
		assert_int_equal(t->failure.outcome, OUTCOME_NO_UPLOAD);
		let_go();
		(void)unlink(path_of(removed[!i]));
	}
}

static void
one_that_was_removed_under_its_owner_is_not_stored(void **state)
{
	(void)state;
	try_to_begin();
	write_to(ALL);
	assert_int_equal(unlink(path_of(DATA)), 0);
	commit();
	assert_int_equal(t->failed, 1);
	let_go();
	contract_assert_not_there("a");
}

/* Who has the directory open goes on in it, wherever it is. */
static void
one_whose_penstock_was_moved_is_not_lost(void **state)
{
	(void)state;
	leave_a_part();
	assert_int_equal(rename(path_of(".penstock"), path_of("away")), 0);
	assert_found(PARTIAL_OPEN, PART);
	append();
	write_to(PART + 10);
	try_to_suspend();
	assert_int_equal(t->suspended, 1);
	let_go();
	assert_int_equal(rename(path_of("away"), path_of(".penstock")), 0);
	assert_found(PARTIAL_OPEN, PART + 10);
	assert_goes_on();
}

static void
one_is_made_where_penstock_was_removed(void **state)
{
	(void)state;
	leave_a_part();
	assert_int_equal(unlink(path_of(DATA)), 0);
	assert_int_equal(unlink(path_of(INFO)), 0);
	assert_int_equal(rmdir(path_of(".penstock")), 0);
	leave_a_part();
	assert_found(PARTIAL_OPEN, PART);
	assert_goes_on();
}

static void
one_in_a_directory_that_was_moved_is_found_there_again(void **state)
{
	char moved[4200];

	(void)state;
	snprintf(moved, sizeof(moved), "%s.moved", contract.dir);
	leave_a_part();
	assert_found(PARTIAL_OPEN, PART);
	assert_int_equal(rename(contract.dir, moved), 0);
	assert_int_equal(mkdir(contract.dir, 0700), 0);
	append();
	assert_int_equal(t->failed, 1);
	assert_int_equal(t->failure.outcome, OUTCOME_VANISHED);
	let_go();
	assert_refused(OUTCOME_NO_UPLOAD); /* in the new one */
	(void)rmdir(path_of(".penstock"));
	assert_int_equal(rename(moved, contract.dir), 0);
	assert_found(PARTIAL_OPEN, PART);
	assert_goes_on();
}

static void
make_file(const char *name, size_t size)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd != -1);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

/* Another file, a pipe, or too few of them. */
static void
what_others_made_of_its_bytes_is_not_stored(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		try_to_begin();
		write_to(ALL);
		if (i < 2)
			assert_int_equal(unlink(path_of(DATA)), 0);
		if (i == 0)
			make_file(DATA, ALL);
		else if (i == 1)
			assert_int_equal(mkfifo(path_of(DATA), 0600), 0);
		else
			assert_int_equal(truncate(path_of(DATA), ALL - 1), 0);
		commit();
		assert_int_equal(t->failed, 1);
		assert_int_equal(t->failure.outcome, OUTCOME_NO_UPLOAD);
		let_go();
		contract_assert_not_there("a");
		(void)unlink(path_of(DATA));
		(void)unlink(path_of(INFO));
	}
}

/* Another name of its bytes is not the one that a commit gave: not after a commit that a
 * crash has cut off, nor after one that was refused. */
static void
a_copy_by_link_does_not_make_it_stored(void **state)
{
	(void)state;
	contract.policy.overwrite = false;
	leave_a_part();
	fill_data();
	write_slot(true, ALL);
	assert_found(PARTIAL_OPEN, ALL);
	let_go();
	assert_int_equal(link(path_of(DATA), path_of("copy")), 0);
	assert_found(PARTIAL_OPEN, ALL);
	append();
	assert_int_equal(t->ready, 1);
	contract_put_ok(&contract.other, "a", 10);
	commit();
	assert_int_equal(t->failed, 1);
	assert_int_equal(t->failure.outcome, OUTCOME_EXISTS);
	let_go();
	assert_found(PARTIAL_OPEN, ALL);
	assert_true(exists(DATA));
	let_go();
}

/* ---- its name ---- */

static void
it_replaces_what_has_its_name(void **state)
{
	(void)state;
	contract_put_ok(&contract.other, "a", 10);
	leave_a_part();
	contract_assert_there("a", 10);
	assert_found(PARTIAL_OPEN, PART);
	append();
	write_to(ALL);
	commit();
	assert_int_equal(t->stored, 1);
	assert_true(t->replaced);
	let_go();
	contract_assert_there("a", ALL);
	assert_false(exists(DATA));
}

static void
without_overwrite_a_name_that_was_taken_meanwhile_stays(void **state)
{
	(void)state;
	contract.policy.overwrite = false;
	leave_a_part();
	assert_found(PARTIAL_OPEN, PART);
	append();
	write_to(ALL);
	contract_put_ok(&contract.other, "a", 10);
	commit();
	assert_int_equal(t->failed, 1);
	assert_int_equal(t->failure.outcome, OUTCOME_EXISTS);
	let_go();
	contract_assert_there("a", 10);
	assert_true(exists(DATA));
	assert_found(PARTIAL_OPEN, ALL);
	append();
	assert_int_equal(t->failed, 1);
	assert_int_equal(t->failure.outcome, OUTCOME_EXISTS);
	let_go();
	assert_int_equal(unlink(path_of("a")), 0);
	assert_found(PARTIAL_OPEN, ALL);
	append();
	commit();
	assert_int_equal(t->stored, 1);
	let_go();
	contract_assert_there("a", ALL);
}

static int
set_up(void **state)
{
	failing = SYNC_NONE;
	(void)contract_begin_local(state);
	for (int i = 0; i <= SYNC_DIR; i++)
		syncs[i] = 0;
	return 0;
}

#define ON_DISK(name)                                                          \
	{                                                                      \
#name, name, set_up, contract_end, NULL                        \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ON_DISK(what_a_killed_process_had_can_be_resumed),
	    ON_DISK(a_suspended_one_costs_no_descriptor),
	    ON_DISK(one_that_was_let_go_is_free_at_once),
	    ON_DISK(what_did_not_count_is_gone_when_it_is_free),
	    ON_DISK(one_that_nobody_was_told_of_is_not_left),
	    ON_DISK(a_crash_before_it_has_its_name_leaves_it_open),
	    ON_DISK(a_crash_between_link_and_unlink_leaves_it_stored),
	    ON_DISK(a_crash_after_it_has_its_name_leaves_it_stored),
	    ON_DISK(it_says_that_its_commit_has_begun),
	    ON_DISK(one_whose_bytes_are_too_few_is_not_believed),
	    ON_DISK(one_that_says_nothing_is_not_believed),
	    ON_DISK(links_and_pipes_are_not_opened_in_its_place),
	    ON_DISK(one_that_was_given_up_is_not_taken_for_stored),
	    ON_DISK(an_offset_is_durable_before_it_is_told),
	    ON_DISK(with_sync_off_nothing_is_synced),
	    ON_DISK(after_a_sync_that_failed_the_offset_before_counts),
	    ON_DISK(one_that_cannot_be_made_durable_is_not_begun),
	    ON_DISK(what_was_written_before_a_write_failed_counts),
	    ON_DISK(one_that_was_removed_under_its_owner_is_not_suspended),
	    ON_DISK(one_that_was_removed_under_its_owner_is_not_stored),
	    ON_DISK(one_whose_penstock_was_moved_is_not_lost),
	    ON_DISK(one_is_made_where_penstock_was_removed),
	    ON_DISK(one_in_a_directory_that_was_moved_is_found_there_again),
	    ON_DISK(what_others_made_of_its_bytes_is_not_stored),
	    ON_DISK(a_copy_by_link_does_not_make_it_stored),
	    ON_DISK(it_replaces_what_has_its_name),
	    ON_DISK(without_overwrite_a_name_that_was_taken_meanwhile_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
