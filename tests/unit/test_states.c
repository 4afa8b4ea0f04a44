/*
 * The state tables, walked: every state can be reached and left, each square
 * is of a known kind, and trouble is provided for everywhere.
 *
 * A table is walked once it stands in tables() below.
 */
#include "base/fsm.h"
#include "local/incoming.h"
#include "http/conn_internal.h"
#include "upload/upload_internal.h"
#include "web/resume_states.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	TABLES = 4,
	TROUBLES_MAX = 4,
	NO_MORE = 99,
};

/* A table, and the events that end the owner in any state but a final one. */
struct walked {
	const struct fsm_table *table;
	unsigned troubles[TROUBLES_MAX]; /* NO_MORE behind the last */
};

static void
tables(struct walked ret[TABLES])
{
	const struct walked all[TABLES] = {
	    {&upload_table, {UPLOAD_FAILED, UPLOAD_GONE, NO_MORE}},
	    {&incoming_table, {NO_MORE}}, /* operations are waited for */
	    {&conn_table, {CONN_LEFT, NO_MORE}},
	    {&resume_table, {NO_MORE}}, /* what came is kept first */
	};

	memcpy(ret, all, sizeof(all));
}

/* Mark all that can be reached from `s`. */
static void
walk(const struct fsm_table *t, unsigned s, bool seen[FSM_STATES_MAX])
{
	if (seen[s])
		return;
	seen[s] = true;
	for (unsigned e = 0; e < t->events; e++)
		if (fsm_square(t, s, e)->kind != FSM_IMPOSSIBLE)
			walk(t, fsm_square(t, s, e)->next, seen);
}

static bool
reaches_final(const struct fsm_table *t, unsigned s)
{
	bool seen[FSM_STATES_MAX] = {false};

	walk(t, s, seen);
	for (unsigned end = 0; end < t->states; end++)
		if (seen[end] && fsm_is_final(t, end))
			return true;
	return false;
}

static void
check_ways(const struct fsm_table *t)
{
	bool from_first[FSM_STATES_MAX] = {false};

	assert_true(t->states <= FSM_STATES_MAX);
	assert_true(t->final != 0 && t->final < FSM_STATE(t->states));
	walk(t, t->first, from_first);
	for (unsigned s = 0; s < t->states; s++) {
		if (!from_first[s])
			fail_msg("%s: %s cannot be reached", t->name,
			    t->state_names[s]);
		if (!reaches_final(t, s))
			fail_msg(
			    "%s: %s never ends", t->name, t->state_names[s]);
	}
}

static void
check_square(const struct fsm_table *t, unsigned s, unsigned e)
{
	const struct fsm_square *sq = fsm_square(t, s, e);

	switch (sq->kind) {
	case FSM_IMPOSSIBLE:
		assert_true(sq->next == 0 && sq->act == NULL && sq->mark == 0);
		break;
	case FSM_NOTHING:
		assert_true(sq->next < t->states && sq->act == NULL);
		break;
	case FSM_ACT:
		assert_true(sq->next < t->states && sq->act != NULL);
		break;
	default:
		fail_msg("%s: %s while %s is of no kind", t->name,
		    t->event_names[e], t->state_names[s]);
	}
	assert_true(sq->mark == 0 || t->marked != NULL);
	/* What is over stays so: nothing may come any more. */
	if (fsm_is_final(t, s))
		assert_int_equal(sq->kind, FSM_IMPOSSIBLE);
}

static void
check_names(const struct fsm_table *t)
{
	assert_non_null(t->name);
	for (unsigned e = 0; e < t->events; e++) {
		bool used = false;

		assert_non_null(t->event_names[e]);
		for (unsigned s = 0; s < t->states; s++)
			used |= fsm_square(t, s, e)->kind != FSM_IMPOSSIBLE;
		if (!used)
			fail_msg(
			    "%s: %s never happens", t->name, t->event_names[e]);
	}
	for (unsigned s = 0; s < t->states; s++)
		assert_non_null(t->state_names[s]);
}

/* In each state but a final one they may come, and end it. */
static void
check_troubles(const struct walked *w)
{
	const struct fsm_table *t = w->table;

	for (unsigned i = 0; w->troubles[i] != NO_MORE; i++)
		for (unsigned s = 0; s < t->states; s++) {
			const struct fsm_square *sq =
			    fsm_square(t, s, w->troubles[i]);

			if (fsm_is_final(t, s))
				continue;
			if (sq->kind != FSM_ACT || !fsm_is_final(t, sq->next))
				fail_msg("%s: %s while %s does not end it",
				    t->name, t->event_names[w->troubles[i]],
				    t->state_names[s]);
		}
}

