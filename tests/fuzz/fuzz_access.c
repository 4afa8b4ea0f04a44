/*
 * The access log: whatever a client sends, a line is one line, no longer than a journal takes,
 * and reads as its form has it: one JSON object (RFC 8259) of valid UTF-8 whose strings are
 * what was sent, or the beginning of it; what nginx writes; text whose quotes are closed.
 *
 * Lines of input, by their first byte:
 *
 *	m t a r    method, target, User-Agent, Referer
 *	u n c      user, name of an upload, subject of a certificate
 *	s          what is no request
 *	k          status, outcome, cut and so on, a byte each
 *
 * Behind a capital letter each byte is turned over with 32: `*` is a LF, a space NUL.
 */
#include "base/clock.h"
#include "fuzz.h"
#include "http/access.h"
#include "http/access_lines.h"
#include "json.h"
#include "log/journal.h"

/* ---- JSON ---- */

/* What a member of this name is to be; NULL: nobody said. */
struct want {
	const char *name;
	const char *bytes;
	size_t len;
	bool seen;
};

static struct want wants[8];
static size_t want_count;

static void
check_wanted(const char *name, size_t len)
{
	static struct points sent;

	for (size_t i = 0; i < want_count; i++) {
		struct want *w = &wants[i];
		size_t same = 0;

		if (strlen(w->name) != len || memcmp(w->name, name, len) != 0)
			continue;
		w->seen = true;
		read_bytes(w->bytes, w->len, &sent);
		while (same < value.count && same < sent.count &&
		       value.at[same] == sent.at[same])
			same++;
		if (same == value.count && same == sent.count)
			return;
		/* Clipped: that is said. */
		check(value.count >= 3 && same >= value.count - 3);
		for (size_t k = value.count - 3; k < value.count; k++)
			check(value.at[k] == '.');
	}
}

static void
check_object(const struct str *line)
{
	check_json(line->s, line->len, check_wanted);
	for (size_t i = 0; i < want_count; i++)
		check(wants[i].seen);
}

/* ---- what nginx writes ---- */

static const char *
skip_quoted(const char *s)
{
	check(*s++ == '"');
	for (; *s != '"'; s++) {
		check(*s >= ' ' && *s <= '~');
		if (*s == '\\') {
			check(s[1] == 'x' && isxdigit((unsigned char)s[2]) &&
			      isxdigit((unsigned char)s[3]));
			s += 3;
		}
	}
	return s + 1;
}

static void
check_combined(const char *s)
{
	s = strchr(s, ' ');
	check(s != NULL && strncmp(s, " - ", 3) == 0);
	/* A user may have blanks; the time is behind him. */
	s = strstr(s, " +0000] \"");
	check(s != NULL);
	s = skip_quoted(s + strlen(" +0000] "));
	check(*s++ == ' ' && isdigit((unsigned char)s[0]) &&
	      isdigit((unsigned char)s[1]) && isdigit((unsigned char)s[2]) &&
	      s[3] == ' ' && isdigit((unsigned char)s[4]));
	s = strchr(s + 4, ' ');
	check(s != NULL);
	s = skip_quoted(s + 1);
	check(*s == ' ');
	s = skip_quoted(s + 1);
	check(strcmp(s, "\n") == 0);
}

/* ---- text ---- */

/* Quotes are closed, and nothing stands in or beside them that is no text. */
static void
check_text(const struct str *line)
{
	bool quoted = false;

	for (size_t i = 0; i + 1 < line->len;) {
		uint32_t code = 0;
		size_t n = character(
		    (const unsigned char *)line->s + i, line->len - i, &code);

		check(n > 0 && code >= 0x20 && (code < 0x7f || code > 0x9f));
		if (quoted && code == '\\') {
			check(strchr("\"\\u", line->s[i + 1]) != NULL);
			n = 2;
		} else if (code == '"') {
			quoted = !quoted;
			check(quoted || line->s[i + 1] == ' ' ||
			      line->s[i + 1] == '\n');
		}
		i += n;
	}
	check(!quoted);
}

/* ---- the record ---- */

static struct input {
	struct span method, target, agent, referer, start, knobs;
	char *user, *name, *certificate;
} in;

/* Up to a NUL, which no such string can have. */
static void
keep_string(char **ret, struct span s)
{
	free(*ret);
	*ret = fuzz_alloc(s.len + 1);
	memcpy(*ret, s.s, s.len);
	(*ret)[s.len] = '\0';
}

