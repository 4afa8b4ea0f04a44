/*
 * What every store has to do, held against each that there is: local files, and
 * the one in memory that other tests are made with.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/store_policy.h"
#include "disk/device.h"
#include "disk/engine.h"
#include "flow/flow.h"
#include "http/conditions.h"
#include "http/head.h"
#include "local/local.h"
#include "local/publish.h"
#include "lib/contract.h"
#include "lib/directory.h"
#include "lib/memory_store.h"
#include "lib/portable.h"
#include "shared/replacing.h"
#include "shared/shared.h"
#include "shared/shm.h"

/* ---- what a disk may do ---- */

static atomic_bool sync_held; /* they do not end, and then they fail */
static atomic_uint syncs;

static int
sync_to_fail(void)
{
	syncs++;
	while (sync_held)
		usleep(1000);
	errno = EIO;
	return -1;
}

int sync_file_range(int fd, off_t offset, off_t len, unsigned flags);

int
sync_file_range(int fd, off_t offset, off_t len, unsigned flags)
{
	(void)fd;
	(void)offset;
	(void)len;
	(void)flags;
	return sync_held ? sync_to_fail() : 0;
}

/* Instead of the C library's: was it the loop that did it?  And what others do just
 * before, once. */
static pthread_t loop_thread;
static atomic_bool renamed_on_loop;
static void (*before_rename)(void);

int
renameat(int from_dir, const char *from, int dir, const char *name)
{
	void (*before)(void) = before_rename;

	before_rename = NULL;
	if (before != NULL)
		before();
	renamed_on_loop = pthread_equal(pthread_self(), loop_thread);
	return (int)syscall(SYS_renameat2, from_dir, from, dir, name, 0);
}

/* Of files that are settled, say. */
static atomic_bool data_lost;
static atomic_uint data_syncs;

int
fsync(int fd)
{
	data_syncs++;
	if (data_lost) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static atomic_uint locks; /* that were asked for */

int
flock(int fd, int how)
{
	locks += how != LOCK_UN;
	return (int)syscall(SYS_flock, fd, how);
}

static void
etag_of(const struct told *t, char ret[OBJECT_ETAG_SIZE])
{
	memcpy(ret, t->info.etag, OBJECT_ETAG_SIZE);
}

/* ---- what they all do ---- */

static void
what_is_in_memory_has_a_descriptor_at_once(void **state)
{
	struct told *t = &contract.get;

	(void)state;
	SKIP_PORTABLE("kinds of file systems");
	contract_put_ok(&contract.put, "a", CONTRACT_LARGE);
	contract_looked_into = 0;
	contract_assert_there("a", CONTRACT_LARGE);
	assert_int_equal(contract_looked_into, 1);
	*t = (struct told){0};
	assert_false(failure_is(
	    store_open(contract.store, "a", &contract_get_events, t, &t->out)));
	assert_int_equal(t->ready, 1);
	store_close(&t->out);
	assert_false(store_has_files(contract.store));
}

/* The loop would wait for it. */
static void
what_is_on_a_disk_has_none(void **state)
{
	int dir = open(contract.dir, O_RDONLY);
	struct device_traits traits = device_traits_of(dir);

	(void)state;
	close(dir);
	if (traits.kind == DEVICE_MEMORY)
		skip();
	contract_put_ok(&contract.put, "a", CONTRACT_LARGE);
	contract_looked_into = 0;
	contract_assert_there("a", CONTRACT_LARGE);
	assert_int_equal(contract_looked_into, 0);
}

static void
what_is_stored_can_be_read(void **state)
{
	char stored[OBJECT_ETAG_SIZE], there[OBJECT_ETAG_SIZE];

	(void)state;
	contract_put_ok(&contract.put, "a", CONTRACT_LARGE);
	assert_int_equal(contract.put.ready, 1);
	assert_false(contract.put.replaced);
	assert_int_equal(contract.put.info.size, CONTRACT_LARGE);
	contract_assert_there("a", CONTRACT_LARGE);
	etag_of(&contract.put, stored);
	etag_of(&contract.get, there);
	assert_string_equal(stored, there);
	assert_int_equal(
	    contract.get.info.modified_s, contract.put.info.modified_s);
}

static void
an_empty_one_is_one(void **state)
{
	(void)state;
	contract_put_ok(&contract.put, "a", 0);
	contract_assert_there("a", 0);
}

static void
a_name_may_have_several_parts(void **state)
{
	(void)state;
	contract_put_ok(&contract.put, "a/b/c", 10);
	contract_assert_there("a/b/c", 10);
	contract_assert_not_there("a/b/d");
}

static void
what_is_collected_is_ready_at_once(void **state)
{
	struct put_request r = contract_request("a", CONTRACT_CHUNK);

	(void)state;
	r.collect = true;
	contract_put(&contract.put, &r);
	assert_int_equal(contract.put.ready, 0);
	assert_int_equal(contract.put.stored, 1);
	contract_assert_there("a", CONTRACT_CHUNK);
}

/* Write up to there, with a writer of its own. */
static void
write_part(struct told *t, size_t until)
{
	t->body.len = until;
	t->body.source.ended = false;
	t->drained = false;
	contract_write(t);
	flow_stop(&t->flow);
	assert_true(t->drained);
	assert_int_equal(store_offset(t->in), until);
	/* Nothing is left of a writer but what it has written. */
	memset(&t->flow, 0xa5, sizeof(t->flow));
	for (int i = 0; i < 5; i++)
		contract_turn();
	flow_init(&t->flow);
}

static void
it_can_come_by_several_writers(void **state)
{
	static const size_t first[] = {
	    0, 1, CONTRACT_CHUNK - 1, CONTRACT_CHUNK, CONTRACT_LARGE - 1};
	struct put_request r = contract_request("a", CONTRACT_LARGE);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(first); i++) {
		assert_int_equal(contract_create(&contract.put, &r), 0);
		CONTRACT_WAIT(contract.put.ready > 0);
		assert_int_equal(store_offset(contract.put.in), 0);
		write_part(&contract.put, first[i]);
		write_part(&contract.put, CONTRACT_LARGE / 2 > first[i]
					      ? CONTRACT_LARGE / 2
					      : CONTRACT_LARGE);
		write_part(&contract.put, CONTRACT_LARGE);
		store_commit(contract.put.in, 0);
		CONTRACT_WAIT(contract_has_ended(&contract.put));
		assert_int_equal(contract.put.stored, 1);
		contract_let_go(&contract.put);
		contract_assert_there("a", CONTRACT_LARGE);
	}
}

