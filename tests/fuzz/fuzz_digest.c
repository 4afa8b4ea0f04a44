/*
 * The checksum fields of a head, from any lines: they are refused if and only
 * if the RFC's own algorithm, followed to the letter on the lines as one
 * list, refuses them, and what is claimed is what it finds.
 *
 * Each line of the input is a field line; its first byte says of which field:
 * `c` Content-Digest, `r` Repr-Digest, `m` Content-MD5; others are passed over.
 */
#include "http/digest_fields.h"

#include "base/str.h"
#include "fuzz.h"
#include "http/head.h"

/*
 * RFC 9651 section 4.2, step by step: the input string is consumed from the
 * front, and each function "fails parsing" by returning false.
 */

struct input {
	const unsigned char *s;
	size_t len, at;
};

enum kind { OTHER_KIND, BYTE_SEQUENCE };

struct item {
	enum kind kind;
	struct span content; /* of a byte sequence */
};

static bool
is_empty(const struct input *in)
{
	return in->at == in->len;
}

static unsigned char
next(const struct input *in)
{
	return in->at < in->len ? in->s[in->at] : 0;
}

static bool
next_is_in(const struct input *in, const char *from, const char *more)
{
	unsigned char c = next(in);

	if (is_empty(in) || c == 0)
		return false;
	return strchr(from, c) != NULL || strchr(more, c) != NULL;
}

static const char digits[] = "0123456789";
static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static bool
next_is_alnum(const struct input *in, const char *more)
{
	return next_is_in(in, digits, more) || next_is_in(in, lower, upper);
}

static void
discard(struct input *in, const char *set)
{
	while (next_is_in(in, set, ""))
		in->at++;
}

/* 4.2.4; ret_decimal may be NULL. */
static bool
parse_number(struct input *in, bool *ret_decimal)
{
	unsigned len = 0, point = 0;
	bool decimal = false;

	if (next(in) == '-')
		in->at++;
	if (!next_is_in(in, digits, ""))
		return false;
	while (!is_empty(in)) {
		if (next_is_in(in, digits, "")) {
			len++;
		} else if (!decimal && next(in) == '.') {
			if (len > 12)
				return false;
			decimal = true;
			point = len++;
		} else {
			break;
		}
		in->at++;
		if (len > (decimal ? 16 : 15))
			return false;
	}
	if (ret_decimal != NULL)
		*ret_decimal = decimal;
	return !decimal || (len - point - 1 >= 1 && len - point - 1 <= 3);
}

/* 4.2.5 */
static bool
parse_string(struct input *in)
{
	in->at++;
	while (!is_empty(in)) {
		unsigned char c = in->s[in->at++];

		if (c == '\\') {
			if (is_empty(in))
				return false;
			c = in->s[in->at++];
			if (c != '"' && c != '\\')
				return false;
		} else if (c == '"') {
			return true;
		} else if (c <= 0x1f || c >= 0x7f) {
			return false;
		}
	}
	return false;
}

/* 4.2.6 */
static bool
parse_token(struct input *in)
{
	do
		in->at++;
	while (next_is_alnum(in, "!#$%&'*+-.^_`|~:/"));
	return true;
}

/* 4.2.7: the end is looked for first. */
static bool
parse_bytes(struct input *in, struct item *ret)
{
	const unsigned char *begin = in->s + in->at + 1, *end;
	struct input content = {begin, 0, 0};

	end = memchr(begin, ':', in->len - in->at - 1);
	if (end == NULL)
		return false;
	content.len = (size_t)(end - begin);
	in->at += content.len + 2;
	ret->kind = BYTE_SEQUENCE;
	ret->content = (struct span){(const char *)begin, content.len};
	while (next_is_alnum(&content, "+/"))
		content.at++;
	if (content.at % 4 == 1)
		return false;
	if (is_empty(&content))
		return true;
	/* Padding that is there must be right. */
	while (next(&content) == '=' && content.at % 4 != 0)
		content.at++;
	return is_empty(&content) && content.s[content.len - 1] == '=' &&
	       content.at % 4 == 0;
}

