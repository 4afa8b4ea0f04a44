/*
 * Certificates and keys, read from files in PEM.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "tls_internal.h"

enum {
	FILE_BYTES_MAX = 4 * 1024 * 1024, /* all authorities there are: 0.3 */
};

const char *
tls_last_reason(void)
{
	unsigned long code = ERR_peek_error();
	const char *why = ERR_reason_error_string(code);

	ERR_clear_error();
	return why != NULL ? why : "unknown";
}

static int
tls_files_refuse(char why[TLS_WHY_MAX], const char *text)
{
	snprintf(why, TLS_WHY_MAX, "%s", text);
	return -EINVAL;
}

/* What is read may be a key. */
struct text {
	char *bytes;
	size_t len;
	mode_t mode;
};

static void
text_fini(struct text *t)
{
	if (t->bytes != NULL)
		OPENSSL_clear_free(t->bytes, t->len + 1);
	t->bytes = NULL;
}

/* All of the file: 0 or a negative errno. */
static int
text_read(int fd, struct text *ret)
{
	struct stat st;
	ssize_t n = 0;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (st.st_size > FILE_BYTES_MAX)
		return -EFBIG;
	*ret = (struct text){
	    .bytes = OPENSSL_malloc((size_t)st.st_size + 1),
	    .len = (size_t)st.st_size,
	    .mode = st.st_mode,
	};
	if (ret->bytes == NULL)
		return -ENOMEM;
	for (size_t at = 0; at < ret->len; at += (size_t)n) {
		do
			n = read(fd, ret->bytes + at, ret->len - at);
		while (n == -1 && errno == EINTR);
		if (n <= 0) {
			int err = n == 0 ? -EIO : -errno;

			text_fini(ret);
			return err;
		}
	}
	ret->bytes[ret->len] = '\0';
	return 0;
}

