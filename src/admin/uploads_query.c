#include "uploads_query.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "flow/meter.h"

enum {
	WHY_MAX = 256,
	SHOWN_MAX = 64, /* bytes of what was sent, in a text */
};

/* ---- values ---- */

static bool
read_verdict(const char *value, struct uploads_query *q)
{
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		if (strcmp(value, verdict_name[i]) == 0)
			q->verdict = i + 1;
	return q->verdict != 0;
}

static bool
read_number(const char *value, uint64_t *ret)
{
	return num_parse_u64(value, strlen(value), ret) == 0 && *ret > 0;
}

static bool
read_worker(const char *value, struct uploads_query *q)
{
	return read_number(value, &q->worker);
}

static bool
read_limit(const char *value, struct uploads_query *q)
{
	return read_number(value, &q->limit);
}

static bool
take_text(const char *value, char to[UPLOADS_VALUE_MAX])
{
	memcpy(to, value, strlen(value) + 1);
	return value[0] != '\0';
}

static bool
read_location(const char *value, struct uploads_query *q)
{
	return take_text(value, q->location);
}

static bool
read_user(const char *value, struct uploads_query *q)
{
	return take_text(value, q->user);
}

static bool
read_client(const char *value, struct uploads_query *q)
{
	return take_text(value, q->client);
}

static const struct parameter {
	const char *name;
	bool (*read)(const char *value, struct uploads_query *q);
	const char *is; /* what it has to be */
} parameters[] = {
    {"client", read_client, "an address without a port, such as 192.0.2.1"},
    {"limit", read_limit, "a number from 1 on"},
    {"location", read_location, "the prefix of a location, such as /file"},
    {"user", read_user, "a name"},
    {"verdict", read_verdict,
	"balanced, read-bound, write-bound or hash-bound"},
    {"worker", read_worker, "the number of a process"},
};

/* ---- the query ---- */

/* Take the escapes out; false: they are none, or it is too long, or has a NUL. */
static bool
decode(struct span raw, char ret[UPLOADS_VALUE_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < raw.len; i++) {
		uint64_t byte = (unsigned char)raw.s[i];

		if (raw.s[i] == '+') {
			byte = ' ';
		} else if (raw.s[i] == '%') {
			if (raw.len - i < 3 ||
			    num_parse_hex(raw.s + i + 1, 2, &byte) < 0)
				return false;
			i += 2;
		}
		if (byte == 0 || n + 1 >= UPLOADS_VALUE_MAX)
			return false;
		ret[n++] = (char)byte;
	}
	ret[n] = '\0';
	return true;
}

/* Take what is before the next `mark`, or all. */
static struct span
shift(struct span *rest, char mark)
{
	const char *end =
	    rest->len > 0 ? memchr(rest->s, mark, rest->len) : NULL;
	struct span first = *rest;

	if (end == NULL) {
		*rest = (struct span){rest->s + rest->len, 0};
		return first;
	}
	first.len = (size_t)(end - rest->s);
	*rest = (struct span){end + 1, rest->len - first.len - 1};
	return first;
}

static const struct parameter *
find(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(parameters); i++)
		if (strlen(parameters[i].name) == name.len &&
		    memcmp(parameters[i].name, name.s, name.len) == 0)
			return &parameters[i];
	return NULL;
}

static const char *
explain(struct span name, const struct parameter *p, bool again)
{
	static char why[WHY_MAX];
	char shown[SHOWN_MAX];

	str_quote(name.s, name.len, shown, sizeof(shown));
	if (p == NULL)
		snprintf(why, sizeof(why),
		    "%s is no parameter of this page: there are client, limit, "
		    "location, user, verdict and worker",
		    shown);
	else if (again)
		snprintf(why, sizeof(why), "%s is given twice", p->name);
	else
		snprintf(why, sizeof(why), "%s has to be %s", p->name, p->is);
	return why;
}

const char *
uploads_query_read(struct span query, struct uploads_query *ret)
{
	unsigned given = 0;

	*ret = (struct uploads_query){.limit = UINT64_MAX};
	while (query.len > 0) {
		struct span value = shift(&query, '&');
		struct span name = shift(&value, '=');
		const struct parameter *p = find(name);
		char text[UPLOADS_VALUE_MAX];
		unsigned bit;

		if (name.len == 0 && value.len == 0)
			continue;
		if (p == NULL)
			return explain(name, NULL, false);
		bit = 1U << (p - parameters);
		if ((given & bit) != 0)
			return explain(name, p, true);
		given |= bit;
		if (!decode(value, text) || !p->read(text, ret))
			return explain(name, p, false);
	}
	return NULL;
}

/* ---- is it one of those? ---- */

bool
uploads_query_wants(const struct uploads_query *q, const struct live_record *r,
    const char *location, uint64_t worker)
{
	char client[ADDR_TEXT_MAX];

	if (q->worker != 0 && q->worker != worker)
		return false;
	if (q->verdict != 0 && q->verdict != r->verdict + 1U)
		return false;
	if (q->location[0] != '\0' &&
	    (location == NULL || strcmp(q->location, location) != 0))
		return false;
	/* Names are cut short in a record. */
	if (q->user[0] != '\0' &&
	    strncmp(q->user, r->user, LIVE_USER_MAX - 4) != 0)
		return false;
	if (q->client[0] == '\0')
		return true;
	live_format_client(&r->client, false, client);
	return strcmp(q->client, client) == 0;
}
