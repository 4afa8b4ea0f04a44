#include "config/networks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
networks_add(
    struct conf_networks *n, const char *text, bool allow, const char **ret_why)
{
	struct conf_network *grown, one = {.allow = allow};
	int err = cidr_parse(text, &one.net, ret_why);

	if (err < 0)
		return err;
	grown = realloc(n->list, (n->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	n->list = grown;
	grown[n->count++] = one;
	return 0;
}

int
networks_copy(struct conf_networks *to, const struct conf_networks *from)
{
	if (from->count == 0)
		return 0;
	to->list = malloc(from->count * sizeof(*to->list));
	if (to->list == NULL)
		return -ENOMEM;
	memcpy(to->list, from->list, from->count * sizeof(*to->list));
	to->count = from->count;
	return 0;
}

void
networks_clear(struct conf_networks *n)
{
	free(n->list);
	*n = (struct conf_networks){0};
}

const struct conf_network *
networks_find(const struct conf_networks *n, const struct addr *a)
{
	for (size_t i = 0; i < n->count; i++)
		if (cidr_contains(&n->list[i].net, a))
			return &n->list[i];
	return NULL;
}

bool
networks_format(const struct conf_networks *n, struct str *out)
{
	char text[CIDR_TEXT_MAX];

	for (size_t i = 0; i < n->count; i++) {
		cidr_format(&n->list[i].net, text);
		str_puts(out, i > 0 ? " " : "");
		str_puts(out, text);
	}
	return n->count > 0;
}
