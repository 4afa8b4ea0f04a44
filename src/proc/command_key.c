#include "command_key.h"

#include <stdlib.h>
#include <string.h>

#include "auth/mac.h"
#include "auth/signed_link.h"
#include "base/str.h"
#include "command_file.h"

/* The line of a new key. */
static void
make_line(const char *name, struct str *line)
{
	unsigned char bytes[MAC_BYTES];

	mac_random(bytes, sizeof(bytes));
	str_printf(line, "%s ", name);
	mac_add_hex(line, bytes, sizeof(bytes));
	mac_wipe(bytes, sizeof(bytes));
	str_puts(line, "\n");
}

/* Would the server take the line in this file?  0, or the status to exit with. */
static int
check_line(const char *path, const struct str *text, const struct str *line)
{
	struct link_keys keys = {0};
	struct str errors = {0};
	int status = 0;
	size_t before;

	if (str_failed(line) || str_failed(text) ||
	    link_keys_parse(&keys, text->s ? text->s : "", text->len, &errors) <
		0)
		status = command_failed("key", "out of memory");
	else if (errors.len > 0)
		status = command_file_refuse(path, "signed_link_keys", &errors);
	before = keys.count;
	if (status == 0 &&
	    (link_keys_parse(&keys, line->s, line->len, &errors) < 0 ||
		keys.count == before))
		status = command_failed("key", command_file_mistake(&errors));
	link_keys_fini(&keys);
	str_fini(&errors);
	return status;
}

int
command_key(const struct command_words *w, const struct config *conf)
{
	const char *path = w->word[0], *why;
	struct str line = {0}, text = {0};
	int status, err;

	(void)conf;
	make_line(w->word[1], &line);
	why = command_file_read(path, &text);
	status = why != NULL ? command_failed(path, why)
			     : check_line(path, &text, &line);
	if (status == 0) {
		err = command_file_add(path, &line, w->first);
		if (err < 0)
			status = command_failed(path, strerror(-err));
	}
	mac_wipe(line.s, line.len);
	str_fini(&line);
	if (text.s != NULL)
		mac_wipe(text.s, text.len);
	str_fini(&text);
	return status;
}
