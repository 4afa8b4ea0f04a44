#include "lib/guarded.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/basic.h"
#include "auth/bearer.h"
#include "auth/rights.h"
#include "auth/secrets.h"
#include "auth/spent.h"
#include "disk/device.h"
#include "disk/engine.h"
#include "lib/cmocka_with.h"
#include "shared/attempts.h"
#include "shared/shm.h"

struct test_web guarded;
struct str guarded_token;
char guarded_dir[] = "/tmp/test_rights.XXXXXX";

static struct config *conf;
static struct secrets *secrets;
static struct location_rights *rights;
static struct device_set *devices;
static struct engine *engine;
static struct basic *basic;
static struct spent *spent;
static struct shm *shm;

/* ---- the directory ---- */

int
guarded_make_dir(void **state)
{
	(void)state;
	return mkdtemp(guarded_dir) != NULL ? 0 : -1;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
guarded_remove_dir(void **state)
{
	(void)state;
	str_fini(&guarded_token);
	return nftw(guarded_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void
guarded_write_file(const char *name, mode_t mode, const char *text)
{
	char path[100];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", guarded_dir, name);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

bool
guarded_give_to_group(const char *name, gid_t group)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", guarded_dir, name);
	return chown(path, (uid_t)-1, group) == 0;
}

void
guarded_make_token(const char *limits)
{
	struct str hash = {0}, line = {0};

	str_clear(&guarded_token);
	assert_true(bearer_make(&guarded_token, &hash));
	str_printf(&line, "ci %s %s\n", hash.s, limits);
	guarded_write_file("tokens", 0600, line.s);
	str_fini(&hash);
	str_fini(&line);
}

void
guarded_add_text(struct str *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '@' && strchr("/;:", text[1]) != NULL)
			str_puts(out, guarded_dir);
		else
			str_add(out, text, 1);
	}
}

/* ---- the server ---- */

static void
forget_rights(void)
{
	guarded.context.rights = NULL;
	free(rights);
	rights = NULL;
	secrets_free(&secrets);
	config_free(&conf);
}

int
guarded_begin(void **state)
{
	(void)state;
	test_web_begin(&guarded);
	devices = device_set_new(guarded.l.pool);
	assert_non_null(devices);
	assert_int_equal(
	    engine_new(guarded.l.loop, ENGINE_THREADS, &engine), 0);
	basic = basic_new(engine, devices);
	assert_non_null(basic);
	spent = spent_new(engine, devices);
	assert_non_null(spent);
	guarded.context.spent = spent;
	shm = shm_new(attempts_size());
	assert_non_null(shm);
	guarded.context.attempts = attempts_new(shm);
	memory_store_add(guarded.store, "a", guarded.body, 100);
	memory_store_add(guarded.store, "ab/c", guarded.body, 100);
	return 0;
}

int
guarded_end(void **state)
{
	(void)state;
	test_client_hang_up(&guarded.client);
	while (engine_in_flight(engine) > 0)
		test_web_turn(&guarded, 1);
	basic_free(&basic);
	spent_free(&spent);
	engine_free(&engine);
	device_set_free(&devices);
	munmap(shm, sizeof(*shm) + shm->size);
	test_web_end(&guarded);
	forget_rights();
	return 0;
}

void
guarded_apply(void)
{
	guarded.context.rights = NULL;
	free(rights);
	assert_int_equal(
	    rights_new(&guarded.server.conf, secrets, basic, &rights), 0);
	guarded.context.rights = rights;
}

void
guarded_use_server(const char *server, const char *rules)
{
	struct str text = {0}, errors = {0};
	const struct conf_server *s;

	str_puts(&text, "server { ");
	guarded_add_text(&text, server);
	str_puts(&text, " location /file { ");
	guarded_add_text(&text, rules);
	str_puts(&text, " } }");
	forget_rights();
	if (config_parse_text("t", text.s, text.len, &errors, &conf) < 0 ||
	    secrets_load(conf, &errors, &errors, &secrets) < 0)
		fail_msg("%s", errors.s);
	str_fini(&text);
	str_fini(&errors);
	s = &conf->servers[0];
	for (size_t i = 0; i < s->location_count; i++) {
		if (strcmp(s->locations[i].prefix, "/file") != 0)
			continue;
		guarded.location.rights = s->locations[i].rights;
		guarded.location.except = s->locations[i].except;
		guarded.location.max_body_size = s->locations[i].max_body_size;
	}
	guarded_apply();
}

void
guarded_use(const char *rules)
{
	guarded_use_server("", rules);
}

void
guarded_trust(const char *proxy, enum conf_real_ip header)
{
	struct conf_networks *n = &guarded.server.conf.trusted_proxies;
	const char *why;

	networks_clear(n);
	guarded.server.conf.real_ip_header = header;
	if (proxy != NULL)
		assert_int_equal(networks_add(n, proxy, true, &why), 0);
}

/* ---- configurations ---- */

void
guarded_assert_secrets(
    const char *rules, const char *errors, const char *warnings)
{
	struct str text = {0}, told = {0}, warned = {0}, expected = {0};
	struct secrets *s = NULL;
	struct config *c = NULL;
	int err;

	str_puts(&text, "server { location /f {\n");
	guarded_add_text(&text, rules);
	str_puts(&text, " } }");
	assert_int_equal(
	    config_parse_text("t", text.s, text.len, &told, &c), 0);
	err = secrets_load(c, &told, &warned, &s);
	guarded_add_text(&expected, errors);
	assert_string_equal(told.s ? told.s : "", expected.s ? expected.s : "");
	assert_int_equal(err, *errors != '\0' ? -EINVAL : 0);
	str_clear(&expected);
	guarded_add_text(&expected, warnings);
	assert_string_equal(
	    warned.s ? warned.s : "", expected.s ? expected.s : "");
	secrets_free(&s);
	config_free(&c);
	str_fini(&text);
	str_fini(&told);
	str_fini(&warned);
	str_fini(&expected);
}

void
guarded_assert_mistake(const char *rules, const char *expected)
{
	struct str text = {0}, errors = {0};
	struct config *c = NULL;

	str_printf(&text, "server { location /f { %s } }", rules);
	assert_int_equal(
	    config_parse_text("t", text.s, text.len, &errors, &c), -EINVAL);
	if (strstr(errors.s, expected) == NULL)
		fail_msg("%s: no %s in: %s", rules, expected, errors.s);
	str_fini(&text);
	str_fini(&errors);
}

/* ---- a client ---- */

void
guarded_come_from(const char *address)
{
	const char *why = NULL;
	struct addr a;

	test_client_hang_up(&guarded.client);
	test_web_turn(&guarded, 3);
	assert_int_equal(addr_parse(address, &a, &why), 0);
	test_client_connect_from(&guarded.client, &guarded.server, &a);
}

void
guarded_await(const char *text)
{
	test_web_turn(&guarded, 2);
	while (!test_client_has_heard(&guarded.client, text) &&
	       engine_in_flight(engine) > 0) {
		(void)usleep(100);
		test_web_turn(&guarded, 2);
	}
	test_web_await(&guarded, text);
}

void
guarded_assert_status(const char *method, const char *path, const char *status)
{
	test_web_say_head(&guarded, method, path, 0,
	    strcmp(method, "POST") == 0 ? "Content-Length: 0\r\n" : "");
	guarded_await("\r\n\r\n");
	if (memcmp(guarded.client.got + 9, status, 3) != 0)
		fail_msg("%s %s: not %s: %s", method, path, status,
		    guarded.client.got);
}

void
guarded_put(const char *path, size_t len, const char *fields)
{
	test_web_put(&guarded, path, len, fields);
	guarded_await("\r\n\r\n");
}

void
guarded_bear(const char *path, size_t len)
{
	struct str field = {0};

	str_printf(&field, "Authorization: Bearer %s\r\n", guarded_token.s);
	guarded_put(path, len, field.s);
	str_fini(&field);
}

void
guarded_assert_heard(const char *text)
{
	if (!test_client_has_heard(&guarded.client, text))
		fail_msg("no %s in: %s", text, guarded.client.got);
}

void
guarded_assert_not_heard(const char *text)
{
	if (test_client_has_heard(&guarded.client, text))
		fail_msg("%s in: %s", text, guarded.client.got);
}
