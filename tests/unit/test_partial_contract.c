/*
 * What every store has to do that can resume (store/partial.h), held against each that
 * there is.
 */
#include "store/partial.h"

#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "http/conditions.h"
#include "http/head.h"
#include "lib/contract.h"
#include "lib/memory_store.h"

enum {
	PART = CONTRACT_CHUNK + 1000, /* no chunk, sector or page ends there */
	ALL = CONTRACT_LARGE,
};

static const char id[] = "0123456789abcdef0123456789abcdef";
static const char other_id[] = "ffffffffffffffffffffffffffffffff";

static struct span
text(const char *s)
{
	return (struct span){s, strlen(s)};
}

static void
assert_text(struct span is, const char *want)
{
	assert_int_equal(is.len, strlen(want));
	assert_memory_equal(is.s, want, is.len);
}

#define SKIP_WITHOUT_PARTIALS()                                                \
	do {                                                                   \
		if (!store_can(contract.store, STORE_CAN_RESUME))              \
			skip();                                                \
	} while (0)

#define SKIP_WITHOUT_READING()                                                 \
	do {                                                                   \
		if (contract.store->ops->hash == NULL)                         \
			skip();                                                \
	} while (0)

/* Nothing is flowing any more, and another step may follow. */
static void
rest(struct told *t)
{
	flow_rest(&t->flow);
	t->drained = false;
}

/* Begin a partial that is to be `a`, until it is ready. */
static void
begin(struct told *t, const char *its_id, uint64_t length)
{
	struct partial p = {
	    .length = length,
	    .client = 7,
	    .record = text("who, and what for"),
	    .state = text("begun"),
	};
	struct put_request r = contract_request("a", length);

	memcpy(p.id, its_id, sizeof(p.id));
	r.partial = &p;
	assert_false(contract_create(t, &r));
	memset(&p, 0, sizeof(p)); /* it was copied */
	CONTRACT_WAIT(t->ready + t->failed > 0);
	assert_int_equal(t->ready, 1);
	assert_non_null(t->in->partial);
}

/* Write what is between its offset and `end`. */
static void
write_to(struct told *t, size_t end)
{
	t->body.at = (size_t)store_offset(t->in);
	t->body.len = end;
	contract_write(t);
	assert_true(t->drained);
	rest(t);
	assert_int_equal(store_offset(t->in), end);
}

static void
suspend_as(struct told *t, uint64_t offset, uint64_t length, const char *state)
{
	struct partial p = {
	    .offset = offset, .length = length, .state = text(state)};
	unsigned before = t->suspended;

	store_suspend(t->in, &p);
	CONTRACT_WAIT(t->suspended + t->failed > before);
	assert_int_equal(t->failed, 0);
	assert_int_equal(t->in->partial->offset, offset);
	assert_int_equal(t->in->partial->length, length);
	assert_text(t->in->partial->state, state);
	assert_int_equal(store_offset(t->in), offset);
}

static void
suspend(struct told *t)
{
	suspend_as(t, store_offset(t->in), t->in->partial->length, "more");
}

/* As if by another request: nothing is known of it but its ID. */
static void
resume(struct told *t, const char *its_id)
{
	*t = (struct told){.leaves_when_ready = t->leaves_when_ready};
	t->failure = store_resume(
	    contract.store, its_id, &contract_put_events, t, &t->in);
	assert_false(failure_is(t->failure));
	assert_int_equal(t->found + t->failed, 0);
	CONTRACT_WAIT(t->found + t->failed > 0);
	assert_int_equal(t->found + t->failed, 1);
}

static void
assert_resumed(struct told *t, enum partial_phase phase, uint64_t offset)
{
	resume(t, id);
	/* Who had it has only just let go. */
	while (t->failure.outcome == OUTCOME_HELD) {
		contract_let_go(t);
		resume(t, id);
	}
	assert_int_equal(t->found, 1);
	assert_string_equal(t->in->partial->id, id);
	assert_int_equal(t->in->partial->phase, phase);
	assert_int_equal(t->in->partial->offset, offset);
	assert_int_equal(t->in->partial->client, 7);
	assert_text(t->in->partial->record, "who, and what for");
}