static void
each_state_is_reached_and_left(void **state)
{
	struct walked all[TABLES];

	(void)state;
	tables(all);
	for (int i = 0; i < TABLES; i++)
		check_ways(all[i].table);
}

static void
each_square_is_of_one_kind(void **state)
{
	struct walked all[TABLES];

	(void)state;
	tables(all);
	for (int i = 0; i < TABLES; i++)
		for (unsigned s = 0; s < all[i].table->states; s++)
			for (unsigned e = 0; e < all[i].table->events; e++)
				check_square(all[i].table, s, e);
}

static void
all_have_names_and_uses(void **state)
{
	struct walked all[TABLES];

	(void)state;
	tables(all);
	for (int i = 0; i < TABLES; i++)
		check_names(all[i].table);
}

/* An upload may fail or lose its client anywhere; so may a connection. */
static void
trouble_may_come_anywhere(void **state)
{
	struct walked all[TABLES];

	(void)state;
	tables(all);
	for (int i = 0; i < TABLES; i++)
		check_troubles(&all[i]);
}

/* Where the connection watches the socket, time can run out. */
static void
waiting_for_a_client_has_an_end(void **state)
{
	static const enum conn_state waiting[] = {
	    CONN_HANDSHAKING, CONN_HEADING, CONN_ANSWERING, CONN_LINGERING};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(waiting); i++)
		assert_int_equal(
		    fsm_square(&conn_table, waiting[i], CONN_EXPIRED)->kind,
		    FSM_ACT);
}

/*
 * The access log has one line for each exchange, written when it has ended.  On
 * each way from one HEADING to the next, or to the end, exactly one move ends
 * it: none may lead on inside of it, and none may lead out and not end it.
 */
static void
each_exchange_ends_once(void **state)
{
	const struct fsm_table *t = &conn_table;

	(void)state;
	for (unsigned s = 0; s < t->states; s++) {
		for (unsigned e = 0; e < t->events; e++) {
			const struct fsm_square *sq = fsm_square(t, s, e);
			bool inside = sq->next == CONN_WORKING ||
				      sq->next == CONN_STREAMING ||
				      sq->next == CONN_ANSWERING;
			bool ends = sq->mark == CONN_ENDS_EXCHANGE;

			if (sq->kind == FSM_IMPOSSIBLE)
				continue;
			/* The handshake comes before it begins, lingering after
			 * its end. */
			if (ends != (!inside && s != CONN_LINGERING &&
					s != CONN_HANDSHAKING))
				fail_msg("%s while %s", t->event_names[e],
				    t->state_names[s]);
		}
	}
}

/* What came whole is carried out, though a response before could not be sent. */
static void
an_answer_that_is_cut_need_not_be_the_end(void **state)
{
	static const enum conn_state cut[] = {CONN_ANSWERING, CONN_STREAMING};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cut); i++) {
		const struct fsm_square *sq =
		    fsm_square(&conn_table, cut[i], CONN_UNHEARD);

		assert_int_equal(sq->kind, FSM_ACT);
		assert_int_equal(sq->next, CONN_HEADING);
	}
}

static void
an_upload_goes_its_way(void **state)
{
	static const enum upload_event events[] = {UPLOAD_OPENED,
	    UPLOAD_TRANSFER, UPLOAD_LAST_BYTE, UPLOAD_EMPTIED, UPLOAD_TRANSFER,
	    UPLOAD_LAST_BYTE, UPLOAD_EMPTIED, UPLOAD_COMMIT, UPLOAD_COMMITTED};
	static const enum upload_state states[] = {UPLOAD_READY, UPLOAD_FLOWING,
	    UPLOAD_DRAINING, UPLOAD_READY, UPLOAD_FLOWING, UPLOAD_DRAINING,
	    UPLOAD_READY, UPLOAD_COMMITTING, UPLOAD_OVER};
	const struct fsm_table *t = &upload_table;
	unsigned s = UPLOAD_OPENING;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(events); i++) {
		const struct fsm_square *sq = fsm_square(t, s, events[i]);

		assert_int_not_equal(sq->kind, FSM_IMPOSSIBLE);
		s = sq->next;
		assert_int_equal(s, states[i]);
		/* And 201 is said at the end of it only. */
		assert_true(
		    (sq->act == upload_tell_stored) == (s == UPLOAD_OVER));
	}
	for (unsigned from = 0; from < t->states; from++)
		for (unsigned e = 0; e < t->events; e++)
			if (fsm_square(t, from, e)->act == upload_tell_stored)
				assert_true(from == UPLOAD_COMMITTING &&
					    e == UPLOAD_COMMITTED);
}

/* A partial is begun, cut, suspended and let go; another request finds it, and brings the
 * rest, which is read back, since no one saw all of it. */
