/*
 * Resumable uploads: fields of their requests, and what is kept with them.
 *
 *	knob 0  how the rest is fed: 0 fields, 1 a record, 2 an answer, 3 times
 *	knob 1  POST or PATCH
 *	knob 2  which protocol and version
 *	knob 3  how much of the upload there is: its offset, its length, a limit
 *
 * Fields are lines, whose first byte says which one it is (letters[]).
 */
#include "base/base64.h"
#include "fuzz.h"
#include "http/resume_fields.h"
#include "web/resume_ask.h"
#include "web/resume_record.h"

enum knob { KNOB_WHAT, KNOB_METHOD, KNOB_DIALECT, KNOB_UPLOAD, KNOBS };

static const struct letter {
	char letter;
	const char *name;
} letters[] = {
    {'l', "Upload-Length"},
    {'o', "Upload-Offset"},
    {'d', "Upload-Defer-Length"},
    {'m', "Upload-Metadata"},
    {'s', "Upload-Checksum"},
    {'c', "Upload-Concat"},
    {'p', "Upload-Complete"},
    {'i', "Upload-Incomplete"},
    {'n', "Content-Length"},
    {'t', "Content-Type"},
    {'w', "Want-Repr-Digest"},
    {'r', "Repr-Digest"},
    {'e', "Content-Digest"},
    {'x', "Transfer-Encoding"},
    {'y', "Trailer"},
};

static const char *const protocols[] = {
    "Tus-Resumable: 1.0.0",
    "Upload-Draft-Interop-Version: 3",
    "Upload-Draft-Interop-Version: 5",
    "Upload-Draft-Interop-Version: 6",
    "Upload-Draft-Interop-Version: 8",
    "Upload-Draft-Interop-Version: 10",
    "X: y",
};

static const struct conf_location location = {.resume_versions = 127};

/* ---- metadata, a second time: a byte after the other ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int
letter_value(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

	return at != NULL ? (int)(at - alphabet) : -1;
}

/* Is it base64, perhaps without its padding?  Then *ret_len bytes of it. */
static bool
plain_decode(const char *s, size_t len, char *ret, size_t *ret_len)
{
	size_t digits = 0, padding;
	unsigned long bits = 0;

	*ret_len = 0;
	while (digits < len && letter_value(s[digits]) >= 0)
		digits++;
	padding = len - digits;
	for (size_t i = digits; i < len; i++)
		if (s[i] != '=')
			return false;
	if (digits % 4 == 1 || padding > 2 || (padding > 0 && len % 4 != 0))
		return false;
	for (size_t i = 0; i < digits; i++) {
		bits = bits << 6 | (unsigned long)letter_value(s[i]);
		if (i % 4 == 1)
			ret[(*ret_len)++] = (char)(unsigned char)(bits >> 4);
		else if (i % 4 == 2)
			ret[(*ret_len)++] = (char)(unsigned char)(bits >> 2);
		else if (i % 4 == 3)
			ret[(*ret_len)++] = (char)(unsigned char)bits;
	}
	return true;
}

/* Where the member that begins at `at` ends, and its key and value in it. */
static size_t
plain_member(struct span f, size_t at, struct span *key, struct span *value)
{
	size_t end = at, k = at, v;

	while (end < f.len && f.s[end] != ',')
		end++;
	while (k < end && is_blank(f.s[k]))
		k++;
	v = k;
	while (v < end && f.s[v] != ' ')
		v++;
	*key = span_trim((struct span){f.s + k, v - k});
	*value = span_trim((struct span){f.s + v, end - v});
	return end;
}

static void
check_metadata(struct span f)
{
	struct span keys[65], key, value, first = {0};
	size_t count = 0, len, said;
	char *plain = fuzz_alloc(f.len + 1), *got = fuzz_alloc(f.len + 1);
	bool good = true;

	for (size_t at = 0; at < f.len;) {
		size_t end = plain_member(f, at, &key, &value);

		at = end + 1;
		if (key.len == 0 && value.len == 0)
			continue;
		good &=
		    count < 64 && plain_decode(value.s, value.len, plain, &len);
		for (size_t i = 0; i < count; i++)
			good &= keys[i].len != key.len ||
				memcmp(keys[i].s, key.s, key.len) != 0;
		if (!good)
			break;
		if (key.len == 8 && memcmp(key.s, "filename", 8) == 0)
			first = value;
		keys[count++] = key;
	}
	check((resume_fields_metadata_fault(f) == NULL) == good);
	if (good) {
		len = 0;
		if (first.s != NULL)
			check(plain_decode(first.s, first.len, plain, &len));
		said = resume_fields_metadata(f, "filename", got, f.len + 1);
		check(said == len && memcmp(got, plain, len) == 0);
	}
	free(plain);
	free(got);
}

