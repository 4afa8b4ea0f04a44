/*
 * What every store has to do, held against each that there is: local files, and
 * the one in memory that other tests are made with.
 */
#include "store/store.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
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

#include <cmocka.h>

#include "base/clock.h"
#include "config/store_policy.h"
#include "disk/device.h"
#include "disk/engine.h"
#include "flow/flow.h"
#include "http/conditions.h"
#include "http/head.h"
#include "local/local.h"
#include "local/publish.h"
#include "lib/directory.h"
#include "lib/memory_store.h"
#include "lib/portable.h"
#include "shared/replacing.h"
#include "shared/shared.h"
#include "shared/shm.h"

enum {
	CHUNK = 4096,
	BUDGET = CHUNK * 16,
	LARGE = CHUNK * 5 + 123, /* in several chunks, and not collected */
	PATIENCE_S = 20,
};

/* ---- a body, and what was read ---- */

struct bytes {
	struct source source;
	size_t at, len;
};

struct kept {
	struct sink sink;
	unsigned char got[LARGE];
	size_t len;
};

/* An upload's or a download's owner, with all that it was told. */
struct told {
	unsigned ready, stored, failed, after_end;
	struct failure failure;
	const char *reason;
	struct object_info info;
	bool replaced;
	enum durability durability;
	/* the owner lets go from within the callback */
	bool leaves_when_ready, leaves_when_stored, leaves_when_failed;
	struct incoming *in;
	struct outgoing *out;
	struct flow flow;
	struct bytes body;
	struct kept kept;
	bool drained;
	struct failure write_failure, read_failure;
};

static struct fixture {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct chunk_account account; /* while there is no other */
	struct device_set *devices;
	struct engine *engine;
	struct shared shared;
	struct slot *slot;
	struct store_policy policy;
	struct store *store;
	bool is_memory;
	unsigned settled;
	int wake[2];
	char dir[4096];
	struct told put, get, other;
} f;

static unsigned looked_into; /* descriptors of outgoing files */

static unsigned char
byte_at(size_t i)
{
	return (unsigned char)(i * 7 + (i >> 8));
}

static enum source_result
bytes_read(struct source *s, struct chunk *c, size_t size, struct reader *r)
{
	struct bytes *b = container_of(s, struct bytes, source);

	(void)r;
	while (c->len < size && b->at < b->len)
		c->data[c->len++] = byte_at(b->at++);
	s->ended = b->at == b->len;
	return SOURCE_BYTES;
}

static void
bytes_abandon(struct source *s)
{
	(void)s;
	fail();
}

static const struct source_ops bytes_ops = {
    .read = bytes_read,
    .abandon = bytes_abandon,
};

static void
kept_write(struct sink *s, struct chunk *c, struct writer *w)
{
	struct kept *k = container_of(s, struct kept, sink);

	assert_true(k->len + c->len <= sizeof(k->got));
	memcpy(k->got + k->len, c->data, c->len);
	k->len += c->len;
	chunk_give(c);
	writer_done(w, 1); /* it only wakes the writer */
}

static void
kept_abandon(struct sink *s)
{
	(void)s;
}

static const struct sink_ops kept_ops = {
    .write = kept_write,
    .abandon = kept_abandon,
};

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

static atomic_uint locks; /* that were asked for */

int
flock(int fd, int how)
{
	locks += how != LOCK_UN;
	return (int)syscall(SYS_flock, fd, how);
}

/* ---- a store ---- */

static void
on_settled(void *owner)
{
	assert_ptr_equal(owner, &f);
	f.settled++;
}

static void
turn(void)
{
	ev_run(f.loop, EVRUN_NOWAIT);
}

#define WAIT_FOR(what)                                                         \
	do {                                                                   \
		uint64_t since = clock_mono_ns();                              \
		while (!(what) && clock_mono_ns() - since <                    \
				      (uint64_t)PATIENCE_S * NS_PER_S)         \
			turn();                                                \
		assert_true(what);                                             \
	} while (0)

static void
open_store(const struct store_kind *kind)
{
	f.store = kind->open(&(struct store_setup){
	    .policy = &f.policy,
	    .loop = f.loop,
	    .engine = f.engine,
	    .devices = f.devices,
	    .shared = &f.shared,
	    .slot = shm_slot_number(f.shared.shm, f.slot),
	    .chunk_size = CHUNK,
	    .on_settled = on_settled,
	    .owner = &f,
	});
	assert_non_null(f.store);
	WAIT_FOR(f.settled > 0);
}

