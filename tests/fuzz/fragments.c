// SPDX-License-Identifier: Apache-2.0
// Fuzzes the reassembly of IP fragments, held against a plain model of it. The input is a script: a byte of
// settings, then fragments of a few datagrams, in whatever order, overlap and truth.
// A datagram that comes out is covered by what was sent of it; each byte of it is what every fragment that has
// that byte says; one that came whole, without contradiction, does come out; counters add up and memory
// comes back.
#include "decode/fragment.h"
#include "tests/fuzz/fuzzer.h"

enum {
	DATAGRAMS = 4, // told apart by their identification
	DATAGRAM_MAX = 65536 + 4096, // bytes that fragments of a script can reach to
	PORT = 25,
	STEPS_MAX = 512,
	UNIT = 8,
};

// A fragment's first byte.
enum {
	STEP_DATAGRAM = 0x03,
	STEP_MORE = 0x04,
	STEP_LIE =
	    0x08, // one byte is another than in the datagram: two more bytes of input say which
	STEP_CUT = 0x10, // the snap length cut some: one more byte
	STEP_TIME = 0xe0, // passes before: eighths of the time-out, and more than it
};

// Fragments count in units of eight bytes. What the snap length left of one counts for less than a whole one.
enum byte_known {
	BYTE_UNKNOWN,
	BYTE_KNOWN, // of a whole unit
	BYTE_CONTRADICTED, // another one said something else afterwards
	BYTE_OF_CUT, // of a part of a unit
	BYTE_EITHER, // two parts differ
};

// What was sent of a datagram since the table began to collect it.
struct model {
	uint8_t value[DATAGRAM_MAX];
	uint8_t known[DATAGRAM_MAX]; // enum byte_known
	bool sent[DATAGRAM_MAX / UNIT + 1];
	uint32_t reached; // nothing was sent behind it
	uint32_t total; // by the last fragment; 0: not seen
	bool clean; // no lie, no cut, nothing that cannot be
};

struct lab {
	struct memory *memory;
	struct fragment_table *table;
	struct port_set ports;
	nanoseconds now;
	size_t budget;
	bool ample; // nothing has to give way for want of memory
};

static struct model models[DATAGRAMS];

static uint8_t truth(unsigned datagram, uint32_t at)
{
	static const uint8_t ports[4] = {0x9c, 0x40, PORT >> 8, PORT};
	return at < sizeof ports ? ports[at] : (uint8_t)((at * 2654435761u >> 13) + datagram);
}

static void forget(struct model *model)
{
	memset(model->value, 0, model->reached);
	memset(model->known, 0, model->reached);
	memset(model->sent, 0, (model->reached + UNIT - 1) / UNIT * sizeof model->sent[0]);
	model->reached = model->total = 0;
	model->clean = true;
}

static void note_byte(struct model *model, uint32_t at, uint8_t value, bool whole)
{
	uint8_t *known = &model->known[at];
	bool differs = *known != BYTE_UNKNOWN && model->value[at] != value;
	if (*known == BYTE_KNOWN && differs)
		*known = BYTE_CONTRADICTED;
	else if (*known == BYTE_OF_CUT && !whole && differs)
		*known = BYTE_EITHER;
	else if (whole && *known != BYTE_KNOWN && *known != BYTE_CONTRADICTED)
		*known = BYTE_KNOWN, model->value[at] = value;
	else if (*known == BYTE_UNKNOWN)
		*known = BYTE_OF_CUT, model->value[at] = value;
}

static void note(struct model *model, const struct fragment *fragment)
{
	uint32_t end = fragment->offset + fragment->length;
	uint32_t whole = fragment->captured < fragment->length ? fragment->captured / UNIT * UNIT
	                                                       : fragment->captured;
	for (uint32_t i = 0; i < fragment->captured; i++)
		note_byte(model, fragment->offset + i, fragment->payload[i], i < whole);
	for (uint32_t unit = fragment->offset / UNIT; unit * UNIT < end; unit++)
		model->sent[unit] = true;
	if (end > model->reached)
		model->reached = end;
	bool beyond = end > 65535 || fragment->length == 0 || (fragment->more && end % UNIT != 0);
	bool other_end =
	    model->total != 0 && (fragment->more ? end > model->total : end != model->total);
	if (!fragment->more)
		model->total = end;
	model->clean = model->clean && !beyond && !other_end &&
	               model->reached <= (model->total != 0 ? model->total : 65535u);
}

static bool is_covered(const struct model *model)
{
	for (uint32_t at = 0; at < model->total; at += UNIT)
		if (!model->sent[at / UNIT])
			return false;
	return model->total > 0;
}

