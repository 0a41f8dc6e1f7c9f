// SPDX-License-Identifier: Apache-2.0
// Fuzzes the reassembly of TCP, held against a model of what a tap captured. The input is a script: a byte of
// settings, then segments of one connection (struct step), in whatever order, overlap and truth. Takes the
// place of decode/dialogue.c, so that what is delivered is seen as it is delivered.
//
// What is delivered of a direction is one sequence without a jump; each byte of it is what the first segment
// that had the byte said; nothing is called missing that was captured, and nothing that was captured is
// forgotten; memory stays within its bound, and comes back.
#include "decode/tcp.h"
#include "decode/tcp_end.h"
#include "tests/fuzz/fuzzer.h"

enum {
	WINDOW = 128 * 1024, // bytes of a direction that the model follows
	STEPS_MAX = 256,
	MEMORY_BOUND = 512 * 1024, // of a connection, whatever comes
	FAR = 4 * 1024 * 1024, // a step beyond what the reassembler takes for possible
};

// What the first byte of a step says.
enum {
	STEP_SERVER = 0x01,
	STEP_LIE = 0x02, // one byte of the payload is another than before
	STEP_CUT = 0x04, // the snap length cut a part of the payload
	STEP_DAMAGED = 0x08, // the checksum is wrong
	STEP_PLACE = 0x10, // at a place in the stream; else relative to what was sent last
	STEP_FAR = 0x20, // so many times FAR away
	STEP_SILENT = 0x40, // acknowledges nothing
	STEP_AGAIN = 0x80, // what comes next follows what was sent before this
};

struct step {
	uint8_t what;
	uint8_t flags; // of TCP, but ACK
	uint16_t place;
	uint16_t length;
	uint8_t acknowledgement; // relative to what the other side sent last
	uint8_t time;
	uint8_t detail; // of a lie, of a cut, of a distance
};

// What became of a byte of the stream.
enum byte_state {
	BYTE_UNSEEN,
	BYTE_CAPTURED, // and `first` is its value
	BYTE_UNSURE, // cut off, urgent, or not held for want of memory: anything may become of it
};

struct side {
	uint32_t base; // sequence number of the stream's first byte
	uint32_t sent; // where what was sent last ends, from there on
	uint8_t first[WINDOW];
	uint8_t state[WINDOW]; // enum byte_state
	uint32_t reached; // the model knows of nothing behind it
	uint32_t ended; // what was behind a FIN that was acknowledged at some time begins there
	bool begun; // something was delivered
	uint32_t at; // sequence number behind it
	uint64_t delivered, missing;
};

struct dialogue {
	struct session *session;
	bool in_the_clear;
};

struct lab {
	struct memory *memory;
	struct session_shared shared;
	struct tcp_counters counters;
	struct tcp_context context;
	struct flow flow;
	struct dialogue dialogue;
	struct side sides[2];
	nanoseconds now;
	bool ample; // no memory is refused
	// The step that is being taken.
	uint64_t refused_before;
	uint32_t from, to; // the model's bytes that it brings
	enum direction sender;
};

static struct lab lab;

/* ---- in the place of decode/dialogue.c ---- */

struct dialogue *dialogue_create(
    struct memory *memory, struct session *session, struct port_hint hint, const bool missing[2])
{
	(void)memory, (void)hint, (void)missing;
	session->protocol = PROTOCOL_SMTP;
	lab.dialogue.session = session;
	return &lab.dialogue;
}

void dialogue_destroy(struct dialogue *dialogue)
{
	dialogue->session = NULL;
}

// The next `length` bytes of a direction, which end where the stream stands now.
static void go_on(struct side *side, const struct stream *stream, uint32_t length)
{
	MUST(!side->begun || side->at == stream->next - length);
	side->begun = true;
	side->at = stream->next;
}