static int
text_open(const char *path, struct text *ret, char why[TLS_WHY_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err = fd == -1 ? -errno : text_read(fd, ret);

	fd_close(&fd);
	if (err == 0) {
		check(ret->bytes != NULL);
		return 0;
	}
	snprintf(why, TLS_WHY_MAX, "cannot be read: %s",
	    err == -EINVAL ? "it is no file" : strerror(-err));
	return -EINVAL;
}

/* Some authorities hand out files that begin so. */
static bool
is_binary(const struct text *t)
{
	return t->bytes[0] == 0x30 && strstr(t->bytes, "-----BEGIN") == NULL;
}

static const char binary_text[] =
    "it is binary, and must be PEM: openssl x509 -inform DER -in FILE -out NEW "
    "makes it so (of a key: openssl pkey; of a .p12 or .pfx: openssl pkcs12 "
    "-nodes)";

/* Is what OpenSSL has just said that there is nothing (more) of the kind? */
static bool
is_at_end(void)
{
	unsigned long code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == ERR_LIB_PEM &&
	       ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static int
read_all_certificates(
    BIO *b, X509 **ret_first, STACK_OF(X509) * rest, char why[TLS_WHY_MAX])
{
	X509 *x = PEM_read_bio_X509_AUX(b, NULL, NULL, NULL);

	if (x == NULL && is_at_end()) {
		ERR_clear_error();
		return tls_files_refuse(why,
		    "there is no certificate in it: it must be PEM, with a "
		    "line -----BEGIN CERTIFICATE-----");
	}
	*ret_first = x;
	while (x != NULL) {
		x = PEM_read_bio_X509(b, NULL, NULL, NULL);
		if (x != NULL && sk_X509_push(rest, x) == 0) {
			X509_free(x);
			return tls_files_refuse(why, "out of memory");
		}
	}
	if (is_at_end()) {
		ERR_clear_error();
		return 0;
	}
	snprintf(why, TLS_WHY_MAX, "a certificate in it cannot be read: %s",
	    tls_last_reason());
	return -EINVAL;
}

int
tls_read_certificates(const char *path, X509 **ret_first,
    STACK_OF(X509) * *ret_rest, char why[TLS_WHY_MAX])
{
	STACK_OF(X509) *rest = sk_X509_new_null();
	struct text text = {0};
	X509 *first = NULL;
	BIO *b = NULL;
	int err = text_open(path, &text, why);

	if (err < 0)
		goto free_rest;
	b = BIO_new_mem_buf(text.bytes, (int)text.len);
	if (b == NULL || rest == NULL)
		err = tls_files_refuse(why, "out of memory");
	else if (is_binary(&text))
		err = tls_files_refuse(why, binary_text);
	else
		err = read_all_certificates(b, &first, rest, why);
	BIO_free(b);
	text_fini(&text);
	if (err == 0) {
		*ret_first = first;
		*ret_rest = rest;
		return 0;
	}
	X509_free(first);
free_rest:
	sk_X509_pop_free(rest, X509_free);
	return err;
}

char *
tls_subject(const X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text = NULL, *copy = NULL;
	long len;

	if (b == NULL)
		return NULL;
	if (X509_NAME_print_ex(
		b, X509_get_subject_name(x), 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(b, &text);
		copy = strndup(len > 0 ? text : "", len > 0 ? (size_t)len : 0);
	}
	BIO_free(b);
	return copy;
}

static int
read_all_revocations(BIO *b, STACK_OF(X509_CRL) * lists, char why[TLS_WHY_MAX])
{
	X509_CRL *list;

	while ((list = PEM_read_bio_X509_CRL(b, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_CRL_push(lists, list) == 0) {
			X509_CRL_free(list);
			return tls_files_refuse(why, "out of memory");
		}
	}
	if (is_at_end() && sk_X509_CRL_num(lists) > 0) {
		ERR_clear_error();
		return 0;
	}
	if (!is_at_end()) {
		snprintf(why, TLS_WHY_MAX, "a list in it cannot be read: %s",
		    tls_last_reason());
		return -EINVAL;
	}
	ERR_clear_error();
	return tls_files_refuse(why,
	    "there is no revocation list in it: it must be PEM, with a line "
	    "-----BEGIN X509 CRL-----");
}

int
tls_read_revocations(
    const char *path, STACK_OF(X509_CRL) * *ret, char why[TLS_WHY_MAX])
{
	STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
	struct text text = {0};
	BIO *b = NULL;
	int err = text_open(path, &text, why);

	if (err == 0) {
		b = BIO_new_mem_buf(text.bytes, (int)text.len);
		err = b != NULL && lists != NULL
			  ? read_all_revocations(b, lists, why)
			  : tls_files_refuse(why, "out of memory");
	}
	BIO_free(b);
	text_fini(&text);
	if (err == 0)
		*ret = lists;
	else
		sk_X509_CRL_pop_free(lists, X509_CRL_free);
	return err;
}

/* There is nobody to ask. */
static int
on_passphrase(char *buf, int size, int writes, void *asked)
{
	(void)buf;
	(void)size;
	(void)writes;
	*(bool *)asked = true;
	return -1;
}

int
tls_read_key(
    const char *path, EVP_PKEY **ret, mode_t *ret_mode, char why[TLS_WHY_MAX])
{
	bool asked = false, has_key, binary;
	struct text text = {0};
	BIO *b;

	if (text_open(path, &text, why) < 0)
		return -EINVAL;
	*ret_mode = text.mode;
	has_key = strstr(text.bytes, "PRIVATE KEY-----") != NULL;
	binary = is_binary(&text);
	b = BIO_new_mem_buf(text.bytes, (int)text.len);
	*ret =
	    b ? PEM_read_bio_PrivateKey(b, NULL, on_passphrase, &asked) : NULL;
	BIO_free(b);
	text_fini(&text);
	if (*ret != NULL)
		return 0;
	if (asked)
		snprintf(why, TLS_WHY_MAX,
		    "it is encrypted, and there is nobody to ask for the "
		    "passphrase: store it without one (openssl pkey -in FILE "
		    "-out NEW), in a file that only root can read");
	else if (binary)
		(void)tls_files_refuse(why, binary_text);
	else if (!has_key)
		snprintf(why, TLS_WHY_MAX,
		    "there is no private key in it: it must be PEM, with a "
		    "line -----BEGIN PRIVATE KEY-----");
	else
		snprintf(why, TLS_WHY_MAX, "it cannot be read as a key: %s",
		    tls_last_reason());
	ERR_clear_error();
	return -EINVAL;
}
