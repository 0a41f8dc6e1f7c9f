// SPDX-License-Identifier: Apache-2.0
#include "analytics/clickhouse_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_HTTP = 8123, PORT_HTTPS = 8443, PORT_MOST = 65535 };

static const char *behind(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);
	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

// It stands in queries: a letter or _, then those and digits.
static bool is_name(const char *text, size_t length)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	return length > 0 && length < CLICKHOUSE_NAME_MAX && strchr(letters, text[0]) != NULL &&
	       strspn(text, all) == length;
}

static bool is_host(const char *text, size_t length)
{
	static const char all[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	static const char address[] = "0123456789abcdefABCDEF:.";
	if (length > 2 && text[0] == '[' && text[length - 1] == ']')
		return strspn(text + 1, address) == length - 2;
	return length > 0 && length < 256 && strspn(text, all) >= length;
}

// Digits up to the path, or to the end.
static bool read_port(const char *text, size_t length, uint16_t *port)
{
	char *end;
	if (length == 0 || strspn(text, "0123456789") != length)
		return false;
	unsigned long value = strtoul(text, &end, 10);
	*port = (uint16_t)value;
	return value > 0 && value <= PORT_MOST;
}

bool clickhouse_url_read(
    struct clickhouse_url *url, const char *text, const char *shown, struct error *error)
{
	const char *host = behind(text, "http://");
	url->tls = host == NULL;
	if (host == NULL)
		host = behind(text, "https://");
	error_set(error, "%s: \"%.200s\": expected http[s]://HOST[:PORT][/DATABASE]", shown, text);
	if (host == NULL)
		return false;
	size_t length = strcspn(host, "/?#");
	if (memchr(host, '@', length) != NULL) {
		error_set(
		    error, "%s: user and password belong in the file of --store-login", shown);
		return false;
	}
	size_t inner = host[0] == '[' ? strcspn(host, "]") : 0; // IPv6 has colons itself
	size_t name = inner < length ? inner + strcspn(host + inner, ":/?#") : length;
	url->port = url->tls ? PORT_HTTPS : PORT_HTTP;
	if (!is_host(host, name) ||
	    (name < length && !read_port(host + name + 1, length - name - 1, &url->port)))
		return false;
	const char *database = host[length] == '/' ? host + length + 1 : host + length;
	if (*database == '\0')
		database = "mailtap";
	if (!is_name(database, strlen(database)))
		return false;
	snprintf(url->database, sizeof url->database, "%s", database);
	snprintf(url->server, sizeof url->server, "http%s://%.*s:%u", url->tls ? "s" : "",
	    (int)name, host, url->port);
	return true;
}