/* What was written is lost, which a job beside the writes found out: between two
 * writers that is told, too. */
static void
a_loss_between_two_writers_is_told(void **state)
{
	struct put_request r = contract_request("a", CONTRACT_LARGE);

	(void)state;
	SKIP_PORTABLE("writing back of ranges");
	contract.policy.direct_io = DIRECT_OFF;
	contract.policy.write_behind = 2 * CONTRACT_CHUNK;
	sync_held = true;
	assert_int_equal(contract_create(&contract.put, &r), 0);
	CONTRACT_WAIT(contract.put.ready > 0);
	write_part(&contract.put, CONTRACT_CHUNK);
	CONTRACT_WAIT(syncs > 0);
	assert_int_equal(contract.put.failed, 0);
	sync_held = false;
	CONTRACT_WAIT(contract.put.failed > 0);
	assert_int_equal(contract.put.failure.outcome, OUTCOME_SYNC_FAILED);
	assert_int_equal(contract.put.failure.err, -EIO);
	contract_let_go(&contract.put);
	contract_assert_not_there("a");
}

static void
so_can_one_that_may_be_collected(void **state)
{
	static const size_t first[] = {0, 1, 99, 100};
	struct put_request r = contract_request("a", 100);

	(void)state;
	r.collect = true;
	for (size_t i = 0; i < COUNT_OF(first); i++) {
		assert_int_equal(contract_create(&contract.put, &r), 1);
		write_part(&contract.put, first[i]);
		write_part(&contract.put, 100);
		store_commit(contract.put.in, 0);
		CONTRACT_WAIT(contract_has_ended(&contract.put));
		assert_int_equal(contract.put.stored, 1);
		contract_let_go(&contract.put);
		contract_assert_there("a", 100);
	}
}

static void
a_large_one_is_not_collected(void **state)
{
	struct put_request r = contract_request("a", CONTRACT_CHUNK + 1);

	(void)state;
	r.collect = true;
	contract_put(&contract.put, &r);
	assert_int_equal(contract.put.ready, 1);
	assert_int_equal(contract.put.stored, 1);
	contract_assert_there("a", CONTRACT_CHUNK + 1);
}

static void
a_part_can_be_read(void **state)
{
	(void)state;
	contract_put_ok(&contract.put, "a", CONTRACT_LARGE);
	contract_get(&contract.get, "a", CONTRACT_CHUNK - 1, 10);
	contract_assert_is(&contract.get, CONTRACT_CHUNK - 1, 10);
	contract_get(&contract.get, "a", CONTRACT_LARGE - 1, 1);
	contract_assert_is(&contract.get, CONTRACT_LARGE - 1, 1);
}

static void
the_newest_can_be_read(void **state)
{
	(void)state;
	contract_get(&contract.get, NULL, 0, UINT64_MAX);
	assert_int_equal(contract.get.failure.outcome, OUTCOME_NONE_YET);
	contract_put_ok(&contract.put, "b", 10);
	contract_put_ok(&contract.put, "a", 20);
	contract_assert_there(NULL, 20);
	contract_put_ok(&contract.put, "b", 30);
	contract_assert_there(NULL, 30);
}

static void
what_is_not_there_is_enoent(void **state)
{
	(void)state;
	contract_assert_not_there("a");
}

