/*
 * The head of a request, from any bytes: where it ends does not depend on
 * the cuts, what is taken out of it is what a plain reading finds there, and
 * nothing that two readers could understand differently is accepted.  Then
 * the way of a request goes on: the route, the name, the conditions, the
 * checksums.
 */
#include "http/head.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "upload/names.h"
#include "fuzz.h"
#include "http/conditions.h"
#include "http/digest_fields.h"
#include "http/head_reader.h"
#include "web/router.h"
#include "net/transport.h"

enum knob {
	LINE, /* limits; 0: the defaults, else in steps */
	SIZE,
	FIELDS,
	FIRST, /* where the bytes are cut */
	SECOND,
	PIECE,	/* the most in a piece; 0: any number */
	PIECES, /* which pieces */
	FILE_SIZE,
	TIMES, /* fuzz_stretch(): how often, and the two bytes of where */
	AT_LOW,
	AT_HIGH,
	KNOBS,
};

static const char config_text[] =
    "worker_processes 1; server { listen 127.0.0.1:1; "
    "location /file { output_dir /a; } "
    "location /file/deep { output_dir /b; read off; dotfiles on; } } "
    "server { listen 127.0.0.1:2; location / { output_dir /c; } }";

static struct config *config;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct str errors = {0};

	(void)argc;
	(void)argv;
	check(config_parse_text("fuzz.conf", config_text,
		  sizeof(config_text) - 1, &errors, &config) == 0);
	str_fini(&errors);
	return 0;
}

/*
 * A plain reading, line by line.
 */

static bool
is_word(struct span t, const char *want)
{
	return t.len == strlen(want) && strncasecmp(t.s, want, t.len) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span
trim(struct span t)
{
	while (t.len > 0 && is_blank(t.s[t.len - 1]))
		t.len--;
	while (t.len > 0 && is_blank(t.s[0])) {
		t.s++;
		t.len--;
	}
	return t;
}

/* Take a line, without its CRLF, off `text`; false: there is no whole one. */
static bool
take_line(struct span *text, struct span *ret_line)
{
	const char *end =
	    text->len > 0 ? memmem(text->s, text->len, "\r\n", 2) : NULL;

	if (end == NULL)
		return false;
	*ret_line = (struct span){text->s, (size_t)(end - text->s)};
	text->len -= ret_line->len + 2;
	text->s = end + 2;
	return true;
}

/* The parts of a head. */
struct plain {
	struct span method, target, version;
	struct span fields; /* the lines, each with CRLF */
	unsigned count;
	size_t longest; /* bytes of the request line */
};

/* False: it is no sequence of lines that begins with three words. */
static bool
read_plainly(struct span text, struct plain *ret)
{
	struct span line;
	const char *sp, *sp2;

	*ret = (struct plain){0};
	do {
		if (!take_line(&text, &line))
			return false;
	} while (line.len == 0);
	ret->longest = line.len;
	sp = memchr(line.s, ' ', line.len);
	sp2 = memrchr(line.s, ' ', line.len);
	if (sp == NULL || sp == sp2)
		return false;
	ret->method = (struct span){line.s, (size_t)(sp - line.s)};
	ret->target = (struct span){sp + 1, (size_t)(sp2 - sp) - 1};
	ret->version =
	    (struct span){sp2 + 1, line.len - (size_t)(sp2 + 1 - line.s)};
	ret->fields.s = text.s;
	for (;;) {
		if (!take_line(&text, &line))
			return false;
		if (line.len == 0)
			break;
		ret->count++;
		ret->fields.len += line.len + 2;
	}
	return text.len == 0;
}

/* How many lines have this field, and the value of the last one. */
static unsigned
find_field(const struct plain *p, const char *name, struct span *ret_value)
{
	struct span rest = p->fields, line;
	unsigned count = 0;

	*ret_value = (struct span){0};
	while (take_line(&rest, &line)) {
		const char *colon = memchr(line.s, ':', line.len);
		struct span left, right;

		if (colon == NULL)
			continue;
		left = (struct span){line.s, (size_t)(colon - line.s)};
		right = (struct span){
		    colon + 1, line.len - (size_t)(colon - line.s) - 1};
		/* Trimmed: a careless reader would take "Host :" too. */
		if (!is_word(trim(left), name))
			continue;
		count++;
		*ret_value = trim(right);
	}
	return count;
}

/* Members of all lines of a list field: those that are `word`, and others. */
static void
count_members(const struct plain *p, const char *name, const char *word,
    unsigned *ret_word, unsigned *ret_other)
{
	struct span rest = p->fields, line;

	*ret_word = *ret_other = 0;
	while (take_line(&rest, &line)) {
		size_t at = strlen(name) + 1, end;

		if (line.len < at || line.s[at - 1] != ':' ||
		    strncasecmp(line.s, name, at - 1) != 0)
			continue;
		for (; at <= line.len; at = end + 1) {
			struct span m;

			for (end = at; end < line.len && line.s[end] != ',';)
				end++;
			m = trim((struct span){line.s + at, end - at});
			if (is_word(m, word))
				++*ret_word;
			else if (m.len > 0)
				++*ret_other;
		}
	}
}

/* Each CR has its LF, each LF its CR, and no other control is there. */
static bool
has_clean_bytes(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\r' && (i + 1 == len || s[i + 1] != '\n'))
			return false;
		if (c == '\n' && (i == 0 || s[i - 1] != '\r'))
			return false;
		if ((c < ' ' && c != '\r' && c != '\n' && c != '\t') ||
		    c == 0x7f)
			return false;
	}
	return true;
}

