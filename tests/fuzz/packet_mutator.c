// SPDX-License-Identifier: Apache-2.0
// Mutates capture files so that they stay captures of traffic: packets that are valid one by one, in an order,
// with overlaps, losses and lies that no honest network makes. In the place of libFuzzer's own mutations for
// inputs that are pcap files of this machine's byte order; other ones, and one in sixteen, are left to those.
#include "capture/packet.h"
#include "tests/fuzz/captured.h"
#include "tests/fuzz/fuzzer.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
    size_t size2, uint8_t *out, size_t max_size, unsigned seed);

enum { ROUNDS_MAX = 4, SEQUENCE_AT = 4, OFFSET_AT = 12, FLAGS_AT = 13 };

static uint32_t random_state;

static uint32_t below(uint32_t bound)
{
	random_state = random_state * 1664525u + 1013904223u;
	return bound > 0 ? (random_state >> 8) % bound : 0;
}

// A small distance either way, sometimes a large one.
static uint32_t some_distance(void)
{
	static const uint32_t scales[] = {1, 8, 100, 1460, 65536, 0x400000, 0x40000000};
	uint32_t distance = (1 + below(4)) * scales[below(sizeof scales / sizeof scales[0])];
	return below(2) ? distance : 0 - distance;
}

/* ---- the order of packets ---- */

static void swap_packets(struct captured *captured, uint32_t number)
{
	uint32_t other = below(4) > 0 ? (number + 1) % captured->count : below(captured->count);
	struct captured_packet packet = captured->packets[number];
	// The times stay in order more often than not.
	if (below(4) > 0) {
		uint64_t time = captured->packets[other].time;
		captured->packets[other].time = packet.time;
		packet.time = time;
	}
	captured->packets[number] = captured->packets[other];
	captured->packets[other] = packet;
}

static void drop_packet(struct captured *captured, uint32_t number)
{
	if (captured->count > 1)
		captured_remove(captured, number);
}

static void repeat_packet(struct captured *captured, uint32_t number)
{
	captured_insert(captured, number, number + 1 + below(captured->count - number));
}

static void wait_before(struct captured *captured, uint32_t number)
{
	static const uint32_t milliseconds[] = {1, 300, 1100, 6000, 31000, 130000, 4000000};
	uint64_t more = (uint64_t)milliseconds[below(7)] * 1000;
	for (uint32_t i = number; i < captured->count; i++)
		captured->packets[i].time += more;
}

/* ---- one packet ---- */

// Two segments of one. What is behind the cut is a packet of its own.
static void split_segment(struct captured *captured, uint32_t number)
{
	struct captured_packet *first = &captured->packets[number];
	struct place place;
	if (!captured_find_tcp(captured, first, &place) || place.length < 2)
		return;
	uint32_t cut = 1 + below(place.length - 1);
	uint32_t again = below(4) == 0 ? below(cut + 1) : 0; // bytes that both have
	if (!captured_insert(captured, number, number + 1))
		return;
	struct captured_packet *second = &captured->packets[number + 1];
	uint8_t *bytes = captured_bytes(captured, second);
	captured_add32(bytes + place.tcp + SEQUENCE_AT, cut - again);
	memmove(
	    bytes + place.payload, bytes + place.payload + cut - again, place.length - cut + again);
	captured_resize(captured, second, &place, place.length - cut + again);
	captured_resize(captured, first, &place, cut);
}

static void shift_sequence(struct captured *captured, uint32_t number)
{
	struct place place;
	struct captured_packet *packet = &captured->packets[number];
	if (!captured_find_tcp(captured, packet, &place))
		return;
	uint32_t acknowledgement = below(3) == 0 ? 4 : 0;
	captured_add32(captured_bytes(captured, packet) + place.tcp + SEQUENCE_AT + acknowledgement,
	    some_distance());
	captured_fix_checksums(captured, packet, &place);
}

static void flip_flag(struct captured *captured, uint32_t number)
{
	struct place place;
	struct captured_packet *packet = &captured->packets[number];
	if (!captured_find_tcp(captured, packet, &place))
		return;
	captured_bytes(captured, packet)[place.tcp + FLAGS_AT] ^= (uint8_t)(1u << below(6));
	captured_fix_checksums(captured, packet, &place);
}

static void change_payload(struct captured *captured, uint32_t number)
{
	static uint8_t payload[CAPTURED_PACKET_MAX];
	struct place place;
	struct captured_packet *packet = &captured->packets[number];
	if (!captured_find_tcp(captured, packet, &place))
		return;
	uint8_t *bytes = captured_bytes(captured, packet);
	uint32_t room = CAPTURED_PACKET_MAX - place.payload;
	memcpy(payload, bytes + place.payload, place.length);
	size_t length = LLVMFuzzerMutate(
	    payload, place.length, place.length + 64 < room ? place.length + 64 : room);
	memcpy(bytes + place.payload, payload, length);
	captured_resize(captured, packet, &place, (uint32_t)length);
}

