#include "incoming_job.h"

#include <stdlib.h>

struct incoming_job *
incoming_job_take(struct spare *jobs, struct incoming_file *file)
{
	struct incoming_job *j = spare_take(jobs);

	if (j == NULL)
		return NULL;
	j->op.in_flight = false;
	j->file = file;
	j->small_since = 0;
	j->follower = (struct reopen_follower){0};
	commit_init(&j->commit);
	return j;
}

void
incoming_job_give(struct spare *jobs, struct incoming_job **jp)
{
	struct incoming_job *j = *jp;

	*jp = NULL;
	if (j == NULL)
		return;
	check(!j->op.in_flight);
	free(j->commit.old);
	spare_give(jobs, j);
}
