// SPDX-License-Identifier: Apache-2.0
// The fast branch (Ethernet, up to two VLAN tags, IPv4 without options or IPv6 without extensions, TCP
// or UDP), the loop of the slow one, and TCP itself. At a tap 99 of 100 packets die in `glance` and
// `followed`: two cache lines of a packet at most, fetched ahead, and hardly anything written. No state.
#include "decode/headers.h"

#include "decode/ip.h"
#include "decode/link.h"
#include "decode/tunnel.h"
#include "decode/walk.h"

#include <endian.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
	PREFETCH_AHEAD = 16, // packets; as many as a core keeps lines in flight
	ETHERNET_SIZE = 14,
	TAG_SIZE = 4,
	IPV4_SIZE = 20,
	IPV6_SIZE = 40,
	TCP_SIZE = 20,
	UDP_SIZE = 8,
	GLANCE_SIZE = ETHERNET_SIZE + IPV4_SIZE + UDP_SIZE, // least that the fast branch looks at
	HEADERS_SIZE = ETHERNET_SIZE + IPV4_SIZE + TCP_SIZE, // what most packets have of headers
};

static inline uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;
	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

static inline uint64_t halves(uint64_t word)
{
	return (uint32_t)word + (word >> 32);
}

#ifdef __SSE2__
enum { SUM_BLOCK = 32 }; // bytes

// Adds pairs of words as if they were signed: each one lower by 2^15 then, which is put right at the end. The sums of
// 32 bits hold half a megabyte.
static inline uint64_t sum_blocks(const uint8_t *bytes, size_t count)
{
	const __m128i sign = _mm_set1_epi16(INT16_MIN), one = _mm_set1_epi16(1);
	__m128i even = _mm_setzero_si128(), odd = even;
	for (size_t i = 0; i < count; i += SUM_BLOCK) {
		__m128i first = _mm_loadu_si128((const void *)(bytes + i));
		__m128i second = _mm_loadu_si128((const void *)(bytes + i + sizeof(first)));
		even = _mm_add_epi32(even, _mm_madd_epi16(_mm_xor_si128(first, sign), one));
		odd = _mm_add_epi32(odd, _mm_madd_epi16(_mm_xor_si128(second, sign), one));
	}
	int32_t lanes[4];
	even = _mm_add_epi32(even, odd);
	memcpy(lanes, &even, sizeof(lanes));
	return (uint64_t)((int64_t)lanes[0] + lanes[1] + lanes[2] + lanes[3]) + count / 2 * 32768;
}
#endif

// Sum of 8 bytes and more in words of 16 bits, the lower byte first on any machine (RFC 1071: the order of bytes does
// not matter as long as it is one, and wider words give the same).
static inline uint64_t sum_words(const uint8_t *bytes, size_t count)
{
	uint64_t sum = 0;
	size_t i = 0;
#ifdef __SSE2__
	i = count - count % SUM_BLOCK;
	sum = sum_blocks(bytes, i);
#endif
	for (; i + 8 <= count; i += 8)
		sum += halves(word_at(bytes + i));
	if (i < count) // padded with zeros
		sum += halves(word_at(bytes + count - 8) >> 8 * (8 - (count - i)));
	return sum;
}

static inline uint64_t sum_address(const struct ip_address *address)
{
	return halves(word_at(address->bytes)) + halves(word_at(address->bytes + 8));
}

// RFC 9293 3.1: with the pseudo-header all words add up to 0xffff. The prefix ::ffff: of an IPv4
// address adds 0xffff, which is zero in this arithmetic.
static bool checksum_is_wrong(const struct segment *segment, const uint8_t *tcp, uint32_t length)
{
	const uint64_t pseudo = (uint64_t)__builtin_bswap32(length) + (PROTOCOL_TCP << 8);
	uint64_t sum = sum_address(&segment->source) + sum_address(&segment->destination) + pseudo +
	               sum_words(tcp, length);
	for (int fold = 0; fold < 4; fold++)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum != 0xffff;
}

