// SPDX-License-Identifier: Apache-2.0
// Fuzzes the mail dialogues, and TLS behind them: the input is a conversation (turns.h), its head a byte of
// settings. Built once for each protocol, on whose port it is held (SPOKEN).
// Whole turns, pieces of any length and single bytes come to the same facts, those of messages among them, unless bytes
// are missing; and all memory comes back.
#include "decode/certificate_announcer.h"
#include "decode/message_reader.h"
#include "decode/pattern_set.h"
#include "decode/tls_facts.h"
#include "tests/fuzz/facts.h"
#include "tests/fuzz/fuzzer.h"
#include "tests/fuzz/compiled_patterns.h"
#include "tests/fuzz/turns.h"

enum { BUDGET = 4 << 20 };

// Of the settings, the head's first byte.
enum {
	PORT_OF_TLS = 0x01,
	PORT_UNKNOWN = 0x02, // to be found to be mail first
	WITHOUT_CLIENT = 0x04, // its direction is not in the capture
	WITHOUT_SERVER = 0x08,
	LEFT_OPEN = 0x10, // nobody closes it
	LATE = 0x20, // the capture begins in its middle
	WITHOUT_HEADERS = 0x40, // of messages: they are not read
};

// How long a piece may be.
enum pieces { PIECES_WHOLE, PIECES_OF_ONE, PIECES_UNEVEN };

struct run {
	enum pieces pieces;
	uint8_t settings;
	uint32_t random;
	struct memory *memory;
	struct session_shared shared;
	struct session session;
	struct flow flow;
	struct dialogue *dialogue;
	uint32_t said[2]; // bytes so far
	uint32_t heard[2]; // of the other side, by its sender's last turn
};

static struct pattern_scratch *scratch(void)
{
	static struct pattern_scratch *kept;
	if (kept == NULL)
		kept = pattern_scratch_create(compiled_patterns());
	MUST(kept != NULL);
	return kept;
}

static struct tls_fingerprints *fingerprints(void)
{
	static struct tls_fingerprints *kept;
	if (kept == NULL)
		kept = tls_fingerprints_create();
	MUST(kept != NULL);
	return kept;
}

static const struct mail_names *names(void)
{
	static struct mail_names *kept;
	if (kept == NULL)
		kept = mail_names_create();
	MUST(kept != NULL);
	return kept;
}

static void on_certificate(void *context, const struct shown_certificate *shown)
{
	(void)context, (void)shown;
}

/* ---- feeding ---- */

static bool is_absent(const struct run *run, unsigned from)
{
	return run->settings & (from == FROM_CLIENT ? WITHOUT_CLIENT : WITHOUT_SERVER);
}

static size_t piece_of(struct run *run, size_t left)
{
	size_t piece = left;
	if (run->pieces == PIECES_OF_ONE)
		piece = 1;
	if (run->pieces == PIECES_UNEVEN) {
		run->random = run->random * 1664525u + 1013904223u;
		piece = 1 + (run->random >> 24) % 23;
	}
	return piece < left ? piece : left;
}

static void feed_piece(struct run *run, enum direction from, const uint8_t *bytes, size_t length)
{
	uint8_t *copy = exact_copy(bytes, length);
	struct chunk chunk = {
	    .from = from,
	    .bytes = copy,
	    .length = length,
	    .time = SECONDS(1),
	    .acknowledgement = run->heard[from],
	    .acknowledges = true,
	};
	run->flow.streams[from].packets++;
	run->flow.streams[from].bytes += length;
	if (!dialogue_done(run->dialogue))
		dialogue_data(
		    run->dialogue, &chunk, run->flow.streams[other_direction(from)].packets > 0);
	free(copy);
}

static void feed(struct run *run, const struct said *said)
{
	enum direction from = (enum direction)said->from;
	if (!said->unheard)
		run->heard[from] = run->said[other_direction(from)];
	run->said[from] += said->lost + (uint32_t)said->bytes.length;
	if (is_absent(run, from))
		return;
	if (said->lost > 0) {
		run->flow.streams[from].missing += said->lost;
		dialogue_gap(run->dialogue, from, said->lost);
	}
	for (size_t at = 0; at < said->bytes.length;) {
		size_t length = piece_of(run, said->bytes.length - at);
		feed_piece(run, from, said->bytes.data + at, length);
		at += length;
	}
}