/* ---- other fields ---- */

static void
check_checksum(struct span v)
{
	struct digest_claims claims = {0};
	struct str again = {0};

	if (resume_fields_checksum(v, &claims) != RESUME_CHECKSUM_READ)
		return;
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		if (!(claims.set & digest_bit((enum digest_algo)a)))
			continue;
		check(claims.set == digest_bit((enum digest_algo)a));
		base64_add(&again, claims.value[a], digest_kinds[a].len);
		check(again.len <= v.len &&
		      memcmp(v.s + v.len - again.len, again.s, again.len) == 0);
	}
	check(again.len > 0);
	str_fini(&again);
}

static void
check_concat(struct span v)
{
	struct span urls, url, id;

	if (resume_fields_concat(v, &urls) != RESUME_CONCAT_FINAL)
		return;
	while (resume_fields_next_url(&urls, &url)) {
		check(url.len > 0 && memchr(url.s, ' ', url.len) == NULL);
		check(url.s >= v.s && url.s + url.len <= v.s + v.len);
		id = resume_fields_id(url, "/file");
		check(id.s == NULL ||
		      (id.s >= url.s + 16 && id.s + id.len <= url.s + url.len));
	}
}

static void
check_fields(const struct head *h)
{
	uint64_t tus, sf;
	struct str text = {0};

	if (h->upload_metadata.s != NULL)
		check_metadata(h->upload_metadata);
	if (h->upload_checksum.s != NULL)
		check_checksum(h->upload_checksum);
	if (h->upload_concat.s != NULL)
		check_concat(h->upload_concat);
	if (resume_fields_number(h->upload_length, &tus)) {
		str_add_u64(&text, tus);
		check(text.len == h->upload_length.len &&
		      memcmp(text.s, h->upload_length.s, text.len) == 0);
		if (text.len <= 15)
			check(resume_fields_integer(h->upload_length, &sf) &&
			      sf == tus);
	}
	str_fini(&text);
}

/* ---- what is asked ---- */

static void
check_refusal(const struct resume_refusal *r)
{
	check(r->status >= 400 && r->status < 500);
	check(r->status != 408 && r->status != 429);
	check(r->why != NULL || r->status == 413);
	check(r->outcome != OUTCOME_NONE);
}

/* It brings nothing, and is of a draft. */
static void
check_asks_again(const struct head *h, const struct resume_dialect *d)
{
	struct resume_ask a;

	if (!resume_ask_again(h, d, 17, &a))
		return;
	check(!resume_dialect_is_tus(d));
	check(a.body == 0 || a.body == RESUME_UNKNOWN);
	check(h->upload_offset.s != NULL || a.offset == 17);
}

static void
check_ask(const struct head *h, const struct resume_dialect *d, bool creation,
    unsigned upload)
{
	uint64_t offset = creation ? 0 : upload % 7 * 5;
	uint64_t length =
	    creation || upload % 3 == 0 ? RESUME_UNKNOWN : offset + upload % 5;
	uint64_t max = upload % 4 == 0 ? 0 : 40;
	struct resume_refusal refusal = {0};
	struct resume_ask a;
	uint64_t room;

	if (!creation)
		check_asks_again(h, d);
	if (!(creation ? resume_ask_creation(h, d, &a, &refusal)
		       : resume_ask_append(h, d, &a, &refusal)) ||
	    !resume_ask_fits(&a, offset, length, max, &refusal)) {
		check_refusal(&refusal);
		return;
	}
	check(a.offset == offset);
	check(length == RESUME_UNKNOWN || a.length == length);
	check(a.length >= offset);
	room = resume_ask_room(&a, max);
	check(a.body == RESUME_UNKNOWN || a.body <= room);
	if (max > 0) {
		check(room <= max);
		check(a.length == RESUME_UNKNOWN || a.length <= max);
	}
	check(a.has_body || a.body == 0);
	check(creation || (!a.partial && a.urls.s == NULL));
	if (!resume_dialect_is_tus(d) && a.complete && a.body != RESUME_UNKNOWN)
		check(a.length == offset + a.body);
}