// Reads the TCP header (RFC 9293 3.1) at `tcp` into a segment whose context and IP fields are filled.
// The ports come first: of a segment that is not followed nothing else is looked at.
static enum headers_outcome read_tcp(struct segment *segment, const struct port_set *ports,
    const uint8_t *tcp, uint32_t captured, uint32_t length)
{
	if (captured < 4)
		return length < TCP_SIZE ? HEADERS_MALFORMED : HEADERS_CUT;
	segment->source_port = read_u16(tcp);
	segment->destination_port = read_u16(tcp + 2);
	segment->elsewhere = !port_set_has(ports, segment->source_port) &&
	                     !port_set_has(ports, segment->destination_port);
	if (segment->elsewhere && !ports->every)
		return HEADERS_OTHER_PORT;
	if (captured < TCP_SIZE)
		return length < TCP_SIZE ? HEADERS_MALFORMED : HEADERS_CUT;
	uint32_t size = (tcp[12] >> 4) * 4u;
	if (size < TCP_SIZE || size > length)
		return HEADERS_MALFORMED;
	if (size > captured)
		return HEADERS_CUT;
	segment->sequence = read_u32(tcp + 4);
	segment->acknowledgement = read_u32(tcp + 8);
	segment->flags = tcp[13] & 0x3f;
	segment->window = read_u16(tcp + 14);
	segment->checksum = read_u16(tcp + 16);
	segment->payload = tcp + size;
	segment->captured = captured - size;
	segment->length = length - size;
	segment->checksum_wrong =
	    captured == length && !segment->elsewhere && checksum_is_wrong(segment, tcp, length);
	return HEADERS_SEGMENT;
}

static enum layer tcp_read(struct walk *walk)
{
	struct segment *segment = &walk->result->segment;
	segment->context = walk->context;
	segment->source = walk->ip.source;
	segment->destination = walk->ip.destination;
	segment->ip_version = walk->ip.version;
	segment->ttl = walk->ip.ttl;
	segment->ip_id = walk->ip.version == 4 ? (uint16_t)walk->ip.id : 0;
	return walk_end(
	    walk, read_tcp(segment, walk->ports, walk->data, walk->captured, walk->length));
}

static layer_reader *const readers[LAYERS] = {
    [LAYER_ETHERNET] = ethernet_read,
    [LAYER_LLC] = llc_read,
    [LAYER_VLAN] = vlan_read,
    [LAYER_ETAG] = etag_read,
    [LAYER_VNTAG] = vntag_read,
    [LAYER_CISCO_METADATA] = cisco_metadata_read,
    [LAYER_MPLS] = mpls_read,
    [LAYER_PPPOE] = pppoe_read,
    [LAYER_PPP] = ppp_read,
    [LAYER_LINUX_SLL] = linux_sll_read,
    [LAYER_LINUX_SLL2] = linux_sll2_read,
    [LAYER_LOOPBACK] = loopback_read,
    [LAYER_IP] = ip_read,
    [LAYER_IPV4] = ipv4_read,
    [LAYER_IPV6] = ipv6_read,
    [LAYER_GRE] = gre_read,
    [LAYER_ETHERIP] = etherip_read,
    [LAYER_UDP] = udp_read,
    [LAYER_TCP] = tcp_read,
};

static enum headers_outcome walk_on(struct walk *walk, enum layer layer)
{
	while (layer != LAYER_END) {
		if (layer != LAYER_TCP && walk->context.nesting++ == HEADERS_NESTING_MAX)
			return HEADERS_TOO_DEEP;
		layer = readers[layer](walk);
	}
	return walk->outcome;
}

static struct packet_context context_of(const struct packet *packet)
{
	return (struct packet_context){
	    .time = packet->time,
	    .tap_point = (uint32_t)(packet->interface & 0xff) << 24,
	};
}

