// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conversation.h"
#include "decode/clues.h"
#include "pattern_lab.h"
#include "decode/session_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MEMORY_BUDGET = 4 << 20,
	ROUNDS = 2000, // of several holes at once
	HOLES_EVERYWHERE = 200, // bytes of a turn up to which every range of it is tried as a hole
};

static const uint32_t sequence_base = 0xffffffc0u; // wraps early

/* ---- facts ---- */

enum fact_name {
	PROTOCOL,
	TLS_MODE,
	BANNER,
	SERVER_NAME,
	CLIENT_NAME,
	CAPABILITIES,
	MECHANISM,
	ESMTP,
	OFFERED,
	REQUESTED,
	REPLY,
	ACCEPTED,
	ESTABLISHED,
	REQUIRED,
	EXPOSED,
	LOGIN,
	MESSAGES,
	MESSAGE_BYTES,
	IN_THE_CLEAR,
	FOREIGN,
	INJECTED_COMMANDS,
	INJECTED_RESPONSES,
	GREETING,
	CLUES,
	TELL_NOW,
	SENTINEL,
	FACT_NAMES,
};

_Static_assert((int)FACT_NAMES <= (int)FACTS_MAX, "a row for each fact");

// How a fact may change where bytes are missing, besides into "not seen".
enum rule {
	RULE_STRICT,
	RULE_LAST, // it is what was seen last: an earlier value
	RULE_COUNT, // fewer, but not none
	RULE_PROTOCOL, // unknown is its "not seen"
	RULE_SOME, // some of its parts ('|' between), in their order
};

static const struct {
	const char *name;
	enum rule rule;
} fact_names[FACT_NAMES] = {
    [PROTOCOL] = {"protocol", RULE_PROTOCOL},
    [TLS_MODE] = {"tls_mode", RULE_STRICT},
    [BANNER] = {"banner", RULE_STRICT},
    [SERVER_NAME] = {"server_name", RULE_STRICT},
    [CLIENT_NAME] = {"client_name", RULE_LAST},
    [CAPABILITIES] = {"capabilities", RULE_LAST},
    [MECHANISM] = {"mechanism", RULE_LAST},
    [ESMTP] = {"esmtp", RULE_STRICT},
    [OFFERED] = {"offered", RULE_STRICT},
    [REQUESTED] = {"requested", RULE_STRICT},
    [REPLY] = {"reply", RULE_LAST},
    [ACCEPTED] = {"accepted", RULE_STRICT},
    [ESTABLISHED] = {"established", RULE_STRICT},
    [REQUIRED] = {"required", RULE_STRICT},
    [EXPOSED] = {"exposed", RULE_STRICT},
    [LOGIN] = {"login", RULE_LAST},
    [MESSAGES] = {"messages", RULE_COUNT},
    [MESSAGE_BYTES] = {"message_bytes", RULE_COUNT},
    [IN_THE_CLEAR] = {"in_the_clear", RULE_STRICT},
    [FOREIGN] = {"foreign", RULE_STRICT},
    [INJECTED_COMMANDS] = {"injected_commands", RULE_COUNT},
    [INJECTED_RESPONSES] = {"injected_responses", RULE_COUNT},
    [GREETING] = {"greeting", RULE_STRICT},
    [CLUES] = {"clues", RULE_SOME},
    [TELL_NOW] = {"tell_now", RULE_STRICT},
    [SENTINEL] = {"sentinel", RULE_STRICT},
};

static void set(struct facts *facts, enum fact_name name, const char *value)
{
	snprintf(facts->values[name], FACT_LENGTH, "%s", value != NULL ? value : "-");
}

static void set_text(struct facts *facts, enum fact_name name, const struct text *text)
{
	char *value = facts->values[name];
	if (text == NULL) {
		set(facts, name, NULL);
		return;
	}
	size_t length = text->length < FACT_LENGTH - 1 ? text->length : FACT_LENGTH - 1;
	for (size_t i = 0; i < length; i++)
		value[i] = text->bytes[i] == '\n' ? '|'
		           : text->bytes[i] == 0  ? '~'
		                                  : (char)text->bytes[i];
	value[length] = '\0';
}

static void set_seen(struct facts *facts, enum fact_name name, unsigned seen)
{
	static const char *const words[] = {
	    [NOT_SEEN] = NULL, [SEEN_NO] = "no", [SEEN_YES] = "yes"};
	set(facts, name, words[seen]);
}

