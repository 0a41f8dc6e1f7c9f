// SPDX-License-Identifier: Apache-2.0
#include "analytics/port_list.h"

#include "decode/dns_look.h"

#include <stdlib.h>
#include <string.h>

struct service {
	const char *name;
	struct port_hint hint;
};

static const struct service services[] = {
    {"smtp", {PROTOCOL_SMTP, false, false}},
    {"smtps", {PROTOCOL_SMTP, true, false}},
    {"imap", {PROTOCOL_IMAP, false, false}},
    {"imaps", {PROTOCOL_IMAP, true, false}},
    {"pop3", {PROTOCOL_POP3, false, false}},
    {"pop3s", {PROTOCOL_POP3, true, false}},
};

static const struct {
	uint16_t port;
	struct port_hint hint;
} usual_ports[] = {
    {25, {PROTOCOL_SMTP, false, false}},
    {465, {PROTOCOL_SMTP, true, false}},
    {587, {PROTOCOL_SMTP, false, false}},
    {2525, {PROTOCOL_SMTP, false, false}},
    {110, {PROTOCOL_POP3, false, false}},
    {995, {PROTOCOL_POP3, true, false}},
    {143, {PROTOCOL_IMAP, false, false}},
    {993, {PROTOCOL_IMAP, true, false}},
};

static void add_port(struct port_table *table, uint16_t port, struct port_hint hint)
{
	port_set_add(&table->set, port);
	table->hints[port] = hint;
}

static struct port_hint usual_hint(uint16_t port)
{
	for (size_t i = 0; i < sizeof usual_ports / sizeof usual_ports[0]; i++)
		if (usual_ports[i].port == port)
			return usual_ports[i].hint;
	return (struct port_hint){PROTOCOL_UNDECIDED, false, false};
}

void port_list_usual(struct port_table *table)
{
	for (size_t i = 0; i < sizeof usual_ports / sizeof usual_ports[0]; i++)
		add_port(table, usual_ports[i].port, usual_ports[i].hint);
}

void port_list_add_names(struct port_table *table)
{
	table->set.names = true;
	add_port(table, DNS_PORT, (struct port_hint){PROTOCOL_DNS, false, false});
}

static bool read_service(const char *name, size_t length, struct port_hint *hint)
{
	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
		if (strlen(services[i].name) == length &&
		    memcmp(services[i].name, name, length) == 0) {
			*hint = services[i].hint;
			return true;
		}
	}
	return false;
}

// One item: PORT or PORT:SERVICE.
static bool read_port(const char *item, size_t length, uint16_t *number, struct port_hint *hint)
{
	char *end;
	const char *colon = memchr(item, ':', length);
	size_t digits = colon != NULL ? (size_t)(colon - item) : length;
	unsigned long port = strtoul(item, &end, 10);
	if (digits == 0 || end != item + digits || item[0] < '0' || item[0] > '9' || port == 0 ||
	    port > UINT16_MAX)
		return false;
	*number = (uint16_t)port;
	*hint = usual_hint(*number);
	return colon == NULL || read_service(colon + 1, length - digits - 1, hint);
}

static bool same_hint(struct port_hint one, struct port_hint other)
{
	return one.protocol == other.protocol && one.implicit_tls == other.implicit_tls;
}

bool port_list_read(struct port_table *table, const char *list, struct error *error)
{
	struct port_set named = {0};
	memset(table, 0, sizeof *table);
	if (list[0] == '+') {
		port_list_usual(table);
		list++;
	}
	for (;;) {
		uint16_t port;
		struct port_hint hint;
		size_t length = strcspn(list, ",");
		if (!read_port(list, length, &port, &hint)) {
			error_set(error,
			    "\"%.*s\" is no port: expected PORT or PORT:SERVICE, with one of "
			    "smtp smtps imap imaps pop3 pop3s",
			    (int)(length < 40 ? length : 40), list);
			return false;
		}
		if (port_set_has(&named, port) && !same_hint(table->hints[port], hint)) {
			error_set(error, "two services on port %u; name one", port);
			return false;
		}
		port_set_add(&named, port);
		add_port(table, port, hint);
		if (list[length] == '\0')
			return true;
		list += length + 1;
	}
}
