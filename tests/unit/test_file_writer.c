/*
 * A file writer behind real flows, on an engine with threads: each byte gets to
 * its place, whatever ends a flow no chunk is lost and no writer is told that has
 * gone, and another flow goes on where one ended.
 */
#include "local/file_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "disk/device.h"
#include "disk/engine.h"
#include "lib/cmocka_with.h"
#include "lib/flow.h"
#include "lib/portable.h"
#include "local/local_error.h"
#include "shared/disk_share.h"

enum {
	SIZE = 8 * 1024, /* of a chunk */
	BUDGET = 32,
	DEPTH = 4,
	BODY = FAKE_BODY_MAX,
	PATIENCE_S = 20,
	ME = 0, /* slots of workers */
	OTHER = 1,
};

/* In the place of libc's. */
static struct {
	_Atomic unsigned calls;
	int err;
} datasync;

int
fdatasync(int fd)
{
	(void)fd;
	datasync.calls++;
	errno = datasync.err;
	return datasync.err == 0 ? 0 : -1;
}

static struct fixture {
	struct test_loop l;
	struct device_set *devices;
	struct engine *engine;
	struct store_policy policy;
	struct store_setup setup;
	struct local_dir dir;
	struct file_writers all;
	struct file_writer writer;
	struct fake_source source;
	bool by_pipe;
	struct test_flow t;
	struct shm *shm;
	struct disk_share *share;
	int fd;
	/* events */
	unsigned background, written, late;
	int err, cause;
} f;

static void
on_background(struct file_writer *w, int err, int cause)
{
	assert_ptr_equal(w, &f.writer);
	assert_true(w->writer != NULL || !file_writer_is_busy(w));
	f.background++;
	f.err = err;
	f.cause = cause;
}

static void
on_written(struct file_writer *w)
{
	assert_ptr_equal(w, &f.writer);
	f.written++;
}

static void
on_late(struct file_writer *w)
{
	assert_ptr_equal(w, &f.writer);
	f.late++;
}

static const struct file_writer_events events = {
    .on_background = on_background,
    .on_written = on_written,
    .on_late = on_late,
};

/* A file of `length` bytes, or STORE_LENGTH_UNKNOWN, on a device of that kind. */
static void
begin(enum device_kind kind, uint64_t length, bool collects)
{
	char path[sizeof("/tmp/penstock-unit.XXXXXX")];

	f.dir.device = device_get(
	    f.devices, (dev_t)(1 + kind), (struct device_traits){.kind = kind});
	assert_non_null(f.dir.device);
	memcpy(path, "/tmp/penstock-unit.XXXXXX", sizeof(path));
	f.fd = mkstemp(path);
	assert_int_not_equal(f.fd, -1);
	assert_int_equal(unlink(path), 0);
	f.background = f.written = f.late = 0;
	f.err = f.cause = 0;
	f.writer = (struct file_writer){0};
	file_writer_init(&f.writer, &f.all, &f.dir, length, collects, &events);
	if (!collects)
		file_writer_begin(&f.writer, f.fd, SPACE_DIRECT_UNKNOWN);
}

static bool
is_idle(void)
{
	return file_writer_is_idle(&f.writer);
}

static void
end(void)
{
	assert_true(test_loop_await(&f.l, is_idle, PATIENCE_S));
	file_writer_fini(&f.writer);
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
	assert_int_equal(engine_in_flight(f.engine), 0);
	device_put(f.devices, &f.dir.device);
	close(f.fd);
}

/* A flow that brings the bytes of the body from `from` to `to`. */
static void
flow(size_t from, size_t to)
{
	fake_source_begin(&f.source, to, false);
	f.source.source.ready = true;
	f.source.source.splices = f.by_pipe;
	f.source.at = from;
	f.source.source.ended = to == 0;
	test_flow_start(&f.t, &f.l,
	    &(struct flow_setup){
		.source = &f.source.source,
		.sink = &f.writer.sink,
		.queue_depth = 2,
		.write_depth = DEPTH,
	    });
}

