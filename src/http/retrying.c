#include "http/retrying.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "shared/retries.h"
#include "config/config.h"
#include "http/access.h"
#include "http/observer.h"

enum {
	SHOWN_MAX = 160, /* bytes of a path in the line */
};

static bool
has_failed(const struct access *a)
{
	static const enum outcome good[] = {OUTCOME_NONE, OUTCOME_STORED,
	    OUTCOME_REPLACED, OUTCOME_SUPERSEDED, OUTCOME_PART,
	    OUTCOME_REMOVED};

	for (size_t i = 0; i < COUNT_OF(good); i++)
		if (a->outcome == good[i])
			return false;
	/* What came of a part is kept. */
	return a->upload == NULL || !a->upload->is_part ||
	       a->upload->to == a->upload->from;
}

/* What was asked for, or, where no log wants that, the name. */
static void
find_path(const struct access *a, const char **ret, size_t *ret_len)
{
	*ret = "";
	*ret_len = 0;
	if (a->asked.len > a->method_len) {
		*ret = a->asked.s + a->method_len;
		*ret_len = a->asked.len - a->method_len;
	} else if (a->upload != NULL) {
		*ret = a->upload->name;
		*ret_len = strlen(a->upload->name);
	}
}

static uint64_t
key_of(const struct exchange_ended *e, const char *path, size_t len)
{
	const struct addr *client = access_client(e->record, e->peer);
	unsigned char network[8];
	size_t n = addr_network(client, network);
	const char *prefix = e->record->location->prefix;
	uint64_t key = hash_bytes(0, network, n);

	key = hash_bytes(key, prefix, strlen(prefix));
	return hash_bytes(key, path, len);
}

static void
tell(const struct exchange_ended *e, const char *path, size_t len,
    unsigned count, uint64_t ns)
{
	const struct access *a = e->record;
	struct addr client = {0};
	char from[ADDR_TEXT_MAX], shown[SHOWN_MAX];

	/* It is allocated only as far as it is in use. */
	memcpy(&client, access_client(a, e->peer),
	    addr_size(access_client(a, e->peer)));
	addr_format_host(&client, from);
	log_warn("client %s has sent %s %u times in %" PRIu64
		 " seconds, and never was it stored; the last time it was %s "
		 "(%d): it does not get on by trying again, and has to be told "
		 "so, or denied",
	    from, str_quote(path, len, shown, sizeof(shown)), count,
	    ns / NS_PER_S, outcome_word(a->outcome), a->status);
}

void
retrying_note(struct retries *r, const struct exchange_ended *e)
{
	uint64_t now = clock_mono_ns(), since;
	bool failed = has_failed(e->record);
	const char *path;
	size_t len;
	unsigned count;

	if (e->record->location == NULL || (!failed && !retries_any(r, now)))
		return;
	find_path(e->record, &path, &len);
	if (len == 0)
		return;
	if (!failed) {
		retries_succeeded(r, key_of(e, path, len));
		return;
	}
	count = retries_failed(r, key_of(e, path, len), now, &since);
	if (count > 0)
		tell(e, path, len, count, now - since);
}