/* Well-formed UTF-8, by the table of RFC 3629 section 4. */
static bool
is_utf8(const unsigned char *s, size_t len)
{
	static const unsigned char table[][8] = {
	    {0x00, 0x7f},
	    {0xc2, 0xdf, 0x80, 0xbf},
	    {0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf},
	    {0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf},
	    {0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf},
	    {0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf},
	    {0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
	    {0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
	    {0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf},
	};

	for (size_t i = 0, n = 1; i < len; i += n) {
		const unsigned char *row = NULL;

		for (size_t k = 0; k < COUNT_OF(table); k++)
			if (s[i] >= table[k][0] && s[i] <= table[k][1])
				row = table[k];
		if (row == NULL)
			return false;
		for (n = 1; n < 4 && row[2 * n + 1] != 0; n++)
			if (i + n >= len || s[i + n] < row[2 * n] ||
			    s[i + n] > row[2 * n + 1])
				return false;
	}
	return true;
}

/* 4.2.10 */
static bool
parse_display(struct input *in)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char *bytes = fuzz_alloc(in->len);
	size_t n = 0;
	bool good = false;

	in->at++;
	if (next(in) != '"')
		goto out;
	in->at++;
	while (!is_empty(in)) {
		unsigned char c = in->s[in->at++];

		if (c <= 0x1f || c >= 0x7f)
			break;
		if (c == '"') {
			good = is_utf8(bytes, n);
			break;
		}
		if (c == '%') {
			unsigned code = 0;

			for (int i = 0; i < 2; i++) {
				if (!next_is_in(in, hex, ""))
					goto out;
				code = code * 16 +
				       (unsigned)(strchr(hex, in->s[in->at++]) -
						  hex);
			}
			c = (unsigned char)code;
		}
		bytes[n++] = c;
	}
out:
	free(bytes);
	return good;
}

/* 4.2.3.1, with 4.2.8 and 4.2.9 */
static bool
parse_bare_item(struct input *in, struct item *ret)
{
	bool decimal;

	ret->kind = OTHER_KIND;
	if (next_is_in(in, digits, "-"))
		return parse_number(in, NULL);
	if (next(in) == '"')
		return parse_string(in);
	if (next_is_in(in, lower, upper) || next(in) == '*')
		return parse_token(in);
	if (next(in) == ':')
		return parse_bytes(in, ret);
	if (next(in) == '?') {
		in->at++;
		if (!next_is_in(in, "01", ""))
			return false;
		in->at++;
		return true;
	}
	if (next(in) == '@') {
		in->at++;
		return parse_number(in, &decimal) && !decimal;
	}
	return next(in) == '%' && parse_display(in);
}

/* 4.2.3.3 */
static bool
parse_key(struct input *in, struct span *ret)
{
	size_t begin = in->at;

	if (!next_is_in(in, lower, "*"))
		return false;
	while (next_is_in(in, lower, digits) || next_is_in(in, "_-.*", ""))
		in->at++;
	*ret = (struct span){(const char *)in->s + begin, in->at - begin};
	return true;
}

/* 4.2.3.2 */
static bool
parse_parameters(struct input *in)
{
	struct item ignored;
	struct span key;

	while (!is_empty(in) && next(in) == ';') {
		in->at++;
		discard(in, " ");
		if (!parse_key(in, &key))
			return false;
		if (next(in) == '=') {
			in->at++;
			if (!parse_bare_item(in, &ignored))
				return false;
		}
	}
	return true;
}

/* 4.2.1.2, without what follows it */
static bool
parse_inner_list(struct input *in)
{
	struct item ignored;

	in->at++;
	while (!is_empty(in)) {
		discard(in, " ");
		if (next(in) == ')') {
			in->at++;
			return true;
		}
		if (!parse_bare_item(in, &ignored) || !parse_parameters(in))
			return false;
		if (next(in) != ' ' && next(in) != ')')
			return false;
	}
	return false;
}

/* What is said of an algorithm in one field. */
struct said {
	bool there[DIGEST_COUNT];
	struct item value[DIGEST_COUNT];
};

static void
remember(struct span key, const struct item *value, struct said *ret)
{
	for (unsigned a = DIGEST_SHA256; a <= DIGEST_SHA512; a++) {
		const char *name = a == DIGEST_SHA256 ? "sha-256" : "sha-512";

		if (key.len != 7 || memcmp(key.s, name, 7) != 0)
			continue;
		ret->there[a] = true;
		ret->value[a] = *value;
	}
}

/* 4.2 and 4.2.2 */
static bool
parse_dictionary(struct input *in, struct said *ret)
{
	*ret = (struct said){0};
	while (in->len > 0 && in->s[in->len - 1] == ' ')
		in->len--;
	discard(in, " ");
	while (!is_empty(in)) {
		struct item value = {OTHER_KIND, {NULL, 0}};
		struct span key;

		if (!parse_key(in, &key))
			return false;
		if (next(in) == '=') {
			in->at++;
			if (next(in) == '(' ? !parse_inner_list(in)
					    : !parse_bare_item(in, &value))
				return false;
		}
		if (!parse_parameters(in))
			return false;
		remember(key, &value, ret);
		discard(in, " \t");
		if (is_empty(in))
			return true;
		if (next(in) != ',')
			return false;
		in->at++;
		discard(in, " \t");
		if (is_empty(in))
			return false;
	}
	return true;
}

/*
 * Base64 of exactly `want` bytes, and its only form (RFC 4648).
 */

static bool
plain_base64(struct span t, unsigned char *ret, size_t want)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	size_t chars = (want * 8 + 5) / 6, n = 0;
	unsigned bits = 0, have = 0;

	if (t.len % 4 != 0 || t.len < chars || t.len - chars > 2)
		return false;
	for (size_t i = chars; i < t.len; i++)
		if (t.s[i] != '=')
			return false;
	for (size_t i = 0; i < chars; i++) {
		const char *at =
		    t.s[i] != '\0' ? strchr(alphabet, t.s[i]) : NULL;

		if (at == NULL)
			return false;
		bits = (bits << 6 | (unsigned)(at - alphabet)) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			ret[n++] = (unsigned char)(bits >> have);
		}
	}
	return n == want && (bits & ((1U << have) - 1)) == 0;
}

