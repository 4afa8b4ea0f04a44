/*
 * The two state tables, walked: every state can be reached and left, and
 * trouble is provided for everywhere.
 *
 * The tables are private, so their files are included here and left out when
 * this is linked (Makefile).  What both name alike gets another name in one.
 */
#define state upload_state
#define event upload_event
#define state_name upload_state_name
#define event_name upload_event_name
#define act_fn upload_act_fn
#define move upload_move
#define moves upload_moves
#define refuse upload_refuse
#define OVER UPLOAD_OVER
#define STATE_COUNT UPLOAD_STATE_COUNT
#define EVENT_COUNT UPLOAD_EVENT_COUNT
#include "app/upload.c"
#undef state
#undef event
#undef state_name
#undef event_name
#undef act_fn
#undef move
#undef moves
#undef refuse
#undef OVER
#undef STATE_COUNT
#undef EVENT_COUNT
#include "http/conn.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
	SQUARES_MAX = 16,
};

/* A table, whosever it is: next[state][event], -1 where a square is empty. */
struct table {
	int states, events, over, first;
	int next[SQUARES_MAX][SQUARES_MAX];
	const char *const *state_names, *const *event_names;
};

static struct table
upload_table(void)
{
	struct table t = {
	    .states = UPLOAD_STATE_COUNT,
	    .events = UPLOAD_EVENT_COUNT,
	    .over = UPLOAD_OVER,
	    .first = OPENING,
	    .state_names = upload_state_name,
	    .event_names = upload_event_name,
	};

	for (int s = 0; s < t.states; s++)
		for (int e = 0; e < t.events; e++)
			t.next[s][e] = upload_moves[s][e].act
					   ? (int)upload_moves[s][e].next
					   : -1;
	return t;
}

static struct table
conn_table(void)
{
	struct table t = {
	    .states = STATE_COUNT,
	    .events = EVENT_COUNT,
	    .over = OVER,
	    .first = HEADING,
	    .state_names = state_name,
	    .event_names = event_name,
	};

	for (int s = 0; s < t.states; s++)
		for (int e = 0; e < t.events; e++)
			t.next[s][e] =
			    moves[s][e].act ? (int)moves[s][e].next : -1;
	return t;
}

/* Mark all that can be reached from `s`. */
static void
walk(const struct table *t, int s, bool seen[SQUARES_MAX])
{
	if (seen[s])
		return;
	seen[s] = true;
	for (int e = 0; e < t->events; e++)
		if (t->next[s][e] != -1)
			walk(t, t->next[s][e], seen);
}

static void
check_table(const struct table *t)
{
	bool from_first[SQUARES_MAX] = {false};

	assert_true(t->states <= SQUARES_MAX && t->events <= SQUARES_MAX);
	walk(t, t->first, from_first);
	for (int s = 0; s < t->states; s++) {
		bool from_here[SQUARES_MAX] = {false};

		if (!from_first[s])
			fail_msg("%s cannot be reached", t->state_names[s]);
		walk(t, s, from_here);
		if (!from_here[t->over])
			fail_msg("%s never ends", t->state_names[s]);
	}
	/* What is over stays so: nothing may come any more. */
	for (int e = 0; e < t->events; e++)
		assert_int_equal(t->next[t->over][e], -1);
}

static void
check_names(const struct table *t)
{
	for (int e = 0; e < t->events; e++) {
		bool used = false;

		assert_non_null(t->event_names[e]);
		for (int s = 0; s < t->states; s++)
			used |= t->next[s][e] != -1;
		if (!used)
			fail_msg("%s never happens", t->event_names[e]);
	}
	for (int s = 0; s < t->states; s++)
		assert_non_null(t->state_names[s]);
}

static void
each_state_is_reached_and_left(void **state)
{
	struct table upload = upload_table(), conn = conn_table();

	(void)state;
	check_table(&upload);
	check_table(&conn);
}

