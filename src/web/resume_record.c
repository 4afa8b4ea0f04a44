#include "web/resume_record.h"

#include <stddef.h>
#include <string.h>

enum {
	RECORD_FORMAT = 1,
	STATE_FORMAT = 1,
	ANSWER_FORMAT = 1,
};

/* Tags of a record.  Numbers are never used again for something else. */
enum tag {
	TAG_DIALECT = 1,
	TAG_NAMED = 2,
	TAG_PARTIAL = 3,
	TAG_METHOD = 4,
	TAG_NAME = 5,
	TAG_OWNER = 6,
	TAG_METADATA = 7,
	TAG_CONCAT = 8,
	TAG_IF_MATCH = 9,
	TAG_IF_NONE_MATCH = 10,
	TAG_IF_UNMODIFIED_SINCE = 11,
	TAG_DIGEST = 12, /* the word of its algorithm, NUL, its value */
	TAG_WANTED = 13, /* the word of one that is to be computed */
};

/* ---- bytes ---- */

static void
add_byte(struct str *out, unsigned n)
{
	char c = (char)(unsigned char)n;

	str_add(out, &c, 1);
}

static void
add_number(struct str *out, uint64_t n, unsigned bytes)
{
	for (; bytes > 0; bytes--, n >>= 8)
		add_byte(out, (unsigned)(n & 0xff));
}

static bool
take_bytes(struct span *from, size_t len, struct span *ret)
{
	if (len > from->len)
		return false;
	*ret = (struct span){from->s, len};
	from->s += len;
	from->len -= len;
	return true;
}

static bool
take_number(struct span *from, unsigned bytes, uint64_t *ret)
{
	struct span t;
	uint64_t n = 0;

	if (!take_bytes(from, bytes, &t))
		return false;
	for (unsigned i = bytes; i > 0; i--)
		n = n << 8 | (unsigned char)t.s[i - 1];
	*ret = n;
	return true;
}

/* ---- records ---- */

static void
add_value(struct str *out, enum tag tag, struct span value)
{
	add_byte(out, (unsigned)tag);
	add_number(out, value.len, 4);
	str_add(out, value.s, value.len);
}

static void
add_flag(struct str *out, enum tag tag, bool is)
{
	if (is)
		add_value(out, tag, (struct span){"", 0});
}

/* The texts, by their tags. */
static const struct text {
	enum tag tag;
	size_t at;
} texts[] = {
    {TAG_METHOD, offsetof(struct resume_record, method)},
    {TAG_NAME, offsetof(struct resume_record, name)},
    {TAG_OWNER, offsetof(struct resume_record, owner)},
    {TAG_METADATA, offsetof(struct resume_record, metadata)},
    {TAG_CONCAT, offsetof(struct resume_record, concat)},
    {TAG_IF_MATCH, offsetof(struct resume_record, if_match)},
    {TAG_IF_NONE_MATCH, offsetof(struct resume_record, if_none_match)},
    {TAG_IF_UNMODIFIED_SINCE,
	offsetof(struct resume_record, if_unmodified_since)},
};

static void
add_digests(struct str *out, const struct digest_claims *d)
{
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		const struct digest_kind *kind = &digest_kinds[a];
		size_t len = strlen(kind->word) + 1;

		if (d->wanted & digest_bit(a))
			add_value(out, TAG_WANTED,
			    (struct span){kind->word, len - 1});
		if (!(d->set & digest_bit(a)))
			continue;
		add_byte(out, TAG_DIGEST);
		add_number(out, len + kind->len, 4);
		str_add(out, kind->word, len);
		str_add(out, d->value[a], kind->len);
	}
}

void
resume_record_encode(const struct resume_record *r, struct str *out)
{
	char dialect[1] = {(char)r->dialect};

	add_byte(out, RECORD_FORMAT);
	add_value(out, TAG_DIALECT, (struct span){dialect, 1});
	add_flag(out, TAG_NAMED, r->named);
	add_flag(out, TAG_PARTIAL, r->partial);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct span t;

		memcpy(&t, (const char *)r + texts[i].at, sizeof(t));
		if (t.s != NULL)
			add_value(out, texts[i].tag, t);
	}
	add_digests(out, &r->whole);
}

static unsigned
algo_of(struct span word)
{
	unsigned a = 0;

	while (a < DIGEST_COUNT &&
	       (strlen(digest_kinds[a].word) != word.len ||
		   memcmp(digest_kinds[a].word, word.s, word.len) != 0))
		a++;
	return a;
}

static void
read_digest(struct span v, struct digest_claims *d)
{
	const char *nul = v.len > 0 ? memchr(v.s, '\0', v.len) : NULL;
	struct span word = {v.s, nul != NULL ? (size_t)(nul - v.s) : 0};
	unsigned a = algo_of(word);

	if (nul == NULL || a == DIGEST_COUNT ||
	    v.len - word.len - 1 != digest_kinds[a].len)
		return;
	memcpy(d->value[a], nul + 1, digest_kinds[a].len);
	d->set |= digest_bit((enum digest_algo)a);
}

