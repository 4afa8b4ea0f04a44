/*
 * Names of uploads and where they lead.  A name is accepted if and only if a
 * plain reading of the rules accepts it, and survives being written into a
 * URL and read again.  Then it is opened, checked or not, in a small tree
 * full of symbolic links, by the kernel's walk and by the portable one:
 * nothing outside of the tree is ever reached, and no descriptor is lost.
 */

/* The portable module, under other names, to be held against the other. */
#define path_open portable_open
#define path_open_file portable_open_file
#define path_open_dir portable_open_dir
#define path_walk portable_walk
#define path_climb portable_climb
#define path_check_disk portable_check_disk
#define path_open_parent portable_open_parent
#define path_make_parents portable_make_parents
#define path_sync_dir portable_sync_dir
#define path_sync_file portable_sync_file
#define path_sync_disk portable_sync_disk
#define path_is_removed portable_is_removed
#define path_identity portable_identity
#include "local/path.c"
#include "local/path_posix.c"
#undef path_open
#undef path_open_file
#undef path_open_dir
#undef path_walk
#undef path_climb
#undef path_check_disk
#undef path_open_parent
#undef path_make_parents
#undef path_sync_dir
#undef path_sync_file
#undef path_sync_disk
#undef path_is_removed
#undef path_identity
#undef LOCAL_PATH_H
#include "local/path.h"

#include <ctype.h>
#include <ftw.h>
#include <stdio.h>

#include "upload/names.h"
#include "fuzz.h"

enum knob {
	DOTFILES, /* odd: on */
	OPEN,	  /* the flags, and which walk makes parents */
	KNOBS,
};

/*
 * The tree: top/root is what is served, the rest of top what must not be
 * reached.
 */

static char top[256];
static int root;
static dev_t dev;
static pid_t owner;

/* The inodes beneath top/root, itself included; links are none of them. */
static ino_t inside[32];
static size_t inside_count;

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void
remove_tree(void)
{
	/* libFuzzer forks for a merge. */
	if (getpid() == owner)
		nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
remember(int dir, const char *path)
{
	struct stat st;

	check(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0);
	check(st.st_dev == dev && inside_count < COUNT_OF(inside));
	inside[inside_count++] = st.st_ino;
}

static void
make_dir(int dir, const char *path)
{
	check(mkdirat(dir, path, 0700) == 0);
}

static void
make_file(int dir, const char *path)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	check(fd != -1);
	close(fd);
}

static void
make_outside(int dir)
{
	make_dir(dir, "root");
	make_dir(dir, "outside");
	make_dir(dir, "outside/d");
	make_file(dir, "outside/secret");
	make_file(dir, "outside/d/secret");
	make_file(dir, "secret");
}

static void
make_inside(void)
{
	static const char *const dirs[] = {
	    "d", "d/e", "d/e/d", ".hid", "\xc3\xa4", "a b"};
	static const char *const files[] = {"f", "d/f", "d/e/f", "d/e/d/f",
	    ".hid/x", "\xc3\xa4/\xc3\xb6", "a b/x"};
	const struct {
		const char *to, *name;
	} links[] = {
	    {"d", "link"},
	    {"f", "flink"},
	    {"..", "d/up"},
	    {"../..", "d/upup"},
	    {"../outside", "out"},
	    {"../secret", "d/e/secret"},
	    {top, "abs"},
	    {"nowhere", "dangling"},
	    {"loop", "loop"},
	    {".", "self"},
	    {"/proc/self/root", "magic"},
	};

	remember(root, ".");
	for (size_t i = 0; i < COUNT_OF(dirs); i++) {
		make_dir(root, dirs[i]);
		remember(root, dirs[i]);
	}
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		make_file(root, files[i]);
		remember(root, files[i]);
	}
	check(mkfifoat(root, "fifo", 0600) == 0);
	remember(root, "fifo");
	for (size_t i = 0; i < COUNT_OF(links); i++)
		check(symlinkat(links[i].to, root, links[i].name) == 0);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *tmp = getenv("TMPDIR");
	struct stat st;
	int fd;

	(void)argc;
	(void)argv;
	if (tmp == NULL)
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(top, sizeof(top), "%s/fuzz_paths.XXXXXX", tmp);
	check(mkdtemp(top) != NULL);
	owner = getpid();
	atexit(remove_tree);
	fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(fd != -1);
	make_outside(fd);
	root = openat(fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(root != -1 && fstat(root, &st) == 0);
	dev = st.st_dev;
	make_inside();
	close(fd);
	return 0;
}

/* The descriptor that the next open would give: the same when none is lost. */
static int
next_fd(void)
{
	int fd = dup(STDIN_FILENO);

	check(fd != -1);
	close(fd);
	return fd;
}

/*
 * The rules of names, read plainly.
 */

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) % 16 : -1;
}

