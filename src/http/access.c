#include "http/access.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"

/* Bytes of what a client may choose, as it stands in a line, so that the whole
 * is never longer than a journal takes (JOURNAL_LINE_MAX).  A name always fits. */
enum {
	METHOD_SHOWN_MAX = 32,
	START_LINE_MAX = 128, /* of a line that is no request line */
	START_BYTES_MAX = 32, /* of what is no line */
	TARGET_SHOWN_MAX = 1024,
	NAME_SHOWN_MAX = 2048,
	CLIENT_SHOWN_MAX = 256,
	FIELD_KEPT_MAX = 512, /* of User-Agent and Referer */
	USER_SHOWN_MAX = 256,
	CLIP_MARGIN = 4, /* bytes of a UTF-8 sequence */
};

const char *const access_cut_word[ACCESS_CUT_COUNT] = {
    [ACCESS_WHOLE] = "-",
    [ACCESS_CLIENT_GONE] = "client-gone",
    [ACCESS_NOT_TAKEN] = "send-timeout",
    [ACCESS_STOPPED] = "stopped",
    [ACCESS_NO_MEMORY] = "no-memory",
    [ACCESS_CONNECTION_CUT] = "connection-cut",
};

/* Bytes of a text that are kept so that it is clipped as if all were there. */
static size_t
kept_len(size_t len, size_t shown_max)
{
	size_t most = shown_max + CLIP_MARGIN;

	return len < most ? len : most;
}

/*
 * Whoever reads the log must not have what gives a right: the signature of a link is a
 * secret, and so is what stands behind `sig=` in any query.
 */
static void
hide_signature(char *text, size_t len)
{
	char *at = text, *end = text + len;

	if (len == 0)
		return;
	at = memchr(at, '?', len);
	while (at != NULL && at < end) {
		at++;
		if (end - at > 4 && str_ieq_bytes(at, "sig=", 4))
			for (at += 4; at < end && *at != '&' && *at != ' ';
			     at++)
				*at = '*';
		at = memchr(at, '&', (size_t)(end - at));
	}
}

/* A field line that stands where a request should, since the framing before it is wrong. */
static void
hide_credentials(struct str *text)
{
	static const char field[] = "Authorization:";
	size_t len = sizeof(field) - 1;

	if (text->len > len && str_ieq_bytes(text->s, field, len))
		memset(text->s + len, '*', text->len - len);
}

void
access_note_head(struct access *a, const struct head *h)
{
	size_t method = kept_len(h->method_text.len, METHOD_SHOWN_MAX);

	a->method_len = (uint16_t)method;
	str_clear(&a->asked);
	str_add(&a->asked, h->method_text.s, method);
	str_add(
	    &a->asked, h->target.s, kept_len(h->target.len, TARGET_SHOWN_MAX));
	str_trim(&a->asked);
	hide_signature(a->asked.s, a->asked.len);
}

void
access_note_more(struct access *a, const struct head *h)
{
	size_t agent = kept_len(h->user_agent.len, FIELD_KEPT_MAX);
	size_t referer = kept_len(h->referer.len, FIELD_KEPT_MAX);
	struct access_more *m = malloc(sizeof(*m) + agent + referer);

	check(a->more == NULL);
	if (m == NULL)
		return;
	*m = (struct access_more){
	    .agent_len = (uint16_t)agent, .referer_len = (uint16_t)referer};
	if (agent > 0)
		memcpy(m->text, h->user_agent.s, agent);
	if (referer > 0)
		memcpy(m->text + agent, h->referer.s, referer);
	hide_signature(m->text + agent, referer);
	a->more = m;
}

void
access_note_stored(
    struct access *a, const char *durability, const struct digest *digest)
{
	struct access_more *m = a->more;

	if (m == NULL)
		return;
	m->durability = durability;
	str_clear(&m->digests);
	if (digest != NULL)
		digest_add_members(digest, &m->digests);
}

/* Of `len` bytes, those before the first that no line has. */
static size_t
text_len(const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && !syntax_is_control((unsigned char)bytes[n]))
		n++;
	return n;
}

bool
access_note_client(struct access *a, const struct addr *addr)
{
	size_t size = addr_size(addr);

	check(a->who == NULL);
	a->who = calloc(1, offsetof(struct access_who, addr) + size + 1);
	if (a->who != NULL)
		memcpy(&a->who->addr, addr, size);
	return a->who != NULL;
}

bool
access_note_user(struct access *a, const char *name)
{
	char *copy = strdup(name);

	if (copy == NULL)
		return false;
	if (a->who == NULL) /* the address is the peer's */
		a->who = calloc(1, offsetof(struct access_who, addr) +
				       sizeof(a->who->addr.len));
	if (a->who == NULL) {
		free(copy);
		return false;
	}
	free(a->who->user);
	a->who->user = copy;
	return true;
}

const char *
access_user(const struct access *a)
{
	return a->who != NULL ? a->who->user : NULL;
}

const struct addr *
access_client(const struct access *a, const struct addr *peer)
{
	return a->who != NULL && a->who->addr.len > 0 ? &a->who->addr : peer;
}

