#include "web/resume_dialect.h"

#include "base/str.h"
#include "http/resume_fields.h"

const struct resume_dialect resume_tus = {
    .bit = RESUME_TUS,
    .conflict = 403,
};

/* clang-format off */
/* The oldest first.  What has changed since version 8 concerns clients, or is what was done
 * here before. */
static const struct resume_dialect drafts[] = {
	{ .version = "3", .bit = RESUME_DRAFT_3, .incomplete = true, .conflict = 403 },
	{ .version = "5", .bit = RESUME_DRAFT_5, .conflict = 403 },
	{ .version = "6", .bit = RESUME_DRAFT_6, .typed = true, .limits = true, .conflict = 403 },
	{ .version = "8", .bit = RESUME_DRAFT_8, .typed = true, .limits = true, .problems = true,
	  .progress = true, .conflict = 409 },
	{ .version = "9", .bit = RESUME_DRAFT_9, .typed = true, .limits = true, .problems = true,
	  .progress = true, .conflict = 409 },
	{ .version = "10", .bit = RESUME_DRAFT_10, .typed = true, .limits = true, .problems = true,
	  .progress = true, .conflict = 409 },
};
/* clang-format on */

const struct resume_dialect *
resume_dialect_newest(void)
{
	return &drafts[COUNT_OF(drafts) - 1];
}

const struct resume_dialect *
resume_dialect_by_bit(int bit)
{
	if (bit == RESUME_TUS)
		return &resume_tus;
	for (size_t i = 0; i < COUNT_OF(drafts); i++)
		if (drafts[i].bit == bit)
			return &drafts[i];
	return NULL;
}

static const struct resume_dialect *
by_version(struct span v)
{
	uint64_t n, row;

	if (!resume_fields_integer(v, &n))
		return NULL;
	for (size_t i = 0; i < COUNT_OF(drafts); i++) {
		struct span version = {
		    drafts[i].version, strlen(drafts[i].version)};

		if (resume_fields_number(version, &row) && row == n)
			return &drafts[i];
	}
	return NULL;
}

/* The newest of those that are spoken there. */
static const struct resume_dialect *
newest_of(const struct conf_location *l)
{
	for (size_t i = COUNT_OF(drafts); i > 0; i--)
		if ((l->resume_versions & drafts[i - 1].bit) != 0 &&
		    !drafts[i - 1].incomplete)
			return &drafts[i - 1];
	return NULL;
}

const struct resume_dialect *
resume_dialect_of(const struct head *h, const struct conf_location *l)
{
	const struct resume_dialect *d = NULL;

	if (h->tus_resumable.s != NULL)
		d = &resume_tus;
	else if (h->upload_version.s != NULL)
		d = by_version(h->upload_version);
	else if (h->upload_complete.s != NULL)
		d = newest_of(l);
	return d != NULL && (l->resume_versions & d->bit) != 0 ? d : NULL;
}

bool
resume_dialect_complete(
    const struct resume_dialect *d, const struct head *h, bool *ret_complete)
{
	bool is;

	if (!resume_fields_boolean(
		d->incomplete ? h->upload_incomplete : h->upload_complete, &is))
		return false;
	*ret_complete = is != d->incomplete;
	return true;
}