static void
a_second_one_replaces(void **state)
{
	char before[OBJECT_ETAG_SIZE], after[OBJECT_ETAG_SIZE];

	(void)state;
	contract_put_ok(&contract.put, "a", 10);
	etag_of(&contract.put, before);
	contract_put_ok(&contract.put, "a", 20);
	assert_true(contract.put.replaced);
	etag_of(&contract.put, after);
	assert_string_not_equal(before, after);
	contract_assert_there("a", 20);
}

/* Reads in flight go on. */
static void
what_is_replaced_can_be_read_to_its_end(void **state)
{
	struct told *t = &contract.get;

	(void)state;
	contract_put_ok(&contract.put, "a", CONTRACT_LARGE);
	assert_false(failure_is(
	    store_open(contract.store, "a", &contract_get_events, t, &t->out)));
	CONTRACT_WAIT(t->ready > 0);
	contract_put_ok(&contract.put, "a", 10);
	contract_start_reading(t);
	CONTRACT_WAIT(t->drained);
	contract_assert_is(t, 0, CONTRACT_LARGE);
}

static void
assert_exists(const struct told *t)
{
	assert_int_equal(t->failure.outcome, OUTCOME_EXISTS);
	assert_int_equal(t->failure.err, -EEXIST);
}

static void
without_overwrite_the_first_one_stays(void **state)
{
	struct put_request r = contract_request("a", 20);

	(void)state;
	contract.policy.overwrite = false;
	contract_put_ok(&contract.put, "a", 10);
	contract_put(&contract.put, &r);
	assert_int_equal(contract.put.failed, 1);
	assert_exists(&contract.put);
	r.collect = true;
	contract_put(&contract.put, &r);
	assert_int_equal(contract.put.failed, 1);
	assert_exists(&contract.put);
	contract_assert_there("a", 10);
}

/* `r`, which is about "a", begins before another upload gets that name, and is
 * committed after that. */
static void
put_after_another(const struct put_request *r)
{
	contract_create(&contract.other, r);
	CONTRACT_WAIT(contract.other.ready > 0);
	contract_put_ok(&contract.put, "a", 10);
	contract_write(&contract.other);
	store_commit(contract.other.in, 0);
	CONTRACT_WAIT(contract_has_ended(&contract.other));
}

static void
of_two_only_one_gets_the_name(void **state)
{
	struct put_request r = contract_request("a", 20);

	(void)state;
	contract.policy.overwrite = false;
	put_after_another(&r);
	assert_exists(&contract.other);
	contract_let_go(&contract.other);
	contract_assert_there("a", 10);
}

static void
a_forerunner_may_be_replaced(void **state)
{
	struct put_request r = contract_request("a", 20);
	char first[OBJECT_ETAG_SIZE];

	(void)state;
	contract.policy.overwrite = false;
	contract_put_ok(&contract.put, "a", 0);
	etag_of(&contract.put, first);
	r.forerunner = first;
	contract_put(&contract.put, &r);
	assert_int_equal(contract.put.stored, 1);
	assert_true(contract.put.replaced);
	contract_assert_there("a", 20);
	contract_put(&contract.put, &r);
	assert_exists(&contract.put);
}

/* ---- conditions ---- */

static void
put_if(struct told *t, const char *match, const char *none_match, bool collect)
{
	struct head h = {0};
	struct preconditions pre;
	struct put_request r = contract_request("a", 20);
	const char *why;

	if (match != NULL)
		h.if_match = (struct span){match, strlen(match)};
	if (none_match != NULL)
		h.if_none_match = (struct span){none_match, strlen(none_match)};
	assert_int_equal(conditions_write(&h, &pre, &why), 0);
	r.pre = preconditions_copy(&pre);
	r.collect = collect;
	contract_put(t, &r);
}

static void
assert_refused(const struct told *t)
{
	assert_int_equal(t->stored, 0);
	assert_int_equal(t->failed, 1);
	assert_int_equal(t->failure.outcome, OUTCOME_PRECONDITION);
	assert_non_null(t->reason);
}

static void
conditions_are_kept(void **state)
{
	char etag[OBJECT_ETAG_SIZE];

	(void)state;
	for (int collect = 0; collect <= 1; collect++) {
		put_if(&contract.put, "*", NULL, collect);
		assert_refused(&contract.put);
		contract_assert_not_there("a");
	}
	put_if(&contract.put, NULL, "*", false);
	assert_int_equal(contract.put.stored, 1);
	etag_of(&contract.put, etag);
	for (int collect = 0; collect <= 1; collect++) {
		put_if(&contract.put, NULL, "*", collect);
		assert_refused(&contract.put);
		put_if(&contract.put, "\"other\"", NULL, collect);
		assert_refused(&contract.put);
		put_if(&contract.put, NULL, etag, collect);
		assert_refused(&contract.put);
	}
	put_if(&contract.put, etag, NULL, false);
	assert_int_equal(contract.put.stored, 1);
	assert_true(contract.put.replaced);
	put_if(&contract.put, etag, NULL, false); /* of the one before */
	assert_refused(&contract.put);
}