/* In a directory below `tmp`; NULL: wherever. */
static void
set_up_store(const struct store_kind *kind, const char *tmp)
{
	if (tmp == NULL)
		tmp = getenv("TMPDIR");
	memset(&f, 0, sizeof(f));
	loop_thread = pthread_self();
	snprintf(
	    f.dir, sizeof(f.dir), "%s/contract.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f.dir));
	f.is_memory = kind == &memory_kind;
	f.loop = ev_loop_new(EVFLAG_AUTO);
	f.pool = chunk_pool_new(f.loop, CHUNK, BUDGET);
	f.devices = device_set_new(f.pool);
	assert_int_equal(engine_new(f.loop, ENGINE_THREADS, &f.engine), 0);
	assert_int_equal(
	    shared_init(&f.shared, &(struct shared_room){16, 16, 16}), 0);
	f.slot = shm_slot_take(f.shared.shm);
	f.slot->pid = (uint32_t)getpid();
	assert_int_equal(pipe(f.wake), 0);
	assert_int_equal(write(f.wake[1], "x", 1), 1);
	f.policy.output_dir = f.dir;
	f.policy.overwrite = true;
	open_store(kind);
	chunk_account_add(f.pool, &f.account);
	if (f.is_memory)
		chunk_account_add(f.pool, memory_store_account(f.store));
}

static int
set_up_local(void **state)
{
	(void)state;
	set_up_store(&local_kind, NULL);
	return 0;
}

/* Local files, in a memory file system: the loop stores them. */
static int
set_up_tmpfs(void **state)
{
	(void)state;
	set_up_store(&local_kind, "/dev/shm");
	return 0;
}

static int
set_up_memory(void **state)
{
	(void)state;
	set_up_store(&memory_kind, NULL);
	return 0;
}

static void
end_told(struct told *t)
{
	flow_stop(&t->flow);
	store_abort(&t->in);
	store_close(&t->out);
}

/* Whatever a test did, the store comes to rest. */
static int
tear_down(void **state)
{
	(void)state;
	end_told(&f.put);
	end_told(&f.other);
	end_told(&f.get);
	WAIT_FOR(!store_has_files(f.store) && store_is_idle(f.store));
	assert_int_equal(f.settled, 1);
	assert_int_equal(f.put.after_end + f.get.after_end, 0);
	assert_int_equal(chunk_pool_held(f.pool), 0);
	if (f.is_memory)
		chunk_account_remove(f.pool, memory_store_account(f.store));
	chunk_account_remove(f.pool, &f.account);
	store_free(&f.store);
	assert_null(f.store);
	WAIT_FOR(engine_in_flight(f.engine) == 0);
	engine_free(&f.engine);
	device_set_free(&f.devices);
	chunk_pool_free(&f.pool);
	close(f.wake[0]);
	close(f.wake[1]);
	ev_loop_destroy(f.loop);
	test_directory_remove(f.dir);
	return 0;
}

/* ---- owners ---- */

static void
tell(struct told *t, unsigned *what)
{
	if (t->stored + t->failed > 0)
		t->after_end++;
	++*what;
}

static void
on_put_ready(void *owner)
{
	struct told *t = owner;

	tell(t, &t->ready);
	if (t->leaves_when_ready)
		end_told(t);
}

static void
on_put_stored(void *owner, const struct stored *s)
{
	struct told *t = owner;

	tell(t, &t->stored);
	t->info = s->info;
	t->replaced = s->replaced;
	t->durability = s->durability;
	assert_false(s->superseded);
	if (t->leaves_when_stored)
		end_told(t);
}

static void
on_put_failed(void *owner, struct failure why, const char *reason)
{
	struct told *t = owner;

	tell(t, &t->failed);
	t->failure = why;
	t->reason = reason;
	if (t->leaves_when_failed)
		end_told(t);
}

static const struct put_events put_events = {
    .on_ready = on_put_ready,
    .on_stored = on_put_stored,
    .on_failed = on_put_failed,
};

static void
on_get_ready(void *owner, const struct object_info *info)
{
	struct told *t = owner;

	tell(t, &t->ready);
	t->info = *info;
	if (t->leaves_when_ready)
		end_told(t);
}

static void
on_get_failed(void *owner, struct failure why)
{
	struct told *t = owner;

	tell(t, &t->failed);
	t->failure = why;
	if (t->leaves_when_failed)
		end_told(t);
}

static const struct get_events get_events = {
    .on_ready = on_get_ready,
    .on_failed = on_get_failed,
};

static void
on_read_all(void *owner)
{
	(void)owner;
}

static void
on_drained(void *owner)
{
	struct told *t = owner;

	t->drained = true;
}

static void
on_read_failed(void *owner, struct failure why)
{
	struct told *t = owner;

	t->read_failure = why;
}

static void
on_write_failed(void *owner, struct failure why)
{
	struct told *t = owner;

	t->write_failure = why;
}

static void
flow(struct told *t, struct source *from, struct sink *to,
    struct chunk_account *account)
{
	flow_init(&t->flow);
	flow_start(&t->flow, &(struct flow_setup){
				 .loop = f.loop,
				 .pool = f.pool,
				 .account = account,
				 .source = from,
				 .sink = to,
				 .queue_depth = 2,
				 .write_depth = 2,
				 .owner = t,
				 .on_read_all = on_read_all,
				 .on_drained = on_drained,
				 .on_read_failed = on_read_failed,
				 .on_write_failed = on_write_failed,
			     });
}

/* Begin to store `len` bytes under `r->name`. */
static bool
begin(struct told *t, const struct put_request *r)
{
	struct failure why;

	*t = (struct told){
	    .leaves_when_ready = t->leaves_when_ready,
	    .leaves_when_stored = t->leaves_when_stored,
	    .leaves_when_failed = t->leaves_when_failed,
	};
	t->body.len = (size_t)r->length;
	why = store_create(f.store, r, &put_events, t, &t->in);
	assert_false(failure_is(why));
	assert_int_equal(t->in->is_ready, r->collect && r->length <= CHUNK);
	assert_int_equal(t->ready + t->stored + t->failed, 0);
	return t->in->is_ready;
}

static void
write_body(struct told *t)
{
	t->body.source.ops = &bytes_ops;
	t->body.source.fd = f.wake[0];
	t->body.source.wants = EV_READ;
	flow(t, &t->body.source, t->in->sink, t->in->account);
	WAIT_FOR(t->drained || t->failed > 0 || failure_is(t->write_failure));
	assert_false(failure_is(t->read_failure));
}

static bool
has_ended(const struct told *t)
{
	return t->stored + t->failed > 0;
}

/* Store it, as far as that goes. */
static void
put(struct told *t, const struct put_request *r)
{
	if (!begin(t, r))
		WAIT_FOR(t->ready + t->failed > 0);
	if (t->failed == 0)
		write_body(t);
	if (t->drained) {
		store_commit(t->in, 0);
		assert_false(has_ended(t));
		WAIT_FOR(has_ended(t));
	}
	end_told(t);
}

static struct put_request
request(const char *name, uint64_t length)
{
	return (struct put_request){.name = name, .length = length};
}

static void
put_ok(struct told *t, const char *name, uint64_t length)
{
	struct put_request r = request(name, length);

	put(t, &r);
	assert_int_equal(t->stored, 1);
	assert_int_equal(t->failed, 0);
}

/* If it has a descriptor, that has the same bytes. */
static void
look_into(const struct outgoing *out)
{
	unsigned char got[LARGE];
	size_t len = (size_t)(out->end - out->offset);

	assert_true(out->fd == -1 || out->source.fd == -1);
	if (out->fd == -1)
		return;
	assert_true(len <= sizeof(got));
	assert_int_equal(pread(out->fd, got, len, (off_t)out->offset), len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(got[i], byte_at(out->offset + i));
	looked_into++;
}

/* Open it, and read `len` bytes from `first` on; UINT64_MAX: all. */
static void
get(struct told *t, const char *name, uint64_t first, uint64_t len)
{
	*t = (struct told){0};
	t->failure = store_open(f.store, name, &get_events, t, &t->out);
	if (failure_is(t->failure))
		return;
	WAIT_FOR(t->ready + t->failed > 0);
	assert_int_equal(t->ready + t->failed, 1);
	if (t->failed > 0) {
		store_close(&t->out);
		return;
	}
	assert_int_equal(t->out->offset, 0);
	assert_int_equal(t->out->end, t->info.size);
	if (len != UINT64_MAX) {
		t->out->offset = first;
		t->out->end = first + len;
	}
	look_into(t->out);
	t->kept.sink.ops = &kept_ops;
	flow(t, &t->out->source, &t->kept.sink, t->out->account);
	WAIT_FOR(t->drained || failure_is(t->read_failure));
	flow_stop(&t->flow);
	store_close(&t->out);
}

static void
assert_is(const struct told *t, uint64_t first, uint64_t len)
{
	assert_int_equal(t->ready, 1);
	assert_false(failure_is(t->read_failure));
	assert_int_equal(t->kept.len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(t->kept.got[i], byte_at(first + i));
}

static void
assert_there(const char *name, uint64_t len)
{
	get(&f.get, name, 0, UINT64_MAX);
	assert_is(&f.get, 0, len);
}

static void
assert_not_there(const char *name)
{
	get(&f.get, name, 0, UINT64_MAX);
	assert_int_equal(f.get.failure.outcome, OUTCOME_NOT_FOUND);
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
	struct told *t = &f.get;

	(void)state;
	SKIP_PORTABLE("kinds of file systems");
	put_ok(&f.put, "a", LARGE);
	looked_into = 0;
	assert_there("a", LARGE);
	assert_int_equal(looked_into, 1);
	*t = (struct told){0};
	assert_false(
	    failure_is(store_open(f.store, "a", &get_events, t, &t->out)));
	assert_int_equal(t->ready, 1);
	store_close(&t->out);
	assert_false(store_has_files(f.store));
}

/* The loop would wait for it. */
static void
what_is_on_a_disk_has_none(void **state)
{
	int dir = open(f.dir, O_RDONLY);
	struct device_traits traits = device_traits_of(dir);

	(void)state;
	close(dir);
	if (traits.kind == DEVICE_MEMORY)
		skip();
	put_ok(&f.put, "a", LARGE);
	looked_into = 0;
	assert_there("a", LARGE);
	assert_int_equal(looked_into, 0);
}

static void
what_is_stored_can_be_read(void **state)
{
	char stored[OBJECT_ETAG_SIZE], there[OBJECT_ETAG_SIZE];

	(void)state;
	put_ok(&f.put, "a", LARGE);
	assert_int_equal(f.put.ready, 1);
	assert_false(f.put.replaced);
	assert_int_equal(f.put.info.size, LARGE);
	assert_there("a", LARGE);
	etag_of(&f.put, stored);
	etag_of(&f.get, there);
	assert_string_equal(stored, there);
	assert_int_equal(f.get.info.modified_s, f.put.info.modified_s);
}

static void
an_empty_one_is_one(void **state)
{
	(void)state;
	put_ok(&f.put, "a", 0);
	assert_there("a", 0);
}

static void
a_name_may_have_several_parts(void **state)
{
	(void)state;
	put_ok(&f.put, "a/b/c", 10);
	assert_there("a/b/c", 10);
	assert_not_there("a/b/d");
}

static void
what_is_collected_is_ready_at_once(void **state)
{
	struct put_request r = request("a", CHUNK);

	(void)state;
	r.collect = true;
	put(&f.put, &r);
	assert_int_equal(f.put.ready, 0);
	assert_int_equal(f.put.stored, 1);
	assert_there("a", CHUNK);
}

/* Write up to there, with a writer of its own. */
static void
write_part(struct told *t, size_t until)
{
	t->body.len = until;
	t->body.source.ended = false;
	t->drained = false;
	write_body(t);
	flow_stop(&t->flow);
	assert_true(t->drained);
	assert_int_equal(store_offset(t->in), until);
	/* Nothing is left of a writer but what it has written. */
	memset(&t->flow, 0xa5, sizeof(t->flow));
	for (int i = 0; i < 5; i++)
		turn();
	flow_init(&t->flow);
}

static void
it_can_come_by_several_writers(void **state)
{
	static const size_t first[] = {0, 1, CHUNK - 1, CHUNK, LARGE - 1};
	struct put_request r = request("a", LARGE);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(first); i++) {
		assert_int_equal(begin(&f.put, &r), 0);
		WAIT_FOR(f.put.ready > 0);
		assert_int_equal(store_offset(f.put.in), 0);
		write_part(&f.put, first[i]);
		write_part(&f.put, LARGE / 2 > first[i] ? LARGE / 2 : LARGE);
		write_part(&f.put, LARGE);
		store_commit(f.put.in, 0);
		WAIT_FOR(has_ended(&f.put));
		assert_int_equal(f.put.stored, 1);
		end_told(&f.put);
		assert_there("a", LARGE);
	}
}

/* What was written is lost, which a job beside the writes found out: between two
 * writers that is told, too. */
static void
a_loss_between_two_writers_is_told(void **state)
{
	struct put_request r = request("a", LARGE);

	(void)state;
	SKIP_PORTABLE("writing back of ranges");
	f.policy.direct_io = DIRECT_OFF;
	f.policy.write_behind = 2 * CHUNK;
	sync_held = true;
	assert_int_equal(begin(&f.put, &r), 0);
	WAIT_FOR(f.put.ready > 0);
	write_part(&f.put, CHUNK);
	WAIT_FOR(syncs > 0);
	assert_int_equal(f.put.failed, 0);
	sync_held = false;
	WAIT_FOR(f.put.failed > 0);
	assert_int_equal(f.put.failure.outcome, OUTCOME_SYNC_FAILED);
	assert_int_equal(f.put.failure.err, -EIO);
	end_told(&f.put);
	assert_not_there("a");
}

static void
so_can_one_that_may_be_collected(void **state)
{
	static const size_t first[] = {0, 1, 99, 100};
	struct put_request r = request("a", 100);

	(void)state;
	r.collect = true;
	for (size_t i = 0; i < COUNT_OF(first); i++) {
		assert_int_equal(begin(&f.put, &r), 1);
		write_part(&f.put, first[i]);
		write_part(&f.put, 100);
		store_commit(f.put.in, 0);
		WAIT_FOR(has_ended(&f.put));
		assert_int_equal(f.put.stored, 1);
		end_told(&f.put);
		assert_there("a", 100);
	}
}

static void
a_large_one_is_not_collected(void **state)
{
	struct put_request r = request("a", CHUNK + 1);

	(void)state;
	r.collect = true;
	put(&f.put, &r);
	assert_int_equal(f.put.ready, 1);
	assert_int_equal(f.put.stored, 1);
	assert_there("a", CHUNK + 1);
}

static void
a_part_can_be_read(void **state)
{
	(void)state;
	put_ok(&f.put, "a", LARGE);
	get(&f.get, "a", CHUNK - 1, 10);
	assert_is(&f.get, CHUNK - 1, 10);
	get(&f.get, "a", LARGE - 1, 1);
	assert_is(&f.get, LARGE - 1, 1);
}

static void
the_newest_can_be_read(void **state)
{
	(void)state;
	get(&f.get, NULL, 0, UINT64_MAX);
	assert_int_equal(f.get.failure.outcome, OUTCOME_NONE_YET);
	put_ok(&f.put, "b", 10);
	put_ok(&f.put, "a", 20);
	assert_there(NULL, 20);
	put_ok(&f.put, "b", 30);
	assert_there(NULL, 30);
}

static void
what_is_not_there_is_enoent(void **state)
{
	(void)state;
	assert_not_there("a");
}

static void
a_second_one_replaces(void **state)
{
	char before[OBJECT_ETAG_SIZE], after[OBJECT_ETAG_SIZE];

	(void)state;
	put_ok(&f.put, "a", 10);
	etag_of(&f.put, before);
	put_ok(&f.put, "a", 20);
	assert_true(f.put.replaced);
	etag_of(&f.put, after);
	assert_string_not_equal(before, after);
	assert_there("a", 20);
}

/* Reads in flight go on. */
static void
what_is_replaced_can_be_read_to_its_end(void **state)
{
	struct told *t = &f.get;

	(void)state;
	put_ok(&f.put, "a", LARGE);
	assert_false(
	    failure_is(store_open(f.store, "a", &get_events, t, &t->out)));
	WAIT_FOR(t->ready > 0);
	put_ok(&f.put, "a", 10);
	t->kept.sink.ops = &kept_ops;
	flow(t, &t->out->source, &t->kept.sink, t->out->account);
	WAIT_FOR(t->drained);
	assert_is(t, 0, LARGE);
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
	struct put_request r = request("a", 20);

	(void)state;
	f.policy.overwrite = false;
	put_ok(&f.put, "a", 10);
	put(&f.put, &r);
	assert_int_equal(f.put.failed, 1);
	assert_exists(&f.put);
	r.collect = true;
	put(&f.put, &r);
	assert_int_equal(f.put.failed, 1);
	assert_exists(&f.put);
	assert_there("a", 10);
}

/* `r`, which is about "a", begins before another upload gets that name, and is
 * committed after that. */
static void
put_after_another(const struct put_request *r)
{
	begin(&f.other, r);
	WAIT_FOR(f.other.ready > 0);
	put_ok(&f.put, "a", 10);
	write_body(&f.other);
	store_commit(f.other.in, 0);
	WAIT_FOR(has_ended(&f.other));
}

static void
of_two_only_one_gets_the_name(void **state)
{
	struct put_request r = request("a", 20);

	(void)state;
	f.policy.overwrite = false;
	put_after_another(&r);
	assert_exists(&f.other);
	end_told(&f.other);
	assert_there("a", 10);
}

static void
a_forerunner_may_be_replaced(void **state)
{
	struct put_request r = request("a", 20);
	char first[OBJECT_ETAG_SIZE];

	(void)state;
	f.policy.overwrite = false;
	put_ok(&f.put, "a", 0);
	etag_of(&f.put, first);
	r.forerunner = first;
	put(&f.put, &r);
	assert_int_equal(f.put.stored, 1);
	assert_true(f.put.replaced);
	assert_there("a", 20);
	put(&f.put, &r);
	assert_exists(&f.put);
}

/* ---- conditions ---- */

static void
put_if(struct told *t, const char *match, const char *none_match, bool collect)
{
	struct head h = {0};
	struct preconditions pre;
	struct put_request r = request("a", 20);
	const char *why;

	if (match != NULL)
		h.if_match = (struct span){match, strlen(match)};
	if (none_match != NULL)
		h.if_none_match = (struct span){none_match, strlen(none_match)};
	assert_int_equal(conditions_write(&h, &pre, &why), 0);
	r.pre = preconditions_copy(&pre);
	r.collect = collect;
	put(t, &r);
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
		put_if(&f.put, "*", NULL, collect);
		assert_refused(&f.put);
		assert_not_there("a");
	}
	put_if(&f.put, NULL, "*", false);
	assert_int_equal(f.put.stored, 1);
	etag_of(&f.put, etag);
	for (int collect = 0; collect <= 1; collect++) {
		put_if(&f.put, NULL, "*", collect);
		assert_refused(&f.put);
		put_if(&f.put, "\"other\"", NULL, collect);
		assert_refused(&f.put);
		put_if(&f.put, NULL, etag, collect);
		assert_refused(&f.put);
	}
	put_if(&f.put, etag, NULL, false);
	assert_int_equal(f.put.stored, 1);
	assert_true(f.put.replaced);
	put_if(&f.put, etag, NULL, false); /* of the one before */
	assert_refused(&f.put);
}

/* What has the name is looked at again when that is given. */
static void
conditions_hold_at_the_end(void **state)
{
	struct head h = {.if_none_match = {"*", 1}};
	struct preconditions pre;
	struct put_request r = request("a", 20);
	const char *why;

	(void)state;
	assert_int_equal(conditions_write(&h, &pre, &why), 0);
	r.pre = preconditions_copy(&pre);
	put_after_another(&r);
	assert_refused(&f.other);
	end_told(&f.other);
	assert_there("a", 10);
}

/* ---- letting go ---- */

static void
wait_for_rest(void)
{
	WAIT_FOR(!store_has_files(f.store) && store_is_idle(f.store));
}

static void
what_is_aborted_leaves_nothing(void **state)
{
	struct put_request r = request("a", LARGE);

	(void)state;
	begin(&f.put, &r); /* before it is ready */
	store_abort(&f.put.in);
	assert_null(f.put.in);
	wait_for_rest();
	begin(&f.put, &r); /* before the first byte */
	WAIT_FOR(f.put.ready > 0);
	end_told(&f.put);
	wait_for_rest();
	begin(&f.put, &r); /* on the way */
	WAIT_FOR(f.put.ready > 0);
	f.put.body.source.ops = &bytes_ops;
	f.put.body.source.fd = f.wake[0];
	f.put.body.source.wants = EV_READ;
	flow(&f.put, &f.put.body.source, f.put.in->sink, f.put.in->account);
	WAIT_FOR(f.put.body.at > 0);
	end_told(&f.put);
	wait_for_rest();
	begin(&f.put, &r); /* behind the last byte */
	WAIT_FOR(f.put.ready > 0);
	write_body(&f.put);
	end_told(&f.put);
	wait_for_rest();
	r.length = 10;
	r.collect = true;
	begin(&f.put, &r);
	end_told(&f.put);
	wait_for_rest();
	begin(&f.put, &r);
	write_body(&f.put);
	end_told(&f.put);
	wait_for_rest();
	assert_not_there("a");
	assert_int_equal(f.put.stored + f.put.failed, 0);
}

/* It is stored all the same. */
static void
a_commit_goes_on_without_its_owner(void **state)
{
	struct put_request r = request("a", LARGE);

	(void)state;
	begin(&f.put, &r);
	WAIT_FOR(f.put.ready > 0);
	write_body(&f.put);
	store_commit(f.put.in, 0);
	end_told(&f.put);
	wait_for_rest();
	assert_int_equal(f.put.stored + f.put.failed, 0);
	assert_there("a", LARGE);
}

static void
a_put_may_be_aborted_when_it_is_ready(void **state)
{
	struct put_request r = request("a", 10);

	(void)state;
	f.put.leaves_when_ready = true;
	begin(&f.put, &r);
	WAIT_FOR(f.put.ready > 0);
	assert_null(f.put.in);
	wait_for_rest();
	assert_not_there("a");
}

static void
a_put_may_be_aborted_when_it_is_stored(void **state)
{
	(void)state;
	f.put.leaves_when_stored = true;
	put_ok(&f.put, "a", 10);
	wait_for_rest();
	assert_there("a", 10);
}

static void
a_put_may_be_aborted_when_it_has_failed(void **state)
{
	struct put_request r = request("a", 10);

	(void)state;
	f.policy.overwrite = false;
	put_ok(&f.put, "a", 20);
	f.put.leaves_when_failed = true;
	begin(&f.put, &r);
	WAIT_FOR(f.put.failed > 0);
	assert_null(f.put.in);
	wait_for_rest();
	assert_there("a", 20);
}

/* Its owner is in no hurry to abort it. */
static void
a_failure_is_told_once_and_last(void **state)
{
	struct put_request r = request("a", 10);

	(void)state;
	f.policy.overwrite = false;
	put_ok(&f.put, "a", 20);
	begin(&f.put, &r);
	WAIT_FOR(f.put.failed > 0);
	for (int i = 0; i < 100; i++)
		turn();
	assert_int_equal(f.put.failed, 1);
	assert_int_equal(f.put.ready + f.put.stored, 0);
	store_abort(&f.put.in);
}

static void
a_get_may_be_closed_at_any_time(void **state)
{
	struct told *t = &f.get;
	unsigned before;

	(void)state;
	put_ok(&f.put, "a", LARGE);
	assert_false(
	    failure_is(store_open(f.store, "a", &get_events, t, &t->out)));
	before = t->ready;
	store_close(&t->out);
	wait_for_rest();
	assert_int_equal(t->ready, before);
	assert_int_equal(t->failed, 0);
	*t = (struct told){.leaves_when_ready = true};
	assert_false(
	    failure_is(store_open(f.store, "a", &get_events, t, &t->out)));
	WAIT_FOR(t->ready > 0);
	assert_null(t->out);
	wait_for_rest();
	*t = (struct told){0};
	assert_false(
	    failure_is(store_open(f.store, "a", &get_events, t, &t->out)));
	WAIT_FOR(t->ready > 0);
	t->kept.sink.ops = &kept_ops;
	flow(t, &t->out->source, &t->kept.sink, t->out->account);
	WAIT_FOR(t->kept.len > 0);
	end_told(t);
	wait_for_rest();
	*t = (struct told){.leaves_when_failed = true};
	assert_false(
	    failure_is(store_open(f.store, "b", &get_events, t, &t->out)));
	WAIT_FOR(t->failed > 0);
	assert_null(t->out);
	wait_for_rest();
	assert_int_equal(t->ready, 0);
}

static void
rest_may_be_asked_for_again(void **state)
{
	(void)state;
	put_ok(&f.put, "a", 10);
	store_rest(f.store);
	store_rest(f.store);
	wait_for_rest();
}

/* ---- local files that are replaced ---- */

static void
put_small(struct told *t, const char *name, uint64_t length)
{
	struct put_request r = request(name, length);

	r.collect = true;
	put(t, &r);
	assert_int_equal(t->stored, 1);
	assert_there(name, length);
}

/* On a memory file system it does not wait for a disk.  A large one takes long to
 * free. */
static void
the_loop_replaces_what_is_small(void **state)
{
	char path[PATH_MAX + 16];

	(void)state;
	SKIP_PORTABLE("memory file systems are taken for others");
	put_small(&f.put, "a", 10);
	put_small(&f.put, "a", 20);
	assert_true(f.put.replaced);
	assert_true(renamed_on_loop);
	put_ok(&f.put, "a", LARGE);
	assert_true(renamed_on_loop);
	snprintf(path, sizeof(path), "%s/a", f.dir);
	assert_int_equal(truncate(path, 1024 * 1024), 0);
	put_small(&f.put, "a", 10);
	assert_true(renamed_on_loop);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(truncate(path, 1024 * 1024 + 1), 0);
		if (i == 0)
			put_small(&f.put, "a", 30);
		else
			put_ok(&f.put, "a", LARGE);
		assert_true(f.put.replaced);
		assert_false(renamed_on_loop);
	}
}

