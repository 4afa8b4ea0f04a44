#include "auth/basic.h"

#include <stdlib.h>
#include <string.h>

#include "auth/password.h"
#include "base/base64.h"
#include "base/clock.h"
#include "disk/device.h"
#include "disk/engine.h"

enum {
	CACHE_SIZE = 512,
	THREADS = 1, /* that hash at once */
};

/* That a name and its password are right. */
struct known {
	unsigned char mac[MAC_BYTES];
	uint64_t until_ns; /* clock_mono_ns(); 0: nothing is known */
};

struct basic {
	struct engine *engine;
	struct device *device;
	struct list trials; /* that are being made */
	size_t count;
	unsigned char key[MAC_BYTES];
	struct known cache[CACHE_SIZE];
};

/* One computation, and all who wait for it. */
struct basic_trial {
	struct list_node node;
	struct basic *basic;
	struct list waits;
	unsigned char mac[MAC_BYTES];
	const struct htpasswd_user *user; /* NULL: there is none of that name */
	const char *hash;		  /* to be compared with */
	struct op op;
	char password[BASIC_TEXT_MAX + 1];
};

struct basic *
basic_new(struct engine *e, struct device_set *devices)
{
	struct basic *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->engine = e;
	b->device = device_new_compute(devices);
	if (b->device == NULL) {
		free(b);
		return NULL;
	}
	b->device->cap = THREADS;
	list_init(&b->trials);
	mac_random(b->key, sizeof(b->key));
	return b;
}

void
basic_free(struct basic **bp)
{
	struct basic *b = *bp;

	if (b == NULL)
		return;
	check(list_is_empty(&b->trials));
	mac_wipe(b, sizeof(*b));
	free(b);
	*bp = NULL;
}

/* ---- what a request says ---- */

/* Bytes that the text becomes; 0: it is no base64. */
static size_t
decoded_len(struct span t)
{
	size_t len = t.len / 4 * 3;

	if (t.len == 0 || t.len % 4 != 0)
		return 0;
	len -= t.s[t.len - 1] == '=';
	len -= t.s[t.len - 2] == '=';
	return len;
}

bool
basic_login_read(struct span field, struct basic_login *ret)
{
	size_t len = decoded_len(field);
	char *colon;

	if (len == 0 || len > BASIC_TEXT_MAX ||
	    base64_decode(field.s, field.len, ret->text, len) < 0)
		return false;
	ret->text[len] = '\0';
	colon = strchr(ret->text, ':');
	/* A NUL would end it for crypt(3), and so make a shorter one right. */
	if (colon == NULL || memchr(ret->text, '\0', len) != NULL) {
		basic_login_fini(ret);
		return false;
	}
	*colon = '\0';
	ret->name = (struct span){ret->text, (size_t)(colon - ret->text)};
	ret->password =
	    (struct span){colon + 1, len - (size_t)(colon + 1 - ret->text)};
	return true;
}

void
basic_login_fini(struct basic_login *l)
{
	mac_wipe(l, sizeof(*l));
}

/* ---- the cache ---- */

/* The keyed hash of name, password, and the hash that it must have. */
static bool
make_mac(const struct basic *b, const struct htpasswd_user *user,
    const struct basic_login *l, unsigned char ret[MAC_BYTES])
{
	const char *hash = user != NULL ? user->hash : "";
	struct str text = {0};
	bool made;

	str_puts(&text, hash);
	str_add(&text, "", 1);
	str_add(&text, l->name.s, l->name.len + 1);
	str_add(&text, l->password.s, l->password.len);
	made = !str_failed(&text) &&
	       mac_hmac(b->key, sizeof(b->key), text.s, text.len, ret);
	if (text.s != NULL)
		mac_wipe(text.s, text.len);
	str_fini(&text);
	return made;
}

static struct known *
place_of(struct basic *b, const unsigned char mac[MAC_BYTES])
{
	return &b->cache[(mac[0] | mac[1] << 8) % CACHE_SIZE];
}

enum basic_answer
basic_look(struct basic *b, const struct htpasswd *h,
    const struct basic_login *l, const struct htpasswd_user **ret)
{
	const struct htpasswd_user *user = htpasswd_find(h, l->name);
	unsigned char mac[MAC_BYTES];
	const struct known *k;

	*ret = NULL;
	if (h->count == 0)
		return BASIC_WRONG;
	if (user == NULL || !make_mac(b, user, l, mac))
		return BASIC_LATER; /* takes as long as if there were one */
	k = place_of(b, mac);
	if (k->until_ns <= clock_mono_ns() ||
	    !mac_equal(k->mac, mac, sizeof(mac)))
		return BASIC_LATER;
	*ret = user;
	return BASIC_RIGHT;
}

/* ---- computing ---- */

/* On a thread. */
static int
compute(void *arg)
{
	const struct basic_trial *t = arg;

	return password_is(t->password, t->hash) ? 1 : 0;
}

static void
on_computed(struct op *op, int res)
{
	struct basic_trial *t = op->owner;
	struct basic *b = t->basic;
	const struct htpasswd_user *user = res == 1 ? t->user : NULL;
	struct list_node *n;

	list_remove(&t->node);
	b->count--;
	if (user != NULL) {
		struct known *k = place_of(b, t->mac);

		memcpy(k->mac, t->mac, sizeof(k->mac));
		k->until_ns = clock_mono_ns() + BASIC_KEPT_S * NS_PER_S;
	}
	while ((n = list_shift(&t->waits)) != NULL) {
		struct basic_wait *w = container_of(n, struct basic_wait, node);

		w->on_done(w, user);
	}
	mac_wipe(t, sizeof(*t));
	free(t);
}

static struct basic_trial *
find_trial(const struct basic *b, const unsigned char mac[MAC_BYTES])
{
	LIST_FOREACH(struct basic_trial, t, &b->trials, node)
		if (mac_equal(t->mac, mac, sizeof(t->mac)))
			return t;
	return NULL;
}

struct basic_trial *
basic_find(
    struct basic *b, const struct htpasswd *h, const struct basic_login *l)
{
	unsigned char mac[MAC_BYTES];

	return make_mac(b, htpasswd_find(h, l->name), l, mac)
		   ? find_trial(b, mac)
		   : NULL;
}

static struct basic_trial *
begin_trial(struct basic *b, const struct htpasswd *h,
    const struct htpasswd_user *user, const struct basic_login *l,
    const unsigned char mac[MAC_BYTES])
{
	struct basic_trial *t;

	if (b->count >= BASIC_CHECKS_MAX)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->basic = b;
	list_init(&t->waits);
	memcpy(t->mac, mac, sizeof(t->mac));
	t->user = user;
	t->hash =
	    user != NULL ? user->hash : htpasswd_stand_in(h, l->name)->hash;
	memcpy(t->password, l->password.s, l->password.len + 1);
	list_append(&b->trials, &t->node);
	b->count++;
	engine_call(b->engine, b->device, &t->op, compute, t,
	    CALL_SLOW | CALL_NO_STALL, on_computed);
	return t;
}

struct basic_trial *
basic_begin(
    struct basic *b, const struct htpasswd *h, const struct basic_login *l)
{
	const struct htpasswd_user *user = htpasswd_find(h, l->name);
	unsigned char mac[MAC_BYTES];

	check(h->count > 0);
	if (!make_mac(b, user, l, mac))
		return NULL;
	return begin_trial(b, h, user, l, mac);
}

void
basic_await(struct basic_trial *t, struct basic_wait *w)
{
	list_append(&t->waits, &w->node);
}

void
basic_forget(struct basic_wait *w)
{
	list_remove(&w->node);
}
