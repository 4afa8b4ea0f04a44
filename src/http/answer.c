#include "http/answer.h"

static const struct row {
	int status;
	unsigned retry_s; /* 0: no Retry-After */
	const char *detail;
} rows[OUTCOME_COUNT] = {
    [OUTCOME_NONE] = {0, 0, ""},
#define OUTCOME(name, status, blame, word, retry, detail)                      \
	[OUTCOME_##name] = {status, retry, detail},
#include "base/outcome.tbl.h"
};

int
answer_status(enum outcome e)
{
	check(e < OUTCOME_COUNT);
	return rows[e].status;
}

/* What stands for the letter after a %; NULL: it is no such letter. */
static const char *
answer_value_of(char letter, const struct answer_context *of)
{
	switch (letter) {
	case 's':
		return of->prefix != NULL ? of->prefix : "";
	case 'l':
		return of->limit != NULL ? of->limit : "the limit";
	case 'n':
		return of->name != NULL ? of->name : "of the file";
	default:
		return NULL;
	}
}

static void
add_detail(struct str *out, const char *detail, const struct answer_context *of)
{
	for (; *detail != '\0'; detail++) {
		const char *value =
		    detail[0] == '%' ? answer_value_of(detail[1], of) : NULL;

		if (value != NULL) {
			str_puts(out, value);
			detail++;
		} else {
			str_add(out, detail, 1);
		}
	}
}

void
answer_problem_as(int status, enum outcome e, const struct answer_context *of,
    struct response *r)
{
	struct str detail = {0};

	check(e < OUTCOME_COUNT);
	add_detail(&detail, rows[e].detail, of);
	response_problem(r, status, "%s", detail.s ? detail.s : "");
	if (rows[e].retry_s > 0)
		response_retry_after(r, rows[e].retry_s);
	r->outcome = e;
	str_fini(&detail);
}

void
answer_problem(
    enum outcome e, const struct answer_context *of, struct response *r)
{
	answer_problem_as(answer_status(e), e, of, r);
}
