#include "auth/signed_link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "auth/secret_file.h"
#include "base/num.h"

/* Whoever uses a link is called this, and the name of its key. */
static const char user_begins[] = "link:";

bool
signed_link_is_user(const char *user)
{
	return strncmp(user, user_begins, sizeof(user_begins) - 1) == 0;
}

/* ---- keys ---- */

static void
clear_key(struct link_key *k)
{
	free(k->name);
	free(k->user);
	mac_wipe(k, sizeof(*k));
}

void
link_keys_fini(struct link_keys *k)
{
	for (size_t i = 0; i < k->count; i++)
		clear_key(&k->keys[i]);
	free(k->keys);
	*k = (struct link_keys){0};
}

static const struct link_key *
find_key(const struct link_keys *k, struct span name)
{
	for (size_t i = 0; i < k->count; i++)
		if (strlen(k->keys[i].name) == name.len &&
		    memcmp(k->keys[i].name, name.s, name.len) == 0)
			return &k->keys[i];
	return NULL;
}

static bool
is_alnum_name(struct span name)
{
	for (size_t i = 0; i < name.len; i++)
		if (strchr("@+", name.s[i]) != NULL)
			return false; /* they mean something in a URL */
	return secret_name_is_good(name);
}

/* NULL, or what is wrong. */
static const char *
read_key(const struct link_keys *k, struct span line, struct span *ret_name,
    unsigned char ret_key[MAC_BYTES])
{
	struct span hex, more;

	if (!secret_words_next(&line, ret_name) || !is_alnum_name(*ret_name))
		return "the name of the key has 1 to 64 letters, digits, and "
		       "- . _";
	if (find_key(k, *ret_name) != NULL)
		return "this name stands in an earlier line";
	if (!secret_words_next(&line, &hex) ||
	    !mac_read_hex(hex.s, hex.len, ret_key, MAC_BYTES) ||
	    secret_words_next(&line, &more))
		return "behind the name stands a key of 64 hexadecimal digits: "
		       "let `penstock key` make the line";
	return NULL;
}

static int
add_key(
    struct link_keys *k, struct span name, const unsigned char bytes[MAC_BYTES])
{
	struct link_key *grown, key = {0};
	struct str user = {0};

	/* Not realloc(): it would leave the keys where they were. */
	grown = calloc(k->count + 1, sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	if (k->count > 0) {
		memcpy(grown, k->keys, k->count * sizeof(*grown));
		mac_wipe(k->keys, k->count * sizeof(*grown));
		free(k->keys);
	}
	k->keys = grown;
	str_puts(&user, user_begins);
	str_add(&user, name.s, name.len);
	key.user = user.s;
	key.name = strndup(name.s, name.len);
	memcpy(key.key, bytes, MAC_BYTES);
	if (str_failed(&user) || key.name == NULL) {
		clear_key(&key);
		return -ENOMEM;
	}
	grown[k->count++] = key;
	mac_wipe(key.key, sizeof(key.key));
	return 0;
}

int
link_keys_parse(
    struct link_keys *k, const char *text, size_t len, struct str *errors)
{
	struct secret_lines lines = {.rest = {text, len}};
	struct span line, name;
	int err = 0;

	while (err == 0 && secret_lines_next(&lines, &line)) {
		unsigned char bytes[MAC_BYTES];
		const char *why = read_key(k, line, &name, bytes);

		if (why != NULL)
			secret_file_mistake(errors, &lines, why);
		else
			err = add_key(k, name, bytes);
		mac_wipe(bytes, sizeof(bytes));
	}
	return err;
}

/* ---- signatures ---- */

/* What is signed: a line for each, so that none can be taken for a part of another.  No path
 * has a newline (upload/names.h). */
static bool
make_signature(const struct link_key *key, const struct signed_link *l,
    unsigned char ret[MAC_BYTES])
{
	struct str text = {0};
	bool made;

	str_puts(&text, "penstock link 1\n");
	str_add(&text, l->method.s, l->method.len);
	str_puts(&text, "\n");
	str_add(&text, l->path.s, l->path.len);
	str_puts(&text, "\n");
	str_add_u64(&text, l->expires_s);
	str_puts(&text, "\n");
	str_add_u64(&text, l->max_size);
	str_puts(&text, "\n");
	str_puts(&text, l->once);
	str_puts(&text, "\n");
	made = !str_failed(&text) &&
	       mac_hmac(key->key, sizeof(key->key), text.s, text.len, ret);
	str_fini(&text);
	return made;
}

bool
signed_link_sign(
    const struct link_key *key, const struct signed_link *l, struct str *out)
{
	unsigned char sig[MAC_BYTES];

	if (!make_signature(key, l, sig))
		return false;
	str_printf(out, "exp=%" PRIu64, l->expires_s);
	if (l->max_size > 0)
		str_printf(out, "&max=%" PRIu64, l->max_size);
	if (l->once[0] != '\0')
		str_printf(out, "&once=%s", l->once);
	str_printf(out, "&key=%s&sig=", key->name);
	mac_add_hex(out, sig, sizeof(sig));
	return !str_failed(out);
}

void
signed_link_make_once(struct signed_link *l)
{
	unsigned char random[SIGNED_LINK_ONCE_BYTES];
	struct str hex = {0};

	mac_random(random, sizeof(random));
	mac_add_hex(&hex, random, sizeof(random));
	check(!str_failed(&hex) && hex.len == SIGNED_LINK_ONCE_HEX);
	memcpy(l->once, hex.s, hex.len + 1);
	str_fini(&hex);
}

/* ---- queries ---- */

/* The parameters of a link, as they stand in a query. */
struct parameters {
	struct span exp, max, once, key, sig;
};

static bool
next_parameter(struct span *rest, struct span *ret)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->s, '&', rest->len);
	ret->s = rest->s;
	ret->len = end != NULL ? (size_t)(end - rest->s) : rest->len;
	rest->s += ret->len + (end != NULL);
	rest->len -= ret->len + (end != NULL);
	return true;
}

