#include "http/admission.h"

#include <inttypes.h>

#include "base/log.h"
#include "config/config.h"

/* The table of counts is too small for all these addresses. */
static void
log_crowded(void)
{
	static struct log_limit limit;

	if (log_allowed(&limit))
		log_warn("max_connections_per_ip: no room to count some "
			 "addresses: restart, if worker_connections was raised "
			 "since the start");
}

/* A connection that is closed without a response shows up nowhere else. */
static void
log_closed(const struct admission *a, const struct addr *peer)
{
	static struct log_limit limit;
	char text[ADDR_TEXT_MAX];

	if (!log_allowed(&limit))
		return;
	addr_format(peer, text);
	log_warn("max_connections_per_ip %" PRIu64
		 ": twice as many come from %s: closing the rest",
	    a->conf->max_connections_per_ip, text);
}

enum admission_answer
admission_enter(
    const struct admission *a, const struct addr *peer, limits_entry *ret_place)
{
	uint64_t max = a->conf->max_connections_per_ip;
	enum admission_answer answer = ADMISSION_SERVED;
	enum limits_answer counted = LIMITS_COUNTED;
	unsigned char network[8];
	size_t len = max > 0 ? addr_network(peer, network) : 0;

	*ret_place = 0;
	if (len > 0)
		counted =
		    limits_enter(&a->served, network, len, max, ret_place);
	if (counted == LIMITS_FULL) {
		answer = ADMISSION_REJECTED;
		counted =
		    limits_enter(&a->rejected, network, len, max, ret_place);
	}
	if (counted == LIMITS_CROWDED)
		log_crowded();
	if (counted == LIMITS_FULL) {
		answer = ADMISSION_CLOSED;
		log_closed(a, peer);
	}
	return answer;
}

bool
admission_retry(
    const struct admission *a, const struct addr *peer, limits_entry *place)
{
	unsigned char network[8];
	size_t len = addr_network(peer, network);
	limits_entry served;

	if (limits_enter(&a->served, network, len,
		a->conf->max_connections_per_ip, &served) == LIMITS_FULL)
		return false;
	limits_leave(a->served.limits, place);
	*place = served;
	return true;
}

void
admission_leave(const struct admission *a, limits_entry *place)
{
	limits_leave(a->served.limits, place);
}
