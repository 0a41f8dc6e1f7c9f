// SPDX-License-Identifier: Apache-2.0
// The servers that the user knows to be good (--server-baseline), read once from a list written by hand.
// One server a line, `#` and what follows is a comment:
//
//     SERVER PORT starttls|tls [SHA256...]
//
// SERVER is an IPv4 or IPv6 address, or a name, in any case: the one that the client asks for (SNI), or
// where it asks for none the one that the server gives itself. `starttls`: it offers STARTTLS or STLS to
// everyone, and takes it. `tls`: it speaks TLS from the first byte. Up to 4 SHA-256, 64 hexadecimal
// digits each, colons allowed: of its certificate, or of its key (SubjectPublicKeyInfo); one of them is
// what it shows. configs/servers.example is such a list.
//
// A list with a mistake is refused: it is what the user relies on. Owned by server_memory.c; not thread
// safe.
#ifndef MAILTAP_ANALYTICS_SERVER_BASELINE_H
#define MAILTAP_ANALYTICS_SERVER_BASELINE_H

#include "analytics/host_name.h"
#include "capture/base/error.h"
#include "decode/headers.h"

enum {
	BASELINE_SERVERS_MAX = 65536,
	BASELINE_PINS_MAX = 4,
};

struct baseline_server {
	bool tls; // from the first byte; else STARTTLS or STLS
	size_t pin_count;
	uint8_t pins[BASELINE_PINS_MAX][32]; // of a certificate or of a key
};

struct server_baseline;

// NULL: no memory.
struct server_baseline *server_baseline_create(void);
void server_baseline_destroy(struct server_baseline *baseline);

// Adds a list. `name`: of its file, for messages. False: *error names file, line and reason.
bool server_baseline_read(struct server_baseline *baseline, const char *name, const uint8_t *bytes,
    size_t length, struct error *error);

// The same of a file.
bool server_baseline_load(struct server_baseline *baseline, const char *path, struct error *error);

// What the list says; NULL: it does not name the server. Good until the baseline is destroyed.
const struct baseline_server *server_baseline_address(
    const struct server_baseline *baseline, const struct ip_address *address, uint16_t port);
const struct baseline_server *server_baseline_name(
    const struct server_baseline *baseline, const struct host_name *name, uint16_t port);

size_t server_baseline_count(const struct server_baseline *baseline);

#endif
