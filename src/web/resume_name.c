/*
 * What a client calls the file that it begins to send, where its URL does not say that:
 *
 *	Upload-Metadata: filename YS50eHQ=           or name
 *	Content-Disposition: inline; filename=a.txt  or filename* (RFC 6266)
 */
#include <string.h>

#include "http/part_head.h"
#include "http/resume_fields.h"
#include "upload/names.h"
#include "resume_internal.h"

/* How long it is; 0: there is none. */
static size_t
of_metadata(const struct head *h, char ret[FILE_NAME_SIZE])
{
	static const char *const keys[] = {"filename", "name"};
	size_t len = 0;

	for (size_t i = 0; len == 0 && i < COUNT_OF(keys); i++)
		len = resume_fields_metadata(
		    h->upload_metadata, keys[i], ret, FILE_NAME_SIZE - 1);
	ret[len] = '\0';
	return len;
}

enum outcome
resume_name_said(const struct head *h, bool dotfiles,
    char ret_name[FILE_NAME_SIZE], bool *ret_named, const char **ret_why)
{
	char said[FILE_NAME_SIZE];
	const char *name = said;
	size_t len = of_metadata(h, said);

	*ret_named = false;
	if (strlen(said) != len) {
		*ret_why = "the name in Upload-Metadata has a NUL in it";
		return OUTCOME_BAD_NAME;
	}
	if (len == 0 && h->disposition_twice) {
		*ret_why = "Content-Disposition is given twice: send it once";
		return OUTCOME_BAD_NAME;
	}
	if (len == 0 && h->content_disposition.s != NULL) {
		if (!part_head_filename(h->content_disposition, said, ret_why))
			return OUTCOME_BAD_NAME;
		name = names_last_part(said);
	}
	if (said[0] == '\0')
		return OUTCOME_NONE;
	*ret_named = true;
	return names_take(name, strlen(name), dotfiles, ret_name, ret_why);
}