static bool
has_ended(void)
{
	return test_flow_has_ended(&f.t);
}

static void
finish_flow(void)
{
	assert_true(test_loop_await(&f.l, has_ended, PATIENCE_S));
	assert_false(failure_is(f.t.failed));
	flow_stop(&f.t.flow);
}

/* The file has the first `len` bytes, and no more. */
static void
assert_file(size_t len)
{
	static unsigned char got[BODY + 1];

	assert_int_equal(pread(f.fd, got, sizeof(got), 0), len);
	assert_fake_bytes(got, len);
}

/* ---- the tests */

static void
each_byte_gets_to_its_place(void **state)
{
	static const size_t lengths[] = {0, 1, SIZE, SIZE + 1, BODY};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		for (unsigned k = 0; k < 4; k++) {
			begin(k % 2 ? DEVICE_MEMORY : DEVICE_UNKNOWN,
			    k < 2 ? lengths[i] : STORE_LENGTH_UNKNOWN, false);
			flow(0, lengths[i]);
			finish_flow();
			assert_file(lengths[i]);
			assert_int_equal(f.err, 0);
			assert_int_equal(f.written, 0); /* a writer was there */
			end();
		}
	}
}

static _Atomic bool is_free;

static int
wait_until_free(void *arg)
{
	(void)arg;
	while (!is_free)
		usleep(1000);
	return 0;
}

static void
on_free(struct op *op, int res)
{
	(void)op;
	assert_int_equal(res, 0);
}

static bool
has_all(void)
{
	return f.writer.offset == f.writer.length;
}

/* No more chunks come, which would take them along. */
static void
what_waits_to_be_joined_is_written_at_the_end(void **state)
{
	struct op busy = {0};

	(void)state;
	begin(DEVICE_LOCAL, (uint64_t)DEPTH * SIZE, false);
	f.writer.room.granted = f.writer.length;
	f.dir.device->cap = 1;
	is_free = false;
	engine_call(
	    f.engine, f.dir.device, &busy, wait_until_free, NULL, 0, on_free);
	flow(0, (size_t)DEPTH * SIZE);
	f.source.whole = true;
	assert_true(test_loop_await(&f.l, has_all, PATIENCE_S));
	test_loop_turn(&f.l, 5);
	assert_int_equal(f.writer.in_flight, 1);
	assert_false(list_is_empty(&f.writer.pending));
	is_free = true;
	finish_flow();
	assert_file((size_t)DEPTH * SIZE);
	end();
}

/* An upload may go on later, in other flows; between them the writer is gone,
 * and what is said then is the owner's to hear. */
static void
another_writer_goes_on_where_one_ended(void **state)
{
	static const size_t ends[] = {3, SIZE + 7, 5 * SIZE, BODY};
	size_t at;

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		begin(k % 2 ? DEVICE_MEMORY : DEVICE_UNKNOWN,
		    k < 2 ? BODY : STORE_LENGTH_UNKNOWN, false);
		at = 0;
		for (size_t i = 0; i < COUNT_OF(ends); i++) {
			flow(at, ends[i]);
			finish_flow();
			at = ends[i];
			assert_file(at);
			memset(&f.t, 0xa5, sizeof(f.t));
			assert_false(file_writer_fail(
			    &f.writer, failure_of_errno(-EIO)));
			f.t = (struct test_flow){0};
		}
		end();
	}
}

/* A file that has bytes already, of which no writer of this process is: at whatever offset, and
 * with room for what is still to come only. */