void
access_note_start(struct access *a, const char *bytes, size_t len)
{
	size_t n = len < START_LINE_MAX ? len : START_LINE_MAX;
	size_t text = text_len(bytes, n);
	bool is_line = text > 0 && text + 1 < len && bytes[text] == '\r' &&
		       bytes[text + 1] == '\n';

	if (is_line)
		len = n = text; /* without what is behind it */
	else if (text < n && n > START_BYTES_MAX)
		n = START_BYTES_MAX;
	a->method_len = 0;
	a->asked_more = n < len;
	str_clear(&a->asked);
	str_add(&a->asked, bytes, n);
	hide_signature(a->asked.s, a->asked.len);
	hide_credentials(&a->asked);
}

void
access_format_asked(const struct access *a, struct str *out)
{
	const char *asked = a->asked.s;
	size_t method = a->method_len;

	if (a->asked.len == 0) {
		str_puts(out, "-");
	} else if (method > 0) {
		str_escape_within(out, asked, method, METHOD_SHOWN_MAX);
		str_puts(out, " ");
		str_escape_within(out, asked + method, a->asked.len - method,
		    TARGET_SHOWN_MAX);
	} else {
		str_escape(out, asked, a->asked.len);
		str_puts(out, a->asked_more ? "..." : "");
	}
}

void
access_measured(
    struct access *a, const struct meter *m, bool hashed, const char *name)
{
	size_t len = strlen(name);
	struct access_upload *u = malloc(sizeof(*u) + len + 1);

	free(a->upload);
	a->upload = u;
	if (u == NULL)
		return;
	u->hashed = hashed;
	u->is_part = false;
	u->meter = *m;
	memcpy(u->name, name, len + 1);
}

void
access_taken_back(struct access *a, const char *left)
{
	struct access_upload *u = a->upload;
	struct meter m;

	if (a->more != NULL && left[0] == '\0')
		a->more->durability = NULL;
	if (a->more != NULL)
		str_clear(&a->more->digests); /* of which file? */
	if (u != NULL && left[0] != '\0') {
		m = u->meter;
		access_measured(a, &m, u->hashed, left);
	} else {
		free(u);
		a->upload = NULL;
	}
}

void
access_note_part(struct access *a, uint64_t from, uint64_t to, uint64_t length)
{
	struct access_upload *u = a->upload;

	if (u == NULL)
		return;
	u->is_part = true;
	u->from = from;
	u->to = to;
	u->length = length;
}

static void
add_part(const struct access_upload *u, struct str *line)
{
	str_puts(line, " part=");
	str_add_u64(line, u->from);
	str_puts(line, "-");
	str_add_u64(line, u->to);
	str_puts(line, "/");
	if (u->length == UINT64_MAX)
		str_puts(line, "*");
	else
		str_add_u64(line, u->length);
}

/* Who waited for whom, and what it is called. */
static void
add_measures(const struct access_upload *u, struct str *line)
{
	const struct meter *m = &u->meter;
	struct meter_time times[METER_TIMES_MAX];

	str_puts(line, " ");
	str_puts(line, verdict_name[meter_verdict(m)]);
	for (size_t i = 0, n = meter_times(m, u->hashed, times); i < n; i++) {
		if (i == METER_TOTAL)
			continue; /* the line has its own */
		str_puts(line, " ");
		str_puts(line, times[i].name);
		str_puts(line, "=");
		str_add_ms(line, times[i].ns);
	}
	str_puts(line, " saved=");
	str_add_ms(line, meter_saved_ns(m));
	if (u->is_part)
		add_part(u, line);
	str_puts(line, " name=\"");
	str_escape_within(line, u->name, strlen(u->name), NAME_SHOWN_MAX);
	str_puts(line, "\"");
}

void
access_format(const struct access *a, const struct addr *peer,
    const char *client, struct str *out)
{
	uint64_t ms_10 = (a->ended_ns - a->began_ns) / (NS_PER_MS / 10);
	char from[ADDR_TEXT_MAX], stamp[CLOCK_STAMP_MAX];

	addr_format(access_client(a, peer), from);
	clock_stamp_iso(clock_wall_ns(), stamp);
	str_puts(out, stamp);
	str_puts(out, " ");
	str_puts(out, from);
	str_puts(out, " ");
	str_add_u64(out, a->id);
	str_puts(out, " \"");
	access_format_asked(a, out);
	str_puts(out, "\" ");
	str_add_u64(out, a->answered ? (uint64_t)a->status : 0);
	str_puts(out, " in=");
	str_add_u64(out, a->in);
	str_puts(out, " out=");
	str_add_u64(out, a->out);
	str_puts(out, " ms=");
	str_add_u64(out, ms_10 / 10);
	str_puts(out, ".");
	str_add_u64(out, ms_10 % 10);
	str_puts(out, " ");
	str_puts(out, outcome_word(a->outcome));
	if (a->upload != NULL)
		add_measures(a->upload, out);
	if (access_user(a) != NULL) {
		str_puts(out, " user=\"");
		str_escape_within(out, access_user(a), strlen(access_user(a)),
		    USER_SHOWN_MAX);
		str_puts(out, "\"");
	}
	if (a->cut != ACCESS_WHOLE)
		str_printf(out, " answer=%s", access_cut_word[a->cut]);
	if (client != NULL) {
		str_puts(out, " client=\"");
		str_escape_within(
		    out, client, strlen(client), CLIENT_SHOWN_MAX);
		str_puts(out, "\"");
	}
	str_puts(out, "\n");
}

void
access_fini(struct access *a)
{
	str_fini(&a->asked);
	free(a->upload);
	if (a->more != NULL)
		str_fini(&a->more->digests);
	free(a->more);
	if (a->who != NULL)
		free(a->who->user);
	free(a->who);
	*a = (struct access){0};
}
