/*
 * load - make HTTP uploads, faster than any server can take them; downloads,
 * too.
 *
 *	load [options] HOST:PORT|unix:PATH
 *
 *	-c N        connections (1)
 *	-s SIZE     bytes of each body: 4k, 256k, 16m, 2g (4k)
 *	-n N        stop after N requests
 *	-d S        start no request after S seconds; without -n and -d: 10
 *	-g S        grace: what runs S seconds after that is cut off and counted
 *	            as hung (10); with -n alone, all must be done in 60 + S
 *	-m METHOD   PUT, POST, GET or HEAD (PUT); GET and HEAD send no body, and
 *	            read what they are answered
 *	-u URL      request target; %d becomes a number not used before
 *	            (/file/load-%d)
 *	-N NAMES    ... one of 0 to NAMES - 1, one after the other, round and
 *	            round: names that are replaced
 *	-U FILE     ... instead of -u: each line of the file is one, round and
 *	            round
 *	-a          send a small body apart from its head, as most clients do
 *	-b SIZE     bodies come from so much memory, each from another place of
 *	            it (1m, or the body's own size); more than the processor's
 *	            caches hold, and the server copies from memory
 *	-H LINE     one more header line; several are sent all
 *	-R          each upload is a creation of tus, a POST to -u without a body,
 *	            and a PATCH with the body to what that has as Location, by
 *	            the same connection; its latency is that of both
 *	-F          each body is sent as the only file of a form
 *	            (multipart/form-data): its name is the last part of -u, what
 *	            is before that is the target
 *	-r RATE     bytes per second that each connection sends (0: any); what
 *	            could not be sent in time is made up for
 *	-l          ... is not, as on a link of that rate; and little is on the
 *	            way: with unix:PATH, 128 KiB in the kernel, with TCP also what
 *	            the server's receive buffer has
 *	-S          over TLS (load_tls.h)
 *	-E FILE     ... with this certificate of the client and its key, in one
 *	            PEM file
 *	-i MS       a connection starts a request every MS, or later (0)
 *	-T N        threads (1)
 *	--json      print one JSON object instead of text
 *	--allow-errors   exit 0 whatever was answered
 *
 * A chunked answer is taken for an empty one, as @tus/server has them.
 *
 * A connection is kept for as long as the server does, and replaced when it
 * is closed.  Latency is from the first byte out (for a new connection: from
 * the connect) to the last byte of the answer.  An answer that comes before
 * the body is sent counts, and ends the connection.  Errors are:
 *
 *	connect   the connection was refused
 *	reset     ... was reset, before or within the answer
 *	short     ... was closed before the answer was whole
 *	bad       the answer was not HTTP, or its end cannot be told
 *	hung      there was no answer when time was up
 *
 * Exit status: 0 when all answers were 2xx and there was no error, 1 when not,
 * 2 for wrong usage.
 *
 * What makes it cheap: bodies are sent by sendfile() from memory (small ones
 * with their head in one send), watchers are edge-triggered and set once, and
 * nothing is allocated per request.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "load_tls.h"

enum {
	HEAD_MAX = 2048,
	ANSWER_MAX = 16384,    /* head of an answer; bodies are dropped */
	SMALL_MAX = 64 * 1024, /* bodies sent from a buffer */
	MEMORY_MAX = 1 << 20,  /* a longer body repeats this much */
	DROP_MAX = 256 * 1024, /* of an answer's body, by one recv */
	EVENTS_MAX = 256,
	STATUS_MAX = 600,
	PACE_MS = 5,
	FINE_BITS = 7, /* 128 steps for each power of 2: under 1 % */
	FINE = 1 << FINE_BITS,
	BUCKETS = (64 - FINE_BITS) * FINE,
	RETRY_MS = 10,	    /* after a refused connection */
	LINK_SLACK_MS = 20, /* what a link makes up for: we may be late */
	LINK_BUFFER = 64 * 1024,
	LOCATION_MAX = 512,
};

#define BOUNDARY "load-has-no-such-line"
/* What stands behind the file of a form. */
static const char form_end[] = "\r\n--" BOUNDARY "--\r\n";
static const char empty_chunk[] = "0\r\n\r\n";

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

enum error { CONNECT, RESET, SHORT, BAD, HUNG, ERROR_COUNT };

static const char *const error_name[ERROR_COUNT] = {
    [CONNECT] = "connect",
    [RESET] = "reset",
    [SHORT] = "short",
    [BAD] = "bad",
    [HUNG] = "hung",
};