static void
a_file_that_was_there_gets_more(void **state)
{
	static const size_t froms[] = {0, 1, SPACE_ALIGN, SIZE + 7, BODY - 1};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(froms) * 4; i++) {
		size_t from = froms[i / 4];
		uint64_t length = i % 2 ? BODY : STORE_LENGTH_UNKNOWN;

		f.policy.direct_io = i % 4 < 2 ? DIRECT_OFF : DIRECT_ON;
		begin(DEVICE_LOCAL, STORE_LENGTH_UNKNOWN, false);
		flow(0, from);
		finish_flow();
		assert_true(test_loop_await(&f.l, is_idle, PATIENCE_S));
		file_writer_resume(&f.writer, from, length);
		assert_int_equal(f.writer.offset, from);
		assert_int_equal(f.writer.written, from);
		assert_int_equal(f.writer.room.granted, from);
		assert_int_equal(f.writer.mode, FILE_WRITER_HOLDS);
		if (from % SPACE_ALIGN != 0)
			assert_false(f.writer.direct_wanted);
		else
			assert_int_equal(f.writer.direct_wanted,
			    i % 4 >= 2 && !f.all.direct_refused);
		file_writer_begin(&f.writer, f.fd, SPACE_DIRECT_UNKNOWN);
		flow(from, BODY);
		finish_flow();
		assert_file(BODY);
		assert_int_equal(f.writer.written, BODY);
		end();
	}
	f.policy.direct_io = DIRECT_OFF;
}

/* What it wrote was not for nothing: another one may go on behind it. */
static void
a_writer_that_has_gone_hears_nothing(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 40; turns++) {
		uint64_t at;

		begin(DEVICE_UNKNOWN, STORE_LENGTH_UNKNOWN, false);
		flow(0, BODY);
		test_loop_turn(&f.l, turns);
		flow_stop(&f.t.flow);
		memset(&f.t, 0xa5, sizeof(f.t));
		at = f.writer.offset;
		assert_true(at <= BODY);
		assert_true(test_loop_await(&f.l, is_idle, PATIENCE_S));
		assert_true(list_is_empty(&f.writer.pending));
		assert_int_equal(chunk_pool_held(f.l.pool), 0);
		f.t = (struct test_flow){0};
		end();
	}
}

static void
what_is_collected_stays(void **state)
{
	(void)state;
	begin(DEVICE_UNKNOWN, SIZE, true);
	flow(0, SIZE);
	finish_flow();
	assert_int_equal(f.late, 0);
	assert_file(0);
	assert_int_equal(chunk_pool_held(f.l.pool), 1);
	assert_int_equal(f.l.account.held, 1);
	assert_int_equal(list_length(&f.writer.pending), 1);
	end(); /* and goes back */
}

static bool
is_late(void)
{
	return f.late > 0;
}

/* Its client is slow: there is to be a file. */
static void
what_comes_late_is_not_collected(void **state)
{
	(void)state;
	begin(DEVICE_UNKNOWN, SIZE, true);
	flow(0, SIZE);
	f.source.pause_at = 1;
	assert_true(test_loop_await(&f.l, is_late, PATIENCE_S));
	assert_file(0);
	assert_false(f.writer.sink.whole_chunks);
	f.source.pause_at = SIZE_MAX;
	test_loop_turn(&f.l, 5);
	assert_file(0); /* it holds what comes */
	file_writer_begin(&f.writer, f.fd, SPACE_DIRECT_UNKNOWN);
	finish_flow();
	assert_file(SIZE);
	assert_int_equal(f.late, 1);
	end();
}

/* From now on there is room for pipes, and the source uses them. */
static void
have_pipes(void)
{
	f.by_pipe = true;
	chunk_account_remove(f.l.pool, &f.l.account);
	device_set_free(&f.devices);
	chunk_pool_free(&f.l.pool);
	f.l.pool = chunk_pool_new(f.l.loop, SIZE, 4 * CHUNK_PIPE_BYTES);
	assert_non_null(f.l.pool);
	chunk_account_add(f.l.pool, &f.l.account);
	f.devices = device_set_new(f.l.pool);
	assert_non_null(f.devices);
}