static void
read_value(unsigned tag, struct span v, struct resume_record *r)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if ((unsigned)texts[i].tag == tag)
			memcpy((char *)r + texts[i].at, &v, sizeof(v));
	if (tag == TAG_DIALECT && v.len == 1)
		r->dialect = (unsigned char)v.s[0];
	else if (tag == TAG_NAMED)
		r->named = true;
	else if (tag == TAG_PARTIAL)
		r->partial = true;
	else if (tag == TAG_DIGEST)
		read_digest(v, &r->whole);
	else if (tag == TAG_WANTED && algo_of(v) < DIGEST_COUNT)
		r->whole.wanted |= digest_bit((enum digest_algo)algo_of(v));
}

bool
resume_record_decode(struct span bytes, struct resume_record *ret)
{
	uint64_t format, tag, len;
	struct span v;

	*ret = (struct resume_record){0};
	if (!take_number(&bytes, 1, &format) || format != RECORD_FORMAT)
		return false;
	while (bytes.len > 0) {
		if (!take_number(&bytes, 1, &tag) ||
		    !take_number(&bytes, 4, &len) ||
		    !take_bytes(&bytes, len, &v))
			return false;
		read_value((unsigned)tag, v, ret);
	}
	return ret->name.len > 0 && ret->method.len > 0 &&
	       memchr(ret->name.s, '\0', ret->name.len) == NULL;
}

/* ---- times ---- */

/* All numbers of the times that are 64 bits long, in their order. */
enum {
	TIMES = 2 + READER_STATE_COUNT + WRITER_STATE_COUNT,
};

static void
list_times(struct resume_times *t, uint64_t *ret[TIMES])
{
	size_t n = 0;

	ret[n++] = &t->total_ns;
	for (unsigned i = 0; i < READER_STATE_COUNT; i++)
		ret[n++] = &t->reader_ns[i];
	for (unsigned i = 0; i < WRITER_STATE_COUNT; i++)
		ret[n++] = &t->writer_ns[i];
	ret[n++] = &t->hash_ns;
	check(n == TIMES);
}

void
resume_times_encode(const struct resume_times *t, struct str *out)
{
	struct resume_times copy = *t;
	uint64_t *times[TIMES];

	list_times(&copy, times);
	add_byte(out, STATE_FORMAT);
	add_number(out, t->parts, 4);
	for (size_t i = 0; i < TIMES; i++)
		add_number(out, *times[i], 8);
}

void
resume_times_decode(struct span bytes, struct resume_times *ret)
{
	uint64_t *times[TIMES], format, parts = 0;
	bool good;

	*ret = (struct resume_times){0};
	list_times(ret, times);
	good = take_number(&bytes, 1, &format) && format == STATE_FORMAT &&
	       take_number(&bytes, 4, &parts);
	for (size_t i = 0; good && i < TIMES; i++)
		good = take_number(&bytes, 8, times[i]);
	if (good)
		ret->parts = (uint32_t)parts;
	else
		*ret = (struct resume_times){0};
}

void
resume_times_add(struct resume_times *t, const struct meter *m)
{
	t->parts++;
	t->total_ns += meter_total_ns(m);
	for (unsigned i = 0; i < READER_STATE_COUNT; i++)
		t->reader_ns[i] += m->reader_ns[i];
	for (unsigned i = 0; i < WRITER_STATE_COUNT; i++)
		t->writer_ns[i] += m->writer_ns[i];
	t->hash_ns += m->hash_ns;
}

void
resume_times_meter(const struct resume_times *t, struct meter *ret)
{
	*ret = (struct meter){
	    .start = 1,
	    .end = 1 + t->total_ns,
	    .reader = READER_DONE,
	    .writer = WRITER_DONE,
	    .hash_ns = t->hash_ns,
	};
	memcpy(ret->reader_ns, t->reader_ns, sizeof(ret->reader_ns));
	memcpy(ret->writer_ns, t->writer_ns, sizeof(ret->writer_ns));
}

/* ---- answers ---- */

static const char json[] = "application/json";
static const char problem[] = "application/problem+json";

void
resume_answer_encode(const struct response *r, struct str *out)
{
	add_byte(out, ANSWER_FORMAT);
	add_number(out, (uint64_t)r->status, 2);
	add_byte(out, r->content_type == NULL		   ? 0
		      : strcmp(r->content_type, json) == 0 ? 1
							   : 2);
	add_number(out, r->fields.len, 4);
	str_add(out, r->fields.s, r->fields.len);
	add_number(out, r->content.len, 4);
	str_add(out, r->content.s, r->content.len);
}

bool
resume_answer_decode(struct span bytes, struct response *ret)
{
	uint64_t format, status, type, len;
	struct span fields, content;

	if (!take_number(&bytes, 1, &format) || format != ANSWER_FORMAT ||
	    !take_number(&bytes, 2, &status) || status < 200 || status > 599 ||
	    !take_number(&bytes, 1, &type) || !take_number(&bytes, 4, &len) ||
	    !take_bytes(&bytes, len, &fields) ||
	    !take_number(&bytes, 4, &len) || !take_bytes(&bytes, len, &content))
		return false;
	ret->status = (int)status;
	ret->content_type = type == 0 ? NULL : type == 1 ? json : problem;
	str_add(&ret->fields, fields.s, fields.len);
	str_add(&ret->content, content.s, content.len);
	return true;
}
