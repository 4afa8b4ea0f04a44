#include "lib/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/device.h"
#include "disk/engine.h"
#include "lib/directory.h"
#include "lib/memory_store.h"
#include "local/local.h"
#include "shared/shm.h"

struct contract contract;
unsigned contract_looked_into;

unsigned char
contract_byte(size_t i)
{
	return (unsigned char)(i * 7 + (i >> 8));
}

static enum source_result
bytes_read(struct source *s, struct chunk *c, size_t size, struct reader *r)
{
	struct bytes *b = container_of(s, struct bytes, source);

	(void)r;
	while (c->len < size && b->at < b->len)
		c->data[c->len++] = contract_byte(b->at++);
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

/* ---- a store ---- */

static void
on_settled(void *owner)
{
	assert_ptr_equal(owner, &contract);
	contract.settled++;
}

void
contract_turn(void)
{
	ev_run(contract.loop, EVRUN_NOWAIT);
}

static void
open_store(const struct store_kind *kind)
{
	contract.store = kind->open(&(struct store_setup){
	    .policy = &contract.policy,
	    .loop = contract.loop,
	    .engine = contract.engine,
	    .devices = contract.devices,
	    .shared = &contract.shared,
	    .slot = shm_slot_number(contract.shared.shm, contract.slot),
	    .chunk_size = CONTRACT_CHUNK,
	    .on_settled = on_settled,
	    .owner = &contract,
	});
	assert_non_null(contract.store);
	CONTRACT_WAIT(contract.settled > 0);
}

/* In a directory below `tmp`; NULL: wherever. */
void
contract_begin(const struct store_kind *kind, const char *tmp)
{
	if (tmp == NULL)
		tmp = getenv("TMPDIR");
	memset(&contract, 0, sizeof(contract));
	snprintf(contract.dir, sizeof(contract.dir), "%s/contract.XXXXXX",
	    tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(contract.dir));
	contract.is_memory = kind == &memory_kind;
	contract.loop = ev_loop_new(EVFLAG_AUTO);
	contract.pool =
	    chunk_pool_new(contract.loop, CONTRACT_CHUNK, CONTRACT_BUDGET);
	contract.devices = device_set_new(contract.pool);
	assert_int_equal(
	    engine_new(contract.loop, ENGINE_THREADS, &contract.engine), 0);
	assert_int_equal(
	    shared_init(&contract.shared, &(struct shared_room){16, 16, 16}),
	    0);
	contract.slot = shm_slot_take(contract.shared.shm);
	contract.slot->pid = (uint32_t)getpid();
	assert_int_equal(pipe(contract.wake), 0);
	assert_int_equal(write(contract.wake[1], "x", 1), 1);
	contract.policy.output_dir = contract.dir;
	contract.policy.overwrite = true;
	contract.policy.resume = true;
	open_store(kind);
	chunk_account_add(contract.pool, &contract.account);
	if (contract.is_memory)
		chunk_account_add(
		    contract.pool, memory_store_account(contract.store));
}

int
contract_begin_local(void **state)
{
	(void)state;
	contract_begin(&local_kind, NULL);
	return 0;
}

/* Local files, in a memory file system: the loop stores them. */
int
contract_begin_tmpfs(void **state)
{
	(void)state;
	contract_begin(&local_kind, "/dev/shm");
	return 0;
}

int
contract_begin_memory(void **state)
{
	(void)state;
	contract_begin(&memory_kind, NULL);
	return 0;
}

void
contract_let_go(struct told *t)
{
	flow_stop(&t->flow);
	store_abort(&t->in);
	store_close(&t->out);
}

/* Whatever a test did, the store comes to rest. */
int
contract_end(void **state)
{
	(void)state;
	contract_let_go(&contract.put);
	contract_let_go(&contract.other);
	contract_let_go(&contract.get);
	CONTRACT_WAIT(
	    !store_has_files(contract.store) && store_is_idle(contract.store));
	assert_int_equal(contract.settled, 1);
	assert_int_equal(contract.put.after_end + contract.get.after_end, 0);
	assert_int_equal(chunk_pool_held(contract.pool), 0);
	if (contract.is_memory)
		chunk_account_remove(
		    contract.pool, memory_store_account(contract.store));
	chunk_account_remove(contract.pool, &contract.account);
	store_free(&contract.store);
	assert_null(contract.store);
	CONTRACT_WAIT(engine_in_flight(contract.engine) == 0);
	engine_free(&contract.engine);
	device_set_free(&contract.devices);
	chunk_pool_free(&contract.pool);
	close(contract.wake[0]);
	close(contract.wake[1]);
	ev_loop_destroy(contract.loop);
	test_directory_remove(contract.dir);
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
		contract_let_go(t);
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
		contract_let_go(t);
}

static void
on_put_failed(void *owner, struct failure why, const char *reason)
{
	struct told *t = owner;

	tell(t, &t->failed);
	t->failure = why;
	t->reason = reason;
	if (t->leaves_when_failed)
		contract_let_go(t);
}

static void
on_put_found(void *owner)
{
	struct told *t = owner;

	tell(t, &t->found);
	if (t->leaves_when_ready)
		contract_let_go(t);
}

static void
on_put_suspended(void *owner)
{
	struct told *t = owner;

	tell(t, &t->suspended);
	if (t->leaves_when_ready)
		contract_let_go(t);
}

static void
on_put_hashed(void *owner, struct failure why)
{
	struct told *t = owner;

	tell(t, &t->hashed);
	t->hash_failure = why;
}

static void
on_put_removed(void *owner)
{
	struct told *t = owner;

	tell(t, &t->removed);
	if (t->leaves_when_ready)
		contract_let_go(t);
}

const struct put_events contract_put_events = {
    .on_ready = on_put_ready,
    .on_stored = on_put_stored,
    .on_failed = on_put_failed,
    .on_found = on_put_found,
    .on_suspended = on_put_suspended,
    .on_hashed = on_put_hashed,
    .on_removed = on_put_removed,
};

static void
on_get_ready(void *owner, const struct object_info *info)
{
	struct told *t = owner;

	tell(t, &t->ready);
	t->info = *info;
	if (t->leaves_when_ready)
		contract_let_go(t);
}

static void
on_get_failed(void *owner, struct failure why)
{
	struct told *t = owner;

	tell(t, &t->failed);
	t->failure = why;
	if (t->leaves_when_failed)
		contract_let_go(t);
}

const struct get_events contract_get_events = {
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
contract_flow(struct told *t, struct source *from, struct sink *to,
    struct chunk_account *account)
{
	flow_init(&t->flow);
	flow_start(&t->flow, &(struct flow_setup){
				 .loop = contract.loop,
				 .pool = contract.pool,
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
bool
contract_create(struct told *t, const struct put_request *r)
{
	struct failure why;

	*t = (struct told){
	    .leaves_when_ready = t->leaves_when_ready,
	    .leaves_when_stored = t->leaves_when_stored,
	    .leaves_when_failed = t->leaves_when_failed,
	};
	t->body.len = (size_t)r->length;
	why = store_create(contract.store, r, &contract_put_events, t, &t->in);
	assert_false(failure_is(why));
	assert_int_equal(
	    t->in->is_ready, r->collect && r->length <= CONTRACT_CHUNK);
	assert_int_equal(t->ready + t->stored + t->failed, 0);
	return t->in->is_ready;
}

void
contract_start_writing(struct told *t)
{
	t->body.source.ops = &bytes_ops;
	t->body.source.fd = contract.wake[0];
	t->body.source.wants = EV_READ;
	contract_flow(t, &t->body.source, t->in->sink, t->in->account);
}

void
contract_start_reading(struct told *t)
{
	t->kept.sink.ops = &kept_ops;
	contract_flow(t, &t->out->source, &t->kept.sink, t->out->account);
}

void
contract_write(struct told *t)
{
	contract_start_writing(t);
	CONTRACT_WAIT(
	    t->drained || t->failed > 0 || failure_is(t->write_failure));
	assert_false(failure_is(t->read_failure));
}

bool
contract_has_ended(const struct told *t)
{
	return t->stored + t->failed > 0;
}

/* Store it, as far as that goes. */
void
contract_put(struct told *t, const struct put_request *r)
{
	if (!contract_create(t, r))
		CONTRACT_WAIT(t->ready + t->failed > 0);
	if (t->failed == 0)
		contract_write(t);
	if (t->drained) {
		store_commit(t->in, 0);
		assert_false(contract_has_ended(t));
		CONTRACT_WAIT(contract_has_ended(t));
	}
	contract_let_go(t);
}

struct put_request
contract_request(const char *name, uint64_t length)
{
	return (struct put_request){.name = name, .length = length};
}

void
contract_put_ok(struct told *t, const char *name, uint64_t length)
{
	struct put_request r = contract_request(name, length);

	contract_put(t, &r);
	assert_int_equal(t->stored, 1);
	assert_int_equal(t->failed, 0);
}

/* If it has a descriptor, that has the same bytes. */
static void
look_into(const struct outgoing *out)
{
	unsigned char got[CONTRACT_LARGE];
	size_t len = (size_t)(out->end - out->offset);

	assert_true(out->fd == -1 || out->source.fd == -1);
	if (out->fd == -1)
		return;
	assert_true(len <= sizeof(got));
	assert_int_equal(pread(out->fd, got, len, (off_t)out->offset), len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(got[i], contract_byte(out->offset + i));
	contract_looked_into++;
}

/* Open it, and read `len` bytes from `first` on; UINT64_MAX: all. */
void
contract_get(struct told *t, const char *name, uint64_t first, uint64_t len)
{
	*t = (struct told){0};
	t->failure =
	    store_open(contract.store, name, &contract_get_events, t, &t->out);
	if (failure_is(t->failure))
		return;
	contract_read(t, first, len);
}

void
contract_read(struct told *t, uint64_t first, uint64_t len)
{
	CONTRACT_WAIT(t->ready + t->failed > 0);
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
	contract_start_reading(t);
	CONTRACT_WAIT(t->drained || failure_is(t->read_failure));
	flow_stop(&t->flow);
	store_close(&t->out);
}

void
contract_assert_is(const struct told *t, uint64_t first, uint64_t len)
{
	assert_int_equal(t->ready, 1);
	assert_false(failure_is(t->read_failure));
	assert_int_equal(t->kept.len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(t->kept.got[i], contract_byte(first + i));
}

void
contract_assert_there(const char *name, uint64_t len)
{
	contract_get(&contract.get, name, 0, UINT64_MAX);
	contract_assert_is(&contract.get, 0, len);
}

void
contract_assert_not_there(const char *name)
{
	contract_get(&contract.get, name, 0, UINT64_MAX);
	assert_int_equal(contract.get.failure.outcome, OUTCOME_NOT_FOUND);
}