// Another payload for the same bytes of the stream, behind the first.
static void contradict(struct captured *captured, uint32_t number)
{
	if (captured_insert(captured, number, number + 1))
		change_payload(captured, number + 1);
}

// A length that is not true: of IP, of TCP's header, of the capture.
static void lie_about_length(struct captured *captured, uint32_t number)
{
	struct place place;
	struct captured_packet *packet = &captured->packets[number];
	if (!captured_find_tcp(captured, packet, &place))
		return;
	uint8_t *bytes = captured_bytes(captured, packet);
	switch (below(4)) {
	case 0: {
		uint8_t *length = bytes + place.ip + (place.version == 4 ? 2 : 4);
		length[0] = (uint8_t)(length[0] + (below(8) == 0));
		length[1] = (uint8_t)(length[1] + below(41) - 20);
		break;
	}
	case 1:
		bytes[place.tcp + OFFSET_AT] = (uint8_t)(below(16) << 4);
		break;
	case 2: // the snap length
		packet->captured -= below(packet->captured);
		break;
	default:
		packet->length += below(2000);
		break;
	}
}

// One byte of the headers in front of the payload.
static void change_header(struct captured *captured, uint32_t number)
{
	struct place place;
	struct captured_packet *packet = &captured->packets[number];
	uint8_t *bytes = captured_bytes(captured, packet);
	bool found = captured_find_tcp(captured, packet, &place);
	uint32_t end = found ? place.payload : packet->captured;
	if (end == 0)
		return;
	bytes[below(end)] ^= (uint8_t)(1u << below(8));
	if (found && below(4) > 0)
		captured_fix_checksums(captured, packet, &place);
}

// Seen elsewhere: with another tag, or with none.
static void change_tag(struct captured *captured, uint32_t number)
{
	struct captured_packet *packet = &captured->packets[number];
	uint8_t *bytes = captured_bytes(captured, packet);
	if (captured->link_type != LINK_ETHERNET || packet->captured < 18 ||
	    packet->captured + 4 > CAPTURED_PACKET_MAX)
		return;
	bool tagged = bytes[12] == 0x81 && bytes[13] == 0;
	if (tagged && below(2)) {
		bytes[15] ^= (uint8_t)(1 + below(3));
		return;
	}
	if (tagged) {
		memmove(bytes + 12, bytes + 16, packet->captured - 16);
	} else {
		memmove(bytes + 16, bytes + 12, packet->captured - 12);
		memcpy(bytes + 12, (const uint8_t[]){0x81, 0, 0, (uint8_t)(1 + below(3))}, 4);
	}
	packet->captured += tagged ? -4u : 4u;
	packet->length += tagged ? -4u : 4u;
}

static void mutate(struct captured *captured)
{
	typedef void mutation(struct captured * captured, uint32_t number);
	static mutation *const mutations[] = {swap_packets, drop_packet, repeat_packet, wait_before,
	    split_segment, split_segment, shift_sequence, shift_sequence, flip_flag, change_payload,
	    change_payload, change_payload, contradict, lie_about_length, change_header,
	    change_tag};
	for (uint32_t rounds = 1 + below(ROUNDS_MAX); rounds > 0 && captured->count > 0; rounds--)
		mutations[below(sizeof mutations / sizeof mutations[0])](
		    captured, below(captured->count));
	// What the run is like (capture.c).
	if (below(16) == 0)
		captured->header[CAPTURED_SETTINGS] = (uint8_t)below(32);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	static struct captured captured;
	random_state = seed;
	if (below(16) == 0 || !captured_read(&captured, data, size))
		return LLVMFuzzerMutate(data, size, max_size);
	mutate(&captured);
	return captured_write(&captured, data, max_size);
}

// The packets of two captures, each in its order, between each other.
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
    size_t size2, uint8_t *out, size_t max_size, unsigned seed)
{
	static struct captured one, other, both;
	random_state = seed;
	if (!captured_read(&one, data1, size1) || !captured_read(&other, data2, size2) ||
	    one.link_type != other.link_type)
		return 0;
	both = one;
	both.count = both.filled = 0;
	for (uint32_t i = 0, j = 0; i < one.count || j < other.count;) {
		bool first = j == other.count || (i < one.count && below(2));
		if (!captured_add(&both, first ? &one : &other, first ? i++ : j++))
			break;
	}
	return captured_write(&both, out, max_size);
}