static void
all_have_names_and_uses(void **state)
{
	struct table upload = upload_table(), conn = conn_table();

	(void)state;
	check_names(&upload);
	check_names(&conn);
}

static void
an_upload_may_fail_or_lose_its_client_anywhere(void **state)
{
	(void)state;
	for (int s = 0; s < UPLOAD_STATE_COUNT; s++) {
		if (s == UPLOAD_OVER)
			continue;
		assert_non_null(upload_moves[s][FAILED].act);
		assert_int_equal(upload_moves[s][FAILED].next, UPLOAD_OVER);
		assert_non_null(upload_moves[s][GONE].act);
		assert_int_equal(upload_moves[s][GONE].next, UPLOAD_OVER);
	}
}

static void
a_client_may_leave_anywhere(void **state)
{
	(void)state;
	for (int s = 0; s < STATE_COUNT; s++) {
		if (s == OVER)
			continue;
		assert_non_null(moves[s][LEFT].act);
		assert_int_equal(moves[s][LEFT].next, OVER);
	}
}

/* Where the connection watches the socket, time can run out. */
static void
waiting_for_a_client_has_an_end(void **state)
{
	(void)state;
	assert_non_null(moves[HEADING][EXPIRED].act);
	assert_non_null(moves[ANSWERING][EXPIRED].act);
	assert_non_null(moves[LINGERING][EXPIRED].act);
}

/*
 * The access log has one line for each exchange, written when it has ended.  On
 * each way from one HEADING to the next, or to the end, exactly one move ends
 * it: none may lead on inside of it, and none may lead out and not end it.
 */
static void
each_exchange_ends_once(void **state)
{
	(void)state;
	for (int s = 0; s < STATE_COUNT; s++) {
		for (int e = 0; e < EVENT_COUNT; e++) {
			bool inside = moves[s][e].next == WORKING ||
				      moves[s][e].next == STREAMING ||
				      moves[s][e].next == ANSWERING;

			if (moves[s][e].act == NULL)
				continue;
			/* Lingering comes after the end. */
			if (moves[s][e].ends != (!inside && s != LINGERING))
				fail_msg("%s while %s", event_name[e],
				    state_name[s]);
		}
	}
}

/* What came whole is carried out, though an answer before could not be sent. */
static void
an_answer_that_is_cut_need_not_be_the_end(void **state)
{
	(void)state;
	assert_int_equal(moves[ANSWERING][UNHEARD].next, HEADING);
	assert_int_equal(moves[STREAMING][UNHEARD].next, HEADING);
}

static void
an_upload_goes_its_way(void **state)
{
	static const enum upload_event events[] = {
	    OPENED, LAST_BYTE, EMPTIED, COMMITTED};
	static const enum upload_state states[] = {
	    FLOWING, DRAINING, COMMITTING, UPLOAD_OVER};
	enum upload_state s = OPENING;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(events); i++) {
		assert_non_null(upload_moves[s][events[i]].act);
		s = upload_moves[s][events[i]].next;
		assert_int_equal(s, states[i]);
		/* And 201 is said at the end of it only. */
		assert_true((upload_moves[OPENING + i][events[i]].act ==
				answer_stored) == (s == UPLOAD_OVER));
	}
	for (int from = 0; from < UPLOAD_STATE_COUNT; from++)
		for (int e = 0; e < UPLOAD_EVENT_COUNT; e++)
			if (upload_moves[from][e].act == answer_stored)
				assert_true(
				    from == COMMITTING && e == COMMITTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_state_is_reached_and_left),
	    cmocka_unit_test(all_have_names_and_uses),
	    cmocka_unit_test(an_upload_may_fail_or_lose_its_client_anywhere),
	    cmocka_unit_test(a_client_may_leave_anywhere),
	    cmocka_unit_test(waiting_for_a_client_has_an_end),
	    cmocka_unit_test(each_exchange_ends_once),
	    cmocka_unit_test(an_answer_that_is_cut_need_not_be_the_end),
	    cmocka_unit_test(an_upload_goes_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
