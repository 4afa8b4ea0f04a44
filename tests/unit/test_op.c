/*
 * What becomes of a write that is taken in parts: of one piece and of many,
 * direct and not, on both engines.  System calls of our own make it short.
 */
#include "disk/op.h"

#include <dlfcn.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#if __has_include(<liburing.h>)
#include <liburing.h>
#endif

#include "base/clock.h"
#include "base/pipe.h"
#include "lib/engine.h"
#include "lib/portable.h"

enum {
	PIECES = 7,
	TOTAL = 40000,
	PATIENCE_S = 20,
};

static const size_t piece_len[PIECES] = {
    1, 4096, 3, 12289, 100, 4096, TOTAL - (1 + 4096 + 3 + 12289 + 100 + 4096)};

/* ---- system calls that take `most` bytes of a write; 0: all of it */

static struct {
	size_t most;
	_Atomic unsigned writes;  /* by threads */
	_Atomic unsigned entries; /* by the ring */
	const int *refusals;	  /* of the next submissions to it; 0: end */
	int held_up_by;		  /* an errno ... */
	_Atomic unsigned held_up; /* ... that threads get so often */
	unsigned held_up_again;	  /* and so often after each that moves on */
	unsigned put_off;	  /* so many entries come back with EAGAIN */
	unsigned put_off_again;	  /* and so many after each that does not */
	int full_pipe;		  /* does that */
	bool linked;		  /* an entry that fails calls off the next */
} taken;

/* As much of `iov` as may be taken, in `cut`; how many pieces. */
static int
cut_short(const struct iovec *iov, int count, struct iovec *cut)
{
	size_t left = taken.most > 0 ? taken.most : SIZE_MAX;
	int n = 0;

	while (n < count && left > 0) {
		cut[n] = iov[n];
		if (cut[n].iov_len > left)
			cut[n].iov_len = left;
		left -= cut[n].iov_len;
		n++;
	}
	return n;
}

static bool
is_held_up(void)
{
	if (taken.held_up == 0) {
		taken.held_up = taken.held_up_again;
		return false;
	}
	taken.held_up--;
	errno = taken.held_up_by;
	return true;
}

ssize_t
pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
	struct iovec cut[PIECES];

	check(count <= PIECES); /* a thread cannot fail a test */
	taken.writes++;
	if (is_held_up())
		return -1;
	return syscall(
	    SYS_pwritev, fd, cut, cut_short(iov, count, cut), offset, 0L);
}

ssize_t
pwrite(int fd, const void *buf, size_t len, off_t offset)
{
	taken.writes++;
	if (is_held_up())
		return -1;
	if (taken.most > 0 && len > taken.most)
		len = taken.most;
	return syscall(SYS_pwrite64, fd, buf, len, offset);
}

#ifdef LIBURING_UDATA_TIMEOUT
static void
cut_entry(struct io_uring_sqe *sqe)
{
	static struct iovec cut[64][PIECES]; /* the kernel copies them */
	static unsigned next;
	const struct iovec *iov = (const struct iovec *)(uintptr_t)sqe->addr;
	struct iovec *to = cut[next++ % COUNT_OF(cut)];

	taken.entries++;
	if (taken.put_off > 0) {
		taken.put_off--;
		sqe->fd = taken.full_pipe;
		sqe->rw_flags = RWF_NOWAIT;
	} else {
		taken.put_off = taken.put_off_again;
	}
	if (taken.linked)
		sqe->flags |= IOSQE_IO_LINK;
	if (sqe->opcode == IORING_OP_WRITEV) {
		sqe->len = (unsigned)cut_short(iov, (int)sqe->len, to);
		sqe->addr = (uintptr_t)to;
	} else if (taken.most > 0 && sqe->len > taken.most) {
		sqe->len = (unsigned)taken.most;
	}
}

int
io_uring_submit(struct io_uring *ring)
{
	int (*really)(struct io_uring *) = NULL;
	void *symbol = dlsym(RTLD_NEXT, "io_uring_submit");

	assert_non_null(symbol);
	memcpy(&really, &symbol, sizeof(really));
	if (taken.refusals != NULL && *taken.refusals != 0)
		return *taken.refusals++;
	for (unsigned i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++)
		cut_entry(&ring->sq.sqes[i & *ring->sq.kring_mask]);
	return really(ring);
}
#endif

