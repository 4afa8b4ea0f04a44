/*
 * Lines of logs: what is lost is counted, whole lines only come behind it, a file that is opened
 * again gets the next line, and syslog gets one datagram each.
 */
#include "log/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/str.h"
#include "shared/metrics.h"
#include "shared/shm.h"
#include "lib/engine.h"
#include "log/syslog.h"

static struct test_engine engine;
static struct metrics *metrics;

static uint64_t
dropped(void)
{
	struct metrics_sum *sum = metrics_read(metrics);
	uint64_t lines;

	assert_non_null(sum);
	lines = sum->counters[METRICS_LOG_LINES_DROPPED];
	free(sum);
	return lines;
}

static struct journal *
open_journal(int fd, struct syslog_to *syslog)
{
	struct journal *j = journal_new(&(struct journal_setup){
	    .loop = engine.loop,
	    .engine = engine.engine,
	    .device = device_new_unknown(engine.devices),
	    .fd = fd,
	    .syslog = syslog,
	    .name = "test",
	    .metrics = metrics_share_of(metrics, 0),
	});

	assert_non_null(j);
	return j;
}

static void
add(struct journal *j, const char *line)
{
	journal_add(j, line, strlen(line));
}

static void
await(struct journal *j)
{
	journal_push(j);
	while (!journal_is_idle(j))
		ev_run(engine.loop, EVRUN_ONCE);
}

static void
assert_content(int fd, const char *want)
{
	char have[1024];
	ssize_t n = pread(fd, have, sizeof(have) - 1, 0);

	assert_in_range(n, 0, sizeof(have) - 1);
	have[n] = '\0';
	assert_string_equal(have, want);
}

static int
temporary(void)
{
	char path[] = "/tmp/test_journal-XXXXXX";
	int fd = mkstemp(path);

	assert_int_not_equal(fd, -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
	return fd;
}

/* The file may get no longer for a while: as on a disk that is full. */
static void
what_has_no_room_is_counted_and_the_next_line_is_whole(void **state)
{
	struct rlimit before, narrow;
	int fd = temporary();
	struct journal *j = open_journal(fd, NULL);
	uint64_t had = dropped();

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	narrow = before;
	narrow.rlim_cur = 8;
	add(j, "one\n");
	await(j);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &narrow), 0);
	add(j, "second\n");
	add(j, "third\n");
	await(j);
	assert_int_equal(dropped() - had, 2);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	add(j, "four\n");
	await(j);
	assert_content(fd, "one\nseco\nfour\n");
	assert_int_equal(dropped() - had, 2);
	journal_free(&j);
	close(fd);
}

static void
when_too_much_waits_lines_are_dropped_and_counted(void **state)
{
	static char line[JOURNAL_LINE_MAX];
	int fd = temporary();
	struct journal *j = open_journal(fd, NULL);
	uint64_t had = dropped();
	size_t fit = JOURNAL_MAX / sizeof(line);

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (size_t i = 0; i < fit + 5; i++)
		journal_add(j, line, sizeof(line));
	await(j);
	assert_int_equal(dropped() - had, 5);
	journal_free(&j);
	close(fd);
}

static int reopened;

static void
on_reopened(void *arg, int err)
{
	(void)arg;
	assert_int_equal(err, 0);
	reopened++;
}

static void
a_file_that_is_opened_again_gets_the_next_line(void **state)
{
	int fd = temporary(), other = temporary();
	int old = dup(fd);
	struct journal *j = open_journal(fd, NULL);

	(void)state;
	reopened = 0;
	add(j, "before\n");
	await(j);
	journal_reopen(j, dup(other), on_reopened, NULL);
	await(j);
	assert_int_equal(reopened, 1);
	add(j, "after\n");
	await(j);
	assert_content(old, "before\n");
	assert_content(other, "after\n");
	assert_int_equal(reopened, 1);
	journal_free(&j);
	close(fd);
	close(old);
	close(other);
}

static int
bind_to(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	(void)unlink(path);
	memcpy(un.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

static void
syslog_gets_a_datagram_for_each_line_also_after_a_restart(void **state)
{
	char dir[] = "/tmp/test_journal-XXXXXX", path[64], got[256];
	struct syslog_to *to;
	struct journal *j;
	uint64_t had = dropped();
	int fd;
	ssize_t n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	to = syslog_to_new(path, "up", 190);
	assert_non_null(to);
	j = open_journal(-1, to);
	add(j, "nobody\n");
	add(j, "hears\n");
	await(j);
	assert_int_equal(dropped() - had, 2);
	for (int round = 0; round < 2; round++) {
		fd = bind_to(path);
		add(j, "one\n");
		add(j, "two\n");
		await(j);
		for (int i = 0; i < 2; i++) {
			n = recv(fd, got, sizeof(got) - 1, 0);
			assert_in_range(n, 1, sizeof(got) - 1);
			got[n] = '\0';
			assert_int_equal(strncmp(got, "<190>", 5), 0);
			assert_int_equal(got[5 + 15], ' ');
			assert_non_null(
			    strstr(got, i == 0 ? "]: one" : "]: two"));
			assert_null(strchr(got, '\n'));
		}
		assert_int_equal(recv(fd, got, sizeof(got), 0), -1);
		close(fd);
	}
	assert_int_equal(dropped() - had, 2);
	(void)unlink(path);
	(void)rmdir(dir);
	journal_free(&j);
}

/* It does not wait for one that reads nothing. */
static void
syslog_that_is_full_loses_lines(void **state)
{
	char dir[] = "/tmp/test_journal-XXXXXX", path[64];
	struct syslog_to *to;
	struct journal *j;
	uint64_t had = dropped();
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	fd = bind_to(path);
	to = syslog_to_new(path, "up", 190);
	assert_non_null(to);
	j = open_journal(-1, to);
	for (int i = 0; i < 2000; i++)
		add(j, "line\n");
	await(j);
	assert_in_range(dropped() - had, 1, 1999);
	close(fd);
	(void)unlink(path);
	(void)rmdir(dir);
	journal_free(&j);
}

static int
begin(void **state)
{
	struct shm *shm = shm_new(metrics_size());

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	if (shm == NULL)
		return -1;
	metrics = metrics_new(shm);
	return test_engine_begin(&engine, ENGINE_THREADS);
}

static int
end(void **state)
{
	(void)state;
	test_engine_end(&engine);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		what_has_no_room_is_counted_and_the_next_line_is_whole),
	    cmocka_unit_test(when_too_much_waits_lines_are_dropped_and_counted),
	    cmocka_unit_test(a_file_that_is_opened_again_gets_the_next_line),
	    cmocka_unit_test(
		syslog_gets_a_datagram_for_each_line_also_after_a_restart),
	    cmocka_unit_test(syslog_that_is_full_loses_lines),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
