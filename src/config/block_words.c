#include "config/block_words.h"

#include "base/method_set.h"
#include "config/prefix.h"

bool
block_words_prefix(const struct token *t, struct str *errors)
{
	struct str why = {0};
	int err = prefix_check(t->text, &why);

	if (str_failed(&why))
		errors->failed = true;
	else if (err < 0)
		lexer_mistake(errors, &t->at, "location", "%s", why.s);
	str_fini(&why);
	return err == 0;
}

bool
block_words_methods(const struct token *words, size_t count, unsigned *ret_set,
    struct str *errors)
{
	struct str known = {0};

	for (size_t i = 0; i < count; i++) {
		unsigned one = method_set_find(words[i].text, words[i].len);

		*ret_set |= one;
		if (one != 0)
			continue;
		method_set_known(&known);
		lexer_mistake(errors, &words[i].at, "limit_except",
		    "this is no method; allowed: %s",
		    str_failed(&known) ? "GET" : known.s);
		str_fini(&known);
		return false;
	}
	return true;
}
