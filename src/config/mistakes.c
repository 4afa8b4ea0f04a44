#include "config/mistakes.h"

#include <stdio.h>

#include "config/hints.h"

/* It is another server's name. */
static void
tell_hint(struct str *errors, const struct token *name, const struct hint *h)
{
	struct str text = {0};

	hints_say(h, &text);
	if (str_failed(&text))
		errors->failed = true;
	else
		lexer_mistake(errors, &name->at, name->text, "%s", text.s);
	str_fini(&text);
}

void
mistakes_unknown(
    struct str *errors, const struct token *name, enum directives_block block)
{
	const struct hint *h = hints_find(name->text);
	const struct directive *d = directives_nearest(name->text, block);
	struct str where = {0};

	if (h != NULL) {
		tell_hint(errors, name, h);
	} else if (d == NULL) {
		lexer_mistake(
		    errors, &name->at, name->text, "no such directive");
	} else if (directives_is_allowed(d, block)) {
		lexer_mistake(errors, &name->at, name->text,
		    "no such directive; did you mean %s?", d->name);
	} else {
		directives_where(d, &where);
		lexer_mistake(errors, &name->at, name->text,
		    "no such directive; did you mean %s, which is allowed %s?",
		    d->name, str_failed(&where) ? "elsewhere" : where.s);
		str_fini(&where);
	}
}

void
mistakes_misplaced(struct str *errors, const struct conf_place *at,
    const struct directive *d, enum directives_block block)
{
	struct str where = {0};

	directives_where(d, &where);
	lexer_mistake(errors, at, d->name, "not allowed %s; allowed %s",
	    directives_block_text[block],
	    str_failed(&where) ? "elsewhere" : where.s);
	str_fini(&where);
}

void
mistakes_count(struct str *errors, const struct conf_place *at,
    const struct directive *d, size_t count)
{
	static const char *const few[] = {
	    "no value", "one value", "one or two values"};
	size_t max = directives_values_max(d);
	struct str allowed = {0};
	char many[32];

	snprintf(many, sizeof(many), "1 to %zu values", max);
	directives_allowed(d, &allowed);
	if (str_failed(&allowed))
		errors->failed = true;
	else if (count == 0)
		lexer_mistake(errors, at, d->name,
		    "a value is missing; allowed: %s", allowed.s);
	else
		lexer_mistake(errors, at, d->name,
		    "takes %s, %zu given; allowed: %s",
		    max < COUNT_OF(few) ? few[max] : many, count, allowed.s);
	str_fini(&allowed);
}
