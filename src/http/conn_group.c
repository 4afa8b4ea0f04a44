#include "base/fd.h"
#include "conn_internal.h"
#include "stat/tally.h"

/*
 * Count the connection of `peer`, if that is limited.  Of those beyond the
 * limit as many again are told so, which takes a second each; more are not
 * even told.  False: close it.
 */
static bool
admit(struct conn_group *g, const struct addr *peer, tally_place *ret_place,
    bool *ret_turned_away)
{
	uint64_t max = g->conf->max_connections_per_ip;
	unsigned char network[8];
	size_t len = max > 0 ? addr_network(peer, network) : 0;

	*ret_place = 0;
	*ret_turned_away = false;
	if (len == 0 ||
	    tally_enter(&g->served, network, len, max, ret_place) != TALLY_FULL)
		return true;
	*ret_turned_away = true;
	return tally_enter(&g->turned_away, network, len, max, ret_place) !=
	       TALLY_FULL;
}

void
conn_open(struct conn_group *g, int fd, const struct addr *peer)
{
	bool turned_away;
	tally_place place;

	if (!admit(g, peer, &place, &turned_away)) {
		fd_close(&fd);
	} else if (conn_begin(g, fd, peer, place, turned_away) < 0) {
		tally_leave(&g->served, &place);
		fd_close(&fd);
	}
}

void
conn_group_stop(struct conn_group *g)
{
	struct list_node *n, *tmp;

	g->stopping = true;
	LIST_EACH(&g->conns, n, tmp)
	conn_hurry(n);
}

void
conn_group_drop(struct conn_group *g)
{
	struct list_node *n, *tmp;

	g->stopping = true;
	LIST_EACH(&g->conns, n, tmp)
	conn_drop(n);
}
