/*
 * The text that Prometheus reads: labels of any bytes, numbers and buckets, the same in both
 * formats; and which format an Accept asks for.
 */
#include "admin/exposition.h"

#include <string.h>

#include "lib/cmocka_with.h"

static struct str out;
static struct exposition e;

static int
set_up(void **state)
{
	(void)state;
	e = (struct exposition){.out = &out};
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	str_fini(&out);
	return 0;
}

static void
assert_out(const char *want)
{
	str_add(&out, "", 1);
	assert_false(str_failed(&out));
	assert_string_equal(out.s, want);
}

static void
a_counter_of_the_text_format_has_total_everywhere(void **state)
{
	(void)state;
	exposition_family(&e, "a_b", EXPOSITION_COUNTER, "What");
	exposition_sample(&e, NULL, 7);
	exposition_end(&e);
	assert_out("# HELP a_b_total What.\n# TYPE a_b_total counter\n"
		   "a_b_total 7\n");
}

static void
a_counter_of_open_metrics_has_total_in_its_samples(void **state)
{
	(void)state;
	e.open_metrics = true;
	exposition_family(&e, "a_b", EXPOSITION_COUNTER, "What");
	exposition_sample(&e, NULL, 7);
	exposition_end(&e);
	assert_out("# HELP a_b What.\n# TYPE a_b counter\n"
		   "a_b_total 7\n# EOF\n");
}

static void
labels_may_have_any_bytes(void **state)
{
	(void)state;
	e.name = "m";
	e.suffix = "";
	exposition_sample(&e,
	    (struct exposition_label[]){
		{"a", "q\"b\\c"}, {"b", "n\nt\tx\xff\xc3\xa9"}, {0}},
	    1);
	assert_out("m{a=\"q\\\"b\\\\c\","
		   "b=\"n\\\\u000at\\\\u0009x\\\\u00ff\xc3\xa9\"} 1\n");
}

static void
times_are_seconds(void **state)
{
	(void)state;
	e.name = "m";
	e.suffix = "";
	exposition_sample_ns(&e, NULL, 0);
	exposition_sample_ns(&e, NULL, 12000000345);
	assert_out("m 0.000000000\nm 12.000000345\n");
}

static void
buckets_of_a_histogram_add_up(void **state)
{
	struct metrics_histogram h = {.sum_ns = 1500000000};

	(void)state;
	h.buckets[0] = 2;
	h.buckets[3] = 1;
	h.buckets[METRICS_BUCKETS] = 4;
	exposition_family(&e, "h", EXPOSITION_HISTOGRAM, "What");
	exposition_histogram(
	    &e, (struct exposition_label[]){{"l", "x"}, {0}}, &h);
	assert_non_null(strstr(out.s, "h_bucket{l=\"x\",le=\"0.001\"} 2\n"
				      "h_bucket{l=\"x\",le=\"0.004\"} 2\n"
				      "h_bucket{l=\"x\",le=\"0.016\"} 2\n"
				      "h_bucket{l=\"x\",le=\"0.064\"} 3\n"));
	assert_non_null(strstr(out.s, "h_bucket{l=\"x\",le=\"4194.304\"} 3\n"
				      "h_bucket{l=\"x\",le=\"+Inf\"} 7\n"
				      "h_sum{l=\"x\"} 1.500000000\n"
				      "h_count{l=\"x\"} 7\n"));
}

static void
an_empty_histogram_has_no_samples(void **state)
{
	struct metrics_histogram h = {.sum_ns = 0};

	(void)state;
	e.name = "h";
	exposition_histogram(&e, NULL, &h);
	assert_int_equal(out.len, 0);
}

static bool
prefers(const char *accept)
{
	return exposition_prefers_open_metrics(
	    (struct span){accept, accept != NULL ? strlen(accept) : 0});
}

static void
accept_chooses_the_format(void **state)
{
	char longest[300];

	(void)state;
	assert_false(prefers(NULL));
	assert_false(prefers(""));
	assert_false(prefers("*/*"));
	assert_false(prefers("text/plain"));
	assert_true(prefers("application/openmetrics-text"));
	assert_true(prefers("Application/OpenMetrics-Text ; Version=1.0.0"));
	assert_true(prefers("text/plain;q=0.3,\tapplication/openmetrics-text;"
			    "version=1.0.0;q=0.3"));
	assert_false(prefers("application/openmetrics-text;version=0.0.1"));
	assert_false(prefers("application/openmetrics-text;q=0"));
	assert_false(
	    prefers("application/openmetrics-text;q=0.1,text/plain;q=0.2"));
	assert_false(prefers("application/openmetrics-texts"));
	assert_false(prefers(",;=,"));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(prefers(longest));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_counter_of_the_text_format_has_total_everywhere),
	    TEST(a_counter_of_open_metrics_has_total_in_its_samples),
	    TEST(labels_may_have_any_bytes),
	    TEST(times_are_seconds),
	    TEST(buckets_of_a_histogram_add_up),
	    TEST(an_empty_histogram_has_no_samples),
	    TEST(accept_chooses_the_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