static void
a_partial_goes_its_way(void **state)
{
	static const struct {
		enum upload_event event;
		enum upload_state state;
	} way[] = {
	    {UPLOAD_OPENED, UPLOAD_READY},
	    {UPLOAD_TRANSFER, UPLOAD_FLOWING},
	    {UPLOAD_CUT, UPLOAD_FLOWING},
	    {UPLOAD_LAST_BYTE, UPLOAD_DRAINING},
	    {UPLOAD_CUT, UPLOAD_DRAINING},
	    {UPLOAD_EMPTIED, UPLOAD_READY},
	    {UPLOAD_SUSPEND, UPLOAD_SUSPENDING},
	    {UPLOAD_SUSPENSION, UPLOAD_SUSPENDED},
	    {UPLOAD_GONE, UPLOAD_OVER},
	    {UPLOAD_RESUME, UPLOAD_RESUMING},
	    {UPLOAD_HELD, UPLOAD_RESUMING},
	    {UPLOAD_SHOWN, UPLOAD_ELSEWHERE},
	    {UPLOAD_AWAIT, UPLOAD_RESUMING},
	    {UPLOAD_HELD, UPLOAD_RESUMING},
	    {UPLOAD_RESUMED, UPLOAD_FOUND},
	    {UPLOAD_APPEND, UPLOAD_OPENING},
	    {UPLOAD_OPENED, UPLOAD_READY},
	    {UPLOAD_HASH, UPLOAD_HASHING},
	    {UPLOAD_HASHED, UPLOAD_COMMITTING},
	    {UPLOAD_COMMITTED, UPLOAD_OVER},
	};
	unsigned s = UPLOAD_OPENING;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(way); i++) {
		const struct fsm_square *sq =
		    fsm_square(&upload_table, s, way[i].event);

		assert_int_not_equal(sq->kind, FSM_IMPOSSIBLE);
		assert_int_equal(sq->next, way[i].state);
		s = sq->next == UPLOAD_OVER ? UPLOAD_OPENING : sq->next;
	}
}

/* One that looks for an upload, which another one has, brings a part, and is suspended; the
 * next has the last bytes, and a link. */
static void
a_request_for_an_upload_goes_its_way(void **state)
{
	static const struct {
		enum resume_event event;
		enum resume_state state;
	} way[] = {
	    {RESUME_FIND, RESUME_FINDING},
	    {RESUME_SHOWN, RESUME_ELSEWHERE},
	    {RESUME_AWAIT, RESUME_FINDING},
	    {RESUME_FOUND, RESUME_HELD},
	    {RESUME_PASSED, RESUME_HELD},
	    {RESUME_REOPEN, RESUME_BEGINNING},
	    {RESUME_OPENED, RESUME_READY},
	    {RESUME_TRANSFER, RESUME_FLOWING},
	    {RESUME_WANTED, RESUME_FLOWING},
	    {RESUME_CUT, RESUME_FLOWING},
	    {RESUME_GONE, RESUME_FLOWING},
	    {RESUME_TRANSFERRED, RESUME_READY},
	    {RESUME_SUSPEND, RESUME_SUSPENDING},
	    {RESUME_SUSPENDED, RESUME_OVER},
	    {RESUME_FIND, RESUME_FINDING},
	    {RESUME_FOUND, RESUME_HELD},
	    {RESUME_PASSED, RESUME_HELD},
	    {RESUME_REOPEN, RESUME_BEGINNING},
	    {RESUME_OPENED, RESUME_READY},
	    {RESUME_TRANSFER, RESUME_FLOWING},
	    {RESUME_TRANSFERRED, RESUME_READY},
	    {RESUME_CLAIM, RESUME_CLAIMING},
	    {RESUME_CLAIMED, RESUME_COMMITTING},
	    {RESUME_GONE, RESUME_COMMITTING},
	    {RESUME_STORED, RESUME_OVER},
	};
	unsigned s = RESUME_NEW;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(way); i++) {
		const struct fsm_square *sq =
		    fsm_square(&resume_table, s, way[i].event);

		assert_int_not_equal(sq->kind, FSM_IMPOSSIBLE);
		assert_int_equal(sq->next, way[i].state);
		s = sq->next == RESUME_OVER ? RESUME_NEW : sq->next;
	}
}

/* A client that leaves, a server that stops and an upload that fails are provided for
 * wherever something is waited for behind the gate; and what came, or is being stored, is
 * not given up for the first two. */