enum headers_outcome headers_walk(
    const struct packet *packet, const struct port_set *ports, struct headers_result *result)
{
	struct walk walk = {
	    .data = packet->data,
	    .captured = packet->captured,
	    .length = packet->length > packet->captured ? packet->length : packet->captured,
	    .outcome = HEADERS_UNKNOWN_LINK,
	    .ports = ports,
	    .result = result,
	    .context = context_of(packet),
	};
	result->outcome = walk_on(&walk, layer_of_link_type(packet->link_type));
	return result->outcome;
}

// What the fast branch sees of an ordinary packet. All offsets from the start of the frame.
struct glance {
	uint32_t network; // IP header
	uint32_t transport; // TCP or UDP header
	uint32_t end; // of the IP packet
	bool ipv6;
	bool tcp; // or else UDP
};

static inline bool is_tag(uint16_t ethertype)
{
	return (ethertype == ETHERTYPE_VLAN) | (ethertype == ETHERTYPE_SERVICE_VLAN) |
	       (ethertype == ETHERTYPE_OLD_SERVICE_VLAN);
}

// Finds the transport header of an ordinary packet. False: not an ordinary one. Tags and versions are
// branched on: a tap mostly sees them all alike, and computing with them costs more than the misses
// of a mixed one. All bytes read here lie within GLANCE_SIZE.
static inline bool glance(const struct packet *packet, struct glance *seen)
{
	if (packet->link_type != LINK_ETHERNET || packet->captured < GLANCE_SIZE)
		return false;
	const uint8_t *data = packet->data;
	uint32_t network = ETHERNET_SIZE;
	uint16_t ethertype = read_u16(data + 12);
	if (is_tag(ethertype)) {
		network += TAG_SIZE;
		ethertype = read_u16(data + 16);
		if (is_tag(ethertype)) {
			network += TAG_SIZE;
			ethertype = read_u16(data + 20);
		}
	}
	const uint8_t *ip = data + network;
	uint32_t size, length;
	uint8_t protocol;
	if (ethertype == ETHERTYPE_IPV4) {
		if (ip[0] != 0x45 || (read_u16(ip + 6) & 0x3fff) != 0) // options, fragment
			return false;
		size = IPV4_SIZE;
		length = read_u16(ip + 2);
		protocol = ip[9];
	} else {
		if (ethertype != ETHERTYPE_IPV6 || ip[0] >> 4 != 6)
			return false;
		size = IPV6_SIZE;
		length = IPV6_SIZE + read_u16(ip + 4);
		protocol = ip[6];
	}
	bool tcp = protocol == PROTOCOL_TCP;
	uint32_t headers = size + (tcp ? TCP_SIZE : UDP_SIZE);
	*seen = (struct glance){
	    network, network + size, network + length, ethertype == ETHERTYPE_IPV6, tcp};
	return (tcp | (protocol == PROTOCOL_UDP)) & (length >= headers) &
	       (seen->end <= packet->length) & (network + headers <= packet->captured);
}

// True if an ordinary packet has to be read on. What is of DNS is asked last: of no segment of TCP.
static inline bool followed(
    const struct packet *packet, const struct glance *seen, const struct port_set *ports)
{
	const uint8_t *transport = packet->data + seen->transport;
	uint16_t source = read_u16(transport), destination = read_u16(transport + 2);
	if (seen->tcp)
		return port_set_keeps(ports, source, destination);
	return is_tunnel_port(destination) || (ports->names && is_names_port(source, destination));
}

static inline enum headers_outcome outcome_of_dropped(const struct glance *seen)
{
	return seen->tcp ? HEADERS_OTHER_PORT : HEADERS_OTHER_PROTOCOL;
}

