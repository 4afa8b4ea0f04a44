/*
 * Which directive may have been meant by a name that is none.
 */
#include <string.h>

#include "base/ascii.h"
#include "base/num.h"
#include "config/directives.h"

enum {
	NAME_BYTES_MAX = 40, /* longer names are like no other */
};

/*
 * How many bytes must be put in, left out, changed, or swapped with their
 * neighbour to make `b`, which is lower case, of `a` in whatever case.
 */
static uint64_t
edit_distance(const char *a, const char *b)
{
	uint64_t rows[3][NAME_BYTES_MAX + 1];
	uint64_t *two = rows[0], *one = rows[1], *now = rows[2];
	size_t a_len = strlen(a), b_len = strlen(b);

	check(a_len <= NAME_BYTES_MAX && b_len <= NAME_BYTES_MAX);
	for (size_t j = 0; j <= b_len; j++)
		now[j] = two[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		uint64_t *spare = two;

		two = one;
		one = now;
		now = spare;
		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = num_least(one[j], now[j - 1]) + 1;
			now[j] = num_least(now[j],
			    one[j - 1] + (ascii_lower(a[i - 1]) != b[j - 1]));
			if (i > 1 && j > 1 &&
			    ascii_lower(a[i - 1]) == b[j - 2] &&
			    ascii_lower(a[i - 2]) == b[j - 1])
				now[j] = num_least(now[j], two[j - 2] + 1);
		}
	}
	return now[b_len];
}

const struct directive *
directives_nearest(const char *name, enum directives_block block)
{
	const struct directive *nearest = NULL;
	size_t len = strlen(name);
	uint64_t best;

	if (len > NAME_BYTES_MAX)
		return NULL;
	/* One in three bytes may be wrong; a row of this block wins a tie. */
	best = 2 * num_least(len / 3, 3) + 2;
	for (size_t i = 0; i < directives_count; i++) {
		const struct directive *d = &directives[i];
		uint64_t score = 2 * edit_distance(name, d->name);

		if (!directives_is_allowed(d, block))
			score++;
		if (score < best) {
			best = score;
			nearest = d;
		}
	}
	return nearest;
}