static void
a_request_keeps_what_came(void **state)
{
	static const struct {
		enum resume_state state;
		bool gone_ends, stop_ends;
	} waiting[] = {
	    {RESUME_BEGINNING, true, true},
	    {RESUME_OPENING, true, true},
	    {RESUME_FLOWING, false, false},
	    {RESUME_SUSPENDING, false, false},
	    {RESUME_CLAIMING, false, false},
	    {RESUME_COMMITTING, false, false},
	    {RESUME_REMOVING, false, false},
	};
	const struct fsm_table *t = &resume_table;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(waiting); i++) {
		unsigned s = waiting[i].state;
		const struct fsm_square *gone = fsm_square(t, s, RESUME_GONE);
		const struct fsm_square *stop = fsm_square(t, s, RESUME_STOP);
		const struct fsm_square *fail = fsm_square(t, s, RESUME_FAILED);

		assert_int_not_equal(gone->kind, FSM_IMPOSSIBLE);
		assert_int_not_equal(stop->kind, FSM_IMPOSSIBLE);
		assert_int_not_equal(fail->kind, FSM_IMPOSSIBLE);
		assert_int_equal(
		    gone->next == RESUME_OVER, waiting[i].gone_ends);
		assert_int_equal(
		    stop->next == RESUME_OVER, waiting[i].stop_ends);
		assert_int_equal(fail->next, RESUME_OVER);
	}
}

/* ---- a file on its way in ---- */

/* It may lose its owner in any state in which it has one, and its disk may fall
 * sick in any. */
static void
an_incoming_file_is_aborted_anywhere(void **state)
{
	const struct fsm_table *t = &incoming_table;

	(void)state;
	for (unsigned s = 0; s < t->states; s++) {
		bool begins = s == INCOMING_NEW, is_over = s == INCOMING_OVER;
		bool has_owner = s < INCOMING_COMMIT_DUE_ALONE ||
				 s == INCOMING_COMMITTING_ALONE ||
				 s == INCOMING_SYNCING_ALONE ||
				 s == INCOMING_REMOVING_ALONE ||
				 s == INCOMING_ENDING;

		assert_true(
		    (fsm_square(t, s, INCOMING_ABORT)->kind !=
			FSM_IMPOSSIBLE) == (has_owner && !begins && !is_over));
		assert_true((fsm_square(t, s, INCOMING_UNHEALTHY)->kind !=
				FSM_IMPOSSIBLE) == (!begins && !is_over));
	}
}

enum told { TOLD_NOTHING, TOLD_STORED, TOLD_FAILED, TOLD_UNKNOWN };

static enum told
told_by(const struct fsm_square *sq)
{
	if (sq->act == incoming_tell_stored ||
	    sq->act == incoming_tell_stored_early)
		return TOLD_STORED;
	if (sq->act == incoming_tell_unknown)
		return TOLD_UNKNOWN;
	if (sq->act == incoming_tell_failed ||
	    sq->act == incoming_fail_writer ||
	    sq->act == incoming_tell_unhealthy ||
	    sq->act == incoming_tell_called_off)
		return TOLD_FAILED;
	return TOLD_NOTHING;
}

/* Whatever its owner was told, it is the last word. */
static void
an_owner_is_told_once(void **state)
{
	const struct fsm_table *t = &incoming_table;

	(void)state;
	for (unsigned s = 0; s < t->states; s++) {
		for (unsigned e = 0; e < t->events; e++) {
			const struct fsm_square *sq = fsm_square(t, s, e);
			bool seen[FSM_STATES_MAX] = {false};

			if (told_by(sq) == TOLD_NOTHING)
				continue;
			walk(t, sq->next, seen);
			for (unsigned r = 0; r < t->states; r++)
				for (unsigned k = 0; seen[r] && k < t->events;
				     k++)
					assert_int_equal(
					    told_by(fsm_square(t, r, k)),
					    TOLD_NOTHING);
		}
	}
}

/* The matrix of local/incoming.h, line by line. */
#define ENDED INCOMING_ABORT, INCOMING_LEFTOVERS, INCOMING_JOB_DONE
#define LEFT INCOMING_LEFTOVERS, INCOMING_JOB_DONE
#define HEALED                                                                 \
	INCOMING_STUCK, INCOMING_HEALTHY, INCOMING_LEFTOVERS, INCOMING_JOB_DONE