/* Only on a memory file system, where they are empty again at once. */
static void
pipes_are_moved_into_memory(void **state)
{
	static const enum device_kind kinds[] = {
	    DEVICE_MEMORY, DEVICE_LOCAL, DEVICE_UNKNOWN};

	(void)state;
	SKIP_PORTABLE("pipes");
	have_pipes();
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		bool memory = kinds[i] == DEVICE_MEMORY;

		begin(kinds[i], BODY, false);
		assert_int_equal(f.writer.sink.takes_pipes, memory);
		flow(0, BODY);
		f.source.whole = true;
		finish_flow();
		assert_file(BODY);
		assert_int_equal(f.source.spliced, memory ? BODY : 0);
		file_writer_hold(&f.writer);
		assert_false(f.writer.sink.takes_pipes);
		end();
	}
	begin(DEVICE_MEMORY, SIZE, true);
	assert_false(f.writer.sink.takes_pipes); /* there is no file yet */
	end();
}

/* What could not be written stays in the pipe, which then is not used again. */
static void
a_write_that_fails_spoils_its_pipe(void **state)
{
	struct chunk_claim claim = {.account = &f.l.account};
	struct chunk *c[CHUNK_PIPES_MAX];
	unsigned count = 0;
	char byte;

	(void)state;
	SKIP_PORTABLE("pipes");
	have_pipes();
	begin(DEVICE_MEMORY, BODY, false);
	f.writer.fd = -1;
	flow(0, BODY);
	f.source.whole = true;
	assert_true(test_loop_await(&f.l, has_ended, PATIENCE_S));
	assert_int_equal(f.t.failed_of[WRITING].err, -EBADF);
	assert_true(f.source.spliced > 0);
	flow_stop(&f.t.flow);
	end();
	for (; count < CHUNK_PIPES_MAX &&
	       (c[count] = chunk_take_pipe(f.l.pool, &claim)) != NULL;
	     count++) {
		assert_int_equal(read(c[count]->pipe.rd, &byte, 1), -1);
		assert_int_equal(errno, EAGAIN);
	}
	assert_true(count > 0);
	while (count > 0)
		chunk_give(c[--count]);
}

/* Nothing is begun any more, and what waits goes back with its writer. */
static void
what_is_held_is_not_written(void **state)
{
	(void)state;
	begin(DEVICE_MEMORY, BODY, false);
	file_writer_hold(&f.writer);
	flow(0, BODY);
	test_loop_turn(&f.l, 50);
	assert_false(has_ended());
	assert_int_equal(list_length(&f.writer.pending), DEPTH);
	assert_true(file_writer_fail(&f.writer, failure_of_errno(-EIO)));
	assert_true(failure_is(f.t.failed_of[WRITING]));
	flow_stop(&f.t.flow);
	assert_file(0);
	end();
}

/* Writes are used again, and few are kept. */
static void
writes_are_used_again(void **state)
{
	struct file_write *writes[100];
	struct spare pool;
	unsigned had;

	(void)state;
	spare_init(&pool, sizeof(struct file_write), FILE_WRITES_SPARE);
	for (size_t i = 0; i < COUNT_OF(writes); i++) {
		writes[i] = file_write_take(&pool);
		assert_non_null(writes[i]);
	}
	for (size_t i = 0; i < COUNT_OF(writes); i++)
		file_write_give(&pool, writes[i]);
	assert_true(pool.count > 0 && pool.count < COUNT_OF(writes));
	assert_int_equal(list_length(&pool.list), pool.count);
	for (had = pool.count; pool.count > 0;)
		writes[pool.count - 1] = file_write_take(&pool);
	assert_true(list_is_empty(&pool.list));
	file_write_give(&pool, writes[0]);
	assert_ptr_equal(file_write_take(&pool), writes[0]);
	for (unsigned i = 0; i < had; i++)
		file_write_give(&pool, writes[i]);
	assert_int_equal(pool.count, had);
	spare_fini(&pool);
	assert_int_equal(pool.count, 0);
}

/* Another worker has written so much to the disk that it is to be flushed, now that
 * small uploads come. */