static void set_number(struct facts *facts, enum fact_name name, bool known, uint64_t number)
{
	if (known)
		snprintf(facts->values[name], FACT_LENGTH, "%llu", (unsigned long long)number);
	else
		set(facts, name, NULL);
}

// "kind:bytes", '|' between; kinds as below, a conflict without its bytes.
static void set_clues(struct facts *facts, const struct session *session)
{
	static const char *const kinds[] = {[CLUE_STARTTLS_ANSWER] = "answer",
	    [CLUE_GARBLED_COMMAND] = "garbled",
	    [CLUE_GARBLED_ANSWER] = "garbled_answer",
	    [CLUE_EHLO_REFUSED] = "ehlo_refused",
	    [CLUE_CONFLICT] = "conflict",
	    [CLUES_LEFT_OUT] = "left_out"};
	char *value = facts->values[CLUES];
	size_t position = 0, length = 0;
	struct clue clue;
	set(facts, CLUES, NULL);
	while (clue_next(session, &position, &clue)) {
		length += (size_t)snprintf(value + length, FACT_LENGTH - length, "%s%s:%.*s",
		    length > 0 ? "|" : "", kinds[clue.kind], (int)clue.length,
		    (const char *)clue.bytes);
		assert_true(length < FACT_LENGTH);
	}
}

static void set_session(struct facts *facts, const struct session *session)
{
	static const char *const outcomes[] = {
	    [NOT_SEEN] = NULL, [SEEN_NO] = "failure", [SEEN_YES] = "success"};
	static const char *const sentinels[] = {
	    [SENTINEL_NONE] = NULL, [SENTINEL_TLS_1_2] = "1.2", [SENTINEL_TLS_1_1] = "1.1"};
	set(facts, PROTOCOL, protocol_name((enum protocol)session->protocol));
	set_text(facts, BANNER, session->server_banner);
	set_text(facts, SERVER_NAME, session->server_name);
	set_text(facts, CLIENT_NAME, session->client_name);
	set_text(facts, CAPABILITIES, session->capabilities);
	set_text(facts, MECHANISM, session->auth_mechanism);
	set_seen(facts, ESMTP, session->esmtp);
	set_seen(facts, OFFERED, session->starttls_offered);
	set(facts, REPLY, session->starttls_reply[0] != '\0' ? session->starttls_reply : NULL);
	set_seen(facts, REQUIRED, session->tls_required_by_server);
	set(facts, LOGIN, outcomes[session->login_succeeded]);
	set(facts, FOREIGN, session->tls_foreign ? "yes" : NULL);
	set_number(facts, INJECTED_COMMANDS, session->injected_command_bytes > 0,
	    session->injected_command_bytes);
	set_number(facts, INJECTED_RESPONSES, session->injected_response_bytes > 0,
	    session->injected_response_bytes);
	set(facts, GREETING,
	    session->greeting_irregular && session->greeting_preauth ? "both"
	    : session->greeting_irregular ? "irregular"
	    : session->greeting_preauth ? "preauth"
	                                : NULL);
	set_clues(facts, session);
	set(facts, TELL_NOW, session->tell_now ? "yes" : NULL);
	set(facts, SENTINEL, sentinels[session->tls.downgrade_sentinel]);
}

static void set_record(struct facts *facts, const struct session_record *record)
{
	static const char *const modes[] = {[TLS_MODE_NOT_SEEN] = NULL,
	    [TLS_MODE_NONE] = "none",
	    [TLS_MODE_IMPLICIT] = "implicit",
	    [TLS_MODE_STARTTLS] = "starttls"};
	set_session(facts, record->session);
	set(facts, TLS_MODE, modes[record->tls_mode]);
	set_seen(facts, REQUESTED, record->starttls_requested);
	set_seen(facts, ACCEPTED, record->starttls_accepted);
	set_seen(facts, ESTABLISHED, record->tls_established);
	set_seen(facts, EXPOSED, record->credentials_exposed);
	set_number(facts, MESSAGES, record->messages_known, record->session->messages);
	set_number(
	    facts, MESSAGE_BYTES, record->message_bytes_known, record->session->message_bytes);
	set(facts, IN_THE_CLEAR, record->in_the_clear ? "yes" : NULL);
}

static int fact_find(const char *name, size_t length)
{
	for (int i = 0; i < FACT_NAMES; i++)
		if (strlen(fact_names[i].name) == length &&
		    memcmp(fact_names[i].name, name, length) == 0)
			return i;
	fail_msg("no such fact: %s", name);
	return 0;
}

