/*
 * The access log as JSON: an object in each line.
 */
#include <string.h>

#include "base/clock.h"
#include "config/config.h"
#include "log/journal.h"
#include "http/access.h"
#include "http/access_lines.h"

/* Bytes of what a client may choose, as it stands in a line.  A name always fits; where the
 * line would be longer than a journal takes, the others have less room. */
enum {
	NAME_MAX_SHOWN = 2048,
};

struct room {
	size_t method, path, start, user, certificate, agent, referer, prefix;
};

static const struct room wide = {32, 1024, 1024, 256, 256, 256, 256, 128};
static const struct room narrow = {32, 256, 256, 96, 96, 96, 96, 64};

/* A line that is being made. */
struct line {
	const struct exchange_ended *ended;
	const struct access *a;
	const struct access_worker *worker;
	const struct room *room;
};

/* ---- pieces ---- */

static bool
add_text(struct str *out, const char *text, size_t len, size_t max)
{
	str_puts(out, "\"");
	str_escape_within(out, text, len, max);
	str_puts(out, "\"");
	return true;
}

static bool
add_text_if(struct str *out, const char *text, size_t max)
{
	return text != NULL && add_text(out, text, strlen(text), max);
}

/* One of our own, which has nothing to be escaped. */
static bool
add_word(struct str *out, const char *word)
{
	str_puts(out, "\"");
	str_puts(out, word);
	str_puts(out, "\"");
	return true;
}

static bool
add_number(struct str *out, uint64_t n)
{
	str_add_u64(out, n);
	return true;
}

static bool
add_ms(struct str *out, uint64_t ns)
{
	str_add_ms(out, ns);
	return true;
}

/* ---- members: false, and nothing is added, when the exchange has none ---- */

static bool
add_time(const struct line *l, struct str *out)
{
	char stamp[CLOCK_STAMP_MAX];

	(void)l;
	clock_stamp_iso(clock_wall_ns(), stamp);
	return add_word(out, stamp);
}

static bool
add_id(const struct line *l, struct str *out)
{
	return add_number(out, l->a->id);
}

static bool
add_client(const struct line *l, struct str *out)
{
	char text[ADDR_TEXT_MAX];

	addr_format_host(access_client(l->a, l->ended->peer), text);
	return add_word(out, text);
}

static bool
add_port(const struct line *l, struct str *out)
{
	unsigned port = addr_port(access_client(l->a, l->ended->peer));

	return port != 0 && add_number(out, port);
}

static bool
add_user(const struct line *l, struct str *out)
{
	return add_text_if(out, access_user(l->a), l->room->user);
}

static bool
add_certificate(const struct line *l, struct str *out)
{
	return add_text_if(out, l->ended->certificate, l->room->certificate);
}

static bool
add_method(const struct line *l, struct str *out)
{
	return l->a->method_len > 0 &&
	       add_text(out, l->a->asked.s, l->a->method_len, l->room->method);
}

static bool
add_path(const struct line *l, struct str *out)
{
	size_t method = l->a->method_len;

	return method > 0 && add_text(out, l->a->asked.s + method,
				 l->a->asked.len - method, l->room->path);
}

static bool
add_start(const struct line *l, struct str *out)
{
	return l->a->method_len == 0 && l->a->asked.len > 0 &&
	       add_text(out, l->a->asked.s, l->a->asked.len, l->room->start);
}

static bool
add_protocol(const struct line *l, struct str *out)
{
	return l->a->minor > 0 &&
	       add_word(out, l->a->minor > 1 ? "HTTP/1.1" : "HTTP/1.0");
}

static bool
add_tls(const struct line *l, struct str *out)
{
	return l->ended->tls != NULL && add_word(out, l->ended->tls);
}

static bool
add_agent(const struct line *l, struct str *out)
{
	const struct access_more *m = l->a->more;

	return m != NULL && m->agent_len > 0 &&
	       add_text(out, m->text, m->agent_len, l->room->agent);
}

static bool
add_referer(const struct line *l, struct str *out)
{
	const struct access_more *m = l->a->more;

	return m != NULL && m->referer_len > 0 &&
	       add_text(out, m->text + m->agent_len, m->referer_len,
		   l->room->referer);
}

