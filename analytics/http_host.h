// SPDX-License-Identifier: Apache-2.0
// By which names a web server on a private address may be called. A stranger's page can have its own name lead to
// that address (DNS rebinding), and would then be let read what it says: but it comes with that name. Pure.
#ifndef MAILTAP_ANALYTICS_HTTP_HOST_H
#define MAILTAP_ANALYTICS_HTTP_HOST_H

#include <stdbool.h>

// Whether a Host header (RFC 9110 7.2) is an address, localhost, or one of `names`, separated by commas (NULL:
// none), with any port or none.
bool http_host_is_own(const char *host, const char *names);

#endif
