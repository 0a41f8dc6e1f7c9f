// SPDX-License-Identifier: Apache-2.0
// User and password for a server, from a file: the first line, the second line. It must be a file of the user's own or
// of root's that nobody else may use.
#ifndef MAILTAP_ANALYTICS_CLICKHOUSE_LOGIN_H
#define MAILTAP_ANALYTICS_CLICKHOUSE_LOGIN_H

#include "capture/base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { CLICKHOUSE_LOGIN_MAX = 512 }; // bytes of the file

struct clickhouse_login {
	char bytes[CLICKHOUSE_LOGIN_MAX + 2];
	const char *user, *password; // in them
};

// NULL: *error, which never has the secret in it. To be given back by clickhouse_login_free.
struct clickhouse_login *clickhouse_login_read(const char *path, struct error *error);
void clickhouse_login_free(struct clickhouse_login *login); // NULL is allowed

#endif
