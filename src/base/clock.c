#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

enum {
	TRIES = 4,
	CLOSE_NS = 1000, /* longest time between reading the two clocks */
};

static const char *const day_name[] = {
    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const day_long[] = {"Sunday", "Monday", "Tuesday",
    "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const month_name[] = {"Jan", "Feb", "Mar", "Apr", "May",
    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static uint64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	check(clock_gettime(id, &ts) == 0);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t
clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t
clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t
clock_mono_of_wall(uint64_t wall_ns)
{
	uint64_t best = UINT64_MAX, mono = 0, wall = 0, ago;

	/* The two clocks are read one after the other; try again if this
	 * process was descheduled in between. */
	for (int i = 0; i < TRIES && best > CLOSE_NS; i++) {
		uint64_t before = clock_mono_ns(), now = clock_wall_ns();
		uint64_t width = clock_mono_ns() - before;

		if (width >= best)
			continue;
		best = width;
		mono = before + width / 2;
		wall = now;
	}
	ago = wall > wall_ns ? wall - wall_ns : 0;
	if (ago > CLOCK_AGO_MAX_S * NS_PER_S)
		ago = CLOCK_AGO_MAX_S * NS_PER_S;
	return mono > ago ? mono - ago : 0;
}

static void
split_wall(uint64_t wall_ns, struct tm *ret_tm, unsigned *ret_ms)
{
	time_t s = (time_t)(wall_ns / NS_PER_S);

	check(gmtime_r(&s, ret_tm) != NULL);
	*ret_ms = (unsigned)(wall_ns % NS_PER_S / NS_PER_MS);
}

/* `value` with so many digits, and what is behind it.  printf() takes ten times as long,
 * and every line of the log has a stamp. */
static char *
put_digits(char *to, unsigned value, int digits)
{
	for (int i = digits; i-- > 0; value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + digits;
}

static char *
put_word(char *to, const char *word)
{
	while (*word != '\0')
		*to++ = *word++;
	return to;
}

/* Date and time, with what is between their parts; '\0': nothing. */
static void
put_stamp(uint64_t wall_ns, char dash, char colon, char dot, char *to)
{
	struct tm tm;
	unsigned ms;

	split_wall(wall_ns, &tm, &ms);
	const unsigned parts[] = {(unsigned)tm.tm_year + 1900,
	    (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday, (unsigned)tm.tm_hour,
	    (unsigned)tm.tm_min, (unsigned)tm.tm_sec, ms};
	const int digits[] = {4, 2, 2, 2, 2, 2, 3};
	const char behind[] = {dash, dash, 'T', colon, colon, dot, 'Z'};

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		to = put_digits(to, parts[i], digits[i]);
		if (behind[i] != '\0')
			*to++ = behind[i];
	}
	*to = '\0';
}

void
clock_stamp_iso(uint64_t wall_ns, char ret_stamp[CLOCK_STAMP_MAX])
{
	put_stamp(wall_ns, '-', ':', '.', ret_stamp);
}

void
clock_stamp_name(uint64_t wall_ns, char ret_stamp[CLOCK_STAMP_MAX])
{
	put_stamp(wall_ns, '\0', '\0', '\0', ret_stamp);
}

void
clock_stamp_http(time_t wall_s, char ret_stamp[CLOCK_STAMP_MAX])
{
	char *to = ret_stamp;
	struct tm tm;

	check(gmtime_r(&wall_s, &tm) != NULL);
	to = put_word(to, day_name[tm.tm_wday]);
	to = put_word(to, ", ");
	to = put_digits(to, (unsigned)tm.tm_mday, 2);
	*to++ = ' ';
	to = put_word(to, month_name[tm.tm_mon]);
	*to++ = ' ';
	to = put_digits(to, (unsigned)tm.tm_year + 1900, 4);
	*to++ = ' ';
	to = put_digits(to, (unsigned)tm.tm_hour, 2);
	*to++ = ':';
	to = put_digits(to, (unsigned)tm.tm_min, 2);
	*to++ = ':';
	to = put_digits(to, (unsigned)tm.tm_sec, 2);
	memcpy(to, " GMT", sizeof(" GMT"));
}

/* Index of `word` in `names`, or -1. */
static int
index_of(const char *word, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(word, names[i]) == 0)
			return i;
	return -1;
}

/* Seconds since 1970 of a UTC date (days algorithm: Howard Hinnant). */
static time_t
seconds_of(int year, int month, int day, int h, int m, int s)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	int64_t days = era * 146097 + doe - 719468;

	return (time_t)(days * 86400 + h * 3600 + m * 60 + s);
}

/* A two-digit year is the one nearest to now (RFC 9110 section 5.6.7). */
static int
full_year(int yy)
{
	int now = 1970 + (int)(clock_wall_ns() / NS_PER_S / 31556952);
	int year = now - now % 100 + yy;

	return year > now + 50 ? year - 100 : year;
}

int
clock_parse_http(const char *text, size_t len, time_t *ret_s)
{
	char s[40], wday[10], mon[4];
	int day, year, h, m, sec, month, end = 0;
	struct tm tm;
	time_t when;

	if (len == 0 || len >= sizeof(s) || memchr(text, '\0', len) != NULL)
		return -EINVAL;
	memcpy(s, text, len);
	s[len] = '\0';
	if (sscanf(s, "%3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", wday,
		&day, mon, &year, &h, &m, &sec, &end) == 7 &&
	    (size_t)end == len) {
		if (index_of(wday, day_name, 7) < 0)
			return -EINVAL;
	} else if (sscanf(s, "%9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n",
		       wday, &day, mon, &year, &h, &m, &sec, &end) == 7 &&
		   (size_t)end == len) {
		if (index_of(wday, day_long, 7) < 0)
			return -EINVAL;
		year = full_year(year);
	} else if (sscanf(s, "%3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n",
		       wday, mon, &day, &h, &m, &sec, &year, &end) == 7 &&
		   (size_t)end == len) {
		if (index_of(wday, day_name, 7) < 0)
			return -EINVAL;
	} else {
		return -EINVAL;
	}
	month = index_of(mon, month_name, 12);
	if (month < 0 || day < 1 || day > 31 || h < 0 || h > 23 || m < 0 ||
	    m > 59 || sec < 0 || sec > 60 || year < 1601)
		return -EINVAL;
	/* timegm(3) turns a day that the month does not have into another
	 * date. */
	when = seconds_of(year, month + 1, day, 0, 0, 0);
	if (gmtime_r(&when, &tm) == NULL || tm.tm_mday != day)
		return -EINVAL;
	*ret_s = seconds_of(year, month + 1, day, h, m, sec);
	return 0;
}