/*
 * What the fields as a whole say.
 */

static bool
plain_field(const struct head_lines *lines, struct digest_claims *ret)
{
	struct str joined = {0};
	struct said said;
	struct input in;
	bool good;

	str_puts(&joined, "");
	for (unsigned i = 0; i < lines->count; i++) {
		str_puts(&joined, i > 0 ? ", " : "");
		str_add(&joined, lines->line[i].s, lines->line[i].len);
	}
	check(!str_failed(&joined));
	in = (struct input){(unsigned char *)joined.s, joined.len, 0};
	good = parse_dictionary(&in, &said);
	for (unsigned a = 0; good && a < DIGEST_COUNT; a++) {
		if (!said.there[a])
			continue;
		good = said.value[a].kind == BYTE_SEQUENCE &&
		       plain_base64(said.value[a].content, ret->value[a],
			   a == DIGEST_SHA256 ? 32 : 64);
		ret->set |= good ? digest_bit(a) : 0;
	}
	str_fini(&joined);
	return good;
}

/* False: to be refused. */
static bool
read_plainly(const struct head *h, struct digest_claims *ret)
{
	struct digest_claims content = {0}, repr = {0};

	*ret = (struct digest_claims){0};
	if (!plain_field(&h->content_digest, &content) ||
	    !plain_field(&h->repr_digest, &repr))
		return false;
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		const struct digest_claims *from =
		    content.set & digest_bit(a) ? &content : &repr;

		if ((content.set & repr.set & digest_bit(a)) != 0 &&
		    memcmp(content.value[a], repr.value[a],
			digest_kinds[a].len) != 0)
			return false;
		memcpy(ret->value[a], from->value[a], DIGEST_LEN_MAX);
	}
	ret->set = content.set | repr.set;
	if (h->content_md5.s == NULL)
		return true;
	ret->set |= digest_bit(DIGEST_MD5);
	return plain_base64(h->content_md5, ret->value[DIGEST_MD5], 16);
}