/* What was asked for; it does not change once threads run. */
static struct {
	struct sockaddr_storage addr;
	socklen_t addr_len;
	const char *host;
	const char *method, *url, *pair;
	char lines[HEAD_MAX / 2]; /* of -H */
	char **urls;		  /* of -U, `names` of them; NULL: none */
	SSL_CTX *tls;		  /* NULL: plain */
	uint64_t size, requests, rate, interval_ms, names, memory;
	unsigned connections, threads;
	double seconds, grace;
	bool json, allow_errors, link, apart, reads, over_tls, resumable, form;
	int64_t start, stop_at, deadline;
	int body_fd;	  /* the memory that bodies are sent from ... */
	size_t body_len;  /* ... this much, over and over */
	const char *body; /* the same, mapped */
} want = {
    .method = "PUT",
    .url = "/file/load-%d",
    .size = 4096,
    .connections = 1,
    .threads = 1,
    .grace = 10,
};

static atomic_uint_fast64_t next_number;

/* What one thread has seen; summed at the end. */
struct tally {
	uint64_t answers, ok, bytes;
	uint64_t errors[ERROR_COUNT];
	uint64_t status[STATUS_MAX];
	uint64_t latency[BUCKETS];
	int64_t latency_max, last_answer_at;
};

enum state {
	IDLE,	 /* no socket, nothing to do any more */
	RETRY,	 /* no socket; connect again at `due` */
	SENDING, /* connecting, or the request is not out yet */
	WAITING, /* for the answer */
	RESTING, /* answered; the next request begins at `due` */
};

struct conn {
	enum state state;
	int fd;
	SSL *ssl;      /* NULL: plain */
	int64_t began; /* this request */
	int64_t due;   /* paced: when more may be sent, or begun */
	size_t head_len, head_sent;
	uint64_t body_from; /* where in the memory the body begins */
	uint64_t body_sent;
	size_t end_sent;      /* of form_end */
	size_t answer_len;    /* bytes of head held in `answer` */
	uint64_t answer_size; /* bytes of body */
	uint64_t answer_due;  /* ... still to come */
	int status;	      /* 0: the head is not whole yet */
	bool close_after;
	bool creates; /* this request has no body, and the next one goes on */
	char location[LOCATION_MAX]; /* of the answer to that; empty: none */
	char head[HEAD_MAX + SMALL_MAX];
	char answer[ANSWER_MAX + 1];
};