/* ---- the fixture */

static struct fixture {
	struct test_engine e;
	unsigned done;
	int res;
	unsigned char out[TOTAL];
} f;

static int
set_up_with(enum conf_engine wanted)
{
	memset(&f, 0, sizeof(f));
	memset(&taken, 0, sizeof(taken));
	for (size_t i = 0; i < TOTAL; i++)
		f.out[i] = (unsigned char)(i * 2654435761U >> 9);
	return test_engine_begin(&f.e, wanted);
}

static int
set_up_uring(void **state)
{
	(void)state;
	return set_up_with(ENGINE_IO_URING);
}

static int
set_up_threads(void **state)
{
	(void)state;
	return set_up_with(ENGINE_THREADS);
}

static int
tear_down(void **state)
{
	(void)state;
	test_engine_end(&f.e);
	return 0;
}

static void
need_engine(void)
{
	test_engine_need(&f.e);
}

static bool
is_ring(void)
{
	return strcmp(engine_name(f.e.engine), "io_uring") == 0;
}

/* The only disk there is: with several, not all writes go to the ring. */
static struct device *
only_device(enum device_kind kind)
{
	device_set_free(&f.e.devices);
	f.e.devices = device_set_new(f.e.pool);
	return test_engine_device(&f.e, 1, kind);
}

static void
on_done(struct op *op, int res)
{
	(void)op;
	f.done++;
	f.res = res;
}

static void
on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

/* Run it to its end; the result. */
static int
result(struct device *d, struct op *op)
{
	uint64_t end = clock_mono_ns() + PATIENCE_S * NS_PER_S;
	ev_timer tick;

	f.done = 0;
	op->on_done = on_done;
	engine_submit(f.e.engine, d, op);
	ev_timer_init(&tick, on_tick, 0.005, 0.005);
	ev_timer_start(f.e.loop, &tick);
	while (f.done == 0 && clock_mono_ns() < end)
		ev_run(f.e.loop, EVRUN_ONCE);
	ev_timer_stop(f.e.loop, &tick);
	assert_int_equal(f.done, 1);
	return f.res;
}

static struct op
write_of(unsigned char *buf, size_t len, uint64_t offset)
{
	return (struct op){.kind = OP_WRITE,
	    .fd = f.e.fd,
	    .buf = buf,
	    .len = len,
	    .offset = offset};
}

/* A write of all bytes, in pieces. */
static struct op
write_in_pieces(struct iovec iov[PIECES], uint64_t offset)
{
	struct op op = write_of(f.out, TOTAL, offset);
	size_t at = 0;

	for (int i = 0; i < PIECES; i++) {
		iov[i] = (struct iovec){f.out + at, piece_len[i]};
		at += piece_len[i];
	}
	assert_int_equal(at, TOTAL);
	op.iov = iov;
	op.iovs = PIECES;
	return op;
}

/* The file has all bytes from `offset` on, and no more. */
static void
assert_written(uint64_t offset)
{
	static unsigned char in[TOTAL];
	struct stat st;

	assert_int_equal(fstat(f.e.fd, &st), 0);
	assert_int_equal(st.st_size, offset + TOTAL);
	assert_int_equal(pread(f.e.fd, in, TOTAL, (off_t)offset), TOTAL);
	assert_memory_equal(in, f.out, TOTAL);
	assert_int_equal(ftruncate(f.e.fd, 0), 0);
}

/* ---- what is left of an operation */

static void
what_was_moved_is_taken_off_the_pieces(void **state)
{
	unsigned char buf[30];

	(void)state;
	for (size_t first = 1; first < sizeof(buf); first++) {
		struct iovec iov[] = {{buf, 10}, {buf + 10, 5}, {buf + 15, 15}};
		struct op op = {.kind = OP_WRITE,
		    .buf = buf,
		    .iov = iov,
		    .iovs = COUNT_OF(iov),
		    .len = sizeof(buf)};

		assert_true(op_advance(&op, first));
		assert_int_equal(op.done, first);
		assert_int_equal(op.iovs, first < 10 ? 3 : first < 15 ? 2 : 1);
		assert_ptr_equal(op.iov->iov_base, buf + first);
		assert_ptr_equal(
		    (unsigned char *)op.iov->iov_base + op.iov->iov_len,
		    buf + (first < 10	   ? 10
			      : first < 15 ? 15
					   : 30));
		assert_true(op_advance(&op, sizeof(buf) - first));
		assert_int_equal(op.done, sizeof(buf));
		assert_int_equal(op.iovs, 0);
	}
}