/*
 * Where the head ends.
 */

struct answer {
	enum head_result kind;
	uint32_t at;
	const char *why; /* MALFORMED */
};

/* Go on with the first `len` bytes, in memory of their own. */
static enum head_result
scan_copy(struct head_scan *scan, const struct head_limits *limits,
    const unsigned char *bytes, size_t len, const char **ret_why)
{
	char *copy = fuzz_copy(bytes, len);
	enum head_result got = head_scan(scan, limits, copy, len, ret_why);

	free(copy);
	return got;
}

static struct answer
scan_cut(const struct head_limits *limits, const unsigned char *bytes,
    size_t len, size_t first, size_t second)
{
	const size_t cuts[] = {first, second, len};
	struct head_scan scan = {0};
	struct answer a = {0};
	size_t before = 0;

	for (size_t i = 0; i < COUNT_OF(cuts); i++) {
		size_t cut = cuts[i] < len ? cuts[i] : len;

		if (a.kind != HEAD_INCOMPLETE || cut < before)
			continue;
		a.kind = scan_copy(&scan, limits, bytes, cut, &a.why);
		before = cut;
	}
	a.at = scan.at;
	if (a.kind != HEAD_MALFORMED)
		a.why = NULL;
	return a;
}

static struct answer
scan_bytewise(
    const struct head_limits *limits, const unsigned char *bytes, size_t len)
{
	struct head_scan scan = {0};
	struct answer a = {0};

	for (size_t n = 0; n <= len && a.kind == HEAD_INCOMPLETE; n++)
		a.kind =
		    head_scan(&scan, limits, (const char *)bytes, n, &a.why);
	a.at = scan.at;
	if (a.kind != HEAD_MALFORMED)
		a.why = NULL;
	return a;
}

static void
check_same(const struct answer *a, const struct answer *b)
{
	check(a->kind == b->kind);
	check(a->at == b->at);
	check(a->why == b->why);
}

/* The number of empty lines in front, and where they end. */
static unsigned
count_blanks(const char *s, size_t len, size_t *ret_end)
{
	unsigned n = 0;

	while (len - 2 * n >= 2 && memcmp(s + 2 * n, "\r\n", 2) == 0)
		n++;
	*ret_end = 2 * n;
	return n;
}