static mode_t
mode_of(const char *name)
{
	char path[PATH_MAX + 16];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", f.dir, name);
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
	put_small(&f.put, "a", 10);
	put_small(&f.put, "a", 11);
	put_small(&f.put, "a", 12);
	assert_int_equal(mode_of("a"), 0644);
	if (setxattr(f.dir, "system.posix_acl_default", acl, sizeof(acl), 0) ==
	    -1) {
		umask(mask);
		skip();
	}
	for (uint64_t len = 20; len < 23; len++) {
		put_small(&f.put, "a", len);
		assert_int_equal(mode_of("a"), 0666);
	}
	umask(mask);
}

static void
sweep_temp_names(void)
{
	int root = open(f.dir, O_RDONLY | O_DIRECTORY);
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
	put_small(&f.put, "a", 10);
	for (uint64_t len = 20; len < 24; len++) {
		before_rename = sweep_temp_names;
		put_small(&f.put, "a", len);
		assert_null(before_rename);
		assert_true(f.put.replaced);
	}
}

/* The lock of the directory, taken in this way by another process, as it were. */
static int
hold_lock(int how)
{
	char path[PATH_MAX + 16];
	int lock;

	snprintf(path, sizeof(path), "%s/.penstock", f.dir);
	lock = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(lock, -1);
	assert_int_equal(flock(lock, how), 0);
	return lock;
}