const char *fact(const struct facts *facts, const char *name)
{
	return facts->values[fact_find(name, strlen(name))];
}

/* ---- running a conversation ---- */

// Kept from run to run; empty between them.
static struct memory *memory;
static struct session_shared shared;

struct run {
	const struct mail_conversation *conversation;
	const struct variation *variation;
	struct dialogue *dialogue;
	struct flow flow;
	struct session session;
	uint32_t said[2]; // bytes so far, those not in the capture included
	uint32_t heard[2]; // of the other side, by its sender's last turn
};

static void feed_chunk(struct run *run, const struct turn *turn, const char *bytes, size_t length)
{
	enum direction from = (enum direction)turn->from, other = other_direction(from);
	// An exact copy on the heap, so that a sanitizer sees a read past the end.
	uint8_t *copy = malloc(length);
	assert_non_null(copy);
	memcpy(copy, bytes, length);
	struct chunk chunk = {
	    .from = from,
	    .bytes = copy,
	    .length = length,
	    .time = SECONDS(1),
	    .acknowledgement = sequence_base + run->heard[from],
	    .acknowledges = true,
	};
	run->flow.streams[from].packets++;
	run->flow.streams[from].bytes += length;
	if (!dialogue_done(run->dialogue))
		dialogue_data(run->dialogue, &chunk, run->flow.streams[other].packets > 0);
	free(copy);
	run->said[from] += (uint32_t)length;
}

static void feed_hole(struct run *run, const struct turn *turn, size_t length)
{
	run->flow.streams[turn->from].missing += length;
	dialogue_gap(run->dialogue, (enum direction)turn->from, length);
	run->said[turn->from] += (uint32_t)length;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

// How many bytes from this one on are lost.
static size_t lost_at(const struct variation *variation, unsigned turn, size_t at)
{
	size_t lost = 0;
	for (int i = 0; i < HOLES_AT_ONCE; i++)
		if (variation->holes[i].turn == turn && at >= variation->holes[i].from &&
		    at < variation->holes[i].from + variation->holes[i].length)
			lost = variation->holes[i].from + variation->holes[i].length - at;
	return lost;
}

// Where the next bytes behind this one are lost.
static size_t next_hole(const struct variation *variation, unsigned turn, size_t at)
{
	size_t next = SIZE_MAX;
	for (int i = 0; i < HOLES_AT_ONCE; i++)
		if (variation->holes[i].length > 0 && variation->holes[i].turn == turn &&
		    variation->holes[i].from > at)
			next = least(next, variation->holes[i].from);
	return next;
}

static void feed_turn(struct run *run, unsigned number, const struct turn *turn)
{
	const struct variation *variation = run->variation;
	bool cut = variation->cut.at > 0 && variation->cut.turn == number;
	if (!turn->unheard)
		run->heard[turn->from] = run->said[other_direction((enum direction)turn->from)];
	if (turn->bytes == NULL) {
		feed_hole(run, turn, turn->length);
		return;
	}
	for (size_t at = 0; at < turn->length;) {
		size_t length = least(turn->length, next_hole(variation, number, at)) - at;
		size_t lost = least(turn->length - at, lost_at(variation, number, at));
		if (lost > 0) {
			feed_hole(run, turn, lost);
			at += lost;
			continue;
		}
		if (variation->piece > 0)
			length = least(length, variation->piece);
		if (cut && at < variation->cut.at)
			length = least(length, variation->cut.at - at);
		feed_chunk(run, turn, turn->bytes + at, length);
		at += length;
	}
}

static bool is_last_turn(const struct mail_conversation *conversation, unsigned turn)
{
	return turn >= TURNS_MAX || conversation->turns[turn].length == 0;
}

static bool goes_on(
    const struct mail_conversation *conversation, unsigned next, const struct turn *first)
{
	const struct turn *turn = &conversation->turns[next];
	return !is_last_turn(conversation, next) && turn->from == first->from &&
	       turn->bytes != NULL && first->bytes != NULL;
}

// How many turns from this one on come as one.
static unsigned coalesced(const struct mail_conversation *conversation, unsigned first)
{
	unsigned count = 1;
	while (goes_on(conversation, first + count, &conversation->turns[first]))
		count++;
	return count;
}

static void feed_as_one(struct run *run, unsigned first, unsigned count)
{
	static char bytes[256 * 1024];
	struct turn turn = run->conversation->turns[first];
	turn.length = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct turn *part = &run->conversation->turns[first + i];
		assert_true(part->length <= sizeof bytes - turn.length);
		memcpy(bytes + turn.length, part->bytes, part->length);
		turn.length += part->length;
	}
	turn.bytes = bytes;
	feed_turn(run, first, &turn);
}