static void
assert_no_upload(const char *its_id)
{
	resume(&contract.other, its_id);
	assert_int_equal(contract.other.failed, 1);
	assert_int_equal(contract.other.failure.outcome, OUTCOME_NO_UPLOAD);
	contract_let_go(&contract.other);
}

static void
append(struct told *t, const char *name, uint64_t length)
{
	struct put_request r = contract_request(name, length);
	unsigned before = t->ready;

	store_append(t->in, &r);
	CONTRACT_WAIT(t->ready + t->failed > before);
}

static void
commit(struct told *t)
{
	store_commit(t->in, 0);
	CONTRACT_WAIT(contract_has_ended(t));
}

/* Its first part is there, and it waits. */
static void
leave_a_part(void)
{
	begin(&contract.put, id, ALL);
	write_to(&contract.put, PART);
	suspend(&contract.put);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
}

/* ---- a life ---- */

static void
it_outlives_its_owner(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	leave_a_part();
	contract_assert_not_there("a");
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	assert_int_equal(contract.put.in->partial->length, ALL);
	assert_text(contract.put.in->partial->state, "more");
	assert_int_equal(contract.put.in->partial->answer.len, 0);
	assert_true(contract.put.in->partial->changed_s > 0);
	append(&contract.put, "a", ALL);
	assert_int_equal(contract.put.ready, 1);
	write_to(&contract.put, ALL);
	commit(&contract.put);
	assert_int_equal(contract.put.stored, 1);
	assert_int_equal(contract.put.info.size, ALL);
	contract_let_go(&contract.put);
	contract_assert_there("a", ALL);
}

/* Also from an offset that a disk likes. */
static void
it_can_come_in_many_parts(void **state)
{
	static const size_t ends[] = {1, 4096, 4097, 8192, 8192, ALL};

	(void)state;
	SKIP_WITHOUT_PARTIALS();
	begin(&contract.put, id, ALL);
	suspend(&contract.put);
	contract_let_go(&contract.put);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		assert_resumed(
		    &contract.put, PARTIAL_OPEN, i > 0 ? ends[i - 1] : 0);
		append(&contract.put, "a", ends[i]);
		write_to(&contract.put, ends[i]);
		suspend(&contract.put);
		if (ends[i] < ALL)
			contract_let_go(&contract.put);
	}
	commit(&contract.put);
	assert_int_equal(contract.put.stored, 1);
	contract_let_go(&contract.put);
	contract_assert_there("a", ALL);
}

/* The owner goes on without letting go. */
static void
after_a_suspend_more_can_come(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	begin(&contract.put, id, STORE_LENGTH_UNKNOWN);
	write_to(&contract.put, PART);
	suspend(&contract.put);
	append(&contract.put, "b", STORE_LENGTH_UNKNOWN);
	write_to(&contract.put, ALL);
	suspend_as(&contract.put, ALL, ALL, "");
	commit(&contract.put);
	assert_int_equal(contract.put.stored, 1);
	contract_let_go(&contract.put);
	contract_assert_there("b", ALL); /* the last name counts */
	contract_assert_not_there("a");
}

static void
one_that_is_begun_can_be_committed_at_once(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	begin(&contract.put, id, 0);
	commit(&contract.put);
	assert_int_equal(contract.put.stored, 1);
	contract_let_go(&contract.put);
	contract_assert_there("a", 0);
	assert_resumed(&contract.put, PARTIAL_STORED, 0);
}

/* ---- what counts ---- */

static void
what_was_not_suspended_never_came(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	leave_a_part();
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	append(&contract.put, "a", ALL);
	write_to(&contract.put, ALL);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	assert_text(contract.put.in->partial->state, "more");
	contract_assert_not_there("a");
}

static void
one_that_is_begun_is_there_with_no_bytes(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	begin(&contract.put, id, ALL);
	write_to(&contract.put, PART);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_resumed(&contract.put, PARTIAL_OPEN, 0);
	assert_text(contract.put.in->partial->state, "begun");
}