struct thread {
	pthread_t id;
	int epoll;
	unsigned conn_count, busy;
	struct conn *conns;
	struct tally tally;
	char drop[DROP_MAX];
};

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void NORETURN
fatal(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the tally */

/* Steps of equal size up to 2 * FINE, then FINE steps per power of two. */
static unsigned
bucket_of(uint64_t v)
{
	unsigned shift;

	if (v < 2 * FINE)
		return (unsigned)v;
	shift = (unsigned)(63 - __builtin_clzll(v)) - FINE_BITS;
	return shift * FINE + (unsigned)(v >> shift);
}

/* The middle of what is counted in bucket `i`. */
static double
bucket_value(unsigned i)
{
	unsigned shift;

	if (i < 2 * FINE)
		return i;
	shift = i / FINE - 1;
	return ((double)(i - shift * FINE) + 0.5) * (double)(1ULL << shift);
}

static void
count_answer(struct tally *t, const struct conn *c)
{
	int64_t now = now_ns(), took = now - c->began;

	t->answers++;
	t->bytes += want.reads ? c->answer_size : c->body_sent;
	t->status[c->status]++;
	if (c->status >= 200 && c->status < 300)
		t->ok++;
	t->latency[bucket_of((uint64_t)took)]++;
	if (took > t->latency_max)
		t->latency_max = took;
	t->last_answer_at = now;
}

/* The latency that a share `p` of the answers did not exceed, in ms. */
static double
percentile(const struct tally *t, double p)
{
	uint64_t wanted = (uint64_t)((double)t->answers * p), seen = 0;
	unsigned i;

	for (i = 0; i < BUCKETS; i++) {
		seen += t->latency[i];
		if (t->latency[i] > 0 && seen >= wanted)
			return bucket_value(i) / NS_PER_MS;
	}
	return 0;
}

static void
add_tally(struct tally *sum, const struct tally *t)
{
	unsigned i;

	sum->answers += t->answers;
	sum->ok += t->ok;
	sum->bytes += t->bytes;
	for (i = 0; i < ERROR_COUNT; i++)
		sum->errors[i] += t->errors[i];
	for (i = 0; i < STATUS_MAX; i++)
		sum->status[i] += t->status[i];
	for (i = 0; i < BUCKETS; i++)
		sum->latency[i] += t->latency[i];
	if (t->latency_max > sum->latency_max)
		sum->latency_max = t->latency_max;
	if (t->last_answer_at > sum->last_answer_at)
		sum->last_answer_at = t->last_answer_at;
}

/* ---- requests */

/* Bytes of the body of this request. */
static uint64_t
size_of(const struct conn *c)
{
	return c->creates ? 0 : want.size;
}

/* Bytes of the body that stand behind the head, and go out with it. */
static size_t
body_in_head(const struct conn *c)
{
	bool small = want.size <= SMALL_MAX && want.rate == 0;

	return small && !want.apart ? (size_t)size_of(c) : 0;
}

/* Put the small body behind the head. */
static void
add_body(struct conn *c)
{
	size_t n = body_in_head(c);

	memcpy(c->head + c->head_len, want.body, n);
	c->head_len += n;
}

/* The head of a form to the directory of `target`, and what stands before its file. */
static void
write_form(struct conn *c, const char *target)
{
	const char *name = strrchr(target, '/') + 1;
	char before[HEAD_MAX];
	int n = snprintf(before, sizeof(before),
	    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; "
	    "filename=\"%s\"\r\nContent-Type: application/octet-stream\r\n\r\n",
	    name);

	n = snprintf(c->head, HEAD_MAX,
	    "%s %.*s HTTP/1.1\r\nHost: %s\r\n"
	    "Content-Type: multipart/form-data; boundary=" BOUNDARY
	    "\r\nContent-Length: %" PRIu64 "\r\n%s\r\n%s",
	    want.method, (int)(name - target), target, want.host,
	    (uint64_t)n + want.size + sizeof(form_end) - 1, want.lines, before);
	c->head_len = (size_t)n;
	add_body(c);
}

/* The second request of a resumable upload. */
static void
write_append(struct conn *c)
{
	c->head_len = (size_t)snprintf(c->head, HEAD_MAX,
	    "PATCH %s HTTP/1.1\r\nHost: %s\r\nTus-Resumable: 1.0.0\r\n"
	    "Upload-Offset: 0\r\nContent-Type: "
	    "application/offset+octet-stream\r\nContent-Length: %" PRIu64
	    "\r\n%s\r\n",
	    c->location, want.host, want.size, want.lines);
	add_body(c);
}

/* The target of request `number`. */
static void
write_target(char target[HEAD_MAX], uint64_t number)
{
	const char *url =
	    want.urls != NULL ? want.urls[number % want.names] : want.url;
	const char *mark = want.urls != NULL ? NULL : strstr(url, "%d");

	if (mark == NULL)
		snprintf(target, HEAD_MAX, "%s", url);
	else
		snprintf(target, HEAD_MAX, "%.*s%" PRIu64 "%s",
		    (int)(mark - url), url,
		    want.names > 0 ? number % want.names : number, mark + 2);
}

/* Write the head of request `number` into c->head, a small body behind it. */
static void
write_head(struct conn *c, uint64_t number)
{
	char target[HEAD_MAX], length[128] = "";

	write_target(target, number);
	if (want.form) {
		write_form(c, target);
		return;
	}
	if (c->creates)
		snprintf(length, sizeof(length),
		    "Tus-Resumable: 1.0.0\r\nUpload-Length: %" PRIu64
		    "\r\nContent-Length: 0\r\n",
		    want.size);
	else if (!want.reads)
		snprintf(length, sizeof(length),
		    "Content-Length: %" PRIu64 "\r\n", want.size);
	c->head_len = (size_t)snprintf(c->head, HEAD_MAX,
	    "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n",
	    c->creates ? "POST" : want.method, target, want.host, length,
	    want.lines);
	add_body(c);
}

static void
drop(struct thread *t, struct conn *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
	close(c->fd);
	c->fd = -1;
	c->state = IDLE;
	t->busy--;
}

/* Take the next request's number; false when no more are to be started. */
static bool
next_request(uint64_t *ret_number)
{
	if (now_ns() >= want.stop_at)
		return false;
	*ret_number = atomic_fetch_add(&next_number, 1);
	return want.requests == 0 || *ret_number < want.requests;
}

static void send_more(struct thread *t, struct conn *c);
static bool receive_more(struct thread *t, struct conn *c);

/* Nothing of the request is sent yet. */
static void
rewind_request(struct conn *c)
{
	c->head_sent = 0;
	c->body_sent = 0;
	c->end_sent = 0;
	c->answer_len = 0;
	c->answer_size = 0;
	c->answer_due = 0;
	c->status = 0;
	c->state = SENDING;
}

/* Start the next request on a connection that is open, or being opened. */
static void
begin(struct conn *c, uint64_t number)
{
	c->began = c->due = now_ns();
	c->body_from = want.memory == 0
			   ? 0
			   : number % (want.body_len / MEMORY_MAX) * MEMORY_MAX;
	c->creates = want.resumable;
	c->location[0] = '\0';
	rewind_request(c);
	write_head(c, number);
}

/* The request is over without an answer. */
static void
fail(struct thread *t, struct conn *c, enum error e)
{
	t->tally.errors[e]++;
	drop(t, c);
	c->state = RETRY;
	c->due = now_ns() + RETRY_MS * NS_PER_MS;
}

/* Open a connection for the next request, if there is one. */
static void
start(struct thread *t, struct conn *c)
{
	struct epoll_event ev = {
	    .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
	uint64_t number;
	int one = 1, buffer = LINK_BUFFER;

	if (!next_request(&number))
		return;
	c->fd = socket(
	    want.addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		fatal("socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (want.link)
		setsockopt(
		    c->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	c->close_after = false;
	t->busy++;
	begin(c, number);
	if (connect(c->fd, (struct sockaddr *)&want.addr, want.addr_len) ==
		-1 &&
	    errno != EINPROGRESS) {
		fail(t, c, CONNECT);
		return;
	}
	if (want.tls != NULL) {
		c->ssl = tls_open(want.tls, c->fd);
		if (c->ssl == NULL)
			fatal("TLS");
	}
	if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		fatal("epoll_ctl");
}

/* The next request on a connection that is open. */
static void
go_on(struct thread *t, struct conn *c)
{
	uint64_t number;

	if (!next_request(&number)) {
		drop(t, c);
		return;
	}
	begin(c, number);
	send_more(t, c);
}

/* The upload was created: its bytes are next. */
static void
append(struct thread *t, struct conn *c)
{
	c->creates = false;
	rewind_request(c);
	write_append(c);
	send_more(t, c);
}

/* The answer is whole: count it and go on with the next request. */
static void
finish(struct thread *t, struct conn *c)
{
	bool over = c->close_after || c->state == SENDING;

	if (c->creates && !over && c->status == 201 && c->location[0] != '\0') {
		append(t, c);
		return;
	}
	count_answer(&t->tally, c);
	if (over)
		drop(t, c);
	if (want.interval_ms > 0) {
		c->state = over ? RETRY : RESTING;
		c->due = c->began + (int64_t)want.interval_ms * NS_PER_MS;
	} else if (over) {
		start(t, c);
	} else {
		go_on(t, c);
	}
}

/* ---- sending */

/* Where in the memory the next byte of the body is. */
static off_t
body_at(const struct conn *c)
{
	return (off_t)((c->body_from + c->body_sent) % want.body_len);
}

/* How much of the body may be sent now; 0: wait until c->due. */
static size_t
allowance(struct conn *c)
{
	uint64_t left = size_of(c) - c->body_sent;
	size_t at = (size_t)body_at(c);
	size_t n = want.body_len - at, slice;
	int64_t now;

	if (n > left)
		n = (size_t)left;
	if (want.rate == 0)
		return n;
	now = now_ns();
	if (now < c->due)
		return 0;
	if (want.link && c->due < now - LINK_SLACK_MS * NS_PER_MS)
		c->due = now - LINK_SLACK_MS * NS_PER_MS;
	slice = (size_t)(want.rate / (want.link ? 200 : 20) + 1);
	return n < slice ? n : slice;
}

/* Send part of the body: what send() returns, or 0 when paced. */
static ssize_t
send_body(struct conn *c)
{
	size_t n = allowance(c);
	off_t at = body_at(c);
	ssize_t sent;

	if (n == 0)
		return 0;
	sent = c->ssl != NULL ? tls_send(c->ssl, want.body + at, n)
			      : sendfile(c->fd, want.body_fd, &at, n);
	if (sent > 0) {
		c->body_sent += (uint64_t)sent;
		if (want.rate > 0)
			c->due += sent * NS_PER_S / (int64_t)want.rate;
	}
	return sent;
}

static ssize_t
send_head(struct conn *c)
{
	const char *from = c->head + c->head_sent;
	size_t len = c->head_len - c->head_sent;
	int flags = MSG_NOSIGNAL;
	ssize_t n;

	if ((body_in_head(c) < size_of(c) || want.form) && !want.apart)
		flags |= MSG_MORE;
	n = c->ssl != NULL ? tls_send(c->ssl, from, len)
			   : send(c->fd, from, len, flags);
	if (n > 0)
		c->head_sent += (size_t)n;
	if (c->head_sent == c->head_len)
		c->body_sent = body_in_head(c);
	return n;
}

static ssize_t
send_end(struct conn *c)
{
	const char *from = form_end + c->end_sent;
	size_t len = sizeof(form_end) - 1 - c->end_sent;
	ssize_t n = c->ssl != NULL ? tls_send(c->ssl, from, len)
				   : send(c->fd, from, len, MSG_NOSIGNAL);

	if (n > 0)
		c->end_sent += (size_t)n;
	return n;
}

/* Send until the socket is full or the request is out. */
static void
send_more(struct thread *t, struct conn *c)
{
	ssize_t n;

	while (c->state == SENDING) {
		if (c->head_sent < c->head_len)
			n = send_head(c);
		else if (c->body_sent < size_of(c))
			n = send_body(c);
		else if (want.form && c->end_sent < sizeof(form_end) - 1)
			n = send_end(c);
		else {
			c->state = WAITING;
			return;
		}
		if (n > 0)
			continue;
		if (n == 0 || errno == EAGAIN || errno == ENOTCONN)
			return;
		/* An answer may have come before the reset. */
		if (!receive_more(t, c))
			fail(t, c, RESET);
		return;
	}
}

/* ---- receiving */

/* Keep the path of a Location. */
static void
keep_location(struct conn *c, const char *value)
{
	const char *scheme = strstr(value, "://");
	size_t len = strcspn(value, "\r\n");

	if (scheme != NULL && scheme < value + len) {
		scheme += 3 + strcspn(scheme + 3, "/\r");
		len -= (size_t)(scheme - value);
		value = scheme;
	}
	if (len < LOCATION_MAX)
		snprintf(c->location, LOCATION_MAX, "%.*s", (int)len, value);
}

/*
 * Read the head of an answer, ended at `end`: status, and how much body
 * follows.  False when that cannot be told.
 */
static bool
parse_head(struct conn *c, const char *end)
{
	const char *line = c->answer, *value;
	bool sized = false;

	if (sscanf(line, "HTTP/1.%*1[01] %3d", &c->status) != 1 ||
	    c->status < 100 || c->status >= STATUS_MAX)
		return false;
	if (strncmp(line, "HTTP/1.0", 8) == 0)
		c->close_after = true;
	while ((line = strstr(line, "\r\n")) != NULL && line < end) {
		line += 2;
		value = strchr(line, ':');
		if (value == NULL)
			break;
		value += 1 + strspn(value + 1, " \t");
		if (strncasecmp(line, "Content-Length:", 15) == 0) {
			c->answer_size = strtoull(value, NULL, 10);
			sized = true;
		} else if (strncasecmp(line, "Transfer-Encoding:", 18) == 0) {
			c->answer_size = sizeof(empty_chunk) - 1;
			sized = true;
		} else if (strncasecmp(line, "Location:", 9) == 0) {
			keep_location(c, value);
		} else if (strncasecmp(line, "Connection:", 11) == 0 &&
			   strncasecmp(value, "close", 5) == 0) {
			c->close_after = true;
		}
	}
	if (c->status < 200 || c->status == 204 || c->status == 304 ||
	    want.method[0] == 'H') {
		c->answer_size = 0;
		sized = true;
	}
	c->answer_due = c->answer_size;
	return sized;
}

/* What the bytes held so far make of the answer. */
enum verdict { MORE, WHOLE, NONSENSE };

static enum verdict
look_at_answer(struct conn *c)
{
	size_t head_len, body;
	char *end;

	while (c->status == 0) {
		c->answer[c->answer_len] = '\0';
		end = strstr(c->answer, "\r\n\r\n");
		if (end == NULL)
			return c->answer_len < ANSWER_MAX ? MORE : NONSENSE;
		if (!parse_head(c, end))
			return NONSENSE;
		head_len = (size_t)(end + 4 - c->answer);
		body = c->answer_len - head_len;
		if (c->status < 200) { /* 100 Continue */
			memmove(c->answer, end + 4, body);
			c->answer_len = body;
			c->status = 0;
			continue;
		}
		if (body > c->answer_due)
			return NONSENSE;
		c->answer_due -= body;
	}
	return c->answer_due == 0 ? WHOLE : MORE;
}

/* As recv(), which TLS stands before, or not. */
static ssize_t
receive_bytes(struct conn *c, void *to, size_t len)
{
	return c->ssl != NULL ? tls_recv(c->ssl, to, len)
			      : recv(c->fd, to, len, 0);
}

/*
 * Take what is body and forget it: as recv().  It is copied, as any client
 * does: what sendfile() put into a socket on this machine would be touched by
 * nobody otherwise.
 */
static ssize_t
drop_body(struct thread *t, struct conn *c)
{
	size_t len = sizeof(t->drop);
	ssize_t n;

	if (c->answer_due < len)
		len = (size_t)c->answer_due;
	n = receive_bytes(c, t->drop, len);
	if (n > 0)
		c->answer_due -= (uint64_t)n;
	return n;
}

/* Receive into the head's buffer, or drop what is body: as recv(). */
static ssize_t
receive(struct thread *t, struct conn *c)
{
	ssize_t n;

	if (c->status != 0)
		return drop_body(t, c);
	n = receive_bytes(
	    c, c->answer + c->answer_len, ANSWER_MAX - c->answer_len);
	if (n > 0)
		c->answer_len += (size_t)n;
	return n;
}

/* Receive what there is; true when the request is over by it. */
static bool
receive_more(struct thread *t, struct conn *c)
{
	ssize_t n;

	while ((n = receive(t, c)) > 0) {
		switch (look_at_answer(c)) {
		case MORE:
			continue;
		case WHOLE:
			finish(t, c);
			return true;
		case NONSENSE:
			fail(t, c, BAD);
			return true;
		}
	}
	if (n == -1 && (errno == EAGAIN || errno == ENOTCONN))
		return false;
	if (n == 0)
		fail(t, c, SHORT);
	else
		fail(t, c, errno == ECONNREFUSED ? CONNECT : RESET);
	return true;
}

static void
on_event(struct thread *t, struct conn *c, unsigned events)
{
	if (c->state == RESTING) {
		/* The server closed it: the next request takes a new one. */
		if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
			drop(t, c);
			c->state = RETRY;
		}
		return;
	}
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		(void)receive_more(t, c);
	if (c->state == SENDING && ((events & EPOLLOUT) || c->ssl != NULL))
		send_more(t, c);
}

/* ---- a thread's life */

/* Go on with what waited for its time. */
static void
on_tick(struct thread *t)
{
	int64_t now = now_ns();
	struct conn *c;
	unsigned i;

	for (i = 0; i < t->conn_count; i++) {
		c = &t->conns[i];
		if (c->state == RETRY && now >= c->due) {
			c->state = IDLE;
			start(t, c);
		} else if (c->state == RESTING && now >= c->due) {
			go_on(t, c);
		} else if (want.rate > 0 && c->state == SENDING &&
			   now >= c->due) {
			send_more(t, c);
		}
	}
}

static bool
anything_to_do(const struct thread *t)
{
	unsigned i;

	if (t->busy > 0)
		return true;
	for (i = 0; i < t->conn_count; i++)
		if (t->conns[i].state == RETRY)
			return true;
	return false;
}

static void *
run(void *arg)
{
	struct epoll_event events[EVENTS_MAX];
	struct thread *t = arg;
	int i, n, wait_ms = want.rate > 0 ? PACE_MS : RETRY_MS;
	unsigned u;

	if (want.interval_ms > 0)
		wait_ms = 1;

	for (u = 0; u < t->conn_count; u++)
		start(t, &t->conns[u]);
	while (anything_to_do(t) && now_ns() < want.deadline) {
		n = epoll_wait(t->epoll, events, EVENTS_MAX, wait_ms);
		for (i = 0; i < n; i++)
			on_event(t, events[i].data.ptr, events[i].events);
		on_tick(t);
	}
	t->tally.errors[HUNG] += t->busy;
	return NULL;
}

static void
start_threads(struct thread *threads)
{
	unsigned i, share;
	struct thread *t;

	for (i = 0; i < want.threads; i++) {
		t = &threads[i];
		share = want.connections / want.threads;
		if (i < want.connections % want.threads)
			share++;
		t->conn_count = share;
		t->conns = calloc(share, sizeof(*t->conns));
		t->epoll = epoll_create1(EPOLL_CLOEXEC);
		if (t->conns == NULL || t->epoll == -1 ||
		    pthread_create(&t->id, NULL, run, t) != 0)
			fatal("thread");
	}
}

/* ---- what came out */

static void
print_json(const struct tally *t, double seconds, double rate, double mib)
{
	const char *comma = "";
	unsigned i;

	printf("{\"requests\":%" PRIu64 ",\"ok\":%" PRIu64
	       ",\"seconds\":%.6f,\"rate\":%.3f,\"mib_s\":%.3f,"
	       "\"bytes\":%" PRIu64 ",\"latency_ms\":{\"p50\":%.4f,"
	       "\"p90\":%.4f,\"p99\":%.4f,\"max\":%.4f},\"status\":{",
	    t->answers, t->ok, seconds, rate, mib, t->bytes,
	    percentile(t, 0.50), percentile(t, 0.90), percentile(t, 0.99),
	    (double)t->latency_max / NS_PER_MS);
	for (i = 0; i < STATUS_MAX; i++) {
		if (t->status[i] == 0)
			continue;
		printf("%s\"%u\":%" PRIu64, comma, i, t->status[i]);
		comma = ",";
	}
	printf("},\"errors\":{");
	for (i = 0; i < ERROR_COUNT; i++)
		printf("%s\"%s\":%" PRIu64, i > 0 ? "," : "", error_name[i],
		    t->errors[i]);
	printf("}}\n");
}

static void
print_text(const struct tally *t, double seconds, double rate, double mib)
{
	unsigned i;

	printf("%" PRIu64 " requests in %.2f s: %.1f/s, %.1f MiB/s\n",
	    t->answers, seconds, rate, mib);
	printf("latency ms: p50 %.3f, p90 %.3f, p99 %.3f, max %.3f\n",
	    percentile(t, 0.50), percentile(t, 0.90), percentile(t, 0.99),
	    (double)t->latency_max / NS_PER_MS);
	printf("bytes: %" PRIu64 "\nstatus:", t->bytes);
	for (i = 0; i < STATUS_MAX; i++)
		if (t->status[i] > 0)
			printf(" %u: %" PRIu64, i, t->status[i]);
	printf("\nerrors:");
	for (i = 0; i < ERROR_COUNT; i++)
		printf(" %s %" PRIu64, error_name[i], t->errors[i]);
	printf("\n");
}

/* Print the sum; true when everything went well. */
static bool
report(const struct tally *t)
{
	int64_t end = t->last_answer_at > 0 ? t->last_answer_at : now_ns();
	double seconds, rate, mib;
	uint64_t errors = 0;
	unsigned i;

	/* Time in which nothing came any more counts as well, but not the
	 * grace. */
	if (end < want.stop_at && now_ns() >= want.stop_at)
		end = want.stop_at;
	seconds = (double)(end - want.start) / NS_PER_S;
	rate = (double)t->answers / seconds;
	mib = (double)t->bytes / seconds / (1 << 20);
	if (want.json)
		print_json(t, seconds, rate, mib);
	else
		print_text(t, seconds, rate, mib);
	for (i = 0; i < ERROR_COUNT; i++)
		errors += t->errors[i];
	return errors == 0 && t->ok == t->answers;
}

/* ---- start */

static void NORETURN
usage(const char *why)
{
	fprintf(stderr,
	    "load: %s\n"
	    "usage: load [-c connections] [-s size] [-n requests] [-d "
	    "seconds]\n"
	    "            [-g grace] [-m PUT|POST|GET|HEAD] [-u url-with-%%d]\n"
	    "            [-N names] [-U file] [-a] [-b memory] [-H "
	    "header-line]\n"
	    "            [-R|-F]\n"
	    "            [-S [-E file]]\n"
	    "            [-r bytes-per-second [-l]] [-i milliseconds]\n"
	    "            [-T threads]\n"
	    "            [--json] [--allow-errors] HOST:PORT|unix:PATH\n",
	    why);
	exit(2);
}

static uint64_t
number(const char *text, const char *why)
{
	static const char units[] = "kmg";
	const char *unit;
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	unit = *end == '\0' ? NULL : strchr(units, *end | 0x20);
	if (unit != NULL) {
		v <<= 10 * (unit - units + 1);
		end++;
	}
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    v > (uint64_t)1 << 50)
		usage(why);
	return v;
}

static double
seconds_of(const char *text, const char *why)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end != '\0' || !(v >= 0 && v < 1e6))
		usage(why);
	return v;
}

static void
resolve_unix(const char *path)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&want.addr;

	if (strlen(path) >= sizeof(sun->sun_path))
		usage("unix:PATH is too long");
	sun->sun_family = AF_UNIX;
	strcpy(sun->sun_path, path);
	want.addr_len = sizeof(*sun);
	want.host = "localhost";
}