/* clang-format off */
static const struct ending {
	bool complete;
	bool is_named; /* in the end */
	enum told told;
	unsigned events[12]; /* from OPEN or COLLECTING on; NO_MORE ends */
} endings[] = {
	/* there: it has its name, durably */
	{ true, true, TOLD_STORED, { INCOMING_COMMIT, INCOMING_JOB_DONE, INCOMING_SYNCED, INCOMING_JOB_DONE, ENDED, NO_MORE } },
	{ true, true, TOLD_STORED, { INCOMING_COMMIT, INCOMING_JOB_DONE, INCOMING_SYNCED, INCOMING_JOB_FAILED, ENDED, NO_MORE } },
	/* gone: the same, at whatever moment */
	{ true, true, TOLD_NOTHING, { INCOMING_COMMIT, INCOMING_ABORT, INCOMING_JOB_DONE, INCOMING_SYNCED, INCOMING_JOB_DONE, LEFT, NO_MORE } },
	{ true, true, TOLD_NOTHING, { INCOMING_COMMIT, INCOMING_JOB_DONE, INCOMING_ABORT, INCOMING_SYNCED, INCOMING_JOB_DONE, LEFT, NO_MORE } },
	{ true, true, TOLD_NOTHING, { INCOMING_COMMIT, INCOMING_JOB_DONE, INCOMING_SYNCED, INCOMING_ABORT, INCOMING_JOB_DONE, LEFT, NO_MORE } },
	/* there, gone: an error before it has its name */
	{ true, false, TOLD_FAILED, { INCOMING_COMMIT, INCOMING_JOB_FAILED, ENDED, NO_MORE } },
	{ true, false, TOLD_NOTHING, { INCOMING_COMMIT, INCOMING_ABORT, INCOMING_JOB_FAILED, LEFT, NO_MORE } },
	/* there (`res` says that the outcome is unknown), gone: the sync failed */
	{ true, true, TOLD_FAILED, { INCOMING_COMMIT, INCOMING_JOB_DONE, INCOMING_UNSYNCED, ENDED, NO_MORE } },
	{ true, true, TOLD_NOTHING, { INCOMING_COMMIT, INCOMING_JOB_DONE, INCOMING_ABORT, INCOMING_UNSYNCED, LEFT, NO_MORE } },
	/* there, gone: no answer before the link */
	{ true, false, TOLD_FAILED, { INCOMING_COMMIT, INCOMING_UNHEALTHY, INCOMING_CALLED_OFF, INCOMING_ABORT, INCOMING_JOB_FAILED, HEALED, NO_MORE } },
	{ true, true, TOLD_NOTHING, { INCOMING_COMMIT, INCOMING_ABORT, INCOMING_UNHEALTHY, INCOMING_JOB_DONE, INCOMING_SYNCED, INCOMING_JOB_DONE, LEFT, NO_MORE } },
	/* there, gone: no answer since the link began */
	{ true, true, TOLD_UNKNOWN, { INCOMING_COMMIT, INCOMING_UNHEALTHY, INCOMING_UNKNOWN, INCOMING_ABORT, INCOMING_JOB_DONE, INCOMING_SYNCED, INCOMING_JOB_DONE, LEFT, NO_MORE } },
	{ true, false, TOLD_UNKNOWN, { INCOMING_COMMIT, INCOMING_UNHEALTHY, INCOMING_UNKNOWN, INCOMING_ABORT, INCOMING_JOB_FAILED, LEFT, NO_MORE } },
	{ true, true, TOLD_UNKNOWN, { INCOMING_COMMIT, INCOMING_JOB_DONE, INCOMING_UNHEALTHY, INCOMING_UNKNOWN, INCOMING_ABORT, INCOMING_UNSYNCED, LEFT, NO_MORE } },
	{ true, true, TOLD_NOTHING, { INCOMING_COMMIT, INCOMING_JOB_DONE, INCOMING_ABORT, INCOMING_UNHEALTHY, INCOMING_SYNCED, INCOMING_JOB_DONE, LEFT, NO_MORE } },
	/* there: no answer since it is durable */
	{ true, true, TOLD_STORED, { INCOMING_COMMIT, INCOMING_JOB_DONE, INCOMING_SYNCED, INCOMING_UNHEALTHY, INCOMING_ABORT, INCOMING_JOB_DONE, LEFT, NO_MORE } },
	/* a part, there: no answer, or (by its writer) an error */
	{ false, false, TOLD_FAILED, { INCOMING_UNHEALTHY, INCOMING_ABORT, HEALED, NO_MORE } },
	/* a part, gone */
	{ false, false, TOLD_NOTHING, { ENDED, NO_MORE } },
	{ false, false, TOLD_NOTHING, { INCOMING_ABORT, INCOMING_UNHEALTHY, HEALED, NO_MORE } },
};
/* clang-format on */

static bool
has_name(unsigned s)
{
	return s == INCOMING_SYNCING || s == INCOMING_REMOVING ||
	       s == INCOMING_STORED || s == INCOMING_SYNCING_ALONE ||
	       s == INCOMING_REMOVING_ALONE;
}