static struct disk_share_disk *
let_flushes_be_due(void)
{
	struct disk_share_disk *d =
	    disk_share_of(f.share, OTHER, (dev_t)(1 + DEVICE_LOCAL));
	uint64_t now = clock_mono_ns(), much = UINT64_C(1) << 30;

	disk_share_begin_bulk(d, OTHER, much);
	disk_share_end_bulk(d, OTHER, much, true, now);
	disk_share_begin_small(d, OTHER);
	disk_share_end_small(d, OTHER, now, NS_PER_MS, 20 * NS_PER_MS);
	return d;
}

static void
the_disk_is_flushed_beside_the_writes(void **state)
{
	struct disk_share_disk *d = let_flushes_be_due();

	(void)state;
	datasync.calls = 0;
	begin(DEVICE_LOCAL, BODY, false);
	flow(0, BODY);
	finish_flow();
	assert_file(BODY);
	assert_true(test_loop_await(&f.l, is_idle, PATIENCE_S));
	assert_int_equal(f.err, 0);
	assert_int_equal(datasync.calls, 1);
	assert_false(disk_share_claim_flush(
	    d, OTHER, clock_mono_ns(), DISK_SHARE_UNBOUNDED));
	assert_true(disk_share_claim_flush(d, OTHER, clock_mono_ns(), 0));
	end();
}

static bool
has_failed(void)
{
	return f.err != 0;
}

/* No sync would tell again. */
static void
a_flush_beside_the_writes_that_fails_is_told(void **state)
{
	struct disk_share_disk *d = let_flushes_be_due();

	(void)state;
	datasync.err = EIO;
	begin(DEVICE_LOCAL, BODY, false);
	flow(0, BODY);
	assert_true(test_loop_await(&f.l, has_failed, PATIENCE_S));
	datasync.err = 0;
	assert_int_equal(f.err, LOCAL_SYNC_FAILED);
	assert_int_equal(f.cause, EIO);
	file_writer_hold(&f.writer);
	flow_stop(&f.t.flow);
	assert_true(test_loop_await(&f.l, is_idle, PATIENCE_S));
	assert_true(disk_share_claim_flush(d, OTHER, clock_mono_ns(), 0));
	end();
}

static int
set_up(void **state)
{
	(void)state;
	f.by_pipe = false;
	test_loop_begin(&f.l, SIZE, BUDGET);
	f.devices = device_set_new(f.l.pool);
	assert_non_null(f.devices);
	f.shm = shm_new(disk_share_size(2));
	assert_non_null(f.shm);
	f.share = disk_share_new(f.shm, 2);
	device_set_take_turns(f.devices, f.share, NULL, ME);
	assert_int_equal(engine_new(f.l.loop, ENGINE_THREADS, &f.engine), 0);
	f.dir.fd = open("/tmp", O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(f.dir.fd, -1);
	f.policy = (struct store_policy){.direct_io = DIRECT_OFF};
	f.setup = (struct store_setup){.policy = &f.policy,
	    .loop = f.l.loop,
	    .engine = f.engine,
	    .chunk_size = SIZE};
	f.dir.to = &f.setup;
	file_writers_init(&f.all, &f.setup);
	fake_source_open(&f.source);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	fake_source_close(&f.source);
	file_writers_fini(&f.all);
	close(f.dir.fd);
	engine_free(&f.engine);
	device_set_free(&f.devices);
	munmap(f.shm, sizeof(*f.shm) + disk_share_size(2));
	test_loop_end(&f.l);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_waits_to_be_joined_is_written_at_the_end),
	    TEST(each_byte_gets_to_its_place),
	    TEST(another_writer_goes_on_where_one_ended),
	    TEST(a_file_that_was_there_gets_more),
	    TEST(a_writer_that_has_gone_hears_nothing),
	    TEST(what_is_collected_stays),
	    TEST(what_comes_late_is_not_collected),
	    TEST(what_is_held_is_not_written),
	    TEST(pipes_are_moved_into_memory),
	    TEST(a_write_that_fails_spoils_its_pipe),
	    TEST(the_disk_is_flushed_beside_the_writes),
	    TEST(a_flush_beside_the_writes_that_fails_is_told),
	    cmocka_unit_test(writes_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