static void
resolve(const char *target)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char host[256];
	const char *port = strrchr(target, ':');
	size_t len;

	if (strncmp(target, "unix:", 5) == 0) {
		resolve_unix(target + 5);
		return;
	}
	if (port == NULL || (size_t)(port - target) >= sizeof(host))
		usage("HOST:PORT is missing");
	want.host = target;
	len = (size_t)(port - target);
	if (len > 1 && target[0] == '[' && target[len - 1] == ']') {
		target++;
		len -= 2;
	}
	memcpy(host, target, len);
	host[len] = '\0';
	if (getaddrinfo(host, port + 1, &hints, &found) != 0)
		usage("HOST:PORT has no address");
	memcpy(&want.addr, found->ai_addr, found->ai_addrlen);
	want.addr_len = found->ai_addrlen;
	freeaddrinfo(found);
}

/* The lines of a file, each a target. */
static void
read_urls(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[HEAD_MAX];

	if (f == NULL)
		fatal(path);
	want.names = 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strlen(line) > HEAD_MAX / 2)
			usage("-U: a line is too long");
		want.urls =
		    realloc(want.urls, (want.names + 1) * sizeof(*want.urls));
		if (want.urls == NULL ||
		    (want.urls[want.names++] = strdup(line)) == NULL)
			fatal("memory");
	}
	fclose(f);
	if (want.names == 0)
		usage("-U: the file has no lines");
}