/* It is complete, and waits for others. */
static void
begin_to_wait(struct told *t, const struct put_request *r)
{
	assert_true(begin(t, r));
	write_body(t);
	store_commit(t->in, 0);
	for (int i = 0; i < 100; i++) {
		turn();
		usleep(200);
	}
	assert_false(has_ended(t));
}

static void
end_waiting(struct told *t)
{
	WAIT_FOR(has_ended(t));
	assert_int_equal(t->stored, 1);
	end_told(t);
}

/* Others replace that name just now, in another worker. */
static void
what_another_one_replaces_is_waited_for(void **state)
{
	struct replacing *all = f.shared.replacing;
	struct put_request r = {.name = "a", .length = 20, .collect = true};
	replacing_claim claim, beside;
	char other[] = "b";
	struct stat st;
	int lock;

	(void)state;
	SKIP_PORTABLE("locks that are shared");
	put_small(&f.put, "a", 10);
	put_small(&f.put, "a", 11);
	assert_int_equal(stat(f.dir, &st), 0);
	lock = hold_lock(LOCK_SH);
	claim = replacing_take(
	    all, 200, replacing_key(all, st.st_dev, st.st_ino, "a"));
	assert_int_not_equal(claim, 0);
	/* One that is not by chance claimed with it. */
	while ((beside = replacing_take(all, 200,
		    replacing_key(all, st.st_dev, st.st_ino, other))) == 0)
		other[0]++;
	replacing_give(all, &beside);
	put_small(&f.put, other, 10); /* that is not waited for */
	put_small(&f.put, other, 11);
	begin_to_wait(&f.put, &r);
	assert_there("a", 11);
	replacing_give(all, &claim);
	close(lock);
	end_waiting(&f.put);
	assert_there("a", 20);
}