void dialogue_data(struct dialogue *dialogue, const struct chunk *chunk, bool other_seen)
{
	struct side *side = &lab.sides[chunk->from];
	(void)dialogue, (void)other_seen;
	MUST(chunk->length > 0 && chunk->length <= UINT16_MAX);
	go_on(side, &lab.flow.streams[chunk->from], (uint32_t)chunk->length);
	side->delivered += chunk->length;
	uint32_t at = side->at - (uint32_t)chunk->length - side->base;
	for (size_t i = 0; i < chunk->length; i++, at++) {
		if (at >= WINDOW)
			continue;
		MUST(side->state[at] != BYTE_UNSEEN);
		MUST((side->state[at] & BYTE_UNSURE) || side->first[at] == chunk->bytes[i]);
	}
}

static bool may_be_missing(const struct side *side, uint32_t at)
{
	bool refused_now = lab.counters.held_dropped > lab.refused_before &&
	                   side == &lab.sides[lab.sender] && at >= lab.from && at < lab.to;
	return !(side->state[at] & BYTE_CAPTURED) || refused_now || at >= side->ended;
}

void dialogue_gap(struct dialogue *dialogue, enum direction from, uint64_t length)
{
	struct side *side = &lab.sides[from];
	(void)dialogue;
	MUST(length > 0 && length <= INT32_MAX);
	go_on(side, &lab.flow.streams[from], (uint32_t)length);
	side->missing += length;
	int64_t start = (int32_t)(side->at - (uint32_t)length - side->base),
	        end = start + (int64_t)length;
	for (int64_t at = start > 0 ? start : 0; at < end && at < side->reached; at++)
		MUST(may_be_missing(side, (uint32_t)at));
}

void dialogue_close(struct dialogue *dialogue, enum direction from)
{
	(void)dialogue;
	go_on(&lab.sides[from], &lab.flow.streams[from], 1);
}

// The number that the FIN took is a byte's again.
void dialogue_reopen(struct dialogue *dialogue, enum direction from)
{
	(void)dialogue;
	lab.sides[from].at--;
}

bool dialogue_in_the_clear(const struct dialogue *dialogue)
{
	return dialogue->in_the_clear;
}

bool dialogue_is_tls(const struct dialogue *dialogue)
{
	return !dialogue->in_the_clear;
}

bool dialogue_keeps(const struct dialogue *dialogue, enum direction from)
{
	(void)dialogue, (void)from;
	return false;
}

bool dialogue_done(const struct dialogue *dialogue)
{
	(void)dialogue;
	return false;
}

void dialogue_begin_names(struct dialogue *dialogue, const struct dns_ends *ends)
{
	(void)dialogue, (void)ends;
}

/* ---- what was captured ---- */

// What the streams say, over and over.
static void copy_truth(uint8_t *payload, enum direction from, uint32_t place, uint32_t length)
{
	static uint8_t text[UINT16_MAX + 1 + UINT16_MAX];
	if (text[0] == 0)
		for (uint32_t i = 0; i < sizeof text; i++)
			text[i] = (uint8_t)('A' + (i * 2654435761u >> 20) % 26);
	memcpy(payload, text + ((place + from) & UINT16_MAX), length);
}

enum { JUST_NOW = 0x80 }; // beside a state: by the segment that is being taken

// Notes the bytes that a segment is the first to bring, or would have been but for the snap length, or as urgent
// ones, of which nobody knows how they were read.
static void note(struct side *side, const struct segment *segment, uint32_t place)
{
	for (uint32_t at = lab.from; at < lab.to; at++) {
		if (side->state[at] != BYTE_UNSEEN)
			continue;
		bool cut = at - place >= segment->captured || (segment->flags & TCP_URG);
		side->state[at] = JUST_NOW | (cut ? BYTE_UNSURE : BYTE_CAPTURED);
		side->first[at] = cut ? 0 : segment->payload[at - place];
	}
	if (lab.to > side->reached)
		side->reached = lab.to;
}