static void
an_empty_piece_is_no_hindrance(void **state)
{
	unsigned char buf[8];
	struct iovec iov[] = {{buf, 4}, {buf + 4, 0}, {buf + 4, 4}};
	struct op op = {.kind = OP_WRITE, .iov = iov, .iovs = 3, .len = 8};

	(void)state;
	assert_true(op_advance(&op, 4));
	assert_int_equal(op.iovs, 1);
	assert_ptr_equal(op.iov->iov_base, buf + 4);
	assert_int_equal(op.iov->iov_len, 4);
}

/* What a direct write leaves must begin where one may. */
static void
of_a_direct_write_only_whole_blocks_count(void **state)
{
	static unsigned char buf[3 * 4096 + 512];
	struct iovec iov[] = {{buf, 4096}, {buf + 4096, sizeof(buf) - 4096}};
	struct op op = {.kind = OP_WRITE,
	    .iov = iov,
	    .iovs = 2,
	    .len = sizeof(buf),
	    .align = 4096};

	(void)state;
	assert_false(op_advance(&op, 4095));
	assert_false(op_advance(&op, 0));
	assert_int_equal(op.done, 0);
	assert_int_equal(op.iovs, 2);
	assert_true(op_advance(&op, 4096 + 4095));
	assert_int_equal(op.done, 4096);
	assert_int_equal(op.iovs, 1);
	assert_ptr_equal(op.iov->iov_base, buf + 4096);
	assert_true(op_advance(&op, 2 * 4096));
	assert_int_equal(op.done, 3 * 4096);
	assert_ptr_equal(op.iov->iov_base, buf + 3 * 4096);
	/* The end counts as it is: nothing is left. */
	assert_true(op_advance(&op, 512));
	assert_int_equal(op.done, sizeof(buf));
}

/* ---- on the engines */

static void
pieces_are_written_one_behind_the_other(void **state)
{
	(void)state;
	need_engine();
	for (int kind = DEVICE_UNKNOWN; kind <= DEVICE_MEMORY; kind++) {
		struct iovec iov[PIECES];
		struct op op = write_in_pieces(iov, 5);

		assert_int_equal(
		    result(only_device((enum device_kind)kind), &op), TOTAL);
		assert_written(5);
	}
}

/* In how many calls all pieces are written by a thread, if each takes `most`. */
static unsigned
calls_of(size_t most)
{
	size_t calls = 0;

	if (!IS_PORTABLE)
		return (unsigned)((TOTAL - 1) / most + 1);
	for (int i = 0; i < PIECES; i++) /* pwritev(2) is not POSIX */
		calls += (piece_len[i] - 1) / most + 1;
	return (unsigned)calls;
}

/* Whichever piece it ends in, and however often. */
static void
short_writes_are_gone_on_with(void **state)
{
	static const size_t most[] = {
	    97, 1000, 4096, 4097, 4100, 12288, 16389, TOTAL - 1};

	(void)state;
	need_engine();
	for (size_t i = 0; i < COUNT_OF(most); i++) {
		for (int kind = DEVICE_UNKNOWN; kind <= DEVICE_MEMORY; kind++) {
			struct device *d = only_device((enum device_kind)kind);
			bool ring = is_ring() && kind != DEVICE_MEMORY;
			unsigned times =
			    ring ? (unsigned)((TOTAL - 1) / most[i] + 1)
				 : calls_of(most[i]);
			struct iovec iov[PIECES];
			struct op op = write_in_pieces(iov, 11);

			taken.writes = taken.entries = 0;
			taken.most = most[i];
			assert_int_equal(result(d, &op), TOTAL);
			assert_int_equal(taken.writes, ring ? 0 : times);
			assert_int_equal(taken.entries, ring ? times : 0);
			assert_written(11);

			op = write_of(f.out, TOTAL, 3);
			assert_int_equal(result(d, &op), TOTAL);
			assert_written(3);
		}
	}
}