/* The answer is one that a plain look at the bytes confirms. */
static void
check_answer(const struct answer *a, const struct head_limits *limits,
    const char *s, size_t len)
{
	size_t begin, blanks, line;
	const char *end, *cr;
	struct plain p;

	check(a->at <= len && a->at <= limits->size);
	blanks = count_blanks(s, len, &begin);
	end =
	    begin < len ? memmem(s + begin, len - begin, "\r\n\r\n", 4) : NULL;
	cr = begin < len ? memchr(s + begin, '\r', len - begin) : NULL;
	line = (cr != NULL ? (size_t)(cr - s) : len) - begin;
	switch (a->kind) {
	case HEAD_INCOMPLETE:
		check(a->at == len);
		check(end == NULL && blanks <= HEAD_BLANKS_MAX);
		check(line <= limits->line);
		break;
	case HEAD_COMPLETE:
		check(end != NULL && a->at == (size_t)(end - s) + 4);
		check(blanks <= HEAD_BLANKS_MAX);
		check(has_clean_bytes(s, a->at));
		check(line <= limits->line);
		if (read_plainly((struct span){s, a->at}, &p))
			check(p.count <= limits->fields);
		break;
	case HEAD_LINE_LONG:
		check(line > limits->line);
		break;
	case HEAD_LARGE:
		check(a->at == limits->size && len > limits->size);
		break;
	case HEAD_MANY: {
		unsigned lines = 0;

		for (size_t i = begin; i <= a->at; i++)
			lines += s[i] == '\n';
		check(lines == limits->fields + 2);
		break;
	}
	case HEAD_MALFORMED:
		check(a->why != NULL);
		check(
		    blanks > HEAD_BLANKS_MAX || !has_clean_bytes(s, a->at + 1));
		break;
	}
}

/*
 * The same by way of the head reader, with what follows the head.
 */

struct fake {
	struct transport transport;
	const unsigned char *bytes;
	size_t len, at;
	size_t piece;
	uint32_t pieces;
	unsigned calls;
};

static ssize_t
fake_recv(struct transport *t, const struct iovec *iov, int count)
{
	struct fake *f = container_of(t, struct fake, transport);
	size_t n = f->len - f->at;

	check(count == 1);
	if (n == 0 || ++f->calls % 3 == 0)
		return -EAGAIN;
	if (f->piece > 0) {
		size_t most = fuzz_piece(&f->pieces, f->piece);

		n = n < most ? n : most;
	}
	n = n < iov->iov_len ? n : iov->iov_len;
	memcpy(iov->iov_base, f->bytes + f->at, n);
	f->at += n;
	return (ssize_t)n;
}

static const struct transport_ops fake_ops = {.recv = fake_recv};

/* What the head reader made of a head is what the scan did. */
static void
check_reading(enum head_reader_result got, const struct head_reader_head *h,
    const struct answer *want, const unsigned char *bytes)
{
	static const int statuses[] = {[HEAD_LINE_LONG] = 414,
	    [HEAD_LARGE] = 431,
	    [HEAD_MANY] = 431,
	    [HEAD_MALFORMED] = 400};

	if (got == HEAD_READER_HEAD) {
		check(want->kind == HEAD_COMPLETE);
		check(h->head_len == want->at && h->len >= h->head_len);
		check(memcmp(h->buf, bytes, h->len) == 0);
		return;
	}
	check(got == HEAD_READER_REFUSED && want->kind > HEAD_COMPLETE);
	check(h->status == statuses[want->kind] && h->why[0] != '\0');
}

/* Receive until there is a head, a refusal, or nothing more. */
static enum head_reader_result
read_head(struct head_reader *in, const struct head_limits *limits,
    struct fake *f, struct head_reader_head *h)
{
	enum head_reader_result got;

	do {
		got = head_reader_read(in, limits, &f->transport, h);
	} while (got == HEAD_READER_PART ||
		 (got == HEAD_READER_NOTHING && f->at < f->len));
	return got;
}