/* A part whose digest was wrong, say: other bytes come in its place. */
static void
what_is_beyond_the_offset_never_came(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	begin(&contract.put, id, ALL);
	write_to(&contract.put, PART);
	suspend(&contract.put);
	append(&contract.put, "a", ALL);
	contract.put.body.at = 0; /* not what belongs there */
	contract.put.body.len = ALL - PART;
	contract_write(&contract.put);
	assert_true(contract.put.drained);
	rest(&contract.put);
	suspend_as(&contract.put, PART + 10, ALL, "again");
	append(&contract.put, "a", ALL);
	suspend_as(&contract.put, PART + 10, ALL, "and again");
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_resumed(&contract.put, PARTIAL_OPEN, PART + 10);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
}

static void
what_came_instead_is_what_is_stored(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	begin(&contract.put, id, ALL);
	write_to(&contract.put, PART);
	suspend(&contract.put);
	append(&contract.put, "a", ALL);
	contract.put.body.at = 0; /* not what belongs there */
	contract.put.body.len = ALL - PART;
	contract_write(&contract.put);
	rest(&contract.put);
	suspend_as(&contract.put, PART, ALL, "again");
	append(&contract.put, "a", ALL);
	write_to(&contract.put, ALL);
	commit(&contract.put);
	assert_int_equal(contract.put.stored, 1);
	contract_let_go(&contract.put);
	contract_assert_there("a", ALL);
}

/* ---- one at a time ---- */

static void
assert_held(struct told *t)
{
	assert_int_equal(t->failed, 1);
	assert_int_equal(t->failure.outcome, OUTCOME_HELD);
	assert_non_null(t->in->partial);
	assert_string_equal(t->in->partial->id, id);
	assert_int_equal(t->in->partial->client, 7);
	assert_text(t->in->partial->record, "who, and what for");
}

static void
only_one_has_it(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	leave_a_part();
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	resume(&contract.other, id);
	assert_held(&contract.other);
	contract_let_go(&contract.other);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_resumed(&contract.other, PARTIAL_OPEN, PART);
}

static void
who_begins_it_has_it(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	begin(&contract.put, id, ALL);
	resume(&contract.other, id);
	assert_held(&contract.other);
	contract_let_go(&contract.other);
	suspend(&contract.put);
	resume(&contract.other, id);
	assert_held(&contract.other);
}

/* What is known of one that another one has stays, also when that one has removed it. */
static void
what_it_is_can_be_read_by_who_does_not_have_it(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	leave_a_part();
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	resume(&contract.other, id);
	assert_held(&contract.other);
	store_remove(contract.put.in);
	CONTRACT_WAIT(contract.put.removed + contract.put.failed > 0);
	assert_int_equal(contract.put.removed, 1);
	contract_let_go(&contract.put);
	assert_held(&contract.other);
	contract_let_go(&contract.other);
	resume(&contract.other, id);
	assert_int_equal(contract.other.failure.outcome, OUTCOME_NO_UPLOAD);
	assert_null(contract.other.in->partial);
}

static void
two_do_not_disturb_each_other(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	leave_a_part();
	begin(&contract.other, other_id, ALL);
	write_to(&contract.other, ALL);
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	append(&contract.put, "b", ALL);
	write_to(&contract.put, ALL);
	commit(&contract.put);
	assert_int_equal(contract.put.stored, 1);
	contract_let_go(&contract.put);
	commit(&contract.other);
	assert_int_equal(contract.other.stored, 1);
	contract_let_go(&contract.other);
	contract_assert_there("a", ALL);
	contract_assert_there("b", ALL);
}

static void
one_that_never_was_is_not_there(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	assert_no_upload(other_id);
	leave_a_part();
	assert_no_upload(other_id);
}

/* ---- its end ---- */

static void
a_stored_one_is_known_with_its_answer(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	leave_a_part();
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	append(&contract.put, "a", ALL);
	write_to(&contract.put, ALL);
	commit(&contract.put);
	store_conclude(contract.put.in, PARTIAL_STORED, text("201, it was"));
	assert_null(contract.put.in->partial);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_resumed(&contract.put, PARTIAL_STORED, ALL);
	assert_text(contract.put.in->partial->answer, "201, it was");
}

