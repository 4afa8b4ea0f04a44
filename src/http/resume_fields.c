#include "http/resume_fields.h"

#include <string.h>

#include "base/base64.h"
#include "base/num.h"
#include "base/str.h"
#include "http/structured.h"

/* ---- numbers ---- */

bool
resume_fields_number(struct span v, uint64_t *ret)
{
	uint64_t n;

	if (v.s == NULL || (v.len > 1 && v.s[0] == '0') ||
	    num_parse_u64(v.s, v.len, &n) < 0 || n > INT64_MAX)
		return false;
	*ret = n;
	return true;
}

bool
resume_fields_integer(struct span v, uint64_t *ret)
{
	struct structured_member m;

	return v.s != NULL && structured_item(v, &m) &&
	       m.type == STRUCTURED_INTEGER &&
	       num_parse_u64(m.value.s, m.value.len, ret) == 0;
}

bool
resume_fields_boolean(struct span v, bool *ret)
{
	struct structured_member m;

	if (v.s == NULL || !structured_item(v, &m) ||
	    m.type != STRUCTURED_BOOLEAN || m.value.len != 2)
		return false;
	*ret = m.value.s[1] == '1';
	return true;
}

/* ---- metadata ---- */

/* Take what stands before `end`, or all, with the white space around it off. */
static struct span
take_until(struct span *rest, char end)
{
	const char *at = memchr(rest->s, end, rest->len);
	size_t len = at != NULL ? (size_t)(at - rest->s) : rest->len;
	struct span part = {rest->s, len};

	if (at != NULL)
		len++;
	rest->s += len;
	rest->len -= len;
	return span_trim(part);
}

bool
resume_fields_next_pair(struct span *rest, struct resume_pair *ret)
{
	struct span member = {0};

	while (rest->len > 0 && member.len == 0)
		member = take_until(rest, ',');
	if (member.len == 0)
		return false;
	ret->key = take_until(&member, ' ');
	ret->value = span_trim(member);
	return true;
}

static int
value_of_letter(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Text without its padding; false: that is wrong.  It may be missing. */
static bool
strip_padding(struct span *t)
{
	size_t padding = 0;

	while (t->len > 0 && t->s[t->len - 1] == '=') {
		t->len--;
		padding++;
	}
	return t->len % 4 != 1 &&
	       (padding == 0 || (padding <= 2 && (t->len + padding) % 4 == 0));
}

/* Decode into `buf`, if that is not NULL.  The length, or SIZE_MAX: it is no base64, or does
 * not fit. */
static size_t
decode(struct span t, char *buf, size_t size)
{
	unsigned bits = 0, count = 0;
	size_t n = 0;

	if (!strip_padding(&t))
		return SIZE_MAX;
	for (size_t i = 0; i < t.len; i++) {
		int value = value_of_letter(t.s[i]);

		if (value < 0)
			return SIZE_MAX;
		bits = (bits << 6 | (unsigned)value) & 0xffffff;
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		if (buf != NULL && n == size)
			return SIZE_MAX;
		if (buf != NULL)
			buf[n] = (char)(unsigned char)(bits >> count & 0xff);
		n++;
	}
	return n;
}

static bool
same_text(struct span a, struct span b)
{
	return a.len == b.len && memcmp(a.s, b.s, a.len) == 0;
}

/* Is this the key of a pair in what is left? */
static bool
comes_again(struct span rest, struct span key)
{
	struct resume_pair other;

	while (resume_fields_next_pair(&rest, &other))
		if (same_text(other.key, key))
			return true;
	return false;
}

enum {
	PAIRS_MAX = 64, /* each is compared with all others */
};

const char *
resume_fields_metadata_fault(struct span field)
{
	struct resume_pair pair;
	unsigned pairs = 0;

	if (field.s == NULL)
		return NULL;
	while (resume_fields_next_pair(&field, &pair)) {
		if (++pairs > PAIRS_MAX)
			return "Upload-Metadata has more than 64 keys";
		if (decode(pair.value, NULL, 0) == SIZE_MAX)
			return "Upload-Metadata must be a list like: "
			       "filename YS50eHQ=, is_draft (a key, a space, "
			       "its value in base64)";
		if (comes_again(field, pair.key))
			return "a key of Upload-Metadata is given twice";
	}
	return NULL;
}

size_t
resume_fields_metadata(
    struct span field, const char *key, char *buf, size_t size)
{
	struct span want = {key, strlen(key)};
	struct resume_pair pair;
	size_t len;

	if (field.s == NULL)
		return 0;
	while (resume_fields_next_pair(&field, &pair)) {
		if (!same_text(pair.key, want))
			continue;
		len = decode(pair.value, buf, size);
		return len == SIZE_MAX ? 0 : len;
	}
	return 0;
}

/* ---- checksums ---- */

static enum digest_algo
algo_of_word(struct span word)
{
	unsigned a = 0;

	while (a < DIGEST_COUNT &&
	       !str_ieq(word.s, word.len, digest_kinds[a].word))
		a++;
	return (enum digest_algo)a;
}

enum resume_checksum
resume_fields_checksum(struct span v, struct digest_claims *ret)
{
	struct span value = v, word;
	enum digest_algo a;

	if (v.s == NULL || memchr(v.s, ' ', v.len) == NULL)
		return RESUME_CHECKSUM_MALFORMED;
	word = take_until(&value, ' ');
	value = span_trim(value);
	if (!syntax_is_token(word) || value.len == 0)
		return RESUME_CHECKSUM_MALFORMED;
	a = algo_of_word(word);
	if (a == DIGEST_COUNT)
		return RESUME_CHECKSUM_UNKNOWN;
	*ret = (struct digest_claims){.set = digest_bit(a)};
	if (base64_decode(
		value.s, value.len, ret->value[a], digest_kinds[a].len) == 0)
		return RESUME_CHECKSUM_READ;
	return decode(value, NULL, 0) == SIZE_MAX ? RESUME_CHECKSUM_MALFORMED
						  : RESUME_CHECKSUM_DIFFERS;
}

void
resume_fields_add_algorithms(struct str *out)
{
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		str_puts(out, a > 0 ? "," : "");
		str_puts(out, digest_kinds[a].word);
	}
}

