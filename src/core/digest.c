#include "core/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <limits.h>
#include <string.h>

struct digest {
	EVP_MD_CTX *context;
};

struct digest *digest_new(struct err *e)
{
	struct digest *d = malloc(sizeof *d);
	if (d == NULL)
		goto failed;
	d->context = EVP_MD_CTX_new();
	if (d->context == NULL || EVP_DigestInit_ex(d->context, EVP_sha256(), NULL) != 1)
		goto failed;
	return d;
failed:
	digest_free(d);
	err_set(e, ERR_MEMORY, "memory ran out while starting a SHA-256 digest");
	return NULL;
}

int digest_add(struct digest *d, const void *data, size_t size, struct err *e)
{
	if (size > 0 && EVP_DigestUpdate(d->context, data, size) != 1)
		return err_set(e, ERR_SYSTEM, "the SHA-256 digest could not be computed");
	return 0;
}

int digest_end(struct digest *d, char sha256[DIGEST_SIZE], struct err *e)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	if (EVP_DigestFinal_ex(d->context, raw, &size) != 1 || size != 32)
		return err_set(e, ERR_SYSTEM, "the SHA-256 digest could not be computed");
	for (unsigned int i = 0; i < size; i++) {
		sha256[2 * i] = digits[raw[i] >> 4];
		sha256[2 * i + 1] = digits[raw[i] & 15];
	}
	sha256[64] = '\0';
	return 0;
}

void digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->context);
	free(d);
}

int digest_of(const void *data, size_t size, char sha256[DIGEST_SIZE], struct err *e)
{
	struct digest *d = digest_new(e);
	if (d == NULL)
		return -1;
	int result = digest_add(d, data, size, e);
	if (result == 0)
		result = digest_end(d, sha256, e);
	digest_free(d);
	return result;
}

bool digest_valid(const char *text)
{
	return strspn(text, "0123456789abcdef") == 64 && text[64] == '\0';
}

void digest_base64(const char *text, char *coded, size_t size)
{
	size_t length = strlen(text);

	coded[0] = '\0';
	if (DIGEST_BASE64_SIZE(length) <= size)
		digest_base64_bytes(text, length, coded);
}

size_t digest_base64_bytes(const void *bytes, size_t size, char *coded)
{
	coded[0] = '\0';
	return (size_t)EVP_EncodeBlock((unsigned char *)coded, bytes, (int)size);
}

static size_t padding(const char *coded, size_t size)
{
	return (size > 0 && coded[size - 1] == '=') + (size > 1 && coded[size - 2] == '=');
}

int digest_base64_read(const char *coded, size_t coded_size, char **bytes, size_t *size, struct err *e)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t pad = padding(coded, coded_size);

	/* The library is lenient with white space and padding; what is sent must be what was meant. */
	if (coded_size % 4 != 0 || coded_size > INT_MAX)
		return err_set(e, ERR_INPUT, "%zu characters are no base64", coded_size);
	for (size_t i = 0; i < coded_size - pad; i++)
		if (coded[i] == '\0' || strchr(alphabet, coded[i]) == NULL)
			return err_set(e, ERR_INPUT, "character %zu is not of base64", i);
	*bytes = malloc(coded_size / 4 * 3 + 1);
	if (*bytes == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for %zu characters of base64", coded_size);
	int length = EVP_DecodeBlock((unsigned char *)*bytes, (const unsigned char *)coded, (int)coded_size);
	if (length < 0) {
		free(*bytes);
		return err_set(e, ERR_INPUT, "%zu characters are no base64", coded_size);
	}
	*size = (size_t)length - pad;
	(*bytes)[*size] = '\0';
	return 0;
}