static void
a_short_direct_write_goes_on_at_a_block(void **state)
{
	(void)state;
	SKIP_PORTABLE("direct I/O");
	need_engine();
	for (int kind = DEVICE_UNKNOWN; kind <= DEVICE_LOCAL; kind++) {
		struct device *d = only_device((enum device_kind)kind);
		struct iovec iov[PIECES];
		struct op op;

		taken.most = 4096 + 4095;
		op = write_in_pieces(iov, 0);
		op.align = 4096;
		taken.writes = taken.entries = 0;
		assert_int_equal(result(d, &op), TOTAL);
		assert_int_equal(taken.writes + taken.entries, TOTAL / 4096);
		assert_written(0);
	}
}

/* It would never end: each time the same bytes. */
static void
a_direct_write_of_no_whole_block_is_an_error(void **state)
{
	(void)state;
	need_engine();
	for (int kind = DEVICE_UNKNOWN; kind <= DEVICE_LOCAL; kind++) {
		struct device *d = only_device((enum device_kind)kind);
		struct iovec iov[PIECES];
		struct op op;

		taken.most = 4095;
		op = write_in_pieces(iov, 0);
		op.align = 4096;
		assert_int_equal(result(d, &op), -EIO);
		op = write_of(f.out, TOTAL, 0);
		op.align = 4096;
		assert_int_equal(result(d, &op), -EIO);
	}
}

static void
an_error_in_the_middle_is_the_result(void **state)
{
	struct iovec iov[PIECES];
	struct op op;
	int full;

	(void)state;
	need_engine();
	full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	op = write_in_pieces(iov, 0);
	op.fd = full;
	assert_int_equal(result(only_device(DEVICE_UNKNOWN), &op), -ENOSPC);
	op = write_in_pieces(iov, 0);
	op.fd = -1;
	assert_int_equal(result(only_device(DEVICE_LOCAL), &op), -EBADF);
	close(full);
}

/*
 * io-wq puts buffered writes in line over all files of the process, so where
 * there are several disks they have threads of ours; direct ones on file
 * systems that let them run side by side need not.
 */
static void
with_several_disks_buffered_writes_have_threads(void **state)
{
	const struct device_traits direct = {.kind = DEVICE_LOCAL,
				       .direct = true},
				   other = {.kind = DEVICE_UNKNOWN},
				   memory = {.kind = DEVICE_MEMORY};
	struct device *d[2];
	bool ring;

	(void)state;
	need_engine();
	ring = is_ring();
	d[0] = device_get(f.e.devices, 1, direct);
	assert_true(device_is_alone(d[0]));
	assert_int_equal(device_disks(d[0]), 1);
	/* Memory is no disk. */
	assert_non_null(device_get(f.e.devices, 3, memory));
	assert_true(device_is_alone(d[0]));
	d[1] = device_get(f.e.devices, 2, other);
	assert_false(device_is_alone(d[0]));
	assert_int_equal(device_disks(d[1]), 2);
	for (int aligned = 0; aligned < 2; aligned++) {
		for (int i = 0; i < 2; i++) {
			struct op op = write_of(f.out, 4096, 0);
			bool on_ring = ring && aligned && i == 0;

			op.align = aligned ? 4096 : 0;
			taken.writes = taken.entries = 0;
			assert_int_equal(result(d[i], &op), 4096);
			assert_int_equal(taken.entries, on_ring ? 1 : 0);
			assert_int_equal(taken.writes, on_ring ? 0 : 1);
		}
	}
}

/* Each refusal is no more than a reason to come again. */
static void
a_ring_that_takes_nothing_now_is_asked_again(void **state)
{
	static const int refusals[] = {-EAGAIN, -EBUSY, -EINTR, -EAGAIN, 0};
	struct iovec iov[PIECES];
	struct op op;

	(void)state;
	need_engine();
	op = write_in_pieces(iov, 0);
	taken.refusals = refusals;
	assert_int_equal(result(only_device(DEVICE_LOCAL), &op), TOTAL);
	assert_written(0);
	assert_int_equal(*taken.refusals, is_ring() ? 0 : refusals[0]);
}