/* ---- concatenation ---- */

enum resume_concat
resume_fields_concat(struct span v, struct span *ret_urls)
{
	static const char final[] = "final;";

	*ret_urls = (struct span){0};
	if (str_ieq(v.s, v.len, "partial"))
		return RESUME_CONCAT_PARTIAL;
	if (v.len < sizeof(final) - 1 ||
	    !str_ieq(v.s, sizeof(final) - 1, final))
		return RESUME_CONCAT_MALFORMED;
	*ret_urls = span_trim((struct span){
	    v.s + sizeof(final) - 1, v.len - (sizeof(final) - 1)});
	return ret_urls->len > 0 ? RESUME_CONCAT_FINAL
				 : RESUME_CONCAT_MALFORMED;
}

bool
resume_fields_next_url(struct span *rest, struct span *ret_url)
{
	*ret_url = (struct span){0};
	while (rest->len > 0 && ret_url->len == 0)
		*ret_url = take_until(rest, ' ');
	return ret_url->len > 0;
}

/* `t` without what it begins with; absent: it does not begin so. */
static struct span
after(struct span t, const char *begin)
{
	size_t len = strlen(begin);

	if (t.s == NULL || t.len < len || memcmp(t.s, begin, len) != 0)
		return (struct span){0};
	return (struct span){t.s + len, t.len - len};
}

struct span
resume_fields_id(struct span url, const char *prefix)
{
	struct span authority, path = url;
	const char *query;

	if (url.len > 0 && url.s[0] != '/' &&
	    !syntax_split_absolute(url, &authority, &path))
		return (struct span){0};
	query = path.len > 0 ? memchr(path.s, '?', path.len) : NULL;
	if (query != NULL)
		path.len = (size_t)(query - path.s);
	if (strcmp(prefix, "/") != 0)
		path = after(path, prefix);
	return after(path, "/.penstock/");
}

/* ---- other lists ---- */

unsigned
resume_fields_wanted(struct span v)
{
	static const enum digest_algo given[] = {DIGEST_SHA256, DIGEST_SHA512};
	struct structured_member m;
	enum structured_result got;
	uint64_t weight[COUNT_OF(given)] = {0}, most = 0;
	unsigned set = 0;

	if (v.s == NULL)
		return 0;
	while ((got = structured_next(&v, &m)) == STRUCTURED_MEMBER) {
		for (size_t i = 0; i < COUNT_OF(given); i++)
			if (str_ieq(m.key.s, m.key.len,
				digest_kinds[given[i]].name) &&
			    (m.type != STRUCTURED_INTEGER ||
				num_parse_u64(
				    m.value.s, m.value.len, &weight[i]) < 0))
				weight[i] = 0;
	}
	if (got == STRUCTURED_MALFORMED)
		return 0;
	for (size_t i = 0; i < COUNT_OF(given); i++) {
		if (weight[i] > most) {
			most = weight[i];
			set = digest_bit(given[i]);
		}
	}
	return set;
}

bool
resume_fields_announces(struct span list, const char *name)
{
	struct span member;

	if (list.s == NULL)
		return false;
	while (syntax_next_member(&list, &member))
		if (str_ieq(member.s, member.len, name))
			return true;
	return false;
}