static void settle(struct side *side, enum byte_state state)
{
	for (uint32_t at = lab.from; at < lab.to; at++)
		if (side->state[at] & JUST_NOW)
			side->state[at] = (uint8_t)state;
}

static void clear_new_marks(struct side *side)
{
	for (uint32_t at = lab.from; at < lab.to; at++)
		side->state[at] &= (uint8_t)~JUST_NOW;
}

// Bytes behind it that were held are given up; if it was none after all, they are missing.
static void note_ends(void)
{
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		const struct stream *stream = &lab.flow.streams[from];
		struct side *side = &lab.sides[from];
		uint32_t place = stream->fin_sequence - side->base;
		if (tcp_end_acknowledged(stream) && place < side->ended)
			side->ended = place;
	}
}

/* ---- steps ---- */

static struct step take_step(struct input *input)
{
	struct step step = {.what = take(input), .flags = take(input)};
	step.place = take_u16(input);
	step.length = take_u16(input) & 0x7ff;
	step.acknowledgement = take(input);
	step.time = take(input);
	step.detail = take(input);
	return step;
}

static void pass_time(uint8_t value)
{
	static const nanoseconds units[] = {10000, SECONDS(1) / 100, SECONDS(1) / 4, SECONDS(1)};
	lab.now += (value & 0x3f) * units[value >> 6];
}

static uint32_t place_of(const struct step *step, const struct side *side)
{
	int32_t near = (int16_t)step->place, far = (int8_t)step->detail;
	uint32_t place = side->sent + (uint32_t)near;
	if (step->what & STEP_PLACE)
		place = step->place;
	return step->what & STEP_FAR ? place + (uint32_t)far * FAR : place;
}

static struct segment segment_of(const struct step *step, enum direction from, uint32_t place)
{
	const struct side *side = &lab.sides[from], *other = &lab.sides[other_direction(from)];
	struct segment segment = {
	    .context = {.time = lab.now},
	    .source_port = from == FROM_CLIENT ? 40000 : 25,
	    .destination_port = from == FROM_CLIENT ? 25 : 40000,
	    .sequence = side->base + place - !!(step->flags & TCP_SYN),
	    .acknowledgement =
	        other->base + other->sent + (uint32_t)(int32_t)(int8_t)step->acknowledgement * 16,
	    .window = 8192,
	    .flags = (step->flags & 0x2f) | (step->what & STEP_SILENT ? 0 : TCP_ACK),
	    .ip_version = 4,
	    .ttl = step->what & STEP_LIE ? 61 : 64,
	    .ip_id = (uint16_t)step->time,
	    .checksum_wrong = step->what & STEP_DAMAGED,
	    .length = step->length,
	    .captured = step->length,
	};
	if ((step->what & STEP_CUT) && step->length > 0) {
		segment.captured -= step->detail % step->length;
		segment.checksum_wrong = false;
	}
	return segment;
}

// What is in the model's window of a segment's payload.
static void set_range(const struct segment *segment, uint32_t place)
{
	int64_t start = (int32_t)place, end = start + segment->length;
	if (start < 0)
		start = 0;
	if (end > WINDOW)
		end = WINDOW;
	if ((segment->flags & TCP_RST) || end <= start)
		start = end = 0;
	lab.from = (uint32_t)start;
	lab.to = (uint32_t)end;
}

static void send_segment(const struct step *step, enum direction from, uint32_t place)
{
	struct side *side = &lab.sides[from];
	struct segment segment = segment_of(step, from, place);
	uint64_t out_of_window = lab.counters.out_of_window;
	uint8_t *payload = malloc(segment.captured > 0 ? segment.captured : 1);
	MUST(payload != NULL);
	copy_truth(payload, from, place, segment.captured);
	if ((step->what & STEP_LIE) && segment.captured > 0)
		payload[step->detail % segment.captured] ^= 0x20;
	segment.payload = payload;
	lab.sender = from;
	lab.refused_before = lab.counters.held_dropped;
	set_range(&segment, place);
	note(side, &segment, place);
	tcp_segment(&lab.context, &lab.flow, from, &segment);
	note_ends();
	if (lab.counters.out_of_window > out_of_window)
		settle(side, BYTE_UNSEEN);
	else if (lab.counters.held_dropped > lab.refused_before)
		settle(side, BYTE_UNSURE);
	clear_new_marks(side);
	free(payload);
}