static bool
add_location(const struct line *l, struct str *out)
{
	return l->a->location != NULL &&
	       add_text_if(out, l->a->location->prefix, l->room->prefix);
}

static bool
add_status(const struct line *l, struct str *out)
{
	return add_number(out, l->a->answered ? (uint64_t)l->a->status : 0);
}

static bool
add_outcome(const struct line *l, struct str *out)
{
	return add_word(out, outcome_word(l->a->outcome));
}

static bool
add_cut(const struct line *l, struct str *out)
{
	return l->a->cut != ACCESS_WHOLE &&
	       add_word(out, access_cut_word[l->a->cut]);
}

static bool
add_in(const struct line *l, struct str *out)
{
	return add_number(out, l->a->in);
}

static bool
add_out(const struct line *l, struct str *out)
{
	return add_number(out, l->a->out);
}

static bool
add_duration(const struct line *l, struct str *out)
{
	return add_ms(out, l->a->ended_ns - l->a->began_ns);
}

static bool
add_name(const struct line *l, struct str *out)
{
	return l->a->upload != NULL &&
	       add_text_if(out, l->a->upload->name, NAME_MAX_SHOWN);
}

static bool
add_verdict(const struct line *l, struct str *out)
{
	return l->a->upload != NULL &&
	       add_word(out, verdict_name[meter_verdict(&l->a->upload->meter)]);
}

static bool
add_times(const struct line *l, struct str *out)
{
	const struct access_upload *u = l->a->upload;
	struct meter_time times[METER_TIMES_MAX];
	const char *before = "{\"";
	size_t n;

	if (u == NULL)
		return false;
	n = meter_times(&u->meter, u->hashed, times);
	for (size_t i = 0; i < n; i++) {
		str_puts(out, before);
		str_puts(out, times[i].name);
		str_puts(out, "\":");
		str_add_ms(out, times[i].ns);
		before = ",\"";
	}
	str_puts(out, "}");
	return true;
}

static bool
add_saved(const struct line *l, struct str *out)
{
	return l->a->upload != NULL &&
	       add_ms(out, meter_saved_ns(&l->a->upload->meter));
}

static bool
add_part(const struct line *l, struct str *out)
{
	const struct access_upload *u = l->a->upload;

	if (u == NULL || !u->is_part)
		return false;
	str_puts(out, "{\"from\":");
	str_add_u64(out, u->from);
	str_puts(out, ",\"to\":");
	str_add_u64(out, u->to);
	if (u->length != UINT64_MAX) {
		str_puts(out, ",\"length\":");
		str_add_u64(out, u->length);
	}
	str_puts(out, "}");
	return true;
}

static bool
add_durability(const struct line *l, struct str *out)
{
	const struct access_more *m = l->a->more;

	return m != NULL && m->durability != NULL &&
	       add_word(out, m->durability);
}

static bool
add_digest(const struct line *l, struct str *out)
{
	const struct access_more *m = l->a->more;

	if (m == NULL || m->digests.len == 0 || str_failed(&m->digests))
		return false;
	str_puts(out, "{");
	str_add(out, m->digests.s, m->digests.len);
	str_puts(out, "}");
	return true;
}

static bool
add_worker(const struct line *l, struct str *out)
{
	return add_number(out, l->worker->number);
}

static bool
add_generation(const struct line *l, struct str *out)
{
	return add_number(out, l->worker->generation);
}

/* ---- the table ---- */

/* A member: what it is, and when it is there. */
struct member {
	const char *name; /* as it stands in a line: with quotes and colon */
	bool (*add)(const struct line *l, struct str *out);
	const char *when; /* it is there; "": always */
	const char *help;
};

#define MEMBER(name) ",\"" name "\":"

