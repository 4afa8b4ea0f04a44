/*
 * config/choices.h - the choices of the configuration that other rooms act on,
 * as the directive table stores them: the index of the word.
 */
#ifndef CONFIG_CHOICES_H
#define CONFIG_CHOICES_H

/* `io_engine`: what writes files. */
enum conf_engine {
	ENGINE_AUTO, /* the ring when this kernel lets us, else threads */
	ENGINE_IO_URING,
	ENGINE_THREADS,
};

/* `direct_io`: when to write past the page cache (O_DIRECT). */
enum conf_direct {
	DIRECT_AUTO, /* where it pays */
	DIRECT_ON,   /* wherever the file system lets us */
	DIRECT_OFF,
};

/* `keep`: which uploads stay. */
enum conf_keep {
	KEEP_ALL,
	KEEP_LATEST, /* each new one removes the one before */
};

#endif