static void feed_turns(struct run *run)
{
	const struct mail_conversation *conversation = run->conversation;
	const struct variation *variation = run->variation;
	for (unsigned i = 0; !is_last_turn(conversation, i); i++) {
		const struct turn *turn = &conversation->turns[i];
		if (i < variation->first || i >= variation->last ||
		    variation->without[turn->from]) {
			run->said[turn->from] += (uint32_t)turn->length;
		} else if (variation->coalesced) {
			unsigned count = coalesced(conversation, i);
			if (count > 1)
				feed_as_one(run, i, count);
			else
				feed_turn(run, i, turn);
			i += count - 1;
		} else {
			feed_turn(run, i, turn);
		}
	}
}

static bool ends(const struct run *run)
{
	return is_last_turn(run->conversation, run->variation->last) &&
	       !run->conversation->left_open;
}

static void begin(struct run *run)
{
	if (memory == NULL) {
		static const struct hash_key key = {{1, 2}};
		memory = memory_create(MEMORY_BUDGET);
		shared.texts = text_store_create(memory, &key, 64);
		shared.patterns = shipped_set();
		shared.scratch = pattern_scratch_create(shared.patterns);
		assert_non_null(shared.scratch);
	}
	struct port_hint hint = {
	    run->conversation->port, run->conversation->implicit_tls, run->conversation->elsewhere};
	bool missing[2];
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		missing[from] = run->variation->first > 0 || run->variation->without[from];
		run->flow.streams[from].packets = !missing[from]; // its SYN
	}
	session_begin(&run->session, &shared);
	run->dialogue = dialogue_create(memory, &run->session, hint, missing);
	assert_non_null(run->dialogue);
	run->flow.session = &run->session;
	run->flow.hint = hint;
}

void facts_of(const struct mail_conversation *conversation, const struct variation *variation,
    struct facts *facts)
{
	struct run run = {.conversation = conversation, .variation = variation};
	begin(&run);
	feed_turns(&run);
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		if (!ends(&run) || variation->without[from])
			continue;
		dialogue_close(run.dialogue, (enum direction)from);
		run.flow.streams[from].fin_seen = true;
	}
	dialogue_destroy(run.dialogue);
	struct session_record record =
	    session_record_make(&run.flow, ends(&run) ? END_FIN : END_OF_CAPTURE);
	set_record(facts, &record);
	session_release(&run.session);
	assert_int_equal(memory_in_use(memory), 0);
	assert_int_equal(text_store_count(shared.texts), 0);
}

/* ---- comparing ---- */

// What a fact was whenever the capture ended early.
struct history {
	struct facts facts[TURNS_MAX + 1];
	unsigned count;
};

static struct facts whole;
static struct history history;
static unsigned ambiguities; // how often the conversation's own exception was needed

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void describe(const struct mail_conversation *conversation, const struct variation *v)
{
	print_error("%s: turns %u to %u, pieces of %zu%s%s%s, cut in %u at %zu\n",
	    conversation->name, v->first, v->last, v->piece, v->coalesced ? ", coalesced" : "",
	    v->without[FROM_CLIENT] ? ", without the client" : "",
	    v->without[FROM_SERVER] ? ", without the server" : "", v->cut.turn, v->cut.at);
	for (int i = 0; i < HOLES_AT_ONCE; i++)
		if (v->holes[i].length > 0)
			print_error("  hole in %u at %zu, %zu bytes\n", v->holes[i].turn,
			    v->holes[i].from, v->holes[i].length);
}

static void differs(const struct mail_conversation *conversation, const struct variation *variation,
    int name, const char *value)
{
	describe(conversation, variation);
	fail_msg("%s: %s is %s, not %s", conversation->name, fact_names[name].name, value,
	    whole.values[name]);
}

static void same_facts(
    const struct mail_conversation *conversation, const struct variation *variation)
{
	static struct facts facts;
	facts_of(conversation, variation, &facts);
	for (int i = 0; i < FACT_NAMES; i++)
		if (strcmp(facts.values[i], whole.values[i]) != 0)
			differs(conversation, variation, i, facts.values[i]);
}