static bool
has_parameter(struct span query, const char *name)
{
	struct span one, value;

	while (query.s != NULL && next_parameter(&query, &one))
		if (secret_word_is(one, name, &value))
			return true;
	return false;
}

bool
signed_link_is(struct span query)
{
	return has_parameter(query, "sig=");
}

bool
signed_link_is_cut(struct span query)
{
	return has_parameter(query, "exp=") && !signed_link_is(query);
}

/* False: one is given twice. */
static bool
read_parameters(struct span query, struct parameters *ret)
{
	const struct {
		const char *name;
		struct span *to;
	} known[] = {{"exp=", &ret->exp}, {"max=", &ret->max},
	    {"once=", &ret->once}, {"key=", &ret->key}, {"sig=", &ret->sig}};
	struct span one, value;

	while (next_parameter(&query, &one)) {
		for (size_t i = 0; i < COUNT_OF(known); i++) {
			if (!secret_word_is(one, known[i].name, &value))
				continue;
			if (known[i].to->s != NULL)
				return false;
			*known[i].to = value;
		}
	}
	return true;
}

bool
signed_link_key_is_gone(const struct link_keys *k, struct span query)
{
	struct parameters p = {0};

	return read_parameters(query, &p) && p.key.s != NULL &&
	       find_key(k, p.key) == NULL;
}

/* The numbers are those that were signed: each has one text. */
static bool
read_number(struct span t, uint64_t *ret)
{
	return num_parse_u64(t.s, t.len, ret) == 0 &&
	       (t.s[0] != '0' || t.len == 1);
}

static bool
read_limits(const struct parameters *p, struct signed_link *l)
{
	unsigned char id[SIGNED_LINK_ONCE_BYTES];

	l->max_size = 0;
	l->once[0] = '\0';
	if (p->exp.s == NULL || !read_number(p->exp, &l->expires_s))
		return false;
	if (p->max.s != NULL &&
	    (!read_number(p->max, &l->max_size) || l->max_size == 0))
		return false;
	if (p->once.s == NULL)
		return true;
	if (!mac_read_hex(p->once.s, p->once.len, id, sizeof(id)))
		return false;
	memcpy(l->once, p->once.s, p->once.len);
	l->once[p->once.len] = '\0';
	return true;
}

/* A link for GET is one for HEAD, too. */
static bool
is_signed(const struct link_key *key, const struct signed_link *l,
    const unsigned char sig[MAC_BYTES])
{
	static const struct span get = {"GET", 3};
	unsigned char made[MAC_BYTES];
	struct signed_link as_get = *l;

	if (make_signature(key, l, made) && mac_equal(made, sig, MAC_BYTES))
		return true;
	as_get.method = get;
	return l->method.len == 4 && memcmp(l->method.s, "HEAD", 4) == 0 &&
	       make_signature(key, &as_get, made) &&
	       mac_equal(made, sig, MAC_BYTES);
}

enum signed_link_answer
signed_link_verify(const struct link_keys *k, struct span query,
    struct signed_link *l, uint64_t now_s, const struct link_key **ret_key)
{
	struct parameters p = {0};
	unsigned char sig[MAC_BYTES];
	const struct link_key *key;

	if (!read_parameters(query, &p) || p.key.s == NULL || p.sig.s == NULL ||
	    !mac_read_hex(p.sig.s, p.sig.len, sig, sizeof(sig)) ||
	    !read_limits(&p, l))
		return SIGNED_LINK_BAD;
	key = find_key(k, p.key);
	if (key == NULL || !is_signed(key, l, sig))
		return SIGNED_LINK_BAD;
	*ret_key = key;
	return l->expires_s < UINT64_MAX - SIGNED_LINK_SKEW_S &&
		       now_s >= l->expires_s + SIGNED_LINK_SKEW_S
		   ? SIGNED_LINK_EXPIRED
		   : SIGNED_LINK_GOOD;
}
