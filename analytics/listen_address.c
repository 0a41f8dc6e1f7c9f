// SPDX-License-Identifier: Apache-2.0
#include "analytics/listen_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BACKLOG = 64, // connections that wait to be accepted
	PORT_MAX = 65535,
};

// The usual one where none is named: what a run tells is for this machine unless somebody says otherwise.
static const char usual_address[] = "127.0.0.1";

static bool read_port(const char *text, uint16_t *port)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value > PORT_MAX)
		return false;
	*port = htons((uint16_t)value);
	return true;
}

static bool set_v4(struct listen_address *address, const char *text, uint16_t port)
{
	address->v4.sin_family = AF_INET;
	address->v4.sin_port = port;
	address->length = sizeof address->v4;
	return inet_pton(AF_INET, text, &address->v4.sin_addr) == 1;
}

static bool set_v6(struct listen_address *address, const char *text, uint16_t port)
{
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = port;
	address->length = sizeof address->v6;
	return inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1;
}

static bool read_address(const char *text, struct listen_address *address)
{
	char host[INET6_ADDRSTRLEN + 2]; // with brackets
	uint16_t port;
	const char *colon = strrchr(text, ':');
	if (colon == NULL)
		return read_port(text, &port) && set_v4(address, usual_address, port);
	size_t length = (size_t)(colon - text);
	if (length == 0 || length >= sizeof host || !read_port(colon + 1, &port))
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	if (host[0] != '[')
		return set_v4(address, host, port);
	if (host[length - 1] != ']')
		return false;
	host[length - 1] = '\0';
	return set_v6(address, host + 1, port);
}

bool listen_address_read(
    const char *text, struct listen_address *address, const char *name, struct error *error)
{
	memset(address, 0, sizeof *address);
	if (read_address(text, address))
		return true;
	error_set(error,
	    "%s: \"%.80s\" is no address to listen at: expected ADDRESS:PORT in numbers, as "
	    "127.0.0.1:9479 or [::1]:9479, or a port alone for 127.0.0.1",
	    name, text);
	return false;
}

uint16_t listen_address_port(const struct listen_address *address)
{
	return ntohs(
	    address->any.sa_family == AF_INET ? address->v4.sin_port : address->v6.sin6_port);
}

void listen_address_text(char text[LISTEN_ADDRESS_TEXT], const struct listen_address *address)
{
	char host[INET6_ADDRSTRLEN];
	bool v4 = address->any.sa_family == AF_INET;
	const void *bytes =
	    v4 ? (const void *)&address->v4.sin_addr : (const void *)&address->v6.sin6_addr;
	if (inet_ntop(address->any.sa_family, bytes, host, sizeof host) == NULL)
		host[0] = '\0';
	snprintf(text, LISTEN_ADDRESS_TEXT, v4 ? "%s:%u" : "[%s]:%u", host,
	    listen_address_port(address));
}

static bool bind_and_listen(int listener, struct listen_address *address)
{
	static const int yes = 1;
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
		return false;
	if (address->any.sa_family == AF_INET6 &&
	    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) != 0)
		return false;
	return bind(listener, &address->any, address->length) == 0 &&
	       listen(listener, BACKLOG) == 0 &&
	       getsockname(listener, &address->any, &address->length) == 0;
}

int listen_address_open(struct listen_address *address, struct error *error)
{
	char text[LISTEN_ADDRESS_TEXT];
	int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int listener = socket(address->any.sa_family, type, IPPROTO_TCP);
	if (listener >= 0 && bind_and_listen(listener, address))
		return listener;
	int why = errno;
	listen_address_text(text, address);
	error_set(error, "cannot listen at %s: %s%s", text, strerror(why),
	    why == EADDRINUSE ? "; is another mailtap there?" : "");
	if (listener >= 0)
		close(listener);
	return -1;
}
