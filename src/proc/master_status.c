/*
 * What the master tells people who look, and by itself.
 */
#include "master_internal.h"

enum {
	DAY_S = 24 * 3600,
};

void
master_tell_ready(struct master *m, unsigned generation)
{
	notify_ready(&m->notify, "serving: generation %u, %u workers",
	    generation, (unsigned)(*m->conf)->worker_processes);
}

void
master_tell_status(struct master *m)
{
	static const char *const word[] = {
	    [MASTER_RUNNING] = "running",
	    [MASTER_DELAYING] = "draining",
	    [MASTER_FINISHING] = "finishing",
	    [MASTER_STOPPING] = "stopping",
	    [MASTER_KILLING] = "stopping",
	};
	const char *what =
	    m->paused && m->phase == MASTER_RUNNING ? "paused" : word[m->phase];
	unsigned generation = m->status.generation;

	if (children_are_ready(&m->children, m->generation))
		generation = m->generation;
	if (generation == 0 && m->phase == MASTER_RUNNING)
		return; /* it is starting still */
	if (generation == m->status.generation && what == m->told)
		return;
	if (generation != m->status.generation)
		master_tell_ready(m, generation);
	m->told = what;
	status_say(&m->status, what, generation, &m->certificates);
}

void
master_look_at_certificates(struct master *m)
{
	uint64_t now = clock_mono_ns();

	if (m->certificates.term_count == 0)
		return;
	if (m->look_ns != 0 && now >= m->look_ns)
		certificates_look(&m->certificates);
	if (m->look_ns == 0 || now >= m->look_ns)
		m->look_ns = now + DAY_S * NS_PER_S;
}
