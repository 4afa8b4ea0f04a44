#include "base/object_info.h"

#include "base/clock.h"

/* The first second of the year 1601, for older dates are not read either
 * (clock_parse_http()), and of the year 10000. */
#define YEAR_1601 INT64_C(-11644473600)
#define YEAR_10000 INT64_C(253402300800)

bool
object_info_date(const struct object_info *o, time_t *ret)
{
	time_t now = clock_wall_s(); /* as Date does */

	if (o->modified_s < YEAR_1601 || o->modified_s >= YEAR_10000)
		return false;
	*ret = o->modified_s < now ? (time_t)o->modified_s : now;
	return true;
}
