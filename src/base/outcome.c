#include "base/outcome.h"

#include "base/check.h"

static const struct row {
	enum blame blame;
	const char *word;
} rows[OUTCOME_COUNT] = {
    [OUTCOME_NONE] = {BLAME_NOBODY, "-"},
#define OUTCOME(name, status, blame, word, retry, detail)                      \
	[OUTCOME_##name] = {BLAME_##blame, word},
#include "base/outcome.tbl.h"
};

enum blame
outcome_blame(enum outcome e)
{
	check(e < OUTCOME_COUNT);
	return rows[e].blame;
}

const char *
outcome_word(enum outcome e)
{
	check(e < OUTCOME_COUNT);
	return rows[e].word;
}