/* Decode the escapes; false: a bad one, or one of a slash or a NUL. */
static bool
plain_decode(const char *raw, size_t len, unsigned char *ret, size_t *ret_len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; n++) {
		if (raw[i] != '%') {
			ret[n] = (unsigned char)raw[i++];
		} else {
			int high = len - i > 2 ? hex_digit(raw[i + 1]) : -1;
			int low = len - i > 2 ? hex_digit(raw[i + 2]) : -1;

			if (high < 0 || low < 0 || high * 16 + low == '/')
				return false;
			ret[n] = (unsigned char)(high * 16 + low);
			i += 3;
		}
		if (ret[n] == '\0')
			return false;
	}
	*ret_len = n;
	return true;
}

/* Bytes of the well-formed sequence (Unicode, table 3-7); 0: none. */
static size_t
plain_utf8(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char first, last, low, high; /* of the second byte */
		size_t len;
	} rows[] = {
	    {0x00, 0x7f, 0, 0, 1},
	    {0xc2, 0xdf, 0x80, 0xbf, 2},
	    {0xe0, 0xe0, 0xa0, 0xbf, 3},
	    {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3},
	    {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4},
	    {0xf1, 0xf3, 0x80, 0xbf, 4},
	    {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (s[0] < rows[i].first || s[0] > rows[i].last)
			continue;
		if (len < rows[i].len)
			return 0;
		if (rows[i].len > 1 &&
		    (s[1] < rows[i].low || s[1] > rows[i].high))
			return 0;
		for (size_t j = 2; j < rows[i].len; j++)
			if (s[j] < 0x80 || s[j] > 0xbf)
				return 0;
		return rows[i].len;
	}
	return 0;
}