/* What has the name is looked at again when that is given. */
static void
conditions_hold_at_the_end(void **state)
{
	struct head h = {.if_none_match = {"*", 1}};
	struct preconditions pre;
	struct put_request r = contract_request("a", 20);
	const char *why;

	(void)state;
	assert_int_equal(conditions_write(&h, &pre, &why), 0);
	r.pre = preconditions_copy(&pre);
	put_after_another(&r);
	assert_refused(&contract.other);
	contract_let_go(&contract.other);
	contract_assert_there("a", 10);
}

/* ---- letting go ---- */

static void
wait_for_rest(void)
{
	CONTRACT_WAIT(
	    !store_has_files(contract.store) && store_is_idle(contract.store));
}

static void
what_is_aborted_leaves_nothing(void **state)
{
	struct put_request r = contract_request("a", CONTRACT_LARGE);

	(void)state;
	contract_create(&contract.put, &r); /* before it is ready */
	store_abort(&contract.put.in);
	assert_null(contract.put.in);
	wait_for_rest();
	contract_create(&contract.put, &r); /* before the first byte */
	CONTRACT_WAIT(contract.put.ready > 0);
	contract_let_go(&contract.put);
	wait_for_rest();
	contract_create(&contract.put, &r); /* on the way */
	CONTRACT_WAIT(contract.put.ready > 0);
	contract_start_writing(&contract.put);
	CONTRACT_WAIT(contract.put.body.at > 0);
	contract_let_go(&contract.put);
	wait_for_rest();
	contract_create(&contract.put, &r); /* behind the last byte */
	CONTRACT_WAIT(contract.put.ready > 0);
	contract_write(&contract.put);
	contract_let_go(&contract.put);
	wait_for_rest();
	r.length = 10;
	r.collect = true;
	contract_create(&contract.put, &r);
	contract_let_go(&contract.put);
	wait_for_rest();
	contract_create(&contract.put, &r);
	contract_write(&contract.put);
	contract_let_go(&contract.put);
	wait_for_rest();
	contract_assert_not_there("a");
	assert_int_equal(contract.put.stored + contract.put.failed, 0);
}

/* It is stored all the same. */
static void
a_commit_goes_on_without_its_owner(void **state)
{
	struct put_request r = contract_request("a", CONTRACT_LARGE);

	(void)state;
	contract_create(&contract.put, &r);
	CONTRACT_WAIT(contract.put.ready > 0);
	contract_write(&contract.put);
	store_commit(contract.put.in, 0);
	contract_let_go(&contract.put);
	wait_for_rest();
	assert_int_equal(contract.put.stored + contract.put.failed, 0);
	contract_assert_there("a", CONTRACT_LARGE);
}

static void
a_put_may_be_aborted_when_it_is_ready(void **state)
{
	struct put_request r = contract_request("a", 10);

	(void)state;
	contract.put.leaves_when_ready = true;
	contract_create(&contract.put, &r);
	CONTRACT_WAIT(contract.put.ready > 0);
	assert_null(contract.put.in);
	wait_for_rest();
	contract_assert_not_there("a");
}

static void
a_put_may_be_aborted_when_it_is_stored(void **state)
{
	(void)state;
	contract.put.leaves_when_stored = true;
	contract_put_ok(&contract.put, "a", 10);
	wait_for_rest();
	contract_assert_there("a", 10);
}

static void
a_put_may_be_aborted_when_it_has_failed(void **state)
{
	struct put_request r = contract_request("a", 10);

	(void)state;
	contract.policy.overwrite = false;
	contract_put_ok(&contract.put, "a", 20);
	contract.put.leaves_when_failed = true;
	contract_create(&contract.put, &r);
	CONTRACT_WAIT(contract.put.failed > 0);
	assert_null(contract.put.in);
	wait_for_rest();
	contract_assert_there("a", 20);
}

/* Its owner is in no hurry to abort it. */
static void
a_failure_is_told_once_and_last(void **state)
{
	struct put_request r = contract_request("a", 10);

	(void)state;
	contract.policy.overwrite = false;
	contract_put_ok(&contract.put, "a", 20);
	contract_create(&contract.put, &r);
	CONTRACT_WAIT(contract.put.failed > 0);
	for (int i = 0; i < 100; i++)
		contract_turn();
	assert_int_equal(contract.put.failed, 1);
	assert_int_equal(contract.put.ready + contract.put.stored, 0);
	store_abort(&contract.put.in);
}