static void
each_ending_is_as_the_matrix_says(void **state)
{
	static const unsigned from[] = {INCOMING_OPEN, INCOMING_COLLECTING};
	const struct fsm_table *t = &incoming_table;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(endings) * 2; i++) {
		const struct ending *row = &endings[i / 2];
		enum told told = TOLD_NOTHING;
		bool is_named = false, complete = false;
		unsigned s = from[i % 2];

		for (size_t k = 0; row->events[k] != NO_MORE; k++) {
			const struct fsm_square *sq =
			    fsm_square(t, s, row->events[k]);

			if (sq->kind == FSM_IMPOSSIBLE)
				fail_msg("row %zu: %s while %s", i / 2,
				    t->event_names[row->events[k]],
				    t->state_names[s]);
			if (told_by(sq) != TOLD_NOTHING)
				told = told_by(sq);
			complete |= row->events[k] == INCOMING_COMMIT;
			s = sq->next;
			is_named |= has_name(s);
		}
		assert_int_equal(s, INCOMING_OVER);
		assert_int_equal(told, row->told);
		assert_int_equal(is_named, row->is_named);
		assert_int_equal(complete, row->complete);
	}
}

static void
walk_without_partials(
    const struct fsm_table *t, unsigned s, bool seen[FSM_STATES_MAX])
{
	if (seen[s])
		return;
	seen[s] = true;
	for (unsigned e = 0; e < t->events; e++)
		if (fsm_square(t, s, e)->kind != FSM_IMPOSSIBLE &&
		    (e < INCOMING_CREATE_PARTIAL || e > INCOMING_CONCLUDE))
			walk_without_partials(
			    t, fsm_square(t, s, e)->next, seen);
}

/* Those of a partial, from NEW on. */
#define MADE INCOMING_CREATE_PARTIAL, INCOMING_JOB_DONE, INCOMING_SYNCED
#define FOUND INCOMING_RESUME, INCOMING_JOB_DONE
#define GOES INCOMING_LEFTOVERS, INCOMING_JOB_DONE

/* clang-format off */
static const struct partial_ending {
	fsm_act_fn *told; /* last; NULL: nothing */
	unsigned events[16]; /* NO_MORE ends */
} partial_endings[] = {
	/* made: there, gone */
	{ incoming_tell_made, { MADE, INCOMING_ABORT, GOES, NO_MORE } },
	{ NULL, { INCOMING_CREATE_PARTIAL, INCOMING_ABORT, INCOMING_JOB_DONE, GOES, NO_MORE } },
	{ NULL, { INCOMING_CREATE_PARTIAL, INCOMING_JOB_DONE, INCOMING_ABORT, INCOMING_SYNCED, GOES, NO_MORE } },
	{ NULL, { INCOMING_CREATE_PARTIAL, INCOMING_JOB_DONE, INCOMING_ABORT, INCOMING_UNSYNCED, GOES, NO_MORE } },
	{ incoming_tell_failed, { INCOMING_CREATE_PARTIAL, INCOMING_JOB_DONE, INCOMING_UNSYNCED, INCOMING_ABORT, GOES, NO_MORE } },
	{ incoming_tell_unhealthy, { INCOMING_CREATE_PARTIAL, INCOMING_JOB_DONE, INCOMING_UNHEALTHY, INCOMING_SYNCED, INCOMING_ABORT, GOES, NO_MORE } },
	/* in another directory, since the path leads there now */
	{ incoming_tell_made, { INCOMING_CREATE_PARTIAL, INCOMING_JOB_MOVED, INCOMING_REOPENED, INCOMING_JOB_DONE, INCOMING_SYNCED, INCOMING_ABORT, GOES, NO_MORE } },
	{ incoming_tell_found, { INCOMING_RESUME, INCOMING_JOB_MOVED, INCOMING_REOPENED, INCOMING_JOB_DONE, INCOMING_ABORT, GOES, NO_MORE } },
	/* found, or not */
	{ incoming_tell_found, { FOUND, INCOMING_ABORT, GOES, NO_MORE } },
	{ incoming_tell_not_found, { INCOMING_RESUME, INCOMING_JOB_FAILED, INCOMING_ABORT, INCOMING_NOTHING_LEFT, NO_MORE } },
	{ NULL, { INCOMING_RESUME, INCOMING_ABORT, INCOMING_JOB_DONE, GOES, NO_MORE } },
	/* a part: it is durable, or not, or nobody wants to know */
	{ incoming_tell_suspended, { FOUND, INCOMING_APPEND, INCOMING_JOB_DONE, INCOMING_SUSPEND, INCOMING_JOB_DONE, INCOMING_ABORT, GOES, NO_MORE } },
	{ incoming_tell_suspended, { MADE, INCOMING_SUSPEND_BUSY, INCOMING_WRITTEN, INCOMING_BACKGROUND_DONE, INCOMING_SUSPEND, INCOMING_JOB_DONE, INCOMING_ABORT, GOES, NO_MORE } },
	{ incoming_tell_failed, { MADE, INCOMING_SUSPEND, INCOMING_JOB_FAILED, INCOMING_ABORT, GOES, NO_MORE } },
	{ incoming_tell_made, { MADE, INCOMING_SUSPEND, INCOMING_ABORT, INCOMING_JOB_DONE, GOES, NO_MORE } },
	{ incoming_tell_made, { MADE, INCOMING_SUSPEND_BUSY, INCOMING_ABORT, INCOMING_WRITTEN, GOES, NO_MORE } },
	{ incoming_tell_unhealthy, { MADE, INCOMING_SUSPEND, INCOMING_UNHEALTHY, INCOMING_ABORT, INCOMING_JOB_DONE, GOES, NO_MORE } },
	{ incoming_tell_failed, { FOUND, INCOMING_APPEND, INCOMING_JOB_FAILED, INCOMING_ABORT, GOES, NO_MORE } },
	/* suspended: it goes on, and is committed, and concluded */
	{ incoming_tell_stored, { MADE, INCOMING_SUSPEND, INCOMING_JOB_DONE, INCOMING_COMMIT, INCOMING_JOB_DONE, INCOMING_SYNCED, INCOMING_JOB_DONE, INCOMING_CONCLUDE, INCOMING_ABORT, INCOMING_JOB_DONE, GOES, NO_MORE } },
	{ incoming_tell_failed, { MADE, INCOMING_COMMIT, INCOMING_JOB_FAILED, INCOMING_CONCLUDE, INCOMING_JOB_DONE, INCOMING_ABORT, GOES, NO_MORE } },
	{ incoming_tell_found, { FOUND, INCOMING_CONCLUDE, INCOMING_JOB_FAILED, INCOMING_ABORT, GOES, NO_MORE } },
	/* removed */
	{ incoming_tell_removed, { FOUND, INCOMING_REMOVE, INCOMING_JOB_DONE, INCOMING_ABORT, INCOMING_NOTHING_LEFT, NO_MORE } },
	{ incoming_tell_found, { FOUND, INCOMING_REMOVE, INCOMING_ABORT, INCOMING_JOB_DONE, INCOMING_NOTHING_LEFT, NO_MORE } },
};
/* clang-format on */