/* One more line of -H. */
static void
add_line(const char *line)
{
	size_t at = strlen(want.lines);
	int n =
	    snprintf(want.lines + at, sizeof(want.lines) - at, "%s\r\n", line);

	if ((size_t)n >= sizeof(want.lines) - at)
		usage("the request head is too long");
}

static void
read_options(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"allow-errors", no_argument, NULL, 'A'},
	    {NULL, 0, NULL, 0},
	};
	int o;

	while (
	    (o = getopt_long(argc, argv,
		 "c:s:n:d:g:m:u:U:N:ab:H:RFSE:r:li:T:", longs, NULL)) != -1) {
		switch (o) {
		case 'c':
			want.connections =
			    (unsigned)number(optarg, "-c: what?");
			break;
		case 's':
			want.size = number(optarg, "-s: not a size");
			break;
		case 'n':
			want.requests = number(optarg, "-n: not a number");
			break;
		case 'd':
			want.seconds = seconds_of(optarg, "-d: not seconds");
			break;
		case 'g':
			want.grace = seconds_of(optarg, "-g: not seconds");
			break;
		case 'm':
			want.method = optarg;
			break;
		case 'u':
			want.url = optarg;
			break;
		case 'U':
			read_urls(optarg);
			break;
		case 'N':
			want.names = number(optarg, "-N: not a number");
			break;
		case 'a':
			want.apart = true;
			break;
		case 'b':
			want.memory = number(optarg, "-b: not a size");
			break;
		case 'H':
			add_line(optarg);
			break;
		case 'R':
			want.resumable = true;
			break;
		case 'F':
			want.form = true;
			break;
		case 'S':
			want.over_tls = true;
			break;
		case 'E':
			want.pair = optarg;
			break;
		case 'r':
			want.rate = number(optarg, "-r: not bytes per second");
			break;
		case 'l':
			want.link = true;
			break;
		case 'i':
			want.interval_ms = number(optarg, "-i: not ms");
			break;
		case 'T':
			want.threads = (unsigned)number(optarg, "-T: what?");
			break;
		case 'j':
			want.json = true;
			break;
		case 'A':
			want.allow_errors = true;
			break;
		default:
			usage("no such option");
		}
	}
	if (optind + 1 != argc)
		usage("HOST:PORT is missing");
	want.reads =
	    strcmp(want.method, "GET") == 0 || strcmp(want.method, "HEAD") == 0;
	if (want.reads)
		want.size = 0;
	if (want.form && (want.urls != NULL || want.url[0] != '/' ||
			     want.reads || want.resumable))
		usage("-F: a PUT or POST to a path");
	resolve(argv[optind]);
	if (want.connections == 0 || want.threads == 0 ||
	    want.threads > want.connections)
		usage("-c and -T: at least 1, and a connection per thread");
	if (want.memory > 0 && want.memory < MEMORY_MAX)
		usage("-b: at least 1m");
	if ((want.urls != NULL ? HEAD_MAX / 2 : strlen(want.url)) +
		strlen(want.lines) + strlen(want.host) + strlen(want.method) >
	    HEAD_MAX - 600)
		usage("the request head is too long");
}

