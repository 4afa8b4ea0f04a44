#include "publish_name.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#include "base/errno_class.h"
#include "base/hash.h"

enum {
	PLAIN_MAX = 100, /* bytes; file systems that encrypt names take 143 */
};

const char publish_temp_suffix[] = ".part";
const char publish_note_suffix[] = ".note";

/* ---- our own ---- */

void
publish_make_temp_name(struct publish *p, char ret_name[PUBLISH_TEMP_MAX])
{
	uint64_t number = hash_mix(atomic_fetch_add(&p->next_temp, 1));

	for (int i = PUBLISH_DIGITS; i-- > 0; number >>= 4)
		ret_name[i] = "0123456789abcdef"[number & 15];
	memcpy(ret_name + PUBLISH_DIGITS, publish_temp_suffix,
	    sizeof(publish_temp_suffix));
}

bool
publish_is_numbered(const char *name, const char *suffix)
{
	return strspn(name, "0123456789abcdef") == PUBLISH_DIGITS &&
	       strcmp(name + PUBLISH_DIGITS, suffix) == 0;
}

/* ---- those that a file system cannot take ---- */

/*
 * FAT and NTFS know no colon, some want UTF-8, some have shorter names than 255
 * bytes.
 */

/* Names of DOS's devices, whatever follows a dot. */
static bool
is_device_name(const char *part, size_t len)
{
	static const char *const names[] = {"con", "prn", "aux", "nul"};
	size_t stem = 0;

	while (stem < len && part[stem] != '.')
		stem++;
	if (stem == 4 && (strncasecmp(part, "com", 3) == 0 ||
			     strncasecmp(part, "lpt", 3) == 0))
		return true;
	for (size_t i = 0; stem == 3 && i < COUNT_OF(names); i++)
		if (strncasecmp(part, names[i], 3) == 0)
			return true;
	return false;
}

bool
publish_is_plain_name(const char *part, size_t len)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789._-";

	return len > 0 && len <= PLAIN_MAX && strspn(part, plain) >= len &&
	       part[len - 1] != '.' && !is_device_name(part, len);
}

bool
publish_is_bad_name(int err)
{
	return errno_is_bad_name(err) || err == -ENAMETOOLONG;
}
