#include "base/num.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"

/* Read digits of `base` from *s on; *s is left at the first other byte. */
static int
parse_digits(const char **s, const char *end, unsigned base, uint64_t *ret)
{
	const char *start = *s;
	uint64_t n = 0;

	for (; *s < end; (*s)++) {
		unsigned d = (unsigned)ascii_hex_digit(**s);

		if (d >= base)
			break;
		if (n > (UINT64_MAX - d) / base)
			return -ERANGE;
		n = n * base + d;
	}
	if (*s == start)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int
parse_whole(const char *s, size_t len, unsigned base, uint64_t *ret)
{
	const char *end = s + len;
	uint64_t n;
	int err;

	err = parse_digits(&s, end, base, &n);
	if (err == 0 && s != end)
		err = -EINVAL;
	if (err == 0)
		*ret = n;
	return err;
}

int
num_parse_u64(const char *s, size_t len, uint64_t *ret)
{
	return parse_whole(s, len, 10, ret);
}

int
num_parse_hex(const char *s, size_t len, uint64_t *ret)
{
	return parse_whole(s, len, 16, ret);
}

int
num_parse_size(const char *s, size_t len, uint64_t *ret_bytes)
{
	unsigned shift = 0;
	uint64_t n = 0;
	int err;

	if (len > 0) {
		switch (s[len - 1]) {
		case 'k':
		case 'K':
			shift = 10;
			break;
		case 'm':
		case 'M':
			shift = 20;
			break;
		case 'g':
		case 'G':
			shift = 30;
			break;
		default:
			break;
		}
	}
	err = num_parse_u64(s, shift ? len - 1 : len, &n);
	if (err < 0)
		return err;
	if (n > UINT64_MAX >> shift)
		return -ERANGE;
	*ret_bytes = n << shift;
	return 0;
}

static const struct unit {
	const char *name;
	uint64_t ms;
} units[] = {
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};

/* The unit that stands at `s`, or NULL; "ms" is not "m". */
static const struct unit *
unit_at(const char *s, const char *end)
{
	const struct unit *found = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		size_t len = strlen(units[i].name);

		if (len > longest && len <= (size_t)(end - s) &&
		    memcmp(s, units[i].name, len) == 0) {
			found = &units[i];
			longest = len;
		}
	}
	return found;
}

int
num_parse_time(const char *s, size_t len, uint64_t *ret_ms)
{
	const char *end = s + len;
	const struct unit *last = NULL;
	uint64_t total = 0;

	do {
		const struct unit *u;
		uint64_t n;
		int err;

		err = parse_digits(&s, end, 10, &n);
		if (err < 0)
			return err;
		if (s == end && last == NULL) {
			if (n > UINT64_MAX / 1000)
				return -ERANGE;
			*ret_ms = n * 1000;
			return 0;
		}
		u = unit_at(s, end);
		if (u == NULL || (last != NULL && u <= last))
			return -EINVAL;
		if (n > (UINT64_MAX - total) / u->ms)
			return -ERANGE;
		total += n * u->ms;
		s += strlen(u->name);
		last = u;
	} while (s < end);
	*ret_ms = total;
	return 0;
}

void
num_format_size(uint64_t bytes, char ret_text[NUM_TEXT_MAX])
{
	static const char *const suffix[] = {"", "k", "m", "g"};
	size_t i = 0;

	while (i < 3 && bytes != 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(ret_text, NUM_TEXT_MAX, "%" PRIu64 "%s", bytes, suffix[i]);
}

void
num_format_time(uint64_t ms, char ret_text[NUM_TEXT_MAX])
{
	const struct unit *u = units;

	if (ms == 0) {
		snprintf(ret_text, NUM_TEXT_MAX, "0");
		return;
	}
	while (ms % u->ms != 0)
		u++;
	snprintf(ret_text, NUM_TEXT_MAX, "%" PRIu64 "%s", ms / u->ms, u->name);
}

void
num_format_seconds(double seconds, char ret_text[NUM_TEXT_MAX])
{
	num_format_time((uint64_t)(seconds * 1e3 + 0.5), ret_text);
}
