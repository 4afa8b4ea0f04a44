/*
 * The engine on both backends: what operations come to, when they come back,
 * and that one device holds up its own only.
 */
#include "disk/engine.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "lib/child.h"
#include "lib/engine.h"

enum {
	CHUNK = 4096,
	PATIENCE_S = 20,
};

/* An operation, and what came of it. */
struct job {
	struct op op;
	unsigned done; /* how often on_done was called */
	int res;
};

/* A place where calls wait until they are let go, one by one. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned inside; /* wait in it now */
	unsigned entered, free;
};

static struct fixture {
	struct test_engine e;
	struct gate gate;
	bool submitting;
	unsigned done; /* operations of this test */
	size_t order[64], ordered;
} f;

static int
set_up_with(enum conf_engine wanted)
{
	memset(&f, 0, sizeof(f));
	pthread_mutex_init(&f.gate.lock, NULL);
	pthread_cond_init(&f.gate.changed, NULL);
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

static struct device *
device(dev_t id, enum device_kind kind)
{
	return test_engine_device(&f.e, id, kind);
}

static void
on_done(struct op *op, int res)
{
	struct job *j = op->owner;

	assert_false(f.submitting);
	assert_false(op->in_flight);
	j->done++;
	j->res = res;
	f.done++;
}

/* Of a call whose owner is the gate. */
static void
on_called(struct op *op, int res)
{
	assert_false(f.submitting);
	assert_false(op->in_flight);
	assert_ptr_equal(op->owner, &f.gate);
	assert_int_equal(res, 7);
	f.done++;
}

static void
submit(struct device *dev, struct job *j)
{
	j->op.owner = j;
	j->op.on_done = on_done;
	f.submitting = true;
	engine_submit(f.e.engine, dev, &j->op);
	f.submitting = false;
	assert_true(j->op.in_flight);
}

static void
on_too_long(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_break(loop, EVBREAK_ONE);
}

/* Run the loop until `what` is true; false after a long time. */
static bool
await(bool (*what)(unsigned n), unsigned n)
{
	uint64_t end = clock_mono_ns() + PATIENCE_S * NS_PER_S;
	ev_timer tick;

	ev_timer_init(&tick, on_too_long, 0.005, 0.005);
	ev_timer_start(f.e.loop, &tick);
	while (!what(n) && clock_mono_ns() < end)
		ev_run(f.e.loop, EVRUN_ONCE);
	ev_timer_stop(f.e.loop, &tick);
	return what(n);
}

static bool
done_are(unsigned n)
{
	return f.done >= n;
}

/* A count of the gate's. */
static bool
has_come_to(const unsigned *count, unsigned n)
{
	unsigned now;

	pthread_mutex_lock(&f.gate.lock);
	now = *count;
	pthread_mutex_unlock(&f.gate.lock);
	return now >= n;
}

static bool
inside_are(unsigned n)
{
	return has_come_to(&f.gate.inside, n);
}

static bool
entered_are(unsigned n)
{
	return has_come_to(&f.gate.entered, n);
}

/* Let the loop turn for a while in which nothing is expected. */
static void
idle(void)
{
	uint64_t end = clock_mono_ns() + 50 * NS_PER_MS;

	while (clock_mono_ns() < end)
		ev_run(f.e.loop, EVRUN_NOWAIT);
}

/* A call that waits in the gate. */
static int
enter(void *arg)
{
	struct gate *g = arg;

	pthread_mutex_lock(&g->lock);
	g->entered++;
	g->inside++;
	pthread_cond_broadcast(&g->changed);
	while (g->free == 0)
		pthread_cond_wait(&g->changed, &g->lock);
	g->free--;
	g->inside--;
	pthread_mutex_unlock(&g->lock);
	return 7;
}

static void
release(unsigned n)
{
	pthread_mutex_lock(&f.gate.lock);
	f.gate.free += n;
	pthread_cond_broadcast(&f.gate.changed);
	pthread_mutex_unlock(&f.gate.lock);
}

static struct job
waiting_call(void)
{
	return (struct job){
	    .op = {.kind = OP_CALL, .call = enter, .arg = &f.gate}};
}

static struct job
transfer(enum op_kind kind, int fd, void *buf, size_t len, uint64_t offset)
{
	return (struct job){.op = {.kind = kind,
				.fd = fd,
				.buf = buf,
				.len = len,
				.offset = offset}};
}

/* Run it to its end on a device of every kind but memory; the result. */
static int
result(struct job j)
{
	int res = 0;

	for (int kind = DEVICE_UNKNOWN; kind <= DEVICE_MEMORY; kind++) {
		struct job again = j;

		submit(device((dev_t)kind + 1, (enum device_kind)kind), &again);
		assert_int_equal(engine_in_flight(f.e.engine), 1);
		assert_true(await(done_are, f.done + 1));
		assert_int_equal(again.done, 1);
		assert_int_equal(engine_in_flight(f.e.engine), 0);
		if (kind > DEVICE_UNKNOWN)
			assert_int_equal(again.res, res);
		res = again.res;
	}
	return res;
}

static int
fd_flags(void *arg)
{
	return fcntl(*(int *)arg, F_GETFD) == -1 ? -errno : 5;
}

static void
it_has_the_name_that_was_asked_for(void **state)
{
	(void)state;
	need_engine();
	assert_true(strcmp(engine_name(f.e.engine), "io_uring") == 0 ||
		    strcmp(engine_name(f.e.engine), "threads") == 0);
	assert_int_equal(engine_in_flight(f.e.engine), 0);
}

static void
what_is_written_can_be_read(void **state)
{
	unsigned char out[10000], in[sizeof(out) + 1];

	(void)state;
	need_engine();
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (unsigned char)(i * 31 % 251);
	assert_int_equal(
	    result(transfer(OP_WRITE, f.e.fd, out, sizeof(out), 5)),
	    sizeof(out));
	memset(in, 0, sizeof(in));
	assert_int_equal(
	    result(transfer(OP_READ, f.e.fd, in, sizeof(out), 5)), sizeof(out));
	assert_memory_equal(in, out, sizeof(out));
	/* The gap before it is empty. */
	assert_int_equal(result(transfer(OP_READ, f.e.fd, in, 5, 0)), 5);
	assert_memory_equal(in, "\0\0\0\0\0", 5);
}

static void
a_read_ends_short_at_the_end_of_the_file(void **state)
{
	unsigned char buf[4096] = {1};

	(void)state;
	need_engine();
	assert_int_equal(
	    result(transfer(OP_WRITE, f.e.fd, buf, 1000, 0)), 1000);
	assert_int_equal(
	    result(transfer(OP_READ, f.e.fd, buf, sizeof(buf), 0)), 1000);
	assert_int_equal(
	    result(transfer(OP_READ, f.e.fd, buf, sizeof(buf), 999)), 1);
	assert_int_equal(
	    result(transfer(OP_READ, f.e.fd, buf, sizeof(buf), 1000)), 0);
	assert_int_equal(
	    result(transfer(OP_READ, f.e.fd, buf, sizeof(buf), 5000)), 0);
}

static void
nothing_to_move_is_done_all_the_same(void **state)
{
	unsigned char buf[1];

	(void)state;
	need_engine();
	assert_int_equal(result(transfer(OP_WRITE, f.e.fd, buf, 0, 0)), 0);
	assert_int_equal(result(transfer(OP_READ, f.e.fd, buf, 0, 0)), 0);
}

static void
a_call_returns_what_it_returns(void **state)
{
	struct job j = {.op = {.kind = OP_CALL, .call = fd_flags}};
	int bad = -1;

	(void)state;
	need_engine();
	j.op.arg = &f.e.fd;
	assert_int_equal(result(j), 5);
	j.op.arg = &bad;
	assert_int_equal(result(j), -EBADF);
}

/* engine_call() takes an op as it is left by the use before. */
static void
a_call_is_made_in_one_step(void **state)
{
	struct device *d = device(1, DEVICE_MEMORY);
	struct job j = {.op = {.iovs = 3, .align = 512, .no_stall = true}};

	(void)state;
	need_engine();
	release(1);
	f.submitting = true;
	engine_call(f.e.engine, d, &j.op, enter, &f.gate,
	    CALL_SLOW | CALL_NO_STALL, on_called);
	f.submitting = false;
	assert_true(j.op.in_flight && j.op.slow && j.op.no_stall);
	assert_true(j.op.iovs == 0 && j.op.align == 0);
	assert_true(await(done_are, 1));
	release(1);
	engine_call(f.e.engine, d, &j.op, enter, &f.gate, 0, on_called);
	assert_true(j.op.in_flight && !j.op.slow && !j.op.no_stall);
	assert_true(await(done_are, 2));
	assert_int_equal(f.gate.entered, 2);
}

static void
errors_are_negative_errnos(void **state)
{
	unsigned char buf[512] = {0};
	int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	int reading = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	need_engine();
	assert_int_equal(
	    result(transfer(OP_WRITE, -1, buf, sizeof(buf), 0)), -EBADF);
	assert_int_equal(
	    result(transfer(OP_READ, -1, buf, sizeof(buf), 0)), -EBADF);
	assert_int_equal(
	    result(transfer(OP_WRITE, reading, buf, sizeof(buf), 0)), -EBADF);
	assert_int_equal(
	    result(transfer(OP_WRITE, full, buf, sizeof(buf), 0)), -ENOSPC);
	assert_int_equal(
	    result(transfer(OP_READ, dir, buf, sizeof(buf), 0)), -EISDIR);
	close(full);
	close(reading);
	close(dir);
}

/* A file that may not grow takes a part first, then nothing. */
static void
a_write_is_whole_or_an_error(void **state)
{
	static unsigned char buf[CHUNK * 3];
	struct rlimit was, limit;

	(void)state;
	need_engine();
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = was;
	limit.rlim_cur = CHUNK + 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(
	    result(transfer(OP_WRITE, f.e.fd, buf, sizeof(buf), 0)), -EFBIG);
	assert_int_equal(
	    result(transfer(OP_WRITE, f.e.fd, buf, CHUNK, 0)), CHUNK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
}

static void
a_device_has_so_many_in_flight_and_no_more(void **state)
{
	enum { CAP = DEVICE_CAP, MORE = 10 };
	struct job stuck[CAP + MORE], write, other, read;
	struct device *dead = device(1, DEVICE_UNKNOWN);
	struct device *live = device(2, DEVICE_LOCAL);
	unsigned char buf[100] = {1}, in[100];

	(void)state;
	need_engine();
	for (int i = 0; i < CAP + MORE; i++) {
		stuck[i] = waiting_call();
		submit(dead, &stuck[i]);
	}
	/* Reads and writes of that device stand in the same line. */
	write = transfer(OP_WRITE, f.e.fd, buf, sizeof(buf), 0);
	submit(dead, &write);
	assert_true(await(inside_are, CAP));
	idle();
	assert_int_equal(f.gate.entered, CAP);
	assert_int_equal(dead->in_flight, CAP);
	assert_int_equal(f.done, 0);

	/* Others do not notice: calls, writes, reads. */
	other = (struct job){
	    .op = {.kind = OP_CALL, .call = fd_flags, .arg = &f.e.fd}};
	submit(live, &other);
	assert_true(await(done_are, 1));
	assert_int_equal(other.res, 5);
	other = transfer(OP_WRITE, f.e.fd, buf, sizeof(buf), 200);
	submit(live, &other);
	assert_true(await(done_are, 2));
	assert_int_equal(other.res, sizeof(buf));
	read = transfer(OP_READ, f.e.fd, in, sizeof(in), 200);
	submit(live, &read);
	assert_true(await(done_are, 3));
	assert_int_equal(read.res, sizeof(in));
	assert_int_equal(engine_in_flight(f.e.engine), CAP + MORE + 1);
	assert_int_equal(write.done, 0);

	release(CAP + MORE);
	assert_true(await(done_are, 3 + CAP + MORE + 1));
	assert_int_equal(engine_in_flight(f.e.engine), 0);
	assert_int_equal(dead->in_flight, 0);
	assert_int_equal(write.res, sizeof(buf));
	for (int i = 0; i < CAP + MORE; i++) {
		assert_int_equal(stuck[i].done, 1);
		assert_int_equal(stuck[i].res, 7);
	}
}

/* As with `a device ...`, but it is writes of the live one that are many. */
static void
a_stuck_device_does_not_slow_down_writes_of_others(void **state)
{
	enum { CAP = DEVICE_CAP, WRITES = 500 };
	struct job stuck[CAP], *w = calloc(WRITES, sizeof(*w));
	struct device *dead = device(1, DEVICE_UNKNOWN);
	struct device *live = device(2, DEVICE_UNKNOWN);
	unsigned char buf[64] = {1};

	(void)state;
	assert_non_null(w);
	if (f.e.engine == NULL)
		free(w);
	need_engine();
	for (int i = 0; i < CAP; i++) {
		stuck[i] = waiting_call();
		submit(dead, &stuck[i]);
	}
	assert_true(await(inside_are, CAP));
	for (unsigned i = 0; i < WRITES; i++) {
		w[i] = transfer(OP_WRITE, f.e.fd, buf, sizeof(buf), i * 64);
		submit(live, &w[i]);
	}
	assert_true(await(done_are, WRITES));
	release(CAP);
	assert_true(await(done_are, WRITES + CAP));
	free(w);
}

struct numbered {
	size_t number;
};

static int
note(void *arg)
{
	const struct numbered *n = arg;

	pthread_mutex_lock(&f.gate.lock);
	f.order[f.ordered++] = n->number;
	pthread_mutex_unlock(&f.gate.lock);
	return 0;
}

static void
those_over_the_cap_begin_in_order(void **state)
{
	enum { CAP = DEVICE_CAP, MORE = 20 };
	struct job stuck[CAP], more[MORE];
	struct numbered number[MORE];
	struct device *dev = device(1, DEVICE_UNKNOWN);

	(void)state;
	need_engine();
	for (int i = 0; i < CAP; i++) {
		stuck[i] = waiting_call();
		submit(dev, &stuck[i]);
	}
	assert_true(await(inside_are, CAP));
	for (size_t i = 0; i < MORE; i++) {
		number[i].number = i;
		more[i] = (struct job){.op = {
					   .kind = OP_CALL,
					   .call = note,
					   .arg = &number[i],
				       }};
		submit(dev, &more[i]);
	}
	/* One place: they go through it one after the other. */
	release(1);
	assert_true(await(done_are, 1 + MORE));
	for (size_t i = 0; i < MORE; i++)
		assert_int_equal(f.order[i], i);
	release(CAP - 1);
	assert_true(await(done_are, CAP + MORE));
}

/* What waits for its place can be called off; nothing else can. */
static void
what_has_not_begun_can_be_called_off(void **state)
{
	enum { MORE = 12 };
	struct device *dev = device(1, DEVICE_UNKNOWN);
	struct job stuck, more[MORE], write, never = waiting_call();
	struct numbered number[MORE];
	unsigned char buf[10] = {1};
	struct stat st;

	(void)state;
	need_engine();
	dev->cap = 1;
	stuck = waiting_call();
	submit(dev, &stuck);
	assert_true(await(inside_are, 1));
	for (size_t i = 0; i < MORE; i++) {
		number[i].number = i;
		more[i] = (struct job){.op = {
					   .kind = OP_CALL,
					   .call = note,
					   .arg = &number[i],
				       }};
		submit(dev, &more[i]);
	}
	write = transfer(OP_WRITE, f.e.fd, buf, sizeof(buf), 0);
	submit(dev, &write);

	assert_false(engine_cancel(f.e.engine, &never.op));
	assert_false(engine_cancel(f.e.engine, &stuck.op));
	f.submitting = true; /* on_done comes from the loop only */
	for (size_t i = 0; i < MORE; i += 2)
		assert_true(engine_cancel(f.e.engine, &more[i].op));
	assert_true(engine_cancel(f.e.engine, &write.op));
	assert_false(engine_cancel(f.e.engine, &write.op));
	f.submitting = false;
	assert_true(write.op.in_flight);
	assert_int_equal(engine_in_flight(f.e.engine), 1 + MORE + 1);

	/* They come back though the device is stuck; the others wait on. */
	assert_true(await(done_are, MORE / 2 + 1));
	idle();
	assert_int_equal(f.done, MORE / 2 + 1);
	assert_int_equal(write.res, -ECANCELED);
	assert_int_equal(fstat(f.e.fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(dev->in_flight, 1);
	assert_false(engine_cancel(f.e.engine, &write.op));

	release(1);
	assert_true(await(done_are, 1 + MORE + 1));
	assert_int_equal(stuck.res, 7);
	assert_int_equal(f.ordered, MORE / 2);
	for (size_t i = 0; i < MORE; i++) {
		assert_int_equal(more[i].done, 1);
		assert_int_equal(more[i].res, i % 2 == 0 ? -ECANCELED : 0);
		if (i % 2 == 1)
			assert_int_equal(f.order[i / 2], i);
	}
	assert_int_equal(dev->in_flight, 0);
	assert_int_equal(engine_in_flight(f.e.engine), 0);
	assert_false(engine_cancel(f.e.engine, &stuck.op));
}

/* What was called off may be submitted again, and then is carried out. */
static void
what_was_called_off_can_be_submitted_again(void **state)
{
	struct device *dev = device(1, DEVICE_LOCAL);
	struct job stuck = waiting_call(), write;
	unsigned char buf[10] = {1};

	(void)state;
	need_engine();
	dev->cap = 1;
	submit(dev, &stuck);
	assert_true(await(inside_are, 1));
	write = transfer(OP_WRITE, f.e.fd, buf, sizeof(buf), 0);
	for (unsigned i = 1; i <= 3; i++) {
		submit(dev, &write);
		assert_true(engine_cancel(f.e.engine, &write.op));
		assert_true(await(done_are, i));
		assert_int_equal(write.res, -ECANCELED);
	}
	submit(dev, &write);
	release(1);
	assert_true(await(done_are, 5));
	assert_int_equal(write.res, sizeof(buf));
	assert_int_equal(write.done, 4);
}

/* On memory it has been run when submit returns. */
static void
on_memory_nothing_can_be_called_off(void **state)
{
	struct device *memory = device(1, DEVICE_MEMORY);
	unsigned char buf[10] = {1};
	struct job write;

	(void)state;
	need_engine();
	write = transfer(OP_WRITE, f.e.fd, buf, sizeof(buf), 0);
	submit(memory, &write);
	assert_false(engine_cancel(f.e.engine, &write.op));
	assert_true(await(done_are, 1));
	assert_int_equal(write.res, sizeof(buf));
}

static int
note_thread(void *arg)
{
	*(pthread_t *)arg = pthread_self();
	return 0;
}

/* Memory does not wait, but there may be much of it to free. */
static void
on_memory_lengthy_calls_have_a_thread(void **state)
{
	struct device *memory = device(1, DEVICE_MEMORY);
	pthread_t by[2] = {0};

	(void)state;
	need_engine();
	for (int slow = 0; slow < 2; slow++) {
		struct job j = {.op = {.kind = OP_CALL,
				    .call = note_thread,
				    .arg = &by[slow],
				    .slow = slow}};

		submit(memory, &j);
		assert_true(await(done_are, (unsigned)slow + 1));
	}
	assert_true(pthread_equal(by[0], pthread_self()));
	assert_false(pthread_equal(by[1], pthread_self()));
}

/* More at once would only take turns on the processors. */
static void
of_calls_that_compute_as_many_run_as_there_are_processors(void **state)
{
	enum { MORE = 5 };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t cap = processors > 1 ? (size_t)processors : 1;
	struct device *dev = device_new_compute(f.e.devices);
	struct job *j = calloc(cap + MORE, sizeof(*j));

	(void)state;
	assert_true(dev != NULL && j != NULL);
	assert_int_equal(dev->cap, cap);
	assert_int_equal(device_disks(dev), 1);
	if (f.e.engine == NULL)
		free(j);
	need_engine();
	for (size_t i = 0; i < cap + MORE; i++) {
		j[i] = waiting_call();
		submit(dev, &j[i]);
	}
	assert_true(await(inside_are, (unsigned)cap));
	idle();
	assert_int_equal(f.gate.entered, cap);
	release((unsigned)cap + MORE);
	assert_true(await(done_are, (unsigned)cap + MORE));
	assert_int_equal(f.gate.entered, cap + MORE);
	free(j);
}

/* Only the loop brings another thread to them, and it does not run. */
static void
brief_calls_are_made_by_one_thread(void **state)
{
	enum { CALLS = 30 };
	uint64_t end = clock_mono_ns() + PATIENCE_S * NS_PER_S;
	struct device *dev = device(1, DEVICE_LOCAL);
	struct job first = waiting_call(), j[CALLS], last = waiting_call();
	pthread_t by[CALLS];

	(void)state;
	need_engine();
	first.op.brief = last.op.brief = true;
	submit(dev, &first);
	for (int i = 0; i < CALLS; i++) {
		j[i] = (struct job){.op = {.kind = OP_CALL,
					.call = note_thread,
					.arg = &by[i],
					.brief = true}};
		submit(dev, &j[i]);
	}
	submit(dev, &last);
	release(1);
	while (!entered_are(2) && clock_mono_ns() < end)
		usleep(1000);
	assert_true(entered_are(2));
	release(1);
	assert_true(await(done_are, CALLS + 2));
	for (int i = 1; i < CALLS; i++)
		assert_true(pthread_equal(by[i], by[0]));
}

static void
a_brief_call_that_is_stuck_holds_up_no_others(void **state)
{
	enum { STUCK = 5, CALLS = 100 };
	struct device *dead = device(1, DEVICE_LOCAL);
	struct device *live = device(2, DEVICE_LOCAL);
	struct job stuck[STUCK], j[CALLS];
	pthread_t by;

	(void)state;
	need_engine();
	for (int i = 0; i < STUCK; i++) {
		stuck[i] = waiting_call();
		stuck[i].op.brief = true;
		submit(dead, &stuck[i]);
	}
	for (int i = 0; i < CALLS; i++) {
		j[i] = (struct job){.op = {.kind = OP_CALL,
					.call = note_thread,
					.arg = &by,
					.brief = true}};
		submit(i % 2 ? dead : live, &j[i]);
	}
	assert_true(await(done_are, CALLS));
	assert_true(await(inside_are, STUCK));
	release(STUCK);
	assert_true(await(done_are, STUCK + CALLS));
}

/* Then they have threads of their own, as all calls have. */
static void
brief_calls_of_many_devices_are_made(void **state)
{
	enum { DEVICES = 12 };
	struct job stuck[DEVICES], j[DEVICES];
	pthread_t by[DEVICES];

	(void)state;
	need_engine();
	for (int i = 0; i < DEVICES; i++) {
		stuck[i] = waiting_call();
		stuck[i].op.brief = true;
		submit(device((dev_t)i + 1, DEVICE_LOCAL), &stuck[i]);
		j[i] = (struct job){.op = {.kind = OP_CALL,
					.call = note_thread,
					.arg = &by[i],
					.brief = true}};
		submit(device((dev_t)i + 1, DEVICE_LOCAL), &j[i]);
	}
	assert_true(await(done_are, DEVICES));
	release(DEVICES);
	assert_true(await(done_are, 2 * DEVICES));
}

static void
on_memory_it_is_run_at_once_and_told_later(void **state)
{
	struct device *memory = device(1, DEVICE_MEMORY);
	unsigned char buf[100] = {1};
	struct job j[100];
	struct stat st;

	(void)state;
	need_engine();
	for (unsigned i = 0; i < 100; i++) {
		j[i] = transfer(OP_WRITE, f.e.fd, buf, sizeof(buf), i * 100);
		submit(memory, &j[i]);
		assert_int_equal(fstat(f.e.fd, &st), 0);
		assert_int_equal(st.st_size, (i + 1) * 100);
	}
	assert_int_equal(f.done, 0);
	ev_run(f.e.loop, EVRUN_NOWAIT);
	assert_int_equal(f.done, 100);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(j[i].res, 100);
}

/* An on_done that submits again, as writers do. */
struct relay {
	struct job job;
	struct device *dev;
	unsigned left, depth;
};

static unsigned relay_depth;

static void
on_relay(struct op *op, int res)
{
	struct relay *r = op->owner;

	assert_int_equal(res, op->len);
	assert_int_equal(relay_depth, 0); /* never from within a submit */
	f.done++;
	if (r->left-- == 0)
		return;
	op->offset += 10;
	relay_depth++;
	engine_submit(f.e.engine, r->dev, op);
	relay_depth--;
}

static void
it_may_be_submitted_again_from_its_end(void **state)
{
	unsigned char buf[10] = {1};
	struct relay r[3];

	(void)state;
	need_engine();
	for (int i = 0; i < 3; i++) {
		r[i] = (struct relay){.left = 999,
		    .dev = device((dev_t)i + 1, (enum device_kind)i)};
		r[i].job = transfer(OP_WRITE, f.e.fd, buf, sizeof(buf), 0);
		r[i].job.op.owner = &r[i];
		r[i].job.op.on_done = on_relay;
		engine_submit(f.e.engine, r[i].dev, &r[i].job.op);
	}
	assert_true(await(done_are, 3 * 1000));
	assert_int_equal(engine_in_flight(f.e.engine), 0);
}

/* More at once than the ring has entries, over more devices than the cap of
 * one would let through. */
static void
thousands_complete(void **state)
{
	enum { OPS = 6000, DEVICES = 40, LEN = 128 };
	struct job *w = calloc(OPS, sizeof(*w));
	unsigned char *out = malloc(OPS * LEN), *in = malloc(OPS * LEN);

	(void)state;
	assert_true(w != NULL && out != NULL && in != NULL);
	if (f.e.engine == NULL) {
		free(w);
		free(out);
		free(in);
	}
	need_engine();
	for (unsigned i = 0; i < OPS * LEN; i++)
		out[i] = (unsigned char)(i * 2654435761U >> 13);
	for (unsigned i = 0; i < OPS; i++) {
		w[i] = transfer(OP_WRITE, f.e.fd, out + i * LEN, LEN, i * LEN);
		if (i % 7 == 0)
			w[i].op = (struct op){
			    .kind = OP_CALL, .call = fd_flags, .arg = &f.e.fd};
		submit(device(1 + i % DEVICES,
			   i % 2 ? DEVICE_LOCAL : DEVICE_UNKNOWN),
		    &w[i]);
	}
	assert_true(await(done_are, OPS));
	idle();
	assert_int_equal(f.done, OPS);
	assert_int_equal(engine_in_flight(f.e.engine), 0);
	assert_true(pread(f.e.fd, in, OPS * LEN, 0) > 0);
	for (unsigned i = 0; i < OPS; i++) {
		assert_int_equal(w[i].done, 1);
		assert_int_equal(w[i].res, i % 7 == 0 ? 5 : LEN);
		if (i % 7 != 0)
			assert_memory_equal(in + i * LEN, out + i * LEN, LEN);
	}
	free(w);
	free(out);
	free(in);
}

/* The process that is to die is forked while threads run, and starts some of
 * its own, which TSan would rather end it for. */
const char *__tsan_default_options(void);
const char *
__tsan_default_options(void)
{
	return "die_after_fork=0";
}

static void
submit_twice(void)
{
	struct engine *e;
	struct job j = waiting_call();

	/* Its own: an engine does not survive a fork. */
	if (engine_new(f.e.loop, ENGINE_THREADS, &e) < 0)
		_exit(1);
	j.op.on_done = on_done;
	engine_submit(e, device(1, DEVICE_UNKNOWN), &j.op);
	engine_submit(e, device(1, DEVICE_UNKNOWN), &j.op);
}

static void
free_in_flight(void)
{
	struct engine *e;
	struct job j = waiting_call();

	if (engine_new(f.e.loop, ENGINE_THREADS, &e) < 0)
		_exit(1);
	j.op.on_done = on_done;
	engine_submit(e, device(1, DEVICE_UNKNOWN), &j.op);
	engine_free(&e);
}

static void
misuse_ends_the_process(void **state)
{
	(void)state;
	need_engine();
	assert_int_equal(dies_of(submit_twice), SIGABRT);
	assert_int_equal(dies_of(free_in_flight), SIGABRT);
}

static void
auto_is_one_of_the_two(void **state)
{
	struct engine *e = NULL, *ring = NULL;
	int err;

	(void)state;
	assert_int_equal(engine_new(f.e.loop, ENGINE_AUTO, &e), 0);
	err = engine_new(f.e.loop, ENGINE_IO_URING, &ring);
	assert_string_equal(engine_name(e), err == 0 ? "io_uring" : "threads");
	assert_true(err == 0 || ring == NULL);
	engine_free(&ring);
	engine_free(&e);
	engine_free(&e); /* nothing when there is none */
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
	    TEST(it_has_the_name_that_was_asked_for),
	    TEST(what_is_written_can_be_read),
	    TEST(a_read_ends_short_at_the_end_of_the_file),
	    TEST(nothing_to_move_is_done_all_the_same),
	    TEST(a_call_returns_what_it_returns),
	    TEST(a_call_is_made_in_one_step),
	    TEST(errors_are_negative_errnos),
	    TEST(a_write_is_whole_or_an_error),
	    TEST(a_device_has_so_many_in_flight_and_no_more),
	    TEST(a_stuck_device_does_not_slow_down_writes_of_others),
	    TEST(those_over_the_cap_begin_in_order),
	    TEST(what_has_not_begun_can_be_called_off),
	    TEST(what_was_called_off_can_be_submitted_again),
	    TEST(on_memory_nothing_can_be_called_off),
	    TEST(on_memory_lengthy_calls_have_a_thread),
	    TEST(of_calls_that_compute_as_many_run_as_there_are_processors),
	    TEST(brief_calls_are_made_by_one_thread),
	    cmocka_unit_test_setup_teardown(
		a_brief_call_that_is_stuck_holds_up_no_others, set_up_threads,
		tear_down),
	    TEST(brief_calls_of_many_devices_are_made),
	    TEST(on_memory_it_is_run_at_once_and_told_later),
	    TEST(it_may_be_submitted_again_from_its_end),
	    TEST(thousands_complete),
	    TEST(misuse_ends_the_process),
	    ON(threads, auto_is_one_of_the_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
