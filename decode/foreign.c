// SPDX-License-Identifier: Apache-2.0
// nDPI asked for a name. See foreign.h for why it sees as little as it does.
#include "decode/foreign.h"

#include "decode/headers.h"

#include <ndpi_api.h>
#include <ndpi_main.h>
#include <ndpi_typedefs.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	IP_SIZE = 20,
	TCP_SIZE = 20,
	HEADERS_SIZE = IP_SIZE + TCP_SIZE,
	PAYLOAD_MAX = 1460, // bytes of a side that it sees
	SLACK = 1024, // zeros behind the payload: what is read beyond it is nobody's
	CLIENT_PORT = 49152,
	SERVER_PORT = 49151, // both are no protocol's: what is spoken is what the bytes say
	PACKET_TIME = 1, // of each look: the first millisecond
};

// The dissectors that run, and the only names there are. Left out is what our own first look knows, what
// keeps user names or passwords (FTP, Telnet, Kerberos, SIP, …), what TCP does not carry, and what goes
// by ports and addresses or a byte or two. A new one is a row at the end.
static const struct {
	uint16_t number;
	const char *name;
} known[] = {
    {NDPI_PROTOCOL_UNKNOWN, NULL},
    {NDPI_PROTOCOL_MYSQL, "mysql"},
    {NDPI_PROTOCOL_POSTGRES, "postgresql"},
    {NDPI_PROTOCOL_MSSQL_TDS, "mssql-tds"},
    {NDPI_PROTOCOL_DRDA, "drda"},
    {NDPI_PROTOCOL_LDAP, "ldap"},
    {NDPI_PROTOCOL_RDP, "rdp"},
    {NDPI_PROTOCOL_VNC, "vnc"},
    {NDPI_PROTOCOL_SMBV1, "smbv1"},
    {NDPI_PROTOCOL_SMBV23, "smbv23"},
    {NDPI_PROTOCOL_DCERPC, "dce_rpc"},
    {NDPI_PROTOCOL_RSYNC, "rsync"},
    {NDPI_PROTOCOL_GIT, "git"},
    {NDPI_PROTOCOL_USENET, "usenet"},
    {NDPI_PROTOCOL_IRC, "irc"},
    {NDPI_PROTOCOL_JABBER, "jabber"},
    {NDPI_PROTOCOL_NATS, "nats"},
    {NDPI_PROTOCOL_ZMQ, "zeromq"},
    {NDPI_PROTOCOL_SMPP, "smpp"},
    {NDPI_PROTOCOL_FIX, "fix"},
    {NDPI_PROTOCOL_DIAMETER, "diameter"},
    {NDPI_PROTOCOL_BGP, "bgp"},
    {NDPI_PROTOCOL_SOCKS, "socks"},
    {NDPI_PROTOCOL_RTSP, "rtsp"},
    {NDPI_PROTOCOL_BITTORRENT, "bittorrent"},
    {NDPI_PROTOCOL_MODBUS, "modbus"},
    {NDPI_PROTOCOL_ZABBIX, "zabbix"},
    {NDPI_PROTOCOL_AJP, "ajp"},
};

enum { KNOWN = sizeof known / sizeof known[0] };

_Static_assert(KNOWN <= UINT8_MAX, "a session has a byte for it");

struct foreign {
	struct ndpi_detection_module_struct *module; // from the first look on
	struct ndpi_flow_struct *flow;
	bool failed; // it could not be made, and is not tried again
	uint32_t serial; // of the look: connections share no address, so no memory of nDPI's either
	struct foreign_counters counters;
	uint32_t next[2]; // sequence numbers of the look, by enum direction
	uint8_t packet[HEADERS_SIZE + PAYLOAD_MAX + SLACK];
};

/* ---- nDPI itself ---- */

// Its initialisation writes to memory that all modules of the process share.
static pthread_mutex_t initialising = PTHREAD_MUTEX_INITIALIZER;

static struct ndpi_detection_module_struct *make_module(void)
{
	NDPI_PROTOCOL_BITMASK wanted;
	NDPI_BITMASK_RESET(wanted);
	for (size_t i = 1; i < KNOWN; i++)
		NDPI_BITMASK_ADD(wanted, known[i].number);
	pthread_mutex_lock(&initialising);
	struct ndpi_detection_module_struct *module =
	    ndpi_init_detection_module(ndpi_dont_load_tor_hosts | ndpi_dont_init_libgcrypt);
	if (module != NULL) {
		ndpi_set_protocol_detection_bitmask2(module, &wanted);
		ndpi_finalize_initialization(module);
	}
	pthread_mutex_unlock(&initialising);
	return module;
}

// A library that is not the one of the headers is not used.
static bool is_ready(struct foreign *foreign)
{
	if (foreign->module != NULL || foreign->failed)
		return foreign->module != NULL;
	foreign->failed = true;
	if (ndpi_get_api_version() != NDPI_API_VERSION ||
	    ndpi_detection_get_sizeof_ndpi_flow_struct() != sizeof *foreign->flow)
		return false;
	foreign->flow = calloc(1, sizeof *foreign->flow);
	if (foreign->flow == NULL)
		return false;
	foreign->module = make_module();
	foreign->failed = foreign->module == NULL;
	return !foreign->failed;
}