static bool
tells(fsm_act_fn *act)
{
	return act == incoming_tell_made || act == incoming_tell_found ||
	       act == incoming_tell_not_found || act == incoming_tell_ready ||
	       act == incoming_tell_suspended || act == incoming_tell_removed ||
	       act == incoming_tell_stored || act == incoming_tell_failed ||
	       act == incoming_tell_unhealthy;
}

static void
each_partial_ends_as_the_matrix_says(void **state)
{
	const struct fsm_table *t = &incoming_table;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(partial_endings); i++) {
		const struct partial_ending *row = &partial_endings[i];
		fsm_act_fn *told = NULL;
		unsigned s = INCOMING_NEW;

		for (size_t k = 0; row->events[k] != NO_MORE; k++) {
			const struct fsm_square *sq =
			    fsm_square(t, s, row->events[k]);

			if (sq->kind == FSM_IMPOSSIBLE)
				fail_msg("row %zu: %s while %s", i,
				    t->event_names[row->events[k]],
				    t->state_names[s]);
			if (tells(sq->act))
				told = sq->act;
			s = sq->next;
		}
		assert_int_equal(s, INCOMING_OVER);
		assert_true(told == row->told);
	}
}

/* The ways of all others are what they were: no event of theirs leads to a state of
 * partials. */
static void
only_partials_are_suspended(void **state)
{
	const struct fsm_table *t = &incoming_table;
	bool seen[FSM_STATES_MAX] = {false};

	(void)state;
	/* From CREATE on, without the words that only partials hear. */
	walk_without_partials(t, INCOMING_OPENING, seen);
	for (unsigned s = INCOMING_MAKING; s <= INCOMING_CONCLUDING; s++)
		assert_false(seen[s]);
	assert_true(seen[INCOMING_STORED] && seen[INCOMING_OVER]);
}

/* What is not complete never gets a name, and who was told that it failed does
 * not hear later that it is stored. */
static void
what_the_matrix_excludes_cannot_be(void **state)
{
	const struct fsm_table *t = &incoming_table;
	bool reached[INCOMING_STATES] = {[INCOMING_NEW] = true};

	(void)state;
	for (unsigned turn = 0; turn < t->states; turn++) {
		for (unsigned s = 0; s < t->states; s++) {
			for (unsigned e = 0; reached[s] && e < t->events; e++) {
				const struct fsm_square *sq =
				    fsm_square(t, s, e);

				if (sq->kind != FSM_IMPOSSIBLE &&
				    e != INCOMING_COMMIT &&
				    e != INCOMING_COMMIT_BUSY)
					reached[sq->next] = true;
			}
		}
	}
	for (unsigned s = 0; s < t->states; s++)
		assert_false(reached[s] && has_name(s));
	assert_true(reached[INCOMING_OVER] && reached[INCOMING_FAILED]);
}

