#include "json.h"

static void
put_name(struct str *out, const char *name)
{
	str_puts(out, ",\"");
	str_puts(out, name);
	str_puts(out, "\":");
}

void
json_text(struct str *out, const char *name, const char *text, size_t len)
{
	put_name(out, name);
	str_puts(out, "\"");
	str_escape(out, text, len);
	str_puts(out, "\"");
}

void
json_number(struct str *out, const char *name, uint64_t n)
{
	put_name(out, name);
	str_add_u64(out, n);
}

void
json_ms(struct str *out, const char *name, uint64_t ns)
{
	put_name(out, name);
	str_add_ms(out, ns);
}

void
json_null(struct str *out, const char *name)
{
	put_name(out, name);
	str_puts(out, "null");
}