/* Its owner was gone before it could say so: it is stored, and stored once. */
static void
a_commit_goes_on_without_its_owner(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	begin(&contract.put, id, ALL);
	write_to(&contract.put, ALL);
	store_commit(contract.put.in, 0);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	contract_assert_there("a", ALL);
	assert_resumed(&contract.put, PARTIAL_STORED, ALL);
	assert_int_equal(contract.put.in->partial->answer.len, 0);
}

static void
refuse(void)
{
	store_conclude(contract.put.in, PARTIAL_REFUSED, text("422, so sorry"));
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	resume(&contract.put, id);
	assert_int_equal(contract.put.found, 1);
	assert_int_equal(contract.put.in->partial->phase, PARTIAL_REFUSED);
	assert_text(contract.put.in->partial->answer, "422, so sorry");
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	contract_assert_not_there("a");
}

static void
one_can_be_refused_when_it_is_found(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	leave_a_part();
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	refuse();
}

static void
one_can_be_refused_when_it_is_ready(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	begin(&contract.put, id, ALL);
	write_to(&contract.put, PART);
	refuse();
}

static void
one_can_be_refused_when_it_is_suspended(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	begin(&contract.put, id, ALL);
	suspend(&contract.put);
	refuse();
}

/* Its name was taken meanwhile. */
static void
take_its_name(void)
{
	contract.policy.overwrite = false;
	contract_put_ok(&contract.other, "a", 10);
}

static void
one_can_be_refused_when_its_commit_has_failed(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	contract.policy.overwrite = false;
	begin(&contract.put, id, ALL);
	write_to(&contract.put, ALL);
	take_its_name();
	commit(&contract.put);
	assert_int_equal(contract.put.failed, 1);
	assert_int_equal(contract.put.failure.outcome, OUTCOME_EXISTS);
	store_conclude(contract.put.in, PARTIAL_REFUSED, text("403"));
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	resume(&contract.put, id);
	assert_int_equal(contract.put.in->partial->phase, PARTIAL_REFUSED);
	contract_assert_there("a", 10);
}

/* So is the name, if it is free again. */
static void
a_commit_that_failed_can_be_tried_again(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	contract.policy.overwrite = false;
	begin(&contract.put, id, ALL);
	write_to(&contract.put, ALL);
	suspend(&contract.put);
	take_its_name();
	commit(&contract.put);
	assert_int_equal(contract.put.failure.outcome, OUTCOME_EXISTS);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_resumed(&contract.put, PARTIAL_OPEN, ALL);
	append(&contract.put, "b", ALL);
	commit(&contract.put);
	assert_int_equal(contract.put.stored, 1);
	contract_let_go(&contract.put);
	contract_assert_there("b", ALL);
}

static void
an_append_that_may_not_be_leaves_it_as_it_was(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	take_its_name();
	contract.policy.overwrite = true;
	leave_a_part();
	contract.policy.overwrite = false;
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	append(&contract.put, "a", ALL);
	assert_int_equal(contract.put.failed, 1);
	assert_int_equal(contract.put.failure.outcome, OUTCOME_EXISTS);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
}

static void
remove_it(void)
{
	store_remove(contract.put.in);
	CONTRACT_WAIT(contract.put.removed + contract.put.failed > 0);
	assert_int_equal(contract.put.removed, 1);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_no_upload(id);
}

static void
it_can_be_removed(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	leave_a_part();
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	remove_it();
	contract_assert_not_there("a");
	begin(&contract.put, id, ALL); /* as if it had never been */
	suspend(&contract.put);
	remove_it();
}

/* What it has become stays. */
static void
a_stored_one_can_be_removed(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	begin(&contract.put, id, ALL);
	write_to(&contract.put, ALL);
	commit(&contract.put);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_resumed(&contract.put, PARTIAL_STORED, ALL);
	remove_it();
	contract_assert_there("a", ALL);
}

/* ---- its bytes ---- */