/* A pipe that takes nothing any more, and never waits. */
static void
fill_pipe(int ends[2])
{
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	while (write(ends[1], f.out, TOTAL) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	taken.full_pipe = ends[1];
}

static void
what_a_ring_puts_off_is_entered_again(void **state)
{
	int ends[2];

	(void)state;
	need_engine();
	fill_pipe(ends);
	for (int kind = DEVICE_UNKNOWN; kind <= DEVICE_LOCAL; kind++) {
		struct iovec iov[PIECES];
		struct op op = write_in_pieces(iov, 0);

		taken.put_off = 5;
		taken.entries = 0;
		assert_int_equal(
		    result(only_device((enum device_kind)kind), &op), TOTAL);
		assert_written(0);
		if (is_ring())
			assert_int_equal(taken.entries, 6);
	}
	close(ends[0]);
	close(ends[1]);
}

/* However often in all: what counts is how often it got nowhere in a row. */
static void
what_moves_on_slowly_gets_there(void **state)
{
	int ends[2];

	(void)state;
	need_engine();
	fill_pipe(ends);
	for (int kind = DEVICE_UNKNOWN; kind <= DEVICE_LOCAL; kind++) {
		struct iovec iov[PIECES];
		struct op op = write_in_pieces(iov, 0);

		taken.most = (TOTAL + 2) / 3;
		taken.put_off = taken.put_off_again = 60;
		taken.entries = 0;
		assert_int_equal(
		    result(only_device((enum device_kind)kind), &op), TOTAL);
		assert_written(0);
		if (is_ring())
			assert_int_equal(taken.entries, 3 * 61);
	}
	close(ends[0]);
	close(ends[1]);
}

/* As on a ring: again, but not for ever. */
static void
what_holds_up_a_thread_is_asked_again(void **state)
{
	static const int errs[] = {EINTR, EAGAIN};

	(void)state;
	need_engine();
	for (size_t i = 0; i < COUNT_OF(errs); i++) {
		struct device *d = only_device(DEVICE_MEMORY);
		struct iovec iov[PIECES];
		struct op op = write_in_pieces(iov, 0);

		taken.writes = 0;
		taken.most = (TOTAL + 2) / 3;
		taken.held_up_by = errs[i];
		taken.held_up = taken.held_up_again = 60;
		assert_int_equal(result(d, &op), TOTAL);
		assert_int_equal(taken.writes, calls_of(taken.most) * 61);
		assert_written(0);
		taken.held_up = 1000;
		op = write_of(f.out, TOTAL, 0);
		assert_int_equal(result(d, &op), -errs[i]);
		taken.held_up = taken.held_up_again = 0;
	}
}

/* On a memory file system at once, elsewhere by a thread. */
static void
what_is_in_a_pipe_is_moved_into_the_file(void **state)
{
	static const enum device_kind kinds[] = {
	    DEVICE_MEMORY, DEVICE_LOCAL, DEVICE_UNKNOWN};
	struct pipe p;
	char byte;

	(void)state;
	need_engine();
	SKIP_PORTABLE("pipes");
	assert_int_equal(pipe_open(&p, 65536), 0);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct device *d = only_device(kinds[i]);
		struct op op = {.kind = OP_SPLICE,
		    .fd = f.e.fd,
		    .from = &p,
		    .len = TOTAL,
		    .offset = 5};

		assert_int_equal(write(p.wr, f.out, TOTAL), TOTAL);
		assert_int_equal(result(d, &op), TOTAL);
		assert_written(5);
		assert_int_equal(read(p.rd, &byte, 1), -1);
		/* More was said to be in it than is. */
		assert_int_equal(write(p.wr, f.out, TOTAL - 1), TOTAL - 1);
		assert_true(result(d, &op) < 0);
		op.fd = -1;
		assert_int_equal(write(p.wr, f.out, 10), 10);
		assert_int_equal(result(d, &op), -EBADF);
		assert_int_equal(read(p.rd, f.out, TOTAL), 10);
		assert_int_equal(ftruncate(f.e.fd, 0), 0);
	}
	pipe_close(&p);
}