static void
try_reading(const struct head_limits *limits, const unsigned char *bytes,
    size_t len, const struct answer *want, const unsigned *k)
{
	struct fake f = {
	    .transport = {.ops = &fake_ops, .fd = 7},
	    .bytes = bytes,
	    .len = len,
	    .piece = k[PIECE],
	    .pieces = 1 + k[PIECES],
	};
	struct head_reader in = {0};
	struct head_reader_head h;
	enum head_reader_result got;
	struct answer second;

	got = read_head(&in, limits, &f, &h);
	if (got == HEAD_READER_NOTHING) {
		check(want->kind == HEAD_INCOMPLETE);
		check(head_reader_has_bytes(&in) == (len > 0));
		head_reader_fini(&in);
		return;
	}
	check_reading(got, &h, want, bytes);
	if (got == HEAD_READER_HEAD) {
		bytes += want->at;
		len -= want->at;
		check(head_reader_hold(
			  &in, h.buf + h.head_len, h.len - h.head_len) == 0);
		head_reader_release(&h);
		head_reader_next(&in);
		second = scan_cut(limits, bytes, len, len, len);
		got = HEAD_READER_PART;
		if (head_reader_has_bytes(&in))
			got = head_reader_read(&in, limits, NULL, &h);
		if (got == HEAD_READER_PART)
			got = read_head(&in, limits, &f, &h);
		if (got != HEAD_READER_NOTHING)
			check_reading(got, &h, &second, bytes);
		else
			check(second.kind == HEAD_INCOMPLETE);
		if (got == HEAD_READER_HEAD)
			head_reader_release(&h);
	}
	head_reader_fini(&in);
}

/*
 * What the head says.
 */

/* Absent, or within the buffer, or `*` or `/` or nothing. */
static void
check_span(struct span t, const char *buf, size_t len)
{
	if (t.s == NULL) {
		check(t.len == 0);
		return;
	}
	if (t.s >= buf && t.s <= buf + len) {
		check(t.len <= (size_t)(buf + len - t.s));
		return;
	}
	check(t.len <= 1);
	check(t.len == 0 || *t.s == '*' || *t.s == '/');
}

static void
check_spans(const struct head *h, const char *buf, size_t len)
{
	const struct span all[] = {h->method_text, h->target, h->path, h->host,
	    h->content_md5, h->if_match, h->if_none_match, h->if_modified_since,
	    h->if_unmodified_since, h->if_range, h->range};

	for (size_t i = 0; i < COUNT_OF(all); i++)
		check_span(all[i], buf, len);
	for (size_t i = 0; i < h->content_digest.count; i++)
		check_span(h->content_digest.line[i], buf, len);
	for (size_t i = 0; i < h->repr_digest.count; i++)
		check_span(h->repr_digest.line[i], buf, len);
}

static bool
same_text(struct span a, struct span b)
{
	return (a.s == NULL) == (b.s == NULL) && a.len == b.len &&
	       (a.len == 0 || memcmp(a.s, b.s, a.len) == 0);
}

/* Two parses of the same bytes at two places. */
static void
check_equal(const struct head *a, const struct head *b)
{
	check(a->method == b->method && a->minor == b->minor);
	check(same_text(a->method_text, b->method_text));
	check(same_text(a->target, b->target) && same_text(a->path, b->path));
	check(same_text(a->host, b->host) && same_text(a->range, b->range));
	check(a->has_length == b->has_length && a->chunked == b->chunked);
	check(a->content_length == b->content_length);
	check(a->keep_alive == b->keep_alive);
}

static void
check_path(const struct head *h)
{
	if (h->method == METHOD_CONNECT) {
		check(h->path.len == 0);
		return;
	}
	check(h->path.s != NULL && h->path.len > 0);
	if (h->path.s[0] == '*')
		check(h->method == METHOD_OPTIONS && h->path.len == 1);
	else
		check(h->path.s[0] == '/');
	check(memchr(h->path.s, '?', h->path.len) == NULL);
}

static bool
is_visible(struct span t)
{
	for (size_t i = 0; i < t.len; i++)
		if (t.s[i] <= ' ' || t.s[i] > '~')
			return false;
	return true;
}

