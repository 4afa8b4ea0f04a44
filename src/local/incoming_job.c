#include "incoming_job.h"

#include <stdlib.h>

enum {
	SPARE_MAX = 64,
};

void
incoming_jobs_init(struct incoming_jobs *all)
{
	list_init(&all->spare);
	all->count = 0;
}

void
incoming_jobs_fini(struct incoming_jobs *all)
{
	struct list_node *n;

	while ((n = list_shift(&all->spare)) != NULL)
		free(container_of(n, struct incoming_job, spare));
	all->count = 0;
}

struct incoming_job *
incoming_job_take(struct incoming_jobs *all, struct incoming_file *file)
{
	struct list_node *n = list_shift(&all->spare);
	struct incoming_job *j;

	if (n != NULL) {
		all->count--;
		j = container_of(n, struct incoming_job, spare);
	} else if ((j = malloc(sizeof(*j))) == NULL) {
		return NULL;
	}
	j->op.in_flight = false;
	j->file = file;
	j->follower = (struct reopen_follower){0};
	j->spare = (struct list_node){0};
	commit_init(&j->commit);
	return j;
}

void
incoming_job_give(struct incoming_jobs *all, struct incoming_job **jp)
{
	struct incoming_job *j = *jp;

	*jp = NULL;
	if (j == NULL)
		return;
	check(!j->op.in_flight);
	free(j->commit.old);
	j->commit.old = NULL;
	if (all->count == SPARE_MAX) {
		free(j);
		return;
	}
	all->count++;
	list_prepend(&all->spare, &j->spare);
}