static void
a_get_may_be_closed_at_any_time(void **state)
{
	struct told *t = &contract.get;
	unsigned before;

	(void)state;
	contract_put_ok(&contract.put, "a", CONTRACT_LARGE);
	assert_false(failure_is(
	    store_open(contract.store, "a", &contract_get_events, t, &t->out)));
	before = t->ready;
	store_close(&t->out);
	wait_for_rest();
	assert_int_equal(t->ready, before);
	assert_int_equal(t->failed, 0);
	*t = (struct told){.leaves_when_ready = true};
	assert_false(failure_is(
	    store_open(contract.store, "a", &contract_get_events, t, &t->out)));
	CONTRACT_WAIT(t->ready > 0);
	assert_null(t->out);
	wait_for_rest();
	*t = (struct told){0};
	assert_false(failure_is(
	    store_open(contract.store, "a", &contract_get_events, t, &t->out)));
	CONTRACT_WAIT(t->ready > 0);
	contract_start_reading(t);
	CONTRACT_WAIT(t->kept.len > 0);
	contract_let_go(t);
	wait_for_rest();
	*t = (struct told){.leaves_when_failed = true};
	assert_false(failure_is(
	    store_open(contract.store, "b", &contract_get_events, t, &t->out)));
	CONTRACT_WAIT(t->failed > 0);
	assert_null(t->out);
	wait_for_rest();
	assert_int_equal(t->ready, 0);
}

/* ---- several files, or none ---- */

/* The owner of a task. */
static struct asked {
	struct store_task *task;
	unsigned done;
	int err;
} asked;

static void
on_asked_done(void *owner, int err)
{
	struct asked *a = owner;

	a->task = NULL;
	a->done++;
	a->err = err;
}

/* All of a file that is not collected is written, and its writer has gone. */
static void
write_whole(struct told *t, const char *name)
{
	struct put_request r = contract_request(name, CONTRACT_LARGE);

	assert_false(contract_create(t, &r));
	CONTRACT_WAIT(t->ready > 0);
	contract_write(t);
	flow_stop(&t->flow);
}

static void
begin_to_settle(struct told *t)
{
	asked = (struct asked){0};
	assert_true(store_settle(t->in, &asked, on_asked_done, &asked.task));
	assert_non_null(asked.task);
	assert_int_equal(asked.done, 0);
}

static void
begin_to_take_back(const char *name, const struct object_info *stored)
{
	asked = (struct asked){0};
	assert_true(store_take_back(
	    contract.store, name, stored, &asked, on_asked_done, &asked.task));
	assert_non_null(asked.task);
	assert_int_equal(asked.done, 0);
}

/* It is told once. */
static int
await_asked(void)
{
	CONTRACT_WAIT(asked.done > 0);
	for (int i = 0; i < 5; i++)
		contract_turn();
	assert_int_equal(asked.done, 1);
	return asked.err;
}

static int
take_back(const char *name, const struct object_info *stored)
{
	begin_to_take_back(name, stored);
	return await_asked();
}

static void
what_is_settled_has_no_name_before_it_is_committed(void **state)
{
	(void)state;
	write_whole(&contract.put, "a");
	begin_to_settle(&contract.put);
	assert_int_equal(await_asked(), 0);
	contract_assert_not_there("a");
	store_commit(contract.put.in, 0);
	CONTRACT_WAIT(contract_has_ended(&contract.put));
	assert_int_equal(contract.put.stored, 1);
	contract_let_go(&contract.put);
	contract_assert_there("a", CONTRACT_LARGE);
}

/* The task is told of all the same. */
static void
a_file_may_be_aborted_while_it_is_settled(void **state)
{
	(void)state;
	write_whole(&contract.put, "a");
	begin_to_settle(&contract.put);
	contract_let_go(&contract.put);
	assert_int_equal(await_asked(), 0);
	wait_for_rest();
	contract_assert_not_there("a");
}

static void
who_has_left_is_not_told_of_a_task(void **state)
{
	struct store_task *none = NULL;

	(void)state;
	store_task_forget(&none);
	write_whole(&contract.put, "a");
	begin_to_settle(&contract.put);
	store_task_forget(&asked.task);
	assert_null(asked.task);
	contract_let_go(&contract.put);
	wait_for_rest();
	contract_put_ok(&contract.put, "a", 10);
	begin_to_take_back("a", &contract.put.info);
	store_task_forget(&asked.task);
	wait_for_rest(); /* it is done without its owner */
	assert_int_equal(asked.done, 0);
	contract_assert_not_there("a");
}

/* A store in which something is still done must not be freed. */
static void
a_task_keeps_its_store_busy(void **state)
{
	(void)state;
	contract_put_ok(&contract.put, "a", 10);
	wait_for_rest();
	begin_to_take_back("a", &contract.put.info);
	assert_false(store_is_idle(contract.store));
	assert_int_equal(await_asked(), 0);
}

static void
what_is_taken_back_is_not_there(void **state)
{
	static const char *const names[] = {"a", "b/c/d"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		contract_put_ok(&contract.put, names[i], CONTRACT_LARGE);
		assert_int_equal(take_back(names[i], &contract.put.info), 0);
		contract_assert_not_there(names[i]);
		contract_put_ok(&contract.put, names[i], 10);
		assert_false(contract.put.replaced);
		contract_assert_there(names[i], 10);
	}
}

static void
what_is_taken_back_is_not_the_newest(void **state)
{
	(void)state;
	contract_put_ok(&contract.put, "a", 10);
	contract_put_ok(&contract.put, "b", 20);
	assert_int_equal(take_back("b", &contract.put.info), 0);
	contract_assert_there(NULL, 10);
}

