#include "command_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/mac.h"
#include "auth/signed_link.h"
#include "base/str.h"
#include "command_file.h"

int
command_key(const struct command_words *w, const struct config *conf)
{
	const char *path = w->word[0], *name = w->word[1];
	unsigned char bytes[MAC_BYTES];
	struct str line = {0}, errors = {0};
	struct link_keys keys = {0};
	int status = EXIT_SUCCESS, err;

	(void)conf;
	mac_random(bytes, sizeof(bytes));
	str_printf(&line, "%s ", name);
	mac_add_hex(&line, bytes, sizeof(bytes));
	mac_wipe(bytes, sizeof(bytes));
	str_puts(&line, "\n");
	err = str_failed(&line)
		  ? -ENOMEM
		  : link_keys_parse(&keys, line.s, line.len, &errors);
	if (err == 0 && keys.count != 1)
		status = command_failed(
		    "key", "the name has 1 to 64 letters, digits, and - . _");
	else if (err == 0)
		err = command_file_add(path, &line);
	if (err < 0)
		status = command_failed(path, strerror(-err));
	link_keys_fini(&keys);
	mac_wipe(line.s, line.len);
	str_fini(&line);
	str_fini(&errors);
	return status;
}