/* ---- the engine itself ---- */

enum { SHUT, OPEN, GONE_, DOOR_STATES };
enum { KNOCK, HANDLE, PUSH, LEAVE, DOOR_EVENTS };

struct door {
	unsigned state, marks, acts;
};

static void
note_mark(void *owner)
{
	struct door *d = owner;

	d->marks++;
	assert_int_equal(d->acts, 0);
	assert_int_equal(d->state, OPEN);
}

static void
swing(void *owner)
{
	struct door *d = owner;

	assert_int_equal(d->state, OPEN);
	d->acts++;
}

static void
vanish(void *owner)
{
	free(owner);
}

static const struct fsm_square door_squares[DOOR_STATES][DOOR_EVENTS] = {
    [SHUT] =
	{
	    [KNOCK] = {FSM_NOTHING, SHUT},
	    [HANDLE] = {FSM_ACT, OPEN, swing, 1},
	    [PUSH] = {FSM_ACT, OPEN, swing},
	    [LEAVE] = {FSM_ACT, GONE_, vanish},
	},
    [OPEN] = {[HANDLE] = {FSM_NOTHING, SHUT}},
};

static const char *const door_states[DOOR_STATES] = {"shut", "open", "gone"};
static const char *const door_events[DOOR_EVENTS] = {
    "knock", "handle", "push", "leave"};

static const struct fsm_table door_table = {
    .name = "door",
    .states = DOOR_STATES,
    .events = DOOR_EVENTS,
    .state_names = door_states,
    .event_names = door_events,
    .first = SHUT,
    .final = FSM_STATE(GONE_),
    .squares = door_squares[0],
    .marked = note_mark,
};

static void
the_action_comes_last(void **state)
{
	struct door *d = calloc(1, sizeof(*d));

	(void)state;
	assert_non_null(d);
	fsm_on(&door_table, &d->state, KNOCK, 7, d);
	assert_true(d->state == SHUT && d->marks == 0 && d->acts == 0);
	fsm_on(&door_table, &d->state, HANDLE, 7, d);
	assert_true(d->state == OPEN && d->marks == 1 && d->acts == 1);
	fsm_on(&door_table, &d->state, HANDLE, 7, d);
	assert_true(d->state == SHUT && d->marks == 1 && d->acts == 1);
	fsm_on(&door_table, &d->state, PUSH, 7, d);
	assert_true(d->state == OPEN && d->marks == 1 && d->acts == 2);
	fsm_on(&door_table, &d->state, HANDLE, 7, d);
	fsm_on(&door_table, &d->state, LEAVE, 7, d); /* frees it */
}

/* What a process that does this writes, and that it aborts. */
static void
post_the_impossible(int out)
{
	struct door d = {.state = OPEN};

	log_to(out, LEVEL_ERROR);
	fsm_on(&door_table, &d.state, KNOCK, 7, &d);
}

static void
the_impossible_ends_the_process(void **state)
{
	char text[512];
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		post_the_impossible(fds[1]);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	n = read(fds[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(
	    strstr(text, "check failed: door 7: knock while open\n"));
	close(fds[0]);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_state_is_reached_and_left),
	    cmocka_unit_test(each_square_is_of_one_kind),
	    cmocka_unit_test(all_have_names_and_uses),
	    cmocka_unit_test(trouble_may_come_anywhere),
	    cmocka_unit_test(waiting_for_a_client_has_an_end),
	    cmocka_unit_test(each_exchange_ends_once),
	    cmocka_unit_test(an_answer_that_is_cut_need_not_be_the_end),
	    cmocka_unit_test(an_upload_goes_its_way),
	    cmocka_unit_test(a_partial_goes_its_way),
	    cmocka_unit_test(a_request_for_an_upload_goes_its_way),
	    cmocka_unit_test(a_request_keeps_what_came),
	    cmocka_unit_test(an_incoming_file_is_aborted_anywhere),
	    cmocka_unit_test(an_owner_is_told_once),
	    cmocka_unit_test(each_ending_is_as_the_matrix_says),
	    cmocka_unit_test(each_partial_ends_as_the_matrix_says),
	    cmocka_unit_test(only_partials_are_suspended),
	    cmocka_unit_test(what_the_matrix_excludes_cannot_be),
	    cmocka_unit_test(the_action_comes_last),
	    cmocka_unit_test(the_impossible_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