// Fills what stands in front of TCP into *segment, from an ordinary packet.
static void fill_ordinary(
    struct segment *segment, const struct packet *packet, const struct glance *seen)
{
	const uint8_t *ip = packet->data + seen->network;
	segment->context = context_of(packet);
	segment->context.nesting = (uint8_t)(2 + (seen->network - ETHERNET_SIZE) / TAG_SIZE);
	for (const uint8_t *tag = packet->data + ETHERNET_SIZE; tag < ip; tag += TAG_SIZE)
		context_add_vlan(&segment->context, read_u16(tag) & 0x0fff);
	if (seen->ipv6) {
		memcpy(segment->source.bytes, ip + 8, 16);
		memcpy(segment->destination.bytes, ip + 24, 16);
	} else {
		segment->source = address_of_ipv4(ip + 12);
		segment->destination = address_of_ipv4(ip + 16);
	}
	segment->ip_version = seen->ipv6 ? 6 : 4;
	segment->ttl = ip[seen->ipv6 ? 7 : 8];
	segment->ip_id = seen->ipv6 ? 0 : read_u16(ip + 4);
}

// Reads on in an ordinary packet that is followed.
static enum headers_outcome read_followed(const struct packet *packet, const struct glance *seen,
    const struct port_set *ports, struct headers_result *result)
{
	if (!seen->tcp)
		return headers_walk(packet, ports, result);
	uint32_t end = seen->end < packet->captured ? seen->end : packet->captured;
	fill_ordinary(&result->segment, packet, seen);
	result->outcome = read_tcp(&result->segment, ports, packet->data + seen->transport,
	    end - seen->transport, seen->end - seen->transport);
	return result->outcome;
}

enum headers_outcome headers_packet(
    const struct packet *packet, const struct port_set *ports, struct headers_result *result)
{
	struct glance seen;
	if (!glance(packet, &seen))
		return headers_walk(packet, ports, result);
	if (followed(packet, &seen, ports))
		return read_followed(packet, &seen, ports, result);
	result->outcome = outcome_of_dropped(&seen);
	return result->outcome;
}

enum headers_outcome headers_datagram(
    const struct datagram *datagram, const struct port_set *ports, struct headers_result *result)
{
	struct walk walk = {
	    .data = datagram->payload,
	    .captured = datagram->captured,
	    .length = datagram->length,
	    .ports = ports,
	    .result = result,
	    .context = datagram->context,
	    .ip = {datagram->source, datagram->destination, datagram->id, datagram->ip_version,
	        datagram->ttl},
	};
	result->outcome = walk_on(&walk, ip_payload_read(&walk, datagram->protocol));
	return result->outcome;
}

// The headers of a packet end within its first two cache lines, wherever they begin.
static inline void prefetch_headers(const struct packet *packet)
{
	__builtin_prefetch(packet->data);
	__builtin_prefetch(packet->data + HEADERS_SIZE);
}

// Counts what became of a packet that was read on. Returns how many results it left: 1 or 0.
static inline size_t count_outcome(const struct headers_result *result,
    enum headers_outcome outcome, struct headers_counters *counters)
{
	counters->outcomes[outcome]++;
	if (outcome == HEADERS_SEGMENT)
		counters->checksums_wrong += result->segment.checksum_wrong;
	return outcome == HEADERS_SEGMENT || outcome == HEADERS_FRAGMENT ||
	       outcome == HEADERS_NAMES;
}

size_t headers_batch(const struct packet_batch *batch, const struct port_set *ports,
    struct headers_result *results, struct headers_counters *counters)
{
	size_t count = batch->count, kept = 0;
	const struct packet *packets = batch->packets;
	for (size_t i = 0; i < count && i < PREFETCH_AHEAD; i++)
		prefetch_headers(&packets[i]);
	for (size_t i = 0; i < count; i++) {
		if (i + PREFETCH_AHEAD < count)
			prefetch_headers(&packets[i + PREFETCH_AHEAD]);
		const struct packet *packet = &packets[i];
		struct headers_result *result = &results[kept];
		struct glance seen;
		if (!glance(packet, &seen))
			kept +=
			    count_outcome(result, headers_walk(packet, ports, result), counters);
		else if (followed(packet, &seen, ports))
			kept += count_outcome(
			    result, read_followed(packet, &seen, ports, result), counters);
		else
			counters->outcomes[outcome_of_dropped(&seen)]++;
	}
	return kept;
}