static void
what_another_one_has_is_not_taken_back(void **state)
{
	struct object_info first;

	(void)state;
	contract_put_ok(&contract.put, "a", 10);
	first = contract.put.info;
	contract_put_ok(&contract.put, "a", 20);
	assert_int_equal(take_back("a", &first), -EEXIST);
	contract_assert_there("a", 20);
}

static void
what_is_gone_is_not_taken_back(void **state)
{
	struct object_info first;

	(void)state;
	contract_put_ok(&contract.put, "a", 10);
	first = contract.put.info;
	assert_int_equal(take_back("a", &first), 0);
	assert_int_equal(take_back("a", &first), -ENOENT);
	assert_int_equal(take_back("b/c", &first), -ENOENT);
}

static void
begin_on_a_disk(void)
{
	int dir = open(contract.dir, O_RDONLY);
	struct device_traits traits = device_traits_of(dir);

	close(dir);
	if (traits.kind == DEVICE_MEMORY)
		skip();
	contract.policy.sync = true;
	data_syncs = 0;
}

static void
what_is_settled_is_on_the_disk(void **state)
{
	(void)state;
	begin_on_a_disk();
	write_whole(&contract.put, "a");
	data_syncs = 0;
	begin_to_settle(&contract.put);
	assert_int_equal(await_asked(), 0);
	assert_int_equal(data_syncs, 1);
	contract.policy.sync = false;
	begin_to_settle(&contract.put);
	assert_int_equal(await_asked(), 0);
	assert_int_equal(data_syncs, 1);
}

static void
what_cannot_be_settled_is_told(void **state)
{
	(void)state;
	begin_on_a_disk();
	write_whole(&contract.put, "a");
	data_lost = true;
	begin_to_settle(&contract.put);
	assert_int_equal(await_asked(), -EIO);
	data_lost = false;
	contract_let_go(&contract.put);
	wait_for_rest();
	contract_assert_not_there("a");
}

static void
rest_may_be_asked_for_again(void **state)
{
	(void)state;
	contract_put_ok(&contract.put, "a", 10);
	store_rest(contract.store);
	store_rest(contract.store);
	wait_for_rest();
}

/* ---- local files that are replaced ---- */

static void
put_small(struct told *t, const char *name, uint64_t length)
{
	struct put_request r = contract_request(name, length);

	r.collect = true;
	contract_put(t, &r);
	assert_int_equal(t->stored, 1);
	contract_assert_there(name, length);
}

/* On a memory file system it does not wait for a disk.  A large one takes long to
 * free. */
static void
the_loop_replaces_what_is_small(void **state)
{
	char path[PATH_MAX + 16];

	(void)state;
	SKIP_PORTABLE("memory file systems are taken for others");
	put_small(&contract.put, "a", 10);
	put_small(&contract.put, "a", 20);
	assert_true(contract.put.replaced);
	assert_true(renamed_on_loop);
	contract_put_ok(&contract.put, "a", CONTRACT_LARGE);
	assert_true(renamed_on_loop);
	snprintf(path, sizeof(path), "%s/a", contract.dir);
	assert_int_equal(truncate(path, 1024 * 1024), 0);
	put_small(&contract.put, "a", 10);
	assert_true(renamed_on_loop);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(truncate(path, 1024 * 1024 + 1), 0);
		if (i == 0)
			put_small(&contract.put, "a", 30);
		else
			contract_put_ok(&contract.put, "a", CONTRACT_LARGE);
		assert_true(contract.put.replaced);
		assert_false(renamed_on_loop);
	}
}

static mode_t
mode_of(const char *name)
{
	char path[PATH_MAX + 16];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", contract.dir, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & ACCESSPERMS;
}

/* What its directory hands down to files it gets, however it gets its name. */
static void
what_is_replaced_has_what_its_directory_hands_down(void **state)
{
	/* Everybody may read and write: version 2, then tag, rights and id. */
	static const unsigned char acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255,
	    255, 255, 4, 0, 6, 0, 255, 255, 255, 255, 32, 0, 6, 0, 255, 255,
	    255, 255};
	mode_t mask = umask(022);

	(void)state;
	SKIP_PORTABLE("access lists");
	put_small(&contract.put, "a", 10);
	put_small(&contract.put, "a", 11);
	put_small(&contract.put, "a", 12);
	assert_int_equal(mode_of("a"), 0644);
	if (setxattr(contract.dir, "system.posix_acl_default", acl, sizeof(acl),
		0) == -1) {
		umask(mask);
		skip();
	}
	for (uint64_t len = 20; len < 23; len++) {
		put_small(&contract.put, "a", len);
		assert_int_equal(mode_of("a"), 0666);
	}
	umask(mask);
}

static void
sweep_temp_names(void)
{
	int root = open(contract.dir, O_RDONLY | O_DIRECTORY);
	unsigned living;

	assert_int_equal(publish_sweep(root, &living), 1);
	close(root);
}