/* What head.h says of an accepted head. */
static void
check_contract(const struct head *h)
{
	check(h->method < METHOD_COUNT);
	check(h->method_text.len > 0 && is_visible(h->method_text));
	check(h->target.len > 0 && is_visible(h->target));
	check(h->minor <= 1);
	check(h->content_length <= INT64_MAX);
	check(!(h->has_length && h->chunked));
	check(h->has_length || h->content_length == 0);
	check(h->minor == 1 || (!h->expect_continue && !h->expect_unknown));
	check(h->minor == 1 || !h->chunked);
	check(h->minor == 0 || h->host.len > 0);
	check(h->host.s == NULL || is_visible(h->host));
	check_path(h);
}

static void
check_lines(const struct plain *p)
{
	static const char tchars[] =
	    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct span rest = p->fields, line;

	while (take_line(&rest, &line)) {
		size_t i = 0;

		/* No folding, no blank before the colon. */
		while (i < line.len && strchr(tchars, line.s[i]) != NULL)
			i++;
		check(i > 0 && i < line.len && line.s[i] == ':');
	}
}

static void
check_framing(const struct head *h, const struct plain *p)
{
	struct span v;
	unsigned n;

	n = find_field(p, "Content-Length", &v);
	check(n <= 1 && h->has_length == (n == 1));
	if (n == 1) {
		uint64_t value = 0;

		check(v.len > 0);
		for (size_t i = 0; i < v.len; i++) {
			check(isdigit((unsigned char)v.s[i]));
			check(value <= INT64_MAX / 10);
			value = value * 10 + (uint64_t)(v.s[i] - '0');
		}
		check(value == h->content_length);
	}
	n = find_field(p, "Transfer-Encoding", &v);
	check(n <= 1 && h->chunked == (n == 1));
	check(n == 0 || is_word(v, "chunked"));
	n = find_field(p, "Host", &v);
	check(n <= 1 && (n == 1 || h->minor == 0));
	if (n == 1 && p->target.s[0] == '/')
		check(same_text(h->host, v));
}

static void
check_lists(const struct head *h, const struct plain *p)
{
	unsigned n, other;
	bool close;

	count_members(p, "Connection", "close", &n, &other);
	close = n > 0;
	count_members(p, "Connection", "keep-alive", &n, &other);
	check(h->keep_alive == (!close && (h->minor == 1 || n > 0)));
	count_members(p, "Expect", "100-continue", &n, &other);
	check(h->expect_continue == (h->minor == 1 && n > 0));
	check(h->expect_unknown == (h->minor == 1 && other > 0));
	count_members(p, "Content-Encoding", "identity", &n, &other);
	check(h->content_coded == (other > 0));
}

/* A field that is kept line by line. */
static void
check_digest_lines(
    const struct head_lines *lines, const struct plain *p, const char *name)
{
	struct span v;

	check(lines->count == find_field(p, name, &v));
	check(lines->count <= HEAD_LINES_MAX);
	if (lines->count > 0)
		check(same_text(lines->line[lines->count - 1], v));
}

/* The fields that are kept as texts. */
static void
check_texts(const struct head *h, const struct plain *p)
{
	const struct {
		const char *name;
		struct span got;
		bool last; /* of several lines the last one counts */
	} texts[] = {
	    {"Content-MD5", h->content_md5},
	    {"If-Match", h->if_match},
	    {"If-None-Match", h->if_none_match},
	    {"If-Modified-Since", h->if_modified_since},
	    {"If-Unmodified-Since", h->if_unmodified_since},
	    {"If-Range", h->if_range},
	    {"Origin", h->origin},
	    {"Range", h->range},
	    {"Sec-Fetch-Site", h->sec_fetch_site},
	    {"Content-Range", h->content_range},
	    {"Content-Type", h->content_type, true},
	    {"Sec-Fetch-Mode", h->sec_fetch_mode, true},
	    {"X-HTTP-Method-Override", h->method_override},
	    {"Tus-Resumable", h->tus_resumable, true},
	    {"Upgrade-Insecure-Requests", h->upgrade_insecure, true},
	    {"Upload-Complete", h->upload_complete},
	    {"Upload-Incomplete", h->upload_incomplete},
	    {"Upload-Length", h->upload_length},
	    {"Upload-Offset", h->upload_offset},
	};
	struct span v;

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		unsigned n = find_field(p, texts[i].name, &v);

		check((n > 0) == (texts[i].got.s != NULL));
		check(n <= 1 || texts[i].last);
		check(same_text(texts[i].got, v));
	}
	check(h->forwarded == (find_field(p, "Forwarded", &v) > 0 ||
				  find_field(p, "Via", &v) > 0 ||
				  find_field(p, "X-Forwarded-For", &v) > 0 ||
				  find_field(p, "X-Forwarded-Proto", &v) > 0 ||
				  find_field(p, "X-Real-IP", &v) > 0 ||
				  find_field(p, "X-Forwarded-Host", &v) > 0));
	check_digest_lines(&h->content_digest, p, "Content-Digest");
	check_digest_lines(&h->repr_digest, p, "Repr-Digest");
}