/* A line that a string may run out of into the next one: we take no such. */
static bool
may_be_cut(const struct head_lines *lines)
{
	for (unsigned i = 0; lines->count > 1 && i < lines->count; i++)
		if (lines->line[i].len > 0 &&
		    memchr(lines->line[i].s, '"', lines->line[i].len) != NULL)
			return true;
	return false;
}

static void
check_same(const struct digest_claims *got, const struct digest_claims *want)
{
	check(got->set == want->set);
	for (unsigned a = 0; a < DIGEST_COUNT; a++)
		if ((got->set & digest_bit(a)) != 0)
			check(memcmp(got->value[a], want->value[a],
				  digest_kinds[a].len) == 0);
}

/* What we would send says the same when it is read. */
static void
check_written(const struct digest_claims *claims)
{
	struct digest_claims again;
	struct head h = {0};
	struct str text = {0};
	const char *why = NULL;

	for (unsigned a = DIGEST_SHA256; a <= DIGEST_SHA512; a++) {
		if ((claims->set & digest_bit(a)) == 0)
			continue;
		str_puts(&text, text.len > 0 ? ", " : "");
		digest_add_field(&text, a, claims->value[a]);
	}
	h.repr_digest.count = 1;
	h.repr_digest.line[0] = (struct span){text.s, text.len};
	check(digest_fields_read(&h, &again, &why) == 0);
	again.set |= claims->set & digest_bit(DIGEST_MD5);
	memcpy(again.value[DIGEST_MD5], claims->value[DIGEST_MD5], 16);
	check_same(&again, claims);
	str_fini(&text);
}

/*
 * Field lines, as the head's parser would keep them.
 */

static void
add_line(struct head *h, char field, const uint8_t *text, size_t len)
{
	struct span v = {(const char *)text, len};
	struct head_lines *lines = field == 'c'	  ? &h->content_digest
				   : field == 'r' ? &h->repr_digest
						  : NULL;

	v = span_trim(v);
	if (lines != NULL ? lines->count == HEAD_LINES_MAX : field != 'm')
		return;
	if (field == 'm' && h->content_md5.s != NULL)
		return;
	v.s = fuzz_copy(v.s, v.len);
	if (lines != NULL)
		lines->line[lines->count++] = v;
	else
		h->content_md5 = v;
}

static void
free_span(struct span *t)
{
	free((void *)(uintptr_t)t->s);
}

static void
free_lines(struct head_lines *lines)
{
	for (unsigned i = 0; i < lines->count; i++)
		free_span(&lines->line[i]);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct digest_claims got, want;
	struct head h = {0};
	const char *why = NULL;
	int status;
	bool good;

	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end != NULL ? (size_t)(end - data) : size;

		if (len > 0)
			add_line(&h, (char)data[0], data + 1, len - 1);
		len += end != NULL;
		data += len;
		size -= len;
	}
	memset(&got, 0xa5, sizeof(got));
	status = digest_fields_read(&h, &got, &why);
	good = read_plainly(&h, &want);
	check(status == 0 || (status == 400 && why != NULL));
	if (status == 0) {
		check(good);
		check_same(&got, &want);
		check_written(&got);
	} else {
		check(!good || may_be_cut(&h.content_digest) ||
		      may_be_cut(&h.repr_digest));
	}
	free_lines(&h.content_digest);
	free_lines(&h.repr_digest);
	free_span(&h.content_md5);
	return 0;
}