static void check_datagram(
    const struct model *model, const struct fragment *last, const struct datagram *datagram)
{
	MUST(datagram->length == model->total && is_covered(model));
	MUST(datagram->captured <= datagram->length && datagram->length <= 65535);
	MUST(datagram->id == last->id && datagram->ip_version == last->ip_version);
	MUST(memcmp(&datagram->source, &last->source, sizeof last->source) == 0);
	for (uint32_t at = 0; at < datagram->captured; at++) {
		MUST(model->known[at] != BYTE_UNKNOWN && model->known[at] != BYTE_CONTRADICTED);
		MUST(model->known[at] == BYTE_EITHER || model->value[at] == datagram->payload[at]);
	}
	// As far as the bytes are known without a gap.
	MUST(datagram->captured == datagram->length ||
	     model->known[datagram->captured] != BYTE_KNOWN || !model->clean);
}

static void check_sums(const struct lab *lab)
{
	struct fragment_counters c = fragment_table_counters(lab->table);
	MUST(c.fragments == c.fragments_complete + c.fragments_dropped + c.fragments_held);
	MUST(c.datagrams == c.datagrams_complete + c.datagrams_timed_out + c.datagrams_overlapping +
	                        c.datagrams_bad + c.datagrams_no_room + c.datagrams_ignored +
	                        c.datagrams_held);
	MUST(memory_in_use(lab->memory) <= lab->budget);
}

static void add(struct lab *lab, struct model *model, const struct fragment *fragment, bool honest)
{
	struct datagram datagram;
	uint64_t begun = fragment_table_counters(lab->table).datagrams;
	bool completed = fragment_add(lab->table, fragment, &datagram);
	if (fragment_table_counters(lab->table).datagrams > begun)
		forget(model);
	note(model, fragment);
	model->clean = model->clean && honest;
	if (completed) {
		check_datagram(model, fragment, &datagram);
		forget(model);
		model->clean = false; // until the next one is begun
	} else if (lab->ample && model->clean) {
		MUST(!is_covered(model));
	}
	check_sums(lab);
}

static struct fragment fragment_of(
    const struct lab *lab, unsigned number, uint32_t offset, uint32_t length)
{
	return (struct fragment){
	    .context = {.time = lab->now},
	    .source = {{[15] = 1}},
	    .destination = {{[15] = 2}},
	    .id = number,
	    .ip_version = number & 1 ? 6 : 4,
	    .protocol = 6,
	    .ttl = 64,
	    .offset = offset,
	    .length = length,
	    .captured = length,
	};
}

static void step(struct lab *lab, struct input *input)
{
	uint8_t first = take(input);
	unsigned number = first & STEP_DATAGRAM;
	uint16_t place = take_u16(input), size = take_u16(input);
	uint32_t length = first & STEP_MORE ? (size & 0x1ff) * (uint32_t)UNIT : size & 0xfffu;
	lab->now += (first >> 5) * SECONDS(5);
	struct fragment fragment =
	    fragment_of(lab, number, (uint32_t)(place & 0x1fff) * UNIT, length);
	struct model *model = &models[number];
	uint8_t *payload = malloc(length > 0 ? length : 1);
	MUST(payload != NULL);
	for (uint32_t i = 0; i < length; i++)
		payload[i] = truth(number, fragment.offset + i);
	fragment.more = first & STEP_MORE;
	uint16_t lie = first & STEP_LIE ? take_u16(input) : 0;
	uint8_t cut = first & STEP_CUT ? take(input) : 0;
	if ((first & STEP_LIE) && length > 0)
		payload[lie % length] ^= (uint8_t)(1 + (lie >> 12));
	if (cut < length)
		fragment.captured -= cut;
	fragment.payload = payload;
	bool honest = !(first & (STEP_LIE | STEP_CUT));
	add(lab, model, &fragment, honest);
	free(payload);
	fragment_expire(lab->table, lab->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t budgets[] = {4 << 20, 4 << 20, 128 << 10, 16 << 10};
	struct input input = {data, data + size};
	uint8_t settings = take(&input);
	struct lab lab = {.now = SECONDS(1700000000), .budget = budgets[settings & 3]};
	size_t datagrams = settings & 4 ? 2 : 64;
	lab.ample = lab.budget == budgets[0] && datagrams >= DATAGRAMS;
	port_set_add(&lab.ports, PORT);
	lab.memory = memory_create(lab.budget);
	MUST(lab.memory != NULL);
	lab.table = fragment_table_create(lab.memory, datagrams, &lab.ports);
	MUST(lab.table != NULL);
	for (unsigned i = 0; i < DATAGRAMS; i++)
		forget(&models[i]);
	for (unsigned i = 0; i < STEPS_MAX && input_left(&input) > 0; i++)
		step(&lab, &input);
	fragment_table_destroy(lab.table);
	MUST(memory_in_use(lab.memory) == 0);
	memory_destroy(lab.memory);
	return 0;
}
