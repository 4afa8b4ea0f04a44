/*
 * The pages of uploads: whatever names, users and addresses there are, each page is one JSON
 * object (json.h), /uploads with any query lists those that are wanted and no others, and a
 * query that is refused is told why.
 *
 * Lines of input, by their first byte: q a query; n a name, u a user, with which the next upload
 * begins; k its numbers, a byte each.  What a name and a user can have not is a NUL.
 */
#include <stdio.h>

#include "admin/pages.h"
#include "admin/uploads_query.h"
#include "base/clock.h"
#include "json.h"
#include "shared/live.h"
#include "shared/metrics.h"
#include "shared/shared.h"

enum {
	UPLOADS_MAX = 16,
};

static struct shared shared;
static const struct admin_subject subject = {.shared = &shared};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	shared.shm = shm_new(live_size() + metrics_size());
	check(shared.shm != NULL);
	shared.live = live_new(shared.shm);
	shared.metrics = metrics_new(shared.shm);
	return 0;
}

static struct live_record records[UPLOADS_MAX];
static size_t count;

/* An upload in any state; the numbers of states are those of the others beyond the last. */
static void
take_numbers(const char *s, size_t len)
{
	struct live_record *r = &records[count - 1];
	unsigned n[8] = {0};

	for (size_t i = 0; i < len && i < 8; i++)
		n[i] = fuzz_knob((const uint8_t *)s, i);
	r->stage = (uint8_t)(n[0] % LIVE_STAGES);
	r->verdict = (uint8_t)n[1];
	r->reader = (uint8_t)n[2];
	r->writer = (uint8_t)n[3];
	r->outcome = (uint16_t)n[4];
	r->bytes = n[5] == 1 ? UINT64_MAX : n[5];
	r->length = n[6] == 1 ? LIVE_LENGTH_UNKNOWN : n[6];
	r->form = n[7] % 2;
}

static void
take_line(const char *s, size_t len)
{
	char text[1024];
	size_t n = len - 1 < sizeof(text) ? len - 1 : sizeof(text) - 1;

	memcpy(text, s + 1, n);
	text[n] = '\0';
	if (s[0] == 'n' && count < UPLOADS_MAX) {
		records[count] = (struct live_record){
		    .id = count + 1, .seen_ns = clock_mono_ns()};
		live_set_name(&records[count++], text);
	} else if (s[0] == 'u' && count > 0) {
		live_set_user(&records[count - 1], text);
	} else if (s[0] == 'k' && count > 0) {
		take_numbers(s + 1, len - 1);
	}
}

/* How many are in the list. */
static size_t
listed(const struct str *page)
{
	size_t n = 0;

	for (const char *s = page->s; (s = strstr(s, "{\"id\":")) != NULL; s++)
		n++;
	return n;
}

static void
check_list(struct span asked)
{
	struct uploads_query q;
	const char *why = uploads_query_read(asked, &q);
	struct str page = {0};
	size_t wanted = 0;

	if (why != NULL) {
		check(why[0] != '\0');
		return;
	}
	for (size_t i = 0; i < count; i++)
		wanted += uploads_query_wants(&q, &records[i], NULL, 0);
	check(uploads_page(&subject, &q, &page));
	check_json(page.s, page.len, NULL);
	check(listed(&page) == (wanted < q.limit ? wanted : q.limit));
	str_fini(&page);
}

static void
check_each(void)
{
	struct live_share *share = live_share_of(shared.live, 0);

	for (size_t i = 0; i < count; i++) {
		struct str page = {0};

		check(upload_page(&subject, records[i].id, &page) !=
		      UPLOAD_PAGE_NONE);
		check_json(page.s, page.len, NULL);
		str_clear(&page);
		live_put(share, (unsigned)i, NULL);
		live_note_ended(share, &records[i]);
		check(upload_page(&subject, records[i].id, &page) ==
		      UPLOAD_PAGE_ENDED);
		check_json(page.s, page.len, NULL);
		str_fini(&page);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(data, size);
	struct span asked = {NULL, 0};

	count = 0;
	for (size_t at = 0; at < size;) {
		char *lf = memchr(copy + at, '\n', size - at);
		size_t len = lf != NULL ? (size_t)(lf - copy) - at : size - at;

		if (len > 0 && copy[at] == 'q')
			asked = (struct span){copy + at + 1, len - 1};
		else if (len > 0)
			take_line(copy + at, len);
		at += len + 1;
	}
	for (size_t i = 0; i < count; i++)
		live_put(
		    live_share_of(shared.live, 0), (unsigned)i, &records[i]);
	check_list(asked);
	check_each();
	free(copy);
	return 0;
}