// An earlier value of this fact; but a list torn in the middle is none.
static bool was_once(int name, const char *value)
{
	bool torn = name == CAPABILITIES && strlen(value) < strlen(whole.values[name]) &&
	            strncmp(value, whole.values[name], strlen(value)) == 0;
	for (unsigned i = 0; i < history.count && !torn; i++)
		if (strcmp(history.facts[i].values[name], value) == 0)
			return true;
	return false;
}

// Where bytes are missing anyway, more of them missing may leave what was known before that.
static bool knew_once(const struct mail_conversation *conversation, int name, const char *value)
{
	bool losses = false;
	for (unsigned i = 0; !is_last_turn(conversation, i); i++)
		losses |= conversation->turns[i].bytes == NULL;
	return losses && strcmp(whole.values[name], "-") == 0 && was_once(name, value);
}

static bool is_fewer(const char *value, const char *of)
{
	long long few = atoll(value);
	return few > 0 && few < atoll(of);
}

// Whether these parts are parts of a longer list, in its order.
static bool is_some_of(const char *some, const char *all)
{
	while (*some != '\0') {
		size_t length = strcspn(some, "|"), have = strcspn(all, "|");
		if (*all == '\0')
			return false;
		bool same = length == have && memcmp(some, all, length) == 0;
		all += have + (all[have] == '|');
		if (same)
			some += length + (some[length] == '|');
	}
	return true;
}

static bool may_become(const struct mail_conversation *conversation, int name, const char *value)
{
	if (strcmp(value, whole.values[name]) == 0 || strcmp(value, "-") == 0 ||
	    knew_once(conversation, name, value))
		return true;
	switch (fact_names[name].rule) {
	case RULE_STRICT:
		return false;
	case RULE_LAST:
		return was_once(name, value);
	case RULE_COUNT:
		return is_fewer(value, whole.values[name]);
	case RULE_PROTOCOL:
		return strcmp(value, "unknown") == 0;
	case RULE_SOME:
		return is_some_of(value, whole.values[name]);
	}
	return false;
}

static bool lists_fact(const char *list, int name)
{
	const char *wanted = fact_names[name].name;
	for (const char *at = list; at != NULL && *at != '\0';) {
		size_t length = strcspn(at, " ");
		if (length == strlen(wanted) && memcmp(at, wanted, length) == 0)
			return true;
		at += length + (at[length] == ' ');
	}
	return false;
}

static unsigned turns_of(const struct mail_conversation *conversation)
{
	unsigned count = 0;
	while (!is_last_turn(conversation, count))
		count++;
	return count;
}

static void no_other_facts(
    const struct mail_conversation *conversation, const struct variation *variation)
{
	static struct facts facts;
	facts_of(conversation, variation, &facts);
	for (int i = 0; i < FACT_NAMES; i++) {
		bool ended_early = variation->last < turns_of(conversation);
		if (may_become(conversation, i, facts.values[i]) ||
		    (ended_early && lists_fact(conversation->until_then, i)))
			continue;
		if (!lists_fact(conversation->ambiguous, i))
			differs(conversation, variation, i, facts.values[i]);
		ambiguities++;
	}
}

/* ---- variations ---- */

static struct variation all_of(const struct mail_conversation *conversation)
{
	return (struct variation){.last = turns_of(conversation)};
}

static void named_facts_hold(const struct mail_conversation *conversation)
{
	for (size_t i = 0; i < FACTS_MAX && conversation->facts[i] != NULL; i++) {
		const char *equals = strchr(conversation->facts[i], '=');
		assert_non_null(equals);
		int name =
		    fact_find(conversation->facts[i], (size_t)(equals - conversation->facts[i]));
		if (strcmp(whole.values[name], equals + 1) != 0)
			fail_msg("%s: %s is %s, not %s", conversation->name, fact_names[name].name,
			    whole.values[name], equals + 1);
	}
}

// Every offset of a turn counts, of a very long one every so many.
static size_t stride(size_t length)
{
	enum { EVERYWHERE = 1024, PLACES = 200 };
	return length <= EVERYWHERE ? 1 : length / PLACES;
}

static void splits_change_nothing(const struct mail_conversation *conversation)
{
	struct variation variation = all_of(conversation);
	variation.coalesced = true;
	same_facts(conversation, &variation);
	for (size_t piece = 1; piece <= 7; piece++) {
		variation.piece = piece;
		same_facts(conversation, &variation);
		variation.coalesced = !variation.coalesced;
	}
	variation = all_of(conversation);
	for (unsigned i = 0; !is_last_turn(conversation, i); i++) {
		variation.cut.turn = i;
		size_t length = conversation->turns[i].length;
		for (size_t at = 1; at < length; at += stride(length)) {
			variation.cut.at = at;
			same_facts(conversation, &variation);
		}
	}
}

