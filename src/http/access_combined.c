/*
 * The access log as nginx and Apache write it, for programs that read theirs:
 *
 *	$remote_addr - $remote_user [$time_local] "$request" $status
 *	    $body_bytes_sent "$http_referer" "$http_user_agent"
 *
 * byte for byte, with nginx's escapes (\xXX) and its status 499 for a client that left
 * before it was answered.
 */
#include <string.h>

#include "base/clock.h"
#include "http/access.h"
#include "http/access_lines.h"

enum {
	USER_MAX = 256,
	PIECE_MAX = 1024,
	CLIENT_LEFT = 499,
};

/* Within `max` bytes; what is clipped ends with "...". */
static void
add_escaped(struct str *out, const char *text, size_t len, size_t max)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t start = out->len, i;

	for (i = 0; i < len && out->len - start <= max - 4 - 3; i++) {
		unsigned char c = (unsigned char)text[i];
		char escape[] = {'\\', 'x', hex[c >> 4], hex[c & 15]};

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			str_add(out, escape, sizeof(escape));
		else
			str_add(out, &text[i], 1);
	}
	str_puts(out, i < len ? "..." : "");
}

static void
add_field(struct str *out, const char *text, size_t len)
{
	str_puts(out, " \"");
	if (len == 0)
		str_puts(out, "-");
	else
		add_escaped(out, text, len, PIECE_MAX / 2);
	str_puts(out, "\"");
}

/* "23/Nov/2026:08:16:04 +0000", from "20261123T081604586Z". */
static void
add_stamp(struct str *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char stamp[CLOCK_STAMP_MAX];
	int month;

	clock_stamp_name(clock_wall_ns(), stamp);
	month = (stamp[4] - '0') * 10 + (stamp[5] - '0');
	check(month >= 1 && month <= 12);
	str_printf(out, " [%.2s/%.3s/%.4s:%.2s:%.2s:%.2s +0000] \"", stamp + 6,
	    months + (month - 1) * 3, stamp, stamp + 9, stamp + 11, stamp + 13);
}

static void
add_request(struct str *out, const struct access *a)
{
	const char *asked = a->asked.s;
	size_t method = a->method_len;

	if (a->asked.len == 0) {
		str_puts(out, "-");
		return;
	}
	if (method > 0) {
		add_escaped(out, asked, method, 64);
		str_puts(out, " ");
	}
	add_escaped(out, asked + method, a->asked.len - method, PIECE_MAX);
	if (a->minor > 0)
		str_puts(out, a->minor > 1 ? " HTTP/1.1" : " HTTP/1.0");
}

/* It has three digits, whatever it is. */
static int
status_of(const struct access *a)
{
	if (a->answered)
		return a->status;
	return a->cut == ACCESS_CLIENT_GONE || a->outcome == OUTCOME_CLIENT_GONE
		   ? CLIENT_LEFT
		   : 0;
}

void
access_add_combined(const struct exchange_ended *e, struct str *out)
{
	const struct access *a = e->record;
	const struct access_more *m = a->more;
	const char *user = access_user(a);
	char client[ADDR_TEXT_MAX];
	size_t agent = m != NULL ? m->agent_len : 0;
	size_t referer = m != NULL ? m->referer_len : 0;

	addr_format_host(access_client(a, e->peer), client);
	str_puts(out, client);
	str_puts(out, " - ");
	if (user == NULL)
		str_puts(out, "-");
	else
		add_escaped(out, user, strlen(user), USER_MAX);
	add_stamp(out);
	add_request(out, a);
	str_printf(out, "\" %03d ", status_of(a));
	str_add_u64(out, a->out);
	add_field(out, m != NULL ? m->text + agent : "", referer);
	add_field(out, m != NULL ? m->text : "", agent);
	str_puts(out, "\n");
}