/* Fill the memory that bodies come from with what does not repeat. */
static void
make_body(void)
{
	uint64_t x = 88172645463325252, *p, *end;
	size_t len = MEMORY_MAX;

	want.body_len = want.size < len ? (size_t)want.size : len;
	if (want.memory > 0)
		want.body_len = len = want.memory / MEMORY_MAX * MEMORY_MAX;
	want.body_fd = memfd_create("load", MFD_CLOEXEC);
	if (want.body_fd == -1 || ftruncate(want.body_fd, (off_t)len) == -1)
		fatal("memory for the body");
	p = mmap(
	    NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, want.body_fd, 0);
	if (p == MAP_FAILED)
		fatal("memory for the body");
	want.body = (const char *)p;
	for (end = p + (want.body_len + 7) / 8; p < end; p++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		*p = x;
	}
}

static void
set_times(void)
{
	if (want.seconds == 0)
		want.seconds = want.requests > 0 ? 60 : 10;
	want.start = now_ns();
	want.stop_at = want.start + (int64_t)(want.seconds * NS_PER_S);
	want.deadline = want.stop_at + (int64_t)(want.grace * NS_PER_S);
}

int
main(int argc, char **argv)
{
	static struct tally sum;
	struct thread *threads;
	struct rlimit files;
	unsigned i;

	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (want.over_tls && (want.tls = tls_new(want.pair)) == NULL)
		fatal("TLS");
	make_body();
	threads = calloc(want.threads, sizeof(*threads));
	if (threads == NULL)
		fatal("memory");
	set_times();
	start_threads(threads);
	for (i = 0; i < want.threads; i++) {
		pthread_join(threads[i].id, NULL);
		add_tally(&sum, &threads[i].tally);
		close(threads[i].epoll);
		free(threads[i].conns);
	}
	free(threads);
	SSL_CTX_free(want.tls);
	return report(&sum) || want.allow_errors ? 0 : 1;
}