/* ---- one run ---- */

static void begin(struct run *run)
{
	static const struct hash_key key = {{1, 2}};
	run->memory = memory_create(BUDGET);
	MUST(run->memory != NULL);
	run->shared = (struct session_shared){
	    .texts = text_store_create(run->memory, &key, 16),
	    .fingerprints = fingerprints(),
	    .patterns = compiled_patterns(),
	    .scratch = scratch(),
	    .certificates = certificate_announcer_create(run->memory, &key, on_certificate, NULL),
	};
	if (!(run->settings & WITHOUT_HEADERS)) {
		run->shared.headers = message_context_create(run->memory, names(), true);
		MUST(run->shared.headers != NULL);
	}
	run->shared.now = SECONDS(1);
	MUST(run->shared.texts != NULL && run->shared.certificates != NULL);
	struct port_hint hint = {SPOKEN, run->settings & PORT_OF_TLS, run->settings & PORT_UNKNOWN};
	if (hint.elsewhere)
		hint = (struct port_hint){PROTOCOL_UNDECIDED, false, true};
	bool missing[2];
	for (unsigned from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		missing[from] = is_absent(run, from) || (run->settings & LATE);
		run->flow.streams[from].packets = !missing[from]; // its SYN
	}
	session_begin(&run->session, &run->shared);
	run->dialogue = dialogue_create(run->memory, &run->session, hint, missing);
	MUST(run->dialogue != NULL);
	run->flow.session = &run->session;
	run->flow.hint = hint;
}

static void end(struct run *run, struct facts_text *facts)
{
	bool open = run->settings & LEFT_OPEN;
	for (unsigned from = FROM_CLIENT; from <= FROM_SERVER && !open; from++) {
		dialogue_close(run->dialogue, (enum direction)from);
		run->flow.streams[from].fin_seen = true;
	}
	dialogue_destroy(run->dialogue);
	struct session_record record =
	    session_record_make(&run->flow, open ? END_OF_CAPTURE : END_FIN);
	facts_write(facts, &record);
	session_release(&run->session);
	MUST(text_store_count(run->shared.texts) == 0);
	certificate_announcer_destroy(run->shared.certificates);
	text_store_destroy(run->shared.texts);
	message_context_destroy(run->shared.headers);
	MUST(memory_in_use(run->memory) == 0 && memory_refusals(run->memory) == 0);
	memory_destroy(run->memory);
}

static void hold(const struct turns *turns, enum pieces pieces, struct facts_text *facts)
{
	struct run run = {.pieces = pieces, .random = (uint32_t)turns->filled};
	run.settings = turns->head.length > 0 ? turns->head.data[0] : 0;
	begin(&run);
	for (unsigned i = 0; i < turns->count; i++)
		feed(&run, &turns->said[i]);
	end(&run, facts);
}

// Behind bytes that are missing, where a segment begins is all that tells where a line may.
static bool is_whole(const struct turns *turns)
{
	uint8_t settings = turns->head.length > 0 ? turns->head.data[0] : 0;
	bool whole = !(settings & (WITHOUT_CLIENT | WITHOUT_SERVER | LATE));
	for (unsigned i = 0; i < turns->count; i++)
		whole = whole && turns->said[i].lost == 0;
	return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct turns turns;
	static struct facts_text whole, other;
	turns_read(&turns, view_of(data, size));
	hold(&turns, PIECES_WHOLE, &whole);
	hold(&turns, PIECES_OF_ONE, &other);
	if (is_whole(&turns))
		facts_must_be_same(&whole, &other, "byte by byte");
	hold(&turns, PIECES_UNEVEN, &other);
	if (is_whole(&turns))
		facts_must_be_same(&whole, &other, "in uneven pieces");
	return 0;
}
