/*
 * check_roots.c - a directory of certificates has most of them three times: in
 * a file, under a link by its hash, and in the file of all.  Each is written
 * once, known by its digest, in the order of the files' names, so that the same
 * directory is the same bytes again.
 */
#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/check_roots.h"
#include "sys/files.h"

#define DIGEST_LEN	32		/* SHA-256			*/
#define HASH_LEN	8		/* hex digits, as c_rehash has it */
#define ROOTS_MOST	8192		/* certificates			*/

struct gathering {
	BIO		*out;
	unsigned	 cnt;
	uint8_t		 known[ROOTS_MOST][DIGEST_LEN];
	struct conf_roots *roots;
};

static bool
is_known(struct gathering *g, X509 *cert)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (X509_digest(cert, EVP_sha256(), digest, &len) != 1 ||
	    len != DIGEST_LEN)
		return true;
	for (unsigned i = 0; i < g->cnt; i++)
		if (memcmp(g->known[i], digest, DIGEST_LEN) == 0)
			return true;
	if (g->cnt < ROOTS_MOST)
		memcpy(g->known[g->cnt], digest, DIGEST_LEN);
	return false;
}

static enum err
add_cert(struct gathering *g, X509 *cert)
{
	if (is_known(g, cert))
		return OK;
	if (g->cnt == ROOTS_MOST)
		return ERR_FULL;
	g->cnt++;
	return PEM_write_bio_X509_AUX(g->out, cert) == 1 ? OK : ERR_SYS;
}

static enum err
add_all(struct gathering *g, const char *bytes, size_t len)
{
	BIO *in = BIO_new_mem_buf(bytes, (int)len);
	enum err e = in == NULL ? ERR_SYS : OK;
	X509 *cert;

	while (e == OK &&
	    (cert = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL)) != NULL) {
		e = add_cert(g, cert);
		X509_free(cert);
	}
	BIO_free(in);
	ERR_clear_error();		/* the end of the text is one */
	return e;
}

static enum err
add_file(struct gathering *g, const char *path)
{
	size_t len = 0;
	char *bytes = NULL;
	enum err e = files_read(NULL, path, CONF_ROOTS_MAX, &bytes, &len);

	if (e == OK)
		e = add_all(g, bytes, len);
	else if (e == ERR_SYS)
		(void)strlcpy(g->roots->culprit, path,
		    sizeof(g->roots->culprit));
	if (bytes != NULL)		/* there may be a key beside them */
		explicit_bzero(bytes, len);
	free(bytes);
	return e;
}

/* "0123abcd.0" */
static bool
is_hash(const char *name)
{
	for (unsigned i = 0; i < HASH_LEN; i++)
		if (!isxdigit((unsigned char)name[i]))
			return false;
	if (name[HASH_LEN] != '.' || name[HASH_LEN + 1] == '\0')
		return false;
	return name[HASH_LEN + 1 + strspn(name + HASH_LEN + 1,
	    "0123456789")] == '\0';
}

static int
is_wanted(const struct dirent *entry)
{
	const char *name = entry->d_name, *end = strrchr(name, '.');

	return end != NULL && end != name && (strcmp(end, ".pem") == 0 ||
	    strcmp(end, ".crt") == 0 || strcmp(end, ".cer") == 0 ||
	    is_hash(name));
}

/* A link that leads nowhere is what a removed package leaves behind. */
static enum err
add_entry(struct gathering *g, const char *dir, const char *name)
{
	char path[PLAN_PATH_MAX];
	struct stat st;
	enum err e;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    sizeof(path))
		return ERR_FULL;
	if (stat(path, &st) == -1) {
		if (errno == ENOENT)
			return OK;
		(void)strlcpy(g->roots->culprit, path,
		    sizeof(g->roots->culprit));
		return ERR_SYS;
	}
	if (!S_ISREG(st.st_mode))
		return OK;
	e = add_file(g, path);
	return e == ERR_NONE ? OK : e;
}

static enum err
add_directory(struct gathering *g, const char *dir)
{
	struct dirent **found;
	int cnt = scandir(dir, &found, is_wanted, alphasort);
	enum err e = OK;
	int error = 0;

	if (cnt == -1) {
		(void)strlcpy(g->roots->culprit, dir,
		    sizeof(g->roots->culprit));
		return ERR_SYS;
	}
	for (int i = 0; i < cnt; i++) {
		if (e == OK && (e = add_entry(g, dir, found[i]->d_name)) != OK)
			error = errno;
		free(found[i]);
	}
	free(found);
	errno = error;
	return e;
}

/* The copy that is ours to give away. */
static enum err
take_out(struct gathering *g)
{
	char *bytes;
	long len = BIO_get_mem_data(g->out, &bytes);

	if (g->cnt == 0)
		return ERR_NONE;
	if (len <= 0 || (size_t)len > CONF_ROOTS_MAX)
		return ERR_FULL;
	if ((g->roots->bytes = malloc((size_t)len)) == NULL)
		return ERR_FULL;
	memcpy(g->roots->bytes, bytes, (size_t)len);
	g->roots->len = (size_t)len;
	return OK;
}

enum err
check_roots(void *arg, const char *path, bool is_directory,
    struct conf_roots *out)
{
	struct gathering *g = calloc(1, sizeof(*g));
	enum err e = ERR_FULL;
	int error;

	*out = (struct conf_roots){ .bytes = NULL };
	if (g == NULL)
		return ERR_FULL;
	g->roots = out;
	if ((g->out = BIO_new(BIO_s_mem())) != NULL)
		e = is_directory ? add_directory(g, path) : add_file(g, path);
	if (e == OK)
		e = take_out(g);
	error = errno;
	BIO_free(g->out);
	free(g);
	errno = error;
	return e;
}