/* Somebody has looked at what is there, and is about to replace it. */
static void
who_has_the_lock_alone_is_waited_for(void **state)
{
	struct put_request r = {.name = "a", .length = 20, .collect = true};
	int lock;

	(void)state;
	SKIP_PORTABLE("locks of another kind");
	put_small(&f.put, "a", 10);
	lock = hold_lock(LOCK_EX);
	put_small(&f.put, "b", 10); /* it is new */
	begin_to_wait(&f.put, &r);
	close(lock);
	end_waiting(&f.put);
	assert_there("a", 20);
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
	put_small(&f.put, "a", 10);
	etag_of(&f.put, first);
	put_small(&f.put, "b", 10);
	put_small(&f.put, "b", 11);
	f.policy.overwrite = false;
	r.forerunner = first;
	lock = hold_lock(LOCK_SH);
	begin_to_wait(&f.put, &r);
	close(lock);
	end_waiting(&f.put);
	assert_there("a", 20);
}

/* Complete, but for its commit. */
static void
make_ready(struct told *t, const char *name, uint64_t length)
{
	struct put_request r = {
	    .name = name, .length = length, .collect = true};

	assert_true(begin(t, &r));
	write_body(t);
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
	struct replacing *all = f.shared.replacing;
	struct stat st;
	unsigned before;
	uint64_t note;
	int lock;

	(void)state;
	SKIP_PORTABLE("locks that are shared");
	put_small(&f.put, "a", 10);
	put_small(&f.put, "b", 10);
	put_small(&f.put, "b", 11);
	lock = hold_lock(LOCK_SH);
	assert_int_equal(fstat(lock, &st), 0);
	assert_true(can_be_had_alone(lock));

	make_ready(&f.put, "a", 20);
	make_ready(&f.other, "b", 20);
	before = locks;
	store_commit(f.put.in, 0);
	store_commit(f.other.in, 0);
	assert_int_equal(locks, before + 1);
	assert_false(can_be_had_alone(lock));
	turn();
	assert_true(can_be_had_alone(lock));
	end_waiting(&f.put);
	end_waiting(&f.other);
	assert_there("a", 20);
	assert_there("b", 20);

	make_ready(&f.put, "a", 30);
	make_ready(&f.other, "b", 30);
	store_commit(f.put.in, 0);
	note = replacing_note(all, 200, st.st_dev, st.st_ino);
	store_commit(f.other.in, 0);
	assert_true(can_be_had_alone(lock));
	replacing_unnote(all, st.st_dev, st.st_ino, note);
	end_waiting(&f.put);
	end_waiting(&f.other);
	assert_there("a", 30);
	assert_there("b", 30);
	close(lock);
}

#define BOTH(name)                                                             \
	{#name ": local", name, set_up_local, tear_down, NULL},                \
	{                                                                      \
#name ": memory", name, set_up_memory, tear_down, NULL         \
	}

#define DISK(name)                                                             \
	{                                                                      \
#name ": disk", name, set_up_local, tear_down, NULL            \
	}
#define TMPFS(name)                                                            \
	{                                                                      \
#name ": tmpfs", name, set_up_tmpfs, tear_down, NULL           \
	}

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
	    cmocka_unit_test_setup_teardown(
		a_loss_between_two_writers_is_told, set_up_local, tear_down),
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
	    BOTH(rest_may_be_asked_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