/* A sweep (of a worker that has just begun, say) has taken its temp name. */
static void
what_was_swept_is_stored_once_more(void **state)
{
	(void)state;
	SKIP_PORTABLE("nameless files");
	put_small(&contract.put, "a", 10);
	for (uint64_t len = 20; len < 24; len++) {
		before_rename = sweep_temp_names;
		put_small(&contract.put, "a", len);
		assert_null(before_rename);
		assert_true(contract.put.replaced);
	}
}

/* The lock of the directory, taken in this way by another process, as it were. */
static int
hold_lock(int how)
{
	char path[PATH_MAX + 16];
	int lock;

	snprintf(path, sizeof(path), "%s/.penstock", contract.dir);
	lock = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(lock, -1);
	assert_int_equal(flock(lock, how), 0);
	return lock;
}

/* It is complete, and waits for others. */
static void
begin_to_wait(struct told *t, const struct put_request *r)
{
	assert_true(contract_create(t, r));
	contract_write(t);
	store_commit(t->in, 0);
	for (int i = 0; i < 100; i++) {
		contract_turn();
		usleep(200);
	}
	assert_false(contract_has_ended(t));
}

static void
end_waiting(struct told *t)
{
	CONTRACT_WAIT(contract_has_ended(t));
	assert_int_equal(t->stored, 1);
	contract_let_go(t);
}

/* Others replace that name just now, in another worker. */
static void
what_another_one_replaces_is_waited_for(void **state)
{
	struct replacing *all = contract.shared.replacing;
	struct put_request r = {.name = "a", .length = 20, .collect = true};
	replacing_claim claim, beside;
	char other[] = "b";
	struct stat st;
	int lock;

	(void)state;
	SKIP_PORTABLE("locks that are shared");
	put_small(&contract.put, "a", 10);
	put_small(&contract.put, "a", 11);
	assert_int_equal(stat(contract.dir, &st), 0);
	lock = hold_lock(LOCK_SH);
	claim = replacing_take(
	    all, 200, replacing_key(all, st.st_dev, st.st_ino, "a"));
	assert_int_not_equal(claim, 0);
	/* One that is not by chance claimed with it. */
	while ((beside = replacing_take(all, 200,
		    replacing_key(all, st.st_dev, st.st_ino, other))) == 0)
		other[0]++;
	replacing_give(all, &beside);
	put_small(&contract.put, other, 10); /* that is not waited for */
	put_small(&contract.put, other, 11);
	begin_to_wait(&contract.put, &r);
	contract_assert_there("a", 11);
	replacing_give(all, &claim);
	close(lock);
	end_waiting(&contract.put);
	contract_assert_there("a", 20);
}

/* Somebody has looked at what is there, and is about to replace it. */
static void
who_has_the_lock_alone_is_waited_for(void **state)
{
	struct put_request r = {.name = "a", .length = 20, .collect = true};
	int lock;

	(void)state;
	SKIP_PORTABLE("locks of another kind");
	put_small(&contract.put, "a", 10);
	lock = hold_lock(LOCK_EX);
	put_small(&contract.put, "b", 10); /* it is new */
	begin_to_wait(&contract.put, &r);
	close(lock);
	end_waiting(&contract.put);
	contract_assert_there("a", 20);
}

/* What it looks at must not be replaced by others, who have the lock together. */
static void
one_with_a_condition_has_the_lock_alone(void **state)
{
	struct put_request r = {.name = "a", .length = 20, .collect = true};
	char first[OBJECT_ETAG_SIZE];
	int lock;

	(void)state;
	SKIP_PORTABLE("locks that are shared");
	put_small(&contract.put, "a", 10);
	etag_of(&contract.put, first);
	put_small(&contract.put, "b", 10);
	put_small(&contract.put, "b", 11);
	contract.policy.overwrite = false;
	r.forerunner = first;
	lock = hold_lock(LOCK_SH);
	begin_to_wait(&contract.put, &r);
	close(lock);
	end_waiting(&contract.put);
	contract_assert_there("a", 20);
}

/* Complete, but for its commit. */
static void
make_ready(struct told *t, const char *name, uint64_t length)
{
	struct put_request r = {
	    .name = name, .length = length, .collect = true};

	assert_true(contract_create(t, &r));
	contract_write(t);
}

static bool
can_be_had_alone(int lock)
{
	bool can = flock(lock, LOCK_EX | LOCK_NB) == 0;

	assert_int_equal(flock(lock, LOCK_UN), 0);
	return can;
}