static void
take_line(char *s, size_t len)
{
	struct span v = {s + 1, len - 1};

	if (isupper((unsigned char)s[0]))
		for (size_t i = 1; i < len; i++)
			s[i] ^= 32;
	switch (tolower((unsigned char)s[0])) {
	case 'm':
		in.method = v;
		break;
	case 't':
		in.target = v;
		break;
	case 'a':
		in.agent = v;
		break;
	case 'r':
		in.referer = v;
		break;
	case 's':
		in.start = v;
		break;
	case 'k':
		in.knobs = v;
		break;
	case 'u':
		keep_string(&in.user, v);
		break;
	case 'n':
		keep_string(&in.name, v);
		break;
	case 'c':
		keep_string(&in.certificate, v);
		break;
	default:
		break;
	}
}

static unsigned
knob(size_t i)
{
	return i < in.knobs.len ? fuzz_knob((const uint8_t *)in.knobs.s, i) : 0;
}

static void
want(const char *name, const char *bytes, size_t len)
{
	wants[want_count++] = (struct want){name, bytes, len, false};
}

/* A record as an exchange leaves it. */
static void
fill(struct access *a)
{
	struct head h = {.method_text = in.method,
	    .target = in.target,
	    .user_agent = in.agent,
	    .referer = in.referer};
	struct meter meter;

	a->ended_ns = knob(0) * NS_PER_MS;
	a->status = 100 + (int)(knob(1) * 2 % 500);
	a->outcome = (enum outcome)(knob(2) % OUTCOME_COUNT);
	a->cut = (enum access_cut)(knob(3) % ACCESS_CUT_COUNT);
	a->answered = knob(4) % 2;
	a->minor = (uint8_t)(knob(5) % 3);
	a->id = UINT64_MAX * knob(6);
	a->in = UINT64_MAX / (1 + knob(7));
	if (in.method.len > 0) {
		access_note_head(a, &h);
		access_note_more(a, &h);
	} else if (in.start.len > 0) {
		access_note_start(a, in.start.s, in.start.len);
	}
	if (in.user != NULL)
		check(access_note_user(a, in.user));
	if (in.name == NULL)
		return;
	meter_start(&meter);
	meter_stop(&meter);
	access_measured(a, &meter, knob(8) % 2, in.name);
	if (knob(9) % 2)
		access_note_part(a, 0, a->in, knob(9) & 2 ? UINT64_MAX : a->in);
	access_note_stored(a, "synced", NULL);
}

static bool
has_equals(struct span s)
{
	return s.len > 0 && memchr(s.s, '=', s.len) != NULL;
}

/* What is hidden is not what was sent: then nobody says what it is to be. */
static void
say_what_is_wanted(const struct access *a)
{
	bool hides = has_equals(in.method) || has_equals(in.target);

	want_count = 0;
	if (in.user != NULL)
		want("user", in.user, strlen(in.user));
	if (in.certificate != NULL)
		want("certificate", in.certificate, strlen(in.certificate));
	if (in.name != NULL)
		want("name", in.name, strlen(in.name));
	if (a->method_len == 0)
		return;
	if (!hides) {
		want("method", in.method.s, in.method.len);
		want("path", in.target.s, in.target.len);
	}
	if (in.agent.len > 0)
		want("user_agent", in.agent.s, in.agent.len);
}

static void
check_line(const struct str *line)
{
	check(!str_failed(line) && line->len > 0);
	check(line->len <= JOURNAL_LINE_MAX);
	check(memchr(line->s, '\n', line->len) == line->s + line->len - 1);
	check(memchr(line->s, '\0', line->len) == NULL);
}

static void
write_lines(const struct access *a)
{
	struct addr peer = {.ss.ss_family = AF_UNSPEC};
	struct exchange_ended e = {.record = a,
	    .peer = &peer,
	    .certificate = in.certificate,
	    .tls = knob(10) % 2 ? "TLSv1.3" : NULL};
	struct access_worker w = {knob(11), knob(12)};
	struct str line = {0};

	access_add_json(&e, &w, &line);
	check_line(&line);
	check_object(&line);
	str_clear(&line);
	access_add_combined(&e, &line);
	check_line(&line);
	check_combined(line.s);
	str_clear(&line);
	access_format(a, &peer, in.certificate, &line);
	check_line(&line);
	check_text(&line);
	str_fini(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(data, size);
	struct access a = {0};

	in = (struct input){0};
	for (size_t at = 0; at < size;) {
		char *lf = memchr(copy + at, '\n', size - at);
		size_t len = lf != NULL ? (size_t)(lf - copy) - at : size - at;

		if (len > 0)
			take_line(copy + at, len);
		at += len + 1;
	}
	fill(&a);
	say_what_is_wanted(&a);
	write_lines(&a);
	access_fini(&a);
	free(in.user);
	free(in.name);
	free(in.certificate);
	free(copy);
	return 0;
}