static void
on_bad_done(struct op *op, int res)
{
	(void)op;
	assert_int_equal(res, -EBADF);
}

/* So says a ring that cannot have a thread for it: that is no fault of the
 * disk's. */
static void
what_a_ring_calls_off_is_for_want_of_threads(void **state)
{
	struct op bad = write_of(f.out, 10, 0), good = bad;
	struct device *d;

	(void)state;
	need_engine();
	d = only_device(DEVICE_LOCAL);
	bad.fd = -1;
	bad.on_done = on_bad_done;
	taken.linked = true;
	engine_submit(f.e.engine, d, &bad);
	assert_int_equal(result(d, &good), is_ring() ? -EAGAIN : 10);
	while (bad.in_flight)
		ev_run(f.e.loop, EVRUN_ONCE);
}

static void
on_one_of_many_done(struct op *op, int res)
{
	(void)op;
	f.done++;
	f.res = f.res < res ? f.res : res;
}

/* More than it has entries for, and more than it has completions for, all in
 * one turn of the loop: each comes back, once, with what it read. */
static void
more_than_a_ring_has_room_for_is_done(void **state)
{
	enum { DEVICES = 80, EACH = DEVICE_CAP, LEN = 8 };
	static struct op ops[DEVICES * EACH];
	static unsigned char in[DEVICES * EACH][LEN];
	uint64_t end = clock_mono_ns() + PATIENCE_S * NS_PER_S;
	const struct device_traits local = {.kind = DEVICE_LOCAL};

	(void)state;
	need_engine();
	assert_int_equal(pwrite(f.e.fd, f.out, TOTAL, 0), TOTAL);
	memset(in, 0, sizeof(in));
	f.done = 0;
	f.res = INT_MAX;
	for (unsigned i = 0; i < COUNT_OF(ops); i++) {
		struct device *d =
		    device_get(f.e.devices, 1 + i % DEVICES, local);

		assert_non_null(d);
		ops[i] = (struct op){.kind = OP_READ,
		    .fd = f.e.fd,
		    .buf = in[i],
		    .len = LEN,
		    .offset = i % (TOTAL - LEN),
		    .on_done = on_one_of_many_done};
		engine_submit(f.e.engine, d, &ops[i]);
	}
	while (f.done < COUNT_OF(ops) && clock_mono_ns() < end)
		ev_run(f.e.loop, EVRUN_ONCE);
	assert_int_equal(f.done, COUNT_OF(ops));
	assert_int_equal(f.res, LEN);
	for (unsigned i = 0; i < COUNT_OF(ops); i++)
		assert_memory_equal(in[i], f.out + i % (TOTAL - LEN), LEN);
	if (is_ring())
		assert_int_equal(taken.entries, COUNT_OF(ops));
}

#define ON(backend, name)                                                      \
	{                                                                      \
#name " (" #backend ")", name, set_up_##backend, tear_down,    \
		    NULL                                                       \
	}
#define TEST(name) ON(threads, name), ON(uring, name)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_moved_is_taken_off_the_pieces),
	    cmocka_unit_test(an_empty_piece_is_no_hindrance),
	    cmocka_unit_test(of_a_direct_write_only_whole_blocks_count),
	    TEST(pieces_are_written_one_behind_the_other),
	    TEST(short_writes_are_gone_on_with),
	    TEST(a_short_direct_write_goes_on_at_a_block),
	    TEST(a_direct_write_of_no_whole_block_is_an_error),
	    TEST(an_error_in_the_middle_is_the_result),
	    TEST(with_several_disks_buffered_writes_have_threads),
	    TEST(a_ring_that_takes_nothing_now_is_asked_again),
	    TEST(what_a_ring_puts_off_is_entered_again),
	    TEST(what_moves_on_slowly_gets_there),
	    TEST(what_holds_up_a_thread_is_asked_again),
	    TEST(what_is_in_a_pipe_is_moved_into_the_file),
	    TEST(what_a_ring_calls_off_is_for_want_of_threads),
	    TEST(more_than_a_ring_has_room_for_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
