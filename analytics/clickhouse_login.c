// SPDX-License-Identifier: Apache-2.0
#include "analytics/clickhouse_login.h"

#include "capture/base/read_up_to.h"
#include "capture/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_private(const char *path, const struct stat *status, struct error *error)
{
	if (!S_ISREG(status->st_mode))
		error_set(error, "--store-login: %s: is no regular file", path);
	else if (status->st_uid != geteuid() && status->st_uid != 0)
		error_set(error,
		    "--store-login: %s: belongs to another user (%u), who could exchange it", path,
		    (unsigned)status->st_uid);
	else if ((status->st_mode & (S_IRWXO | S_IWGRP)) != 0)
		error_set(error,
		    "--store-login: %s: others may use it (mode %04o); chmod 600 it, or 640 where "
		    "the "
		    "group is mailtap's own",
		    path, (unsigned)(status->st_mode & 07777));
	else
		return true;
	return false;
}

// The line that begins here, ended by a zero byte; *next is what follows it.
static const char *take_line(char *text, char **next)
{
	size_t length = strcspn(text, "\n");
	*next = text[length] == '\n' ? text + length + 1 : text + length;
	text[length] = '\0';
	if (length > 0 && text[length - 1] == '\r')
		text[length - 1] = '\0';
	return text;
}

// They go into headers of HTTP, where a line that goes on would be another header.
static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool take(struct clickhouse_login *login, int file, const char *path, struct error *error)
{
	char *next;
	ssize_t got = read_up_to(file, (uint8_t *)login->bytes, sizeof login->bytes - 1);
	error_set(error,
	    "--store-login: %s: expected a user in the first line and a password in the second, in "
	    "at "
	    "most %d bytes",
	    path, CLICKHOUSE_LOGIN_MAX);
	if (got <= 0 || got > CLICKHOUSE_LOGIN_MAX || strlen(login->bytes) != (size_t)got)
		return false;
	login->user = take_line(login->bytes, &next);
	login->password = take_line(next, &next);
	return login->user[0] != '\0' && *next == '\0' && is_plain(login->user) &&
	       is_plain(login->password);
}

struct clickhouse_login *clickhouse_login_read(const char *path, struct error *error)
{
	struct stat status;
	struct clickhouse_login *login = secret_take(sizeof *login);
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool good = false;
	if (login == NULL)
		error_set(error, "--store-login: no memory for the password");
	else if (file < 0 || fstat(file, &status) != 0)
		error_set(error, "--store-login: %s: cannot be read: %s", path, strerror(errno));
	else
		good = is_private(path, &status, error) && take(login, file, path, error);
	if (file >= 0)
		close(file);
	if (good)
		return login;
	clickhouse_login_free(login);
	return NULL;
}

void clickhouse_login_free(struct clickhouse_login *login)
{
	if (login != NULL)
		secret_give(login, sizeof *login);
}