static void
feed_fields(const uint8_t *data, size_t size, const uint8_t *knobs)
{
	struct str text = {0};
	const struct resume_dialect *d;
	bool creation = (knobs[KNOB_METHOD] - '0') % 2 == 0;
	const char *why;
	struct head h;
	char *copy;

	str_puts(&text, creation ? "POST" : "PATCH");
	str_puts(&text, " /f HTTP/1.1\r\nHost: h\r\n");
	str_puts(&text, protocols[(uint8_t)(knobs[KNOB_DIALECT] - '0') %
				  COUNT_OF(protocols)]);
	str_puts(&text, "\r\n");
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end != NULL ? (size_t)(end - data) : size;

		for (size_t i = 0; len > 0 && i < COUNT_OF(letters); i++) {
			if (data[0] != (uint8_t)letters[i].letter)
				continue;
			str_puts(&text, letters[i].name);
			str_puts(&text, ":");
			str_add(&text, data + 1, len - 1);
			str_puts(&text, "\r\n");
		}
		if (end != NULL)
			len++;
		data += len;
		size -= len;
	}
	str_puts(&text, "\r\n");
	check(!str_failed(&text));
	copy = fuzz_copy(text.s, text.len);
	if (head_parse(copy, text.len, &h, &why) == 0) {
		check_fields(&h);
		d = resume_dialect_of(&h, &location);
		if (d != NULL)
			check_ask(&h, d, creation,
			    (uint8_t)(knobs[KNOB_UPLOAD] - '0'));
	}
	free(copy);
	str_fini(&text);
}

/* ---- what is kept ---- */

static void
feed_record(struct span bytes)
{
	struct resume_record r, back;
	struct str again = {0};

	if (!resume_record_decode(bytes, &r))
		return;
	resume_record_encode(&r, &again);
	check(resume_record_decode((struct span){again.s, again.len}, &back));
	check(back.named == r.named && back.partial == r.partial);
	check((back.dialect & 0xff) == (r.dialect & 0xff));
	check(back.name.len == r.name.len &&
	      memcmp(back.name.s, r.name.s, r.name.len) == 0);
	check(back.owner.len == r.owner.len);
	check(back.whole.set == r.whole.set &&
	      back.whole.wanted == r.whole.wanted);
	str_fini(&again);
}

static void
feed_answer(struct span bytes)
{
	struct response r = {0}, back = {0};
	struct str again = {0};

	if (resume_answer_decode(bytes, &r)) {
		check(r.status >= 200 && r.status <= 599);
		resume_answer_encode(&r, &again);
		check(resume_answer_decode(
		    (struct span){again.s, again.len}, &back));
		check(back.status == r.status &&
		      back.content.len == r.content.len &&
		      back.fields.len == r.fields.len);
	}
	response_fini(&r);
	response_fini(&back);
	str_fini(&again);
}

static void
feed_times(struct span bytes)
{
	struct resume_times t, back;
	struct str again = {0};

	resume_times_decode(bytes, &t);
	resume_times_encode(&t, &again);
	check(again.len <= PARTIAL_STATE_MAX);
	resume_times_decode((struct span){again.s, again.len}, &back);
	check(memcmp(&t, &back, sizeof(t)) == 0);
	str_fini(&again);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	(void)digest_start();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;
	struct span bytes;

	if (size < KNOBS)
		return 0;
	if ((uint8_t)(data[KNOB_WHAT] - '0') % 4 == 0) {
		feed_fields(data + KNOBS, size - KNOBS, data);
		return 0;
	}
	copy = fuzz_copy(data + KNOBS, size - KNOBS);
	bytes = (struct span){copy, size - KNOBS};
	if ((uint8_t)(data[KNOB_WHAT] - '0') % 4 == 1)
		feed_record(bytes);
	else if ((uint8_t)(data[KNOB_WHAT] - '0') % 4 == 2)
		feed_answer(bytes);
	else
		feed_times(bytes);
	free(copy);
	return 0;
}