/* What cannot be misunderstood: this must be taken. */
static bool
is_plainest(const struct plain *p)
{
	static const char *const methods[] = {
	    "GET", "HEAD", "PUT", "POST", "OPTIONS", "DELETE"};
	static const char *const once[] = {"Content-MD5", "If-Match",
	    "If-None-Match", "If-Modified-Since", "If-Unmodified-Since",
	    "If-Range", "Origin", "Range", "Sec-Fetch-Site", "Content-Range",
	    "Upload-Complete", "Upload-Incomplete", "Upload-Length",
	    "Upload-Offset", "X-HTTP-Method-Override"};
	static const char coding[] = "Transfer-Encoding";
	struct span rest = p->fields, line, v;
	bool known = false, is_1_1 = is_word(p->version, "HTTP/1.1");
	unsigned length;

	for (size_t i = 0; i < COUNT_OF(methods); i++)
		known |= p->method.len == strlen(methods[i]) &&
			 memcmp(p->method.s, methods[i], p->method.len) == 0;
	if (!known || memcmp(p->version.s, "HTTP", 4) != 0 ||
	    !(is_1_1 || is_word(p->version, "HTTP/1.0")))
		return false;
	if (p->target.len == 0 || p->target.s[0] != '/' ||
	    !is_visible(p->target) ||
	    memchr(p->target.s, '#', p->target.len) != NULL)
		return false;
	while (take_line(&rest, &line)) {
		size_t i = 0;

		while (i < line.len &&
		       (isalnum((unsigned char)line.s[i]) || line.s[i] == '-'))
			i++;
		if (i == 0 || i == line.len || line.s[i] != ':')
			return false;
		/* http-parser takes each name that begins so for a coding, and
		 * then refuses a length beside it. */
		if (i > strlen(coding) &&
		    strncasecmp(line.s, coding, strlen(coding)) == 0)
			return false;
	}
	for (size_t i = 0; i < COUNT_OF(once); i++)
		if (find_field(p, once[i], &v) > 1)
			return false;
	if (find_field(p, "Content-Digest", &v) > HEAD_LINES_MAX ||
	    find_field(p, "Repr-Digest", &v) > HEAD_LINES_MAX)
		return false;
	if (find_field(p, "Host", &v) != 1)
		return false;
	for (size_t i = 0; i < v.len; i++)
		if (!isalnum((unsigned char)v.s[i]) && v.s[i] != '.')
			return false;
	if (v.len == 0 || v.len > 255)
		return false;
	length = find_field(p, "Content-Length", &v);
	if (length > 1 || (length == 1 && (v.len == 0 || v.len > 18)))
		return false;
	for (size_t i = 0; i < v.len; i++)
		if (!isdigit((unsigned char)v.s[i]))
			return false;
	switch (find_field(p, "Transfer-Encoding", &v)) {
	case 0:
		return true;
	case 1:
		return is_word(v, "chunked") && is_1_1 && length == 0;
	default:
		return false;
	}
}

/*
 * What a request asks for.
 */

static void
check_refused(const struct route *r)
{
	static const int statuses[] = {400, 404, 405, 411, 415, 417};
	bool known = false;

	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		known |= r->status == statuses[i];
	check(known && r->why != NULL);
	check(r->status != 405 || r->allow != NULL);
}

