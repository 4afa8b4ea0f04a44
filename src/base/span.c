#include "base/span.h"

#include <stdbool.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span
span_trim(struct span t)
{
	for (; t.len > 0 && is_blank(t.s[0]); t.len--)
		t.s++;
	while (t.len > 0 && is_blank(t.s[t.len - 1]))
		t.len--;
	return t;
}
