// SPDX-License-Identifier: Apache-2.0
// Fuzzes everything behind the headers: the input is a script of what happens on a few mail
// connections, so that mutations stay within what a network can do (loss, order, overlap, lies in
// sequence numbers, cut packets) and reach the dialogue and TLS parsers.
//
// The script: a byte of settings, then steps. A step's first byte has the connection (bits 0-2), the
// sender (bit 3: server) and what happens (bits 4-7, enum step_kind); some have bytes behind it.
#include "tests/fuzz/fuzzer.h"
#include "tests/fuzz/harness.h"
#include "tests/unit/tcp_packet.h"

enum {
	CONNECTIONS = 8,
	REMEMBERED = 16, // packets that can be sent again
	PAYLOAD_MAX = 16 * 1024,
	STEPS_MAX = 4096,
	ELSEWHERE = 10000, // added to ports, they are known for nothing
	FRAME_MAX = TCP_PACKET_HEADERS + PAYLOAD_MAX,
};

enum step_kind {
	STEP_DATA = 0, // to 5: a byte of length, then the bytes
	STEP_LONG_DATA = 6, // to 7: two bytes of length
	STEP_SYN = 8,
	STEP_FIN = 9,
	STEP_RST = 10,
	STEP_ACK = 11,
	STEP_REPEAT = 12, // a byte: which of the last packets
	STEP_LOSE = 13, // two bytes of length: sent, but not captured
	STEP_WAIT = 14, // a byte: how long
	STEP_MODIFY = 15, // six bytes: how the next packet differs
};

struct frame {
	struct packet packet;
	uint8_t bytes[FRAME_MAX];
};

struct connection {
	uint32_t next[2]; // by enum direction
	bool begun;
};

// How the next packet differs from a plain one.
struct modifier {
	uint8_t flags; // to be inverted
	int8_t sequence, acknowledgement;
	uint8_t cut, tap, how;
};

struct script {
	struct input input;
	struct harness *harness;
	struct connection connections[CONNECTIONS];
	struct modifier modifier;
	nanoseconds now;
	bool elsewhere; // the connections are on ports that are not known for mail
	size_t batch_size, made;
	struct packet_batch batch;
	uint8_t *copies[PACKET_BATCH_MAX]; // of the batch's frames, each in a block of its own size
	struct frame *remembered; // REMEMBERED
};

static void send_batch(struct script *script)
{
	if (script->batch.count > 0)
		harness_batch(script->harness, &script->batch);
	for (size_t i = 0; i < script->batch.count; i++)
		free(script->copies[i]);
	script->batch.count = 0;
}

static void add_frame(struct script *script, const struct frame *frame)
{
	struct packet *packet = &script->batch.packets[script->batch.count];
	uint8_t *copy = malloc(frame->packet.captured > 0 ? frame->packet.captured : 1);
	if (copy == NULL)
		abort();
	memcpy(copy, frame->bytes, frame->packet.captured);
	script->copies[script->batch.count++] = copy;
	*packet = frame->packet;
	packet->data = copy;
	packet->time = script->now;
	if (script->batch.count >= script->batch_size)
		send_batch(script);
}

// Distances of a few bytes, of segments, and beyond all windows.
static uint32_t distance(int8_t value, uint8_t how)
{
	static const uint32_t scales[] = {1, 50, 1000, 0x4000000};
	return (uint32_t)(int32_t)value * scales[how & 3];
}

static void make_packet(struct script *script, unsigned number, enum direction from, uint8_t flags,
    const uint8_t *payload, uint32_t length)
{
	static const uint16_t servers[CONNECTIONS] = {25, 587, 143, 110, 465, 993, 995, 2526};
	uint16_t server = (uint16_t)(servers[number] + (script->elsewhere ? ELSEWHERE : 0));
	const struct modifier *modifier = &script->modifier;
	struct connection *connection = &script->connections[number];
	struct tcp_packet packet = {
	    .v6 = number & 1,
	    .source = from == FROM_CLIENT ? 1 : 2,
	    .destination = from == FROM_CLIENT ? 2 : 1,
	    .source_port = from == FROM_CLIENT ? 40000 : server,
	    .destination_port = from == FROM_CLIENT ? server : 40000,
	    .sequence = connection->next[from] + distance(modifier->sequence, modifier->how),
	    .acknowledgement = connection->next[1 - from] +
	                       distance(modifier->acknowledgement, (uint8_t)(modifier->how >> 2)),
	    .flags = flags ^ modifier->flags,
	    .window = 8192,
	    .wrong_checksum = modifier->how >> 4 & 1,
	    .vlan_count = modifier->tap & 3 ? 1 : 0,
	    .vlans = {modifier->tap & 3},
	    .payload = payload,
	    .length = length,
	};
	struct frame *frame = &script->remembered[script->made++ % REMEMBERED];
	uint32_t size = tcp_packet_write(&packet, frame->bytes);
	frame->packet = (struct packet){
	    .captured = modifier->cut < size ? size - modifier->cut : 0,
	    .length = size,
	    .link_type = LINK_ETHERNET,
	    .interface = modifier->tap >> 2 & 1,
	};
	if (!(modifier->how & 0x20)) // otherwise it comes later, by repetition, or never
		add_frame(script, frame);
	script->modifier = (struct modifier){0};
}

