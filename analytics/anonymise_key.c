// SPDX-License-Identifier: Apache-2.0
#include "analytics/anonymise_key.h"

#include "capture/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX_DIGITS = 2 * ANONYMISE_KEY_BYTES };

static const char how[] = "make one with: openssl rand -hex 32 > KEYFILE; chmod 600 KEYFILE";

struct key_file {
	size_t length;
	uint8_t content[HEX_DIGITS +
	                3]; // with the end of a line, and one byte more to see that there is more
	uint8_t key[ANONYMISE_KEY_BYTES];
};

// A secret that others could read or exchange is none.
static bool is_private(const char *path, const struct stat *status, struct error *error)
{
	if (!S_ISREG(status->st_mode))
		error_set(error, "--anonymise: %s: is no regular file; %s", path, how);
	else if (status->st_uid != geteuid() && status->st_uid != 0)
		error_set(error,
		    "--anonymise: %s: belongs to another user (%u), who could exchange it", path,
		    (unsigned)status->st_uid);
	else if ((status->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		error_set(error,
		    "--anonymise: %s: others than its owner may use it (mode %04o); chmod 600 it",
		    path, (unsigned)(status->st_mode & 07777));
	else
		return true;
	return false;
}

static bool read_all(int file, struct key_file *key)
{
	while (key->length < sizeof key->content) {
		ssize_t got =
		    read(file, key->content + key->length, sizeof key->content - key->length);
		if (got == 0)
			return true;
		if (got < 0 && errno != EINTR)
			return false;
		key->length += got > 0 ? (size_t)got : 0;
	}
	return true;
}

static int hex_value(uint8_t digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	uint8_t letter = digit | 0x20;
	return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static bool is_hex(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (hex_value(bytes[i]) < 0)
			return false;
	return true;
}

static bool ends_line(const uint8_t *bytes, size_t length)
{
	return length == 0 || (length == 1 && bytes[0] == '\n') ||
	       (length == 2 && bytes[0] == '\r' && bytes[1] == '\n');
}

// 32 bytes that are all digits are half a key written out, and no 32 random bytes.
static bool decode(struct key_file *key)
{
	const uint8_t *content = key->content;
	if (key->length == ANONYMISE_KEY_BYTES && !is_hex(content, key->length)) {
		memcpy(key->key, content, sizeof key->key);
		return true;
	}
	if (key->length < HEX_DIGITS || !is_hex(content, HEX_DIGITS) ||
	    !ends_line(content + HEX_DIGITS, key->length - HEX_DIGITS))
		return false;
	for (size_t i = 0; i < sizeof key->key; i++)
		key->key[i] =
		    (uint8_t)(hex_value(content[2 * i]) << 4 | hex_value(content[2 * i + 1]));
	return true;
}

static struct anonymiser *make(const char *path, int file, struct error *error)
{
	struct anonymiser *anonymiser = NULL;
	struct key_file *key = secret_take(sizeof *key);
	if (key == NULL) {
		error_set(error, "--anonymise: no memory for the key");
		return NULL;
	}
	if (!read_all(file, key)) {
		error_set(error, "--anonymise: %s: cannot be read: %s", path, strerror(errno));
	} else if (!decode(key)) {
		error_set(error,
		    "--anonymise: %s: is no key: expected 32 bytes, or 64 hexadecimal digits; %s",
		    path, how);
	} else {
		anonymiser = anonymiser_create(key->key);
		if (anonymiser == NULL)
			error_set(
			    error, "--anonymise: AES cannot be had from OpenSSL, or no memory");
	}
	secret_give(key, sizeof *key);
	return anonymiser;
}

struct anonymiser *anonymiser_open(const char *path, struct error *error)
{
	struct anonymiser *anonymiser = NULL;
	struct stat status;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file < 0 || fstat(file, &status) != 0)
		error_set(
		    error, "--anonymise: %s: cannot be read: %s; %s", path, strerror(errno), how);
	else if (is_private(path, &status, error))
		anonymiser = make(path, file, error);
	if (file >= 0)
		close(file);
	return anonymiser;
}