/* The name behind the location is the path's own end, and decodes or not. */
static void
check_name(const struct route *r, const struct head *h)
{
	char name[FILE_NAME_SIZE];
	const char *why = NULL;
	enum outcome e;

	check(r->name.len > 0 && r->name.s[-1] == '/');
	check(r->name.s + r->name.len == h->path.s + h->path.len);
	e = names_decode(
	    r->name.s, r->name.len, r->location->policy.dotfiles, name, &why);
	check(e == OUTCOME_NONE || e == OUTCOME_BAD_NAME ||
	      e == OUTCOME_NAME_TOO_LONG);
	check(e == OUTCOME_NONE || why != NULL);
}

static void
check_route(const struct conf_server *s, const struct head *h)
{
	struct route r;

	memset(&r, 0xa5, sizeof(r));
	router_route(s, h, &r);
	switch (r.kind) {
	case ROUTE_REFUSED:
		check_refused(&r);
		return;
	case ROUTE_INDEX:
		check(h->path.len == 1 && r.location == NULL);
		check(h->method == METHOD_GET || h->method == METHOD_HEAD);
		return;
	case ROUTE_OPTIONS:
		check(h->method == METHOD_OPTIONS && r.allow != NULL);
		return;
	case ROUTE_STORE_NEW:
	case ROUTE_STORE_NAMED:
		check(h->method == METHOD_PUT || h->method == METHOD_POST);
		check(h->has_length || h->chunked);
		check(!h->expect_unknown && !h->content_coded);
		check(h->tus_resumable.s == NULL && h->upload_offset.s == NULL);
		check(h->content_range.s == NULL || h->has_length);
		break;
	case ROUTE_READ_NEWEST:
	case ROUTE_READ_NAMED:
		check(h->method == METHOD_GET || h->method == METHOD_HEAD);
		check(r.location != NULL && r.location->read);
		break;
	default:
		check(false);
	}
	check(r.location != NULL);
	check(strncmp(h->path.s, r.location->prefix,
		  strlen(r.location->prefix)) == 0);
	if (r.kind == ROUTE_STORE_NAMED || r.kind == ROUTE_READ_NAMED)
		check_name(&r, h);
}

/* No condition can be read out of the head. */
static bool
is_unconditional(const struct head *h)
{
	return h->if_match.s == NULL && h->if_none_match.s == NULL &&
	       h->if_modified_since.s == NULL &&
	       h->if_unmodified_since.s == NULL;
}

static void
check_read(const struct head *h, const struct object_info *o)
{
	struct conditions_range r = {1, UINT64_MAX};
	uint64_t size = o->size;
	const char *why = NULL;
	int status = conditions_read(h, o, &r, &why);

	switch (status) {
	case 200:
		check(r.first == 0 && r.len == size);
		break;
	case 206:
		check(h->method == METHOD_GET && h->range.s != NULL);
		check(r.len > 0 && r.first < size && r.len <= size - r.first);
		break;
	case 304:
		check(h->if_none_match.s != NULL ||
		      h->if_modified_since.s != NULL);
		break;
	case 416:
		check(h->method == METHOD_GET && h->range.s != NULL);
		check(why != NULL);
		break;
	case 400:
	case 412:
		check(!is_unconditional(h) && why != NULL);
		break;
	default:
		check(false);
	}
	if (h->if_none_match.len == 1 && h->if_none_match.s[0] == '*')
		check(status >= 304 && status != 416);
}

static void
check_digests(const struct head *h)
{
	struct digest_claims claims;
	const char *why = NULL;
	int status = digest_fields_read(h, &claims, &why);

	if (status == 0)
		check(claims.set == 0 || h->content_md5.s != NULL ||
		      h->content_digest.count + h->repr_digest.count > 0);
	else
		check(status == 400 && why != NULL);
}