// Every range of a short turn; of a long one, every beginning with lengths growing, and every end.
static void holes_in_turn(const struct mail_conversation *conversation, unsigned turn)
{
	struct variation variation = all_of(conversation);
	size_t length = conversation->turns[turn].length;
	if (conversation->turns[turn].bytes == NULL)
		return;
	variation.holes[0].turn = turn;
	for (size_t from = 0; from < length; from += stride(length)) {
		for (size_t size = 1; size < length - from;
		     size += length <= HOLES_EVERYWHERE ? 1 : 1 + size / 2) {
			variation.holes[0].from = from;
			variation.holes[0].length = size;
			no_other_facts(conversation, &variation);
		}
		variation.holes[0].from = from;
		variation.holes[0].length = length - from;
		no_other_facts(conversation, &variation);
	}
}

static void holes_invent_nothing(const struct mail_conversation *conversation)
{
	for (unsigned i = 0; !is_last_turn(conversation, i); i++)
		holes_in_turn(conversation, i);
}

// Two or three holes at once, at random places: what one of them hides may be what explains the other.
static void many_holes_invent_nothing(const struct mail_conversation *conversation)
{
	uint32_t random = 1;
	unsigned count = turns_of(conversation);
	for (int round = 0; round < ROUNDS; round++) {
		struct variation variation = all_of(conversation);
		for (int i = 0; i < 2 + round % 2; i++) {
			unsigned turn = next_random(&random) % count;
			size_t length = conversation->turns[turn].length;
			size_t from =
			    next_random(&random) % 3 == 0 ? 0 : next_random(&random) % length;
			size_t most = length - from;
			bool to_end = next_random(&random) % 2 == 0;
			variation.holes[i].turn = turn;
			variation.holes[i].from = from;
			variation.holes[i].length = to_end ? most : 1 + next_random(&random) % most;
		}
		no_other_facts(conversation, &variation);
	}
}

static void half_a_capture_invents_nothing(const struct mail_conversation *conversation)
{
	unsigned count = turns_of(conversation);
	for (unsigned i = 0; i < count; i++)
		no_other_facts(conversation, &(struct variation){.first = i, .last = count});
	for (unsigned i = 1; i < count; i++)
		no_other_facts(conversation, &(struct variation){.last = i});
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		struct variation variation = all_of(conversation);
		variation.without[from] = true;
		no_other_facts(conversation, &variation);
	}
}

static void remember_history(const struct mail_conversation *conversation)
{
	unsigned count = turns_of(conversation);
	history.count = count;
	for (unsigned i = 0; i < count; i++)
		facts_of(conversation, &(struct variation){.last = i + 1}, &history.facts[i]);
}

void conversation_holds(const struct mail_conversation *conversation)
{
	struct variation plain = all_of(conversation);
	facts_of(conversation, &plain, &whole);
	named_facts_hold(conversation);
	splits_change_nothing(conversation);
	remember_history(conversation);
	ambiguities = 0;
	holes_invent_nothing(conversation);
	many_holes_invent_nothing(conversation);
	half_a_capture_invents_nothing(conversation);
	if (conversation->ambiguous != NULL && ambiguities == 0)
		fail_msg("%s: the exception for %s is not needed", conversation->name,
		    conversation->ambiguous);
}

/* ---- a table as tests ---- */

static void run_one(void **state)
{
	conversation_holds(*state);
}

static int release_memory(void **state)
{
	(void)state;
	text_store_destroy(shared.texts);
	memory_destroy(memory);
	pattern_scratch_destroy(shared.scratch);
	shared.texts = NULL;
	shared.scratch = NULL;
	memory = NULL;
	return 0;
}

int conversations_run(const char *name, const struct mail_conversation *conversations, size_t count)
{
	struct CMUnitTest *tests = calloc(count, sizeof *tests);
	if (tests == NULL)
		return 1;
	for (size_t i = 0; i < count; i++) {
		struct mail_conversation *state = malloc(sizeof *state);
		if (state == NULL)
			return 1;
		*state = conversations[i];
		tests[i] = (struct CMUnitTest){
		    .name = conversations[i].name, .test_func = run_one, .initial_state = state};
	}
	int failed = _cmocka_run_group_tests(name, tests, count, NULL, release_memory);
	for (size_t i = 0; i < count; i++)
		free(tests[i].initial_state);
	free(tests);
	return failed;
}
