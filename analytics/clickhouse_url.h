// SPDX-License-Identifier: Apache-2.0
// Where a ClickHouse server is: http[s]://HOST[:PORT][/DATABASE]. Pure data.
#ifndef MAILTAP_ANALYTICS_CLICKHOUSE_URL_H
#define MAILTAP_ANALYTICS_CLICKHOUSE_URL_H

#include "capture/base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { CLICKHOUSE_NAME_MAX = 64 }; // bytes of a database's name, its end included

struct clickhouse_url {
	char server[320]; // http[s]://HOST:PORT
	char database[CLICKHOUSE_NAME_MAX];
	uint16_t port;
	bool tls;
};

// The port is 8123, with https 8443, and the database `mailtap`, where none is named. A user or password in it is
// refused: command lines and configurations are read by many. False: *error; `shown` is what it calls the option.
bool clickhouse_url_read(
    struct clickhouse_url *url, const char *text, const char *shown, struct error *error);

#endif
