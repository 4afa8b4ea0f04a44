/*
 * config/place.h - where something stands in the configuration.
 */
#ifndef CONFIG_PLACE_H
#define CONFIG_PLACE_H

/* Where a directive stands, for messages after parsing.  A field x_at is the place of
 * the line that set the field x; line 0: it has its default. */
struct conf_place {
	const char *file; /* owned by the config */
	unsigned line, column;
};

#endif