struct foreign *foreign_create(void)
{
	return calloc(1, sizeof(struct foreign));
}

void foreign_destroy(struct foreign *foreign)
{
	if (foreign == NULL)
		return;
	if (foreign->module != NULL)
		ndpi_exit_detection_module(foreign->module);
	free(foreign->flow);
	free(foreign);
}

/* ---- a packet of our own ---- */

static void put_u16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
	put_u16(at, value >> 16);
	put_u16(at + 2, value);
}

// An address of the network that is for measurements (RFC 2544), another one for each side and look.
static uint32_t address_of(const struct foreign *foreign, enum direction side)
{
	enum { NETWORK = 198 << 16 | 18 << 8, HOSTS = 1 << 16 };
	return (uint32_t)NETWORK << 8 | (uint32_t)side << 16 | foreign->serial % HOSTS;
}

// RFC 791 3.1 and RFC 9293 3.1, without options.
static size_t write_packet(
    struct foreign *foreign, enum direction from, uint8_t flags, const struct foreign_words *words)
{
	uint8_t *ip = foreign->packet, *tcp = ip + IP_SIZE;
	size_t length = words->length < PAYLOAD_MAX ? words->length : PAYLOAD_MAX;
	memset(foreign->packet, 0, sizeof foreign->packet);
	ip[0] = 0x45;
	put_u16(ip + 2, (uint32_t)(HEADERS_SIZE + length));
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	put_u32(ip + 12, address_of(foreign, from));
	put_u32(ip + 16, address_of(foreign, other_direction(from)));
	put_u16(tcp, from == FROM_CLIENT ? CLIENT_PORT : SERVER_PORT);
	put_u16(tcp + 2, from == FROM_CLIENT ? SERVER_PORT : CLIENT_PORT);
	put_u32(tcp + 4, foreign->next[from]);
	put_u32(tcp + 8, flags & TCP_ACK ? foreign->next[other_direction(from)] : 0);
	tcp[12] = TCP_SIZE / 4 << 4;
	tcp[13] = flags;
	put_u16(tcp + 14, UINT16_MAX);
	if (length > 0)
		memcpy(tcp + TCP_SIZE, words->bytes, length);
	foreign->next[from] += (uint32_t)length + ((flags & TCP_SYN) != 0);
	return HEADERS_SIZE + length;
}

static uint8_t number_of(uint16_t protocol)
{
	for (uint8_t i = 1; i < KNOWN; i++)
		if (known[i].number == protocol)
			return i;
	return 0;
}

static uint8_t show(
    struct foreign *foreign, enum direction from, uint8_t flags, const struct foreign_words *words)
{
	size_t size = write_packet(foreign, from, flags, words);
	ndpi_protocol found = ndpi_detection_process_packet(
	    foreign->module, foreign->flow, foreign->packet, (unsigned short)size, PACKET_TIME);
	uint8_t number = number_of(found.app_protocol);
	return number != 0 ? number : number_of(found.master_protocol);
}

// The handshake tells it who is the client.
static void show_handshake(struct foreign *foreign)
{
	static const struct foreign_words nothing;
	foreign->next[FROM_CLIENT] = foreign->next[FROM_SERVER] = 0;
	show(foreign, FROM_CLIENT, TCP_SYN, &nothing);
	show(foreign, FROM_SERVER, TCP_SYN | TCP_ACK, &nothing);
	show(foreign, FROM_CLIENT, TCP_ACK, &nothing);
}

uint8_t foreign_look(
    struct foreign *foreign, const struct foreign_words said[2], enum direction first)
{
	uint8_t found = 0;
	if (!is_ready(foreign))
		return 0;
	foreign->serial++;
	foreign->counters.looks++;
	show_handshake(foreign);
	const enum direction order[2] = {first, other_direction(first)};
	for (int i = 0; i < 2 && found == 0; i++)
		if (said[order[i]].length > 0)
			found = show(foreign, order[i], TCP_PSH | TCP_ACK, &said[order[i]]);
	// Nothing of what was said stays.
	ndpi_free_flow_data(foreign->flow);
	explicit_bzero(foreign->flow, sizeof *foreign->flow);
	explicit_bzero(foreign->packet, sizeof foreign->packet);
	foreign->counters.named += found != 0;
	return found;
}

struct foreign_counters foreign_counters(const struct foreign *foreign)
{
	return foreign != NULL ? foreign->counters : (struct foreign_counters){0};
}

const char *foreign_name(uint8_t number)
{
	return number < KNOWN ? known[number].name : NULL;
}

const char *foreign_library(void)
{
	return "nDPI " MAILTAP_WITH_LIBNDPI;
}
