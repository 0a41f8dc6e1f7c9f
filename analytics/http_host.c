// SPDX-License-Identifier: Apache-2.0
#include "analytics/http_host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { HOST_MAX = 255 };

// The host without its port. False: it is none, or too long.
static bool without_port(const char *host, char name[HOST_MAX + 1])
{
	const char *end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
	const char *begin = host[0] == '[' ? host + 1 : host;
	if (host[0] == '[' && end == NULL)
		return false;
	const char *rest = end == NULL ? "" : *end == ']' ? end + 1 : end;
	size_t length = end == NULL ? strlen(begin) : (size_t)(end - begin);
	size_t digits = rest[0] == ':' ? strspn(rest + 1, "0123456789") : 0;
	bool whole = rest[0] == '\0' || (rest[0] == ':' && rest[1 + digits] == '\0');
	if (!whole || length == 0 || length > HOST_MAX)
		return false;
	memcpy(name, begin, length);
	name[length] = '\0';
	return true;
}

static bool is_address(const char *name, bool bracketed)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	return inet_pton(bracketed ? AF_INET6 : AF_INET, name, bytes) == 1;
}

static bool is_among(const char *name, const char *names)
{
	size_t length = strlen(name);
	while (names != NULL && *names != '\0') {
		size_t one = strcspn(names, ",");
		if (one == length && strncasecmp(names, name, length) == 0)
			return true;
		names += one + (names[one] == ',');
	}
	return false;
}

bool http_host_is_own(const char *host, const char *names)
{
	char name[HOST_MAX + 1];
	if (!without_port(host, name))
		return false;
	return is_address(name, host[0] == '[') || is_among(name, "localhost") ||
	       is_among(name, names);
}