static void step_data(struct script *script, unsigned number, enum direction from, uint32_t length)
{
	struct input *input = &script->input;
	size_t left = (size_t)(input->end - input->at);
	if (length > left)
		length = (uint32_t)left;
	if (length > PAYLOAD_MAX)
		length = PAYLOAD_MAX;
	make_packet(script, number, from, TCP_ACK | TCP_PSH, input->at, length);
	script->connections[number].next[from] += length;
	input->at += length;
}

static void step_syn(struct script *script, unsigned number, enum direction from)
{
	struct connection *connection = &script->connections[number];
	if (connection->begun && from == FROM_CLIENT)
		connection->next[from] += 100000; // the same ends again
	connection->begun = true;
	make_packet(
	    script, number, from, from == FROM_CLIENT ? TCP_SYN : TCP_SYN | TCP_ACK, NULL, 0);
	connection->next[from]++;
}

static void step_fin(struct script *script, unsigned number, enum direction from)
{
	make_packet(script, number, from, TCP_FIN | TCP_ACK, NULL, 0);
	script->connections[number].next[from]++;
}

static void step_wait(struct script *script, uint8_t value)
{
	static const nanoseconds units[] = {1000000, SECONDS(1) / 4, SECONDS(2), SECONDS(120)};
	script->now += (value & 0x3f) * units[value >> 6];
}

static void read_modifier(struct script *script)
{
	struct input *input = &script->input;
	script->modifier.flags = take(input) & 0x3f;
	script->modifier.sequence = (int8_t)take(input);
	script->modifier.acknowledgement = (int8_t)take(input);
	script->modifier.cut = take(input);
	script->modifier.tap = take(input);
	script->modifier.how = take(input);
}

static void step(struct script *script)
{
	struct input *input = &script->input;
	uint8_t first = take(input), kind = first >> 4;
	unsigned number = first & 7;
	enum direction from = first & 8 ? FROM_SERVER : FROM_CLIENT;
	struct connection *connection = &script->connections[number];
	if (kind < STEP_LONG_DATA)
		step_data(script, number, from, take(input));
	else if (kind < STEP_SYN)
		step_data(script, number, from, take_u16(input));
	else if (kind == STEP_SYN)
		step_syn(script, number, from);
	else if (kind == STEP_FIN)
		step_fin(script, number, from);
	else if (kind == STEP_RST)
		make_packet(script, number, from, TCP_RST, NULL, 0);
	else if (kind == STEP_ACK)
		make_packet(script, number, from, TCP_ACK, NULL, 0);
	else if (kind == STEP_REPEAT)
		add_frame(script, &script->remembered[take(input) % REMEMBERED]);
	else if (kind == STEP_LOSE)
		connection->next[from] += take_u16(input);
	else if (kind == STEP_WAIT)
		step_wait(script, take(input));
	else
		read_modifier(script);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t budgets[] = {2 << 20, 256 << 10, 128 << 10, 88 << 10};
	static struct frame remembered[REMEMBERED];
	static struct script script;
	struct input input = {data, data + size};
	uint8_t settings = take(&input);
	for (size_t i = 0; i < REMEMBERED; i++)
		remembered[i].packet = (struct packet){.link_type = LINK_ETHERNET};
	script =
	    (struct script){.input = input, .now = SECONDS(1700000000), .remembered = remembered};
	script.batch_size = settings & 4 ? 1 : settings & 8 ? 7 : PACKET_BATCH_MAX;
	const struct harness_settings around = {
	    .budget = budgets[settings & 3],
	    .drop_wrong_checksums = settings >> 4 & 1,
	    .every_port = settings >> 5 & 1,
	    .more = settings >> 7 & 1,
	};
	script.harness = harness_begin(&around);
	script.elsewhere = settings >> 6 & 1;
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		script.connections[i].next[FROM_CLIENT] = 0xffffff80 - i; // soon wraps around
		script.connections[i].next[FROM_SERVER] = 0x10000 * i;
	}
	for (size_t i = 0; i < STEPS_MAX && script.input.at < script.input.end; i++) {
		script.now += 1000;
		step(&script);
	}
	send_batch(&script);
	harness_end(script.harness);
	return 0;
}