/* Until it looks for events again, or somebody waits to have it alone. */
static void
the_loop_keeps_the_lock_for_the_next_one(void **state)
{
	struct replacing *all = contract.shared.replacing;
	struct stat st;
	unsigned before;
	uint64_t note;
	int lock;

	(void)state;
	SKIP_PORTABLE("locks that are shared");
	put_small(&contract.put, "a", 10);
	put_small(&contract.put, "b", 10);
	put_small(&contract.put, "b", 11);
	lock = hold_lock(LOCK_SH);
	assert_int_equal(fstat(lock, &st), 0);
	assert_true(can_be_had_alone(lock));

	make_ready(&contract.put, "a", 20);
	make_ready(&contract.other, "b", 20);
	before = locks;
	store_commit(contract.put.in, 0);
	store_commit(contract.other.in, 0);
	assert_int_equal(locks, before + 1);
	assert_false(can_be_had_alone(lock));
	contract_turn();
	assert_true(can_be_had_alone(lock));
	end_waiting(&contract.put);
	end_waiting(&contract.other);
	contract_assert_there("a", 20);
	contract_assert_there("b", 20);

	make_ready(&contract.put, "a", 30);
	make_ready(&contract.other, "b", 30);
	store_commit(contract.put.in, 0);
	note = replacing_note(all, 200, st.st_dev, st.st_ino);
	store_commit(contract.other.in, 0);
	assert_true(can_be_had_alone(lock));
	replacing_unnote(all, st.st_dev, st.st_ino, note);
	end_waiting(&contract.put);
	end_waiting(&contract.other);
	contract_assert_there("a", 30);
	contract_assert_there("b", 30);
	close(lock);
}

#define BOTH(name) CONTRACT_BOTH(name)
#define DISK(name) CONTRACT_TEST(name, local)
#define TMPFS(name) CONTRACT_TEST(name, tmpfs)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(what_is_stored_can_be_read),
	    TMPFS(what_is_stored_can_be_read),
	    TMPFS(what_is_in_memory_has_a_descriptor_at_once),
	    DISK(what_is_on_a_disk_has_none),
	    BOTH(an_empty_one_is_one),
	    TMPFS(an_empty_one_is_one),
	    BOTH(a_name_may_have_several_parts),
	    BOTH(what_is_collected_is_ready_at_once),
	    BOTH(it_can_come_by_several_writers),
	    BOTH(so_can_one_that_may_be_collected),
	    cmocka_unit_test_setup_teardown(a_loss_between_two_writers_is_told,
		contract_begin_local, contract_end),
	    BOTH(a_large_one_is_not_collected),
	    BOTH(a_part_can_be_read),
	    TMPFS(a_part_can_be_read),
	    BOTH(the_newest_can_be_read),
	    TMPFS(the_newest_can_be_read),
	    BOTH(what_is_not_there_is_enoent),
	    TMPFS(what_is_not_there_is_enoent),
	    BOTH(a_second_one_replaces),
	    BOTH(what_is_replaced_can_be_read_to_its_end),
	    TMPFS(what_is_replaced_can_be_read_to_its_end),
	    TMPFS(a_second_one_replaces),
	    TMPFS(the_loop_replaces_what_is_small),
	    DISK(what_is_replaced_has_what_its_directory_hands_down),
	    TMPFS(what_is_replaced_has_what_its_directory_hands_down),
	    DISK(what_was_swept_is_stored_once_more),
	    TMPFS(what_was_swept_is_stored_once_more),
	    DISK(what_another_one_replaces_is_waited_for),
	    TMPFS(what_another_one_replaces_is_waited_for),
	    TMPFS(the_loop_keeps_the_lock_for_the_next_one),
	    DISK(who_has_the_lock_alone_is_waited_for),
	    TMPFS(who_has_the_lock_alone_is_waited_for),
	    DISK(one_with_a_condition_has_the_lock_alone),
	    TMPFS(one_with_a_condition_has_the_lock_alone),
	    BOTH(without_overwrite_the_first_one_stays),
	    BOTH(of_two_only_one_gets_the_name),
	    BOTH(a_forerunner_may_be_replaced),
	    BOTH(conditions_are_kept),
	    BOTH(conditions_hold_at_the_end),
	    BOTH(what_is_aborted_leaves_nothing),
	    BOTH(a_commit_goes_on_without_its_owner),
	    BOTH(a_put_may_be_aborted_when_it_is_ready),
	    BOTH(a_put_may_be_aborted_when_it_is_stored),
	    BOTH(a_put_may_be_aborted_when_it_has_failed),
	    BOTH(a_failure_is_told_once_and_last),
	    BOTH(a_get_may_be_closed_at_any_time),
	    TMPFS(a_get_may_be_closed_at_any_time),
	    BOTH(what_is_settled_has_no_name_before_it_is_committed),
	    TMPFS(what_is_settled_has_no_name_before_it_is_committed),
	    BOTH(a_file_may_be_aborted_while_it_is_settled),
	    BOTH(who_has_left_is_not_told_of_a_task),
	    BOTH(a_task_keeps_its_store_busy),
	    BOTH(what_is_taken_back_is_not_there),
	    TMPFS(what_is_taken_back_is_not_there),
	    BOTH(what_is_taken_back_is_not_the_newest),
	    BOTH(what_another_one_has_is_not_taken_back),
	    BOTH(what_is_gone_is_not_taken_back),
	    DISK(what_is_settled_is_on_the_disk),
	    DISK(what_cannot_be_settled_is_told),
	    BOTH(rest_may_be_asked_for_again),
	};

	loop_thread = pthread_self();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