static void
check_write(const struct head *h, const struct object_info *o)
{
	const char *why = NULL;
	struct preconditions p;
	int status = conditions_write(h, &p, &why);

	if (status == 0 && !preconditions_hold(&p, o, &why))
		status = 412;
	check(status == 0 || status == 400 || status == 412);
	check(status == 0 || (why != NULL && !is_unconditional(h)));
	if (h->if_none_match.len == 1 && h->if_none_match.s[0] == '*' &&
	    o != NULL)
		check(status != 0);
	if (h->if_match.len == 1 && h->if_match.s[0] == '*' && o == NULL)
		check(status == 412);
}

/* The head was taken: go the way of a request. */
static void
go_on(const struct head *h, unsigned file_size)
{
	static const off_t sizes[] = {1000, 0, 1, INT64_MAX};
	struct object_info o = {
	    .size = (uint64_t)sizes[file_size % COUNT_OF(sizes)],
	    .modified_s = 784111777, /* Sun, 06 Nov 1994 08:49:37 */
	};

	snprintf(o.etag, sizeof(o.etag), "%s\"0123456789abcdef\"",
	    file_size % 7 == 0 ? "W/" : "");
	for (size_t i = 0; i < config->server_count; i++)
		check_route(&config->servers[i], h);
	if (h->method == METHOD_GET || h->method == METHOD_HEAD)
		check_read(h, &o);
	if (h->method == METHOD_PUT || h->method == METHOD_POST) {
		check_write(h, &o);
		check_write(h, NULL);
		check_digests(h);
	}
}

/* `bytes` are a whole head, as head_scan() saw it, or any bytes. */
static void
try_parse(const unsigned char *bytes, size_t len, bool whole, unsigned file)
{
	const char *guarded = fuzz_guarded(bytes, len);
	char *copy = fuzz_copy(bytes, len);
	const char *why = NULL, *also = NULL;
	struct head h, again;
	struct plain p;
	bool is_plain;
	int status;

	memset(&h, 0xa5, sizeof(h));
	memset(&again, 0x5a, sizeof(again));
	status = head_parse(copy, len, &h, &why);
	check(head_parse(guarded, len, &again, &also) == status);
	check(status == 0 || (why != NULL && why == also));
	check(status == 0 || status == 400 || status == 501 || status == 505);
	check_spans(&h, copy, len);
	check_spans(&again, guarded, len);
	is_plain = read_plainly((struct span){copy, len}, &p);
	if (status == 0) {
		check_equal(&h, &again);
		check(has_clean_bytes(copy, len) && is_plain);
		check_contract(&h);
		check(same_text(h.method_text, p.method));
		check(same_text(h.target, p.target));
		check_lines(&p);
		check_framing(&h, &p);
		check_lists(&h, &p);
		check_texts(&h, &p);
		go_on(&h, file);
	} else if (whole && is_plain) {
		check(!is_plainest(&p));
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head_limits limits = {8192, 32768, 100};
	struct answer whole, cut;
	unsigned char *bytes;
	unsigned k[KNOBS];
	size_t len;

	if (size < KNOBS)
		return 0;
	for (size_t i = 0; i < KNOBS; i++)
		k[i] = fuzz_knob(data, i);
	if (k[LINE] > 0)
		limits.line = k[LINE] * 4;
	if (k[SIZE] > 0)
		limits.size = k[SIZE] == 255 ? HEAD_SIZE_CAP : k[SIZE] * 16;
	if (k[FIELDS] > 0)
		limits.fields = k[FIELDS] - 1;
	bytes = fuzz_stretch(data + KNOBS, size - KNOBS,
	    k[AT_LOW] | k[AT_HIGH] << 8, k[TIMES], &len);

	whole = scan_cut(&limits, bytes, len, len, len);
	check_answer(&whole, &limits, (const char *)bytes, len);
	cut = scan_cut(&limits, bytes, len, k[FIRST], k[FIRST] + k[SECOND]);
	check_same(&whole, &cut);
	cut = scan_bytewise(&limits, bytes, len);
	check_same(&whole, &cut);
	try_reading(&limits, bytes, len, &whole, k);
	if (whole.kind == HEAD_COMPLETE)
		try_parse(bytes, whole.at, true, k[FILE_SIZE]);
	else
		try_parse(bytes, len, false, k[FILE_SIZE]);
	free(bytes);
	return 0;
}