/* SHA-256 of the first `len` bytes. */
static void
digest_of(size_t len, unsigned char ret[32])
{
	static unsigned char bytes[ALL];
	struct digest *d = NULL;

	for (size_t i = 0; i < len; i++)
		bytes[i] = contract_byte(i);
	assert_int_equal(digest_new(digest_bit(DIGEST_SHA256), &d), 0);
	assert_int_equal(digest_update(d, bytes, len), 0);
	assert_int_equal(digest_finish(d), 0);
	memcpy(ret, digest_value(d, DIGEST_SHA256), 32);
	digest_free(&d);
}

static void
assert_hashed(struct told *t, size_t len)
{
	unsigned before = t->hashed;
	unsigned char want[32];
	struct digest *d = NULL;

	assert_int_equal(digest_new(digest_bit(DIGEST_SHA256), &d), 0);
	store_hash(t->in, d);
	CONTRACT_WAIT(t->hashed > before);
	assert_false(failure_is(t->hash_failure));
	assert_int_equal(digest_finish(d), 0);
	digest_of(len, want);
	assert_memory_equal(digest_value(d, DIGEST_SHA256), want, 32);
	digest_free(&d);
}

static void
its_bytes_can_be_read_back_for_a_digest(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	SKIP_WITHOUT_READING();
	begin(&contract.put, id, ALL);
	assert_hashed(&contract.put, 0);
	write_to(&contract.put, PART);
	assert_hashed(&contract.put, PART); /* when it is ready */
	suspend(&contract.put);
	assert_hashed(&contract.put, PART); /* suspended */
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	assert_hashed(&contract.put, PART); /* found */
	append(&contract.put, "a", ALL);
	write_to(&contract.put, ALL);
	assert_hashed(&contract.put, ALL);
	commit(&contract.put);
	assert_int_equal(contract.put.stored, 1);
	contract_let_go(&contract.put);
	contract_assert_there("a", ALL);
}

/* Its digest may be freed as soon as it is let go. */
static void
it_may_be_let_go_while_it_is_hashed(void **state)
{
	struct digest *d = NULL;

	(void)state;
	SKIP_WITHOUT_PARTIALS();
	SKIP_WITHOUT_READING();
	begin(&contract.put, id, ALL);
	write_to(&contract.put, ALL);
	assert_int_equal(digest_new(digest_bit(DIGEST_SHA256), &d), 0);
	store_hash(contract.put.in, d);
	contract_let_go(&contract.put);
	digest_free(&d);
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_int_equal(contract.put.hashed, 0);
}

static void
look(const char *its_id)
{
	struct told *t = &contract.get;

	*t = (struct told){0};
	t->failure = store_open_partial(
	    contract.store, its_id, &contract_get_events, t, &t->out);
	if (!failure_is(t->failure))
		contract_read(t, 0, UINT64_MAX);
}

/* Also while another one has it. */
static void
what_is_there_for_good_can_be_read(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	SKIP_WITHOUT_READING();
	begin(&contract.put, id, ALL);
	write_to(&contract.put, PART);
	suspend(&contract.put);
	append(&contract.put, "a", ALL);
	write_to(&contract.put, ALL);
	look(id);
	contract_assert_is(&contract.get, 0, PART);
	commit(&contract.put);
	assert_int_equal(contract.put.stored, 1);
	contract_let_go(&contract.put);
	CONTRACT_WAIT(!store_has_files(contract.store));
	look(id); /* it has its name now */
	assert_int_equal(contract.get.failure.outcome, OUTCOME_NO_UPLOAD);
	contract_assert_there("a", ALL);
}

/* And nothing else is taken for it. */
static void
what_is_not_there_cannot_be_read(void **state)
{
	(void)state;
	SKIP_WITHOUT_PARTIALS();
	look(id);
	assert_int_equal(contract.get.failure.outcome, OUTCOME_NO_UPLOAD);
	leave_a_part();
	look(id);
	contract_assert_is(&contract.get, 0, PART);
	look(other_id);
	assert_int_equal(contract.get.failure.outcome, OUTCOME_NO_UPLOAD);
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	remove_it();
	look(id);
	assert_int_equal(contract.get.failure.outcome, OUTCOME_NO_UPLOAD);
}

/* ---- an owner that goes ---- */