/* A sign that no name may have: by its bytes. */
static bool
is_unwanted(const unsigned char *s, size_t len)
{
	static const char *const signs[] = {
	    "\xe2\x80\xa8", "\xe2\x80\xa9", /* separators */
	    "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad",
	    "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8",
	    "\xe2\x81\xa9", /* bidirectional */
	    "\xef\xbb\xbf", /* BOM */
	};

	if (len == 1)
		return *s < 0x20 || *s == 0x7f || *s == '\\';
	if (len == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	for (size_t i = 0; len == 3 && i < COUNT_OF(signs); i++)
		if (memcmp(s, signs[i], 3) == 0)
			return true;
	return false;
}

/* `.penstock-` and more, or `.penstock` with nothing but dots and blanks behind
 * it; in whatever case. */
static bool
is_ours(const char *s, size_t len)
{
	static const char own[] = ".penstock";
	size_t i = 0;

	for (; own[i] != '\0'; i++)
		if (i == len || tolower((unsigned char)s[i]) != own[i])
			return false;
	if (i < len && s[i] == '-')
		return true;
	for (; i < len; i++)
		if (s[i] != '.' && s[i] != ' ')
			return false;
	return true;
}

static bool
is_plain_part(const char *s, size_t len, bool dotfiles)
{
	if (len == 0 || len > 255)
		return false;
	if (len <= 2 && memcmp(s, "..", len) == 0)
		return false;
	return !is_ours(s, len) && (s[0] != '.' || dotfiles);
}

/* Whether names.h allows it; `name` has no NUL. */
static bool
is_plain_name(const unsigned char *name, size_t len, bool dotfiles)
{
	const char *s = (const char *)name;
	size_t part = 0, parts = 1, n;

	if (len > FILE_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i += n) {
		n = plain_utf8(name + i, len - i);
		if (n == 0 || is_unwanted(name + i, n))
			return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (s[i] != '/') {
			part++;
			continue;
		}
		if (!is_plain_part(s + i - part, part, dotfiles))
			return false;
		part = 0;
		parts++;
	}
	return parts <= 16 && is_plain_part(s + len - part, part, dotfiles);
}

/* Into a URL and back. */
static void
check_round_trip(const char *name, bool dotfiles)
{
	char again[FILE_NAME_SIZE];
	struct str url = {0};
	const char *why = NULL;
	char *copy;

	names_encode(name, &url);
	check(!str_failed(&url));
	for (size_t i = 0; i < url.len; i++)
		check(url.s[i] > ' ' && url.s[i] < 0x7f &&
		      strchr("\"#?<>[]\\^`{|}", url.s[i]) == NULL);
	copy = fuzz_copy(url.s, url.len);
	check(
	    names_decode(copy, url.len, dotfiles, again, &why) == OUTCOME_NONE);
	check(strcmp(again, name) == 0);
	free(copy);
	str_fini(&url);
}

/* True and the name when it is one. */
static bool
try_name(
    const char *raw, size_t len, bool dotfiles, char ret_name[FILE_NAME_SIZE])
{
	unsigned char *plain = fuzz_alloc(len + 1);
	const char *why = NULL;
	size_t n = 0;
	enum outcome e;
	bool fine;

	fine = plain_decode(raw, len, plain, &n) &&
	       is_plain_name(plain, n, dotfiles);
	memset(ret_name, 0xa5, FILE_NAME_MAX + 1);
	e = names_decode(raw, len, dotfiles, ret_name, &why);
	check(e == OUTCOME_NONE || e == OUTCOME_BAD_NAME ||
	      e == OUTCOME_NAME_TOO_LONG);
	check(fine == (e == OUTCOME_NONE));
	check(fine || why != NULL);
	check(e != OUTCOME_NAME_TOO_LONG || len > FILE_NAME_MAX);
	if (fine) {
		check(strlen(ret_name) == n);
		check(memcmp(ret_name, plain, n) == 0);
		check_round_trip(ret_name, dotfiles);
	}
	free(plain);
	return fine;
}

/*
 * Where names lead.
 */

static bool
is_inside(int fd)
{
	struct stat st;

	check(fstat(fd, &st) == 0);
	for (size_t i = 0; i < inside_count; i++)
		if (st.st_dev == dev && st.st_ino == inside[i])
			return true;
	return false;
}

static bool
is_same(int a, int b)
{
	struct stat x, y;

	check(fstat(a, &x) == 0 && fstat(b, &y) == 0);
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Going up from `fd`, a directory, one comes to the root of the tree. */
static bool
is_beneath(int fd)
{
	int at = dup(fd);
	bool found = false;

	check(at != -1);
	for (unsigned i = 0; i < 600 && !found; i++) {
		int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		found = is_same(at, root);
		close(at);
		at = up;
		check(at != -1);
	}
	close(at);
	return found;
}

/* By both walks; what is no checked name may fail in two ways. */
static void
try_open(const char *path, int flags, bool is_name)
{
	int fd = path_open(root, path, flags);
	int other = portable_open(root, path, flags);

	check(fd < 0 || is_inside(fd));
	check(other < 0 || is_inside(other));
	check((fd < 0) == (other < 0) || !is_name);
	if (fd >= 0 && other >= 0)
		check(is_same(fd, other));
	else if (is_name)
		check(fd == other);
	fd_close(&fd);
	fd_close(&other);
}

/*
 * Remove what path_make_parents() made below the first `depth` bytes.  No
 * directory of the tree itself is empty, so that none of them goes.
 */
static void
remove_made(const char *path, size_t depth)
{
	char *dir = strdup(path), *slash;

	check(dir != NULL);
	while ((slash = strrchr(dir, '/')) != NULL && slash >= dir + depth) {
		*slash = '\0';
		(void)unlinkat(root, dir, AT_REMOVEDIR);
	}
	free(dir);
}

typedef int make_fn(int dir, const char *rest, mode_t mode, int *ret_dir,
    const char **ret_name);

static void
try_make(
    const char *path, bool is_name, int dir, const char *rest, make_fn *make)
{
	const char *name = NULL;
	int made = -1, err;

	err = make(dir == -1 ? root : dir, rest, 0750, &made, &name);
	check(err == 0 || (made == -1 && !is_name));
	if (err == 0) {
		check((made == -1) == (strchr(rest, '/') == NULL));
		check(made == -1 || is_beneath(made));
		check(made == -1 || !is_inside(made) || !is_name);
		check(strchr(name, '/') == NULL);
		check(name + strlen(name) == path + strlen(path));
	}
	fd_close(&made);
	remove_made(path, (size_t)(rest - path));
}

/* What open_parent says, by both walks. */
struct parent {
	int err, dir;
	const char *rest;
};

static void
check_parent(const struct parent *p, const char *path)
{
	check(p->err <= 0);
	if (p->err != 0)
		return;
	check(p->dir >= -1 && (p->dir == -1) == (p->rest == path));
	check(p->dir == -1 || (is_inside(p->dir) && is_beneath(p->dir)));
	check(p->rest == path || p->rest[-1] == '/');
}

static void
try_parent(const char *path, bool is_name, make_fn *make)
{
	struct parent p = {0, -1, NULL}, other = {0, -1, NULL};

	p.err = path_open_parent(root, path, &p.dir, &p.rest);
	other.err = portable_open_parent(root, path, &other.dir, &other.rest);
	check_parent(&p, path);
	check_parent(&other, path);
	check(!is_name || (p.err == other.err && p.rest == other.rest));
	if (p.err == 0)
		try_make(path, is_name, p.dir, p.rest, make);
	fd_close(&p.dir);
	fd_close(&other.dir);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[FILE_NAME_SIZE];
	int flags, before;
	char *raw, *path;
	make_fn *make;
	size_t len;

	if (size < KNOBS)
		return 0;
	len = size - KNOBS;
	raw = fuzz_copy(data + KNOBS, len);
	flags =
	    O_RDONLY | (fuzz_knob(data, OPEN) % 2 ? O_DIRECTORY : O_NONBLOCK);
	make = fuzz_knob(data, OPEN) & 2 ? portable_make_parents
					 : path_make_parents;
	before = next_fd();
	if (try_name(raw, len, fuzz_knob(data, DOTFILES) % 2 == 1, name)) {
		path = fuzz_copy(name, strlen(name) + 1);
		try_open(path, flags, true);
		try_parent(path, true, make);
		free(path);
	}
	/* Whatever the names let through, the walk must hold. */
	path = fuzz_alloc(len + 1);
	if (len > 0)
		memcpy(path, raw, len);
	path[len] = '\0';
	try_open(path, flags, false);
	try_parent(path, false, make);
	free(path);
	free(raw);
	check(next_fd() == before);
	return 0;
}