/* clang-format off */
static const struct member members[] = {
	{ MEMBER("time"), add_time, "",
	  "when the line was written, at the end of the exchange (UTC)" },
	{ MEMBER("id"), add_id, "",
	  "of the request: the same in error log, trace and receipt; no other "
	  "request has it; 0: its head never came whole" },
	{ MEMBER("client"), add_client, "",
	  "address of the client, also behind a proxy that is trusted; `unix:`" },
	{ MEMBER("port"), add_port, "where it is known",
	  "its port" },
	{ MEMBER("user"), add_user, "if somebody was asked",
	  "who sent it" },
	{ MEMBER("certificate"), add_certificate, "if one was good",
	  "subject of the client's certificate" },
	{ MEMBER("method"), add_method, "of a request",
	  "as it was sent" },
	{ MEMBER("path"), add_path, "of a request",
	  "the target as it was sent, with its query; signatures are hidden" },
	{ MEMBER("start"), add_start, "of what is no request",
	  "its first line, or its first bytes" },
	{ MEMBER("protocol"), add_protocol, "of a request that was understood",
	  "`HTTP/1.1` or `HTTP/1.0`" },
	{ MEMBER("tls"), add_tls, "with TLS",
	  "its version" },
	{ MEMBER("user_agent"), add_agent, "if it was sent",
	  "the field User-Agent" },
	{ MEMBER("referer"), add_referer, "if it was sent",
	  "the field Referer; signatures are hidden" },
	{ MEMBER("location"), add_location, "if the path is in one",
	  "prefix of the location" },
	{ MEMBER("status"), add_status, "",
	  "of the answer; 0: not a byte of one was taken" },
	{ MEMBER("outcome"), add_outcome, "",
	  "how it ended: the words of [answers](#answers); `-`: nothing to say" },
	{ MEMBER("cut"), add_cut, "if the answer did not go out whole",
	  "why: `client-gone`, `send-timeout`, `stopped`, `no-memory`, "
	  "`connection-cut`" },
	{ MEMBER("in"), add_in, "",
	  "bytes of the body that were read" },
	{ MEMBER("out"), add_out, "",
	  "bytes of content that were sent" },
	{ MEMBER("duration_ms"), add_duration, "",
	  "from the first byte of the head to the end" },
	{ MEMBER("name"), add_name, "of an upload",
	  "below the location" },
	{ MEMBER("verdict"), add_verdict, "of an upload",
	  "`read-bound`, `write-bound`, `hash-bound` or `balanced`" },
	{ MEMBER("ms"), add_times, "of an upload",
	  "the times of the receipt, by their names" },
	{ MEMBER("overlap_saved_ms"), add_saved, "of an upload",
	  "as in the receipt" },
	{ MEMBER("part"), add_part, "of an upload in parts",
	  "`from` and (not including it) `to`, of `length`, if that is known" },
	{ MEMBER("durability"), add_durability, "if it was stored",
	  "as in the receipt" },
	{ MEMBER("digest"), add_digest, "if it was stored, and one computed",
	  "as in the receipt" },
	{ MEMBER("worker"), add_worker, "",
	  "which one of its generation, from 0" },
	{ MEMBER("generation"), add_generation, "",
	  "of the configuration: 1, and one more for each reload" },
};
/* clang-format on */

static void
add_members(const struct line *l, struct str *out)
{
	size_t start = out->len;

	for (size_t i = 0; i < COUNT_OF(members); i++) {
		size_t before = out->len;

		str_puts(out, members[i].name);
		if (!members[i].add(l, out))
			out->len = (uint32_t)before;
	}
	if (str_failed(out))
		return;
	out->s[start] = '{'; /* in place of the first comma */
	str_puts(out, "}\n");
}

void
access_add_json(const struct exchange_ended *e, const struct access_worker *w,
    struct str *out)
{
	struct line l = {
	    .ended = e, .a = e->record, .worker = w, .room = &wide};
	size_t start = out->len;

	add_members(&l, out);
	if (str_failed(out) || out->len - start <= JOURNAL_LINE_MAX)
		return;
	out->len = (uint32_t)start;
	l.room = &narrow;
	add_members(&l, out);
}

void
access_markdown(FILE *out)
{
	fputs("| member | is there | what it is |\n|---|---|---|\n", out);
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		const struct member *m = &members[i];
		int len = (int)strlen(m->name) - (int)strlen(MEMBER(""));

		fprintf(out, "| `%.*s` | %s | %s |\n", len, m->name + 2,
		    *m->when == '\0' ? "always" : m->when, m->help);
	}
}