static void
it_may_be_let_go_at_any_time(void **state)
{
	struct told *t = &contract.put;
	struct partial p = {.offset = PART, .length = ALL};
	struct put_request r = contract_request("a", ALL);

	(void)state;
	SKIP_WITHOUT_PARTIALS();
	leave_a_part();
	t->leaves_when_ready = true;
	resume(t, id); /* from within on_found() */
	assert_null(t->in);
	t->leaves_when_ready = false;
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_false(failure_is(
	    store_resume(contract.store, id, &contract_put_events, t, &t->in)));
	contract_let_go(t); /* before it is found */
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_resumed(t, PARTIAL_OPEN, PART);
	store_append(t->in, &r);
	contract_let_go(t); /* before it is ready */
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_int_equal(t->ready, 0);
	assert_resumed(t, PARTIAL_OPEN, PART);
	append(t, "a", ALL);
	store_suspend(t->in, &p);
	contract_let_go(t); /* before it is suspended */
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_int_equal(t->suspended, 0);
	assert_resumed(t, PARTIAL_OPEN, PART);
	store_remove(t->in);
	contract_let_go(t); /* it is removed all the same */
	CONTRACT_WAIT(!store_has_files(contract.store));
	assert_int_equal(t->removed, 0);
	assert_no_upload(id);
}

/* The last append says which. */
static void
conditions_are_kept_when_it_is_committed(void **state)
{
	struct head h = {.if_none_match = {"*", 1}};
	struct put_request r = contract_request("a", ALL);
	struct preconditions pre;
	const char *why;

	(void)state;
	SKIP_WITHOUT_PARTIALS();
	leave_a_part();
	assert_resumed(&contract.put, PARTIAL_OPEN, PART);
	assert_int_equal(conditions_write(&h, &pre, &why), 0);
	r.pre = preconditions_copy(&pre);
	assert_non_null(r.pre);
	store_append(contract.put.in, &r);
	CONTRACT_WAIT(contract.put.ready > 0);
	write_to(&contract.put, ALL);
	contract_put_ok(&contract.other, "a", 10);
	commit(&contract.put);
	assert_int_equal(contract.put.failed, 1);
	assert_int_equal(contract.put.failure.outcome, OUTCOME_PRECONDITION);
	contract_let_go(&contract.put);
	contract_assert_there("a", 10);
}

#define BOTH(name) CONTRACT_BOTH(name), CONTRACT_TEST(name, tmpfs)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(it_outlives_its_owner),
	    BOTH(it_can_come_in_many_parts),
	    BOTH(after_a_suspend_more_can_come),
	    BOTH(one_that_is_begun_can_be_committed_at_once),
	    BOTH(what_was_not_suspended_never_came),
	    BOTH(one_that_is_begun_is_there_with_no_bytes),
	    BOTH(what_is_beyond_the_offset_never_came),
	    BOTH(what_came_instead_is_what_is_stored),
	    BOTH(only_one_has_it),
	    BOTH(who_begins_it_has_it),
	    BOTH(what_it_is_can_be_read_by_who_does_not_have_it),
	    BOTH(two_do_not_disturb_each_other),
	    BOTH(one_that_never_was_is_not_there),
	    BOTH(a_stored_one_is_known_with_its_answer),
	    BOTH(a_commit_goes_on_without_its_owner),
	    BOTH(one_can_be_refused_when_it_is_found),
	    BOTH(one_can_be_refused_when_it_is_ready),
	    BOTH(one_can_be_refused_when_it_is_suspended),
	    BOTH(one_can_be_refused_when_its_commit_has_failed),
	    BOTH(a_commit_that_failed_can_be_tried_again),
	    BOTH(an_append_that_may_not_be_leaves_it_as_it_was),
	    BOTH(it_can_be_removed),
	    BOTH(a_stored_one_can_be_removed),
	    BOTH(its_bytes_can_be_read_back_for_a_digest),
	    BOTH(it_may_be_let_go_while_it_is_hashed),
	    BOTH(what_is_there_for_good_can_be_read),
	    BOTH(what_is_not_there_cannot_be_read),
	    BOTH(it_may_be_let_go_at_any_time),
	    BOTH(conditions_are_kept_when_it_is_committed),
	};

	digest_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