static void step(struct input *input)
{
	struct step step = take_step(input);
	enum direction from = step.what & STEP_SERVER ? FROM_SERVER : FROM_CLIENT;
	struct side *side = &lab.sides[from];
	pass_time(step.time);
	uint32_t place = place_of(&step, side);
	send_segment(&step, from, place);
	if (!(step.what & (STEP_AGAIN | STEP_FAR)))
		side->sent = place + step.length;
	MUST(memory_in_use(lab.memory) <= MEMORY_BOUND);
}

/* ---- a connection ---- */

static void begin(size_t budget, bool in_the_clear)
{
	static const struct hash_key key = {{1, 2}};
	lab.memory = memory_create(budget);
	MUST(lab.memory != NULL);
	lab.shared = (struct session_shared){.texts = text_store_create(lab.memory, &key, 16)};
	MUST(lab.shared.texts != NULL);
	lab.counters = (struct tcp_counters){0};
	lab.context = (struct tcp_context){lab.memory, &lab.shared, &lab.counters};
	memset(&lab.flow, 0, sizeof lab.flow);
	lab.flow.hint.protocol = PROTOCOL_SMTP;
	lab.dialogue = (struct dialogue){.in_the_clear = in_the_clear};
	lab.ample = budget > MEMORY_BOUND;
	lab.now = SECONDS(1700000000);
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		struct side *side = &lab.sides[from];
		memset(side->state, BYTE_UNSEEN, side->reached);
		side->base = from == FROM_CLIENT ? 0xfffff000u : 0x10000u; // one wraps soon
		side->sent = side->reached = 0;
		side->ended = UINT32_MAX;
		side->begun = false;
		side->delivered = side->missing = 0;
	}
}

// Of what was captured behind the stream's beginning nothing is left over.
static void check_end(enum direction from)
{
	const struct stream *stream = &lab.flow.streams[from];
	const struct side *side = &lab.sides[from];
	MUST(!stream->holding);
	if (!side->begun)
		return;
	uint32_t end = stream->next - side->base;
	for (uint32_t at = 0; at < side->reached && at < side->ended; at++)
		MUST((int32_t)(at - end) < 0 || side->state[at] != BYTE_CAPTURED);
	// A FIN that was taken for a byte at first is missing no longer.
	bool fin_was_missing = stream->missing + 1 == side->missing && stream->fin_seen;
	MUST(!lab.ample || stream->bytes == side->delivered);
	MUST(!lab.ample || stream->missing == side->missing || fin_was_missing);
}

static void end(void)
{
	tcp_finish(&lab.context, &lab.flow);
	check_end(FROM_CLIENT);
	check_end(FROM_SERVER);
	tcp_release(&lab.context, &lab.flow);
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++)
		holes_destroy(lab.memory, lab.flow.streams[from].holes);
	if (lab.flow.session != NULL) {
		session_release(lab.flow.session);
		memory_give(lab.memory, lab.flow.session);
	}
	MUST(text_store_count(lab.shared.texts) == 0);
	text_store_destroy(lab.shared.texts);
	MUST(memory_in_use(lab.memory) == 0);
	memory_destroy(lab.memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t budgets[] = {4 << 20, 4 << 20, 64 << 10, 8 << 10};
	struct input input = {data, data + size};
	uint8_t settings = take(&input);
	begin(budgets[settings & 3], settings & 4);
	for (unsigned i = 0; i < STEPS_MAX && input_left(&input) > 0; i++)
		step(&input);
	lab.refused_before = lab.counters.held_dropped;
	lab.from = lab.to = 0;
	end();
	return 0;
}
