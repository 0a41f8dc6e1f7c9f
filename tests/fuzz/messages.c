// SPDX-License-Identifier: Apache-2.0
// Fuzzes the reader of messages: the input is a byte that says how to cut, and a message. What is told of it is the same
// read whole, in pieces, and as a dialogue of SMTP carries it, by DATA (with dots put in) and by BDAT; names are names,
// nothing is beyond its bound, and all memory is given back.
#include "capture/base/utf8.h"
#include "decode/dialogue.h"
#include "decode/message_reader.h"
#include "tests/fuzz/fuzzer.h"

enum { BUDGET = 8 << 20, TOLD_MAX = 16 * 1024 };

static struct memory *memory;
static struct session_shared shared;

static void open_all(void)
{
	static const struct hash_key key = {{3, 4}};
	if (memory != NULL)
		return;
	memory = memory_create(BUDGET);
	struct mail_names *names = mail_names_create();
	MUST(memory != NULL && names != NULL);
	shared.texts = text_store_create(memory, &key, 64);
	shared.headers = message_context_create(memory, names, true);
	shared.now = SECONDS(1);
	MUST(shared.texts != NULL && shared.headers != NULL);
}

struct told {
	size_t length;
	uint8_t bytes[TOLD_MAX];
	struct message_facts facts;
};

static void tell(struct view messages, struct told *told)
{
	MUST(messages.length <= TOLD_MAX);
	memcpy(told->bytes, messages.data, messages.length);
	struct view rest = view_of(told->bytes, messages.length);
	memset(&told->facts, 0, sizeof told->facts);
	MUST(message_facts_take(&rest, &told->facts));
	MUST(rest.length == 0);
}

static void check_name(const uint8_t *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		MUST(name[i] > ' ' && name[i] < 0x7f && name[i] != '@');
}

// Of a signature: in other letters, too (RFC 8616).
static void check_signed_name(const uint8_t *name, size_t length)
{
	for (size_t at = 0; at < length;) {
		uint32_t code;
		size_t size = utf8_code_point(name + at, length - at, &code);
		MUST(size > 0 && code > ' ' && code != '@' && !code_point_is_unsafe(code));
		at += size;
	}
}

static void check(const struct message_facts *facts)
{
	MUST(facts->hop_count <= HOPS_MAX && facts->result_count <= RESULTS_MAX &&
	     facts->signature_count <= SIGNATURES_MAX);
	MUST(facts->complete || facts->body_protection != BODY_UNPROTECTED);
	check_name(facts->server, facts->server_length);
	for (size_t i = 0; i < facts->hop_count; i++)
		MUST(facts->hops[i].protocol < HOP_PROTOCOLS &&
		     facts->hops[i].tls < HOP_TLS_VERSIONS);
	for (size_t i = 0; i < facts->signature_count; i++) {
		const struct dkim_signature *signature = &facts->signatures[i];
		check_signed_name(signature->domain, signature->domain_length);
		check_signed_name(signature->selector, signature->selector_length);
		MUST(signature->signature_length <= DKIM_SIGNATURE_MAX);
		MUST(signature->body == NOT_SEEN || signature->progress == DKIM_HASHED ||
		     signature->progress == DKIM_BARE_LINES);
	}
}

static void same_signature(const struct dkim_signature *one, const struct dkim_signature *other)
{
	MUST(one->algorithm == other->algorithm && one->header_form == other->header_form &&
	     one->body_form == other->body_form && one->author == other->author);
	MUST(one->progress == other->progress && one->body == other->body &&
	     one->expired == other->expired && one->length_tag == other->length_tag);
	MUST(memcmp(one->digest, other->digest, sizeof one->digest) == 0);
	MUST(one->domain_length == other->domain_length &&
	     memcmp(one->domain, other->domain, one->domain_length) == 0);
	MUST(one->signature_length == other->signature_length &&
	     memcmp(one->signature, other->signature, one->signature_length) == 0);
}

static void same(const struct message_facts *one, const struct message_facts *other)
{
	MUST(one->complete == other->complete && one->header_bytes == other->header_bytes &&
	     one->body_protection == other->body_protection);
	MUST(one->hop_count == other->hop_count && one->hops_left_out == other->hops_left_out &&
	     memcmp(one->hops, other->hops, one->hop_count * sizeof one->hops[0]) == 0);
	MUST(one->result_count == other->result_count &&
	     memcmp(one->results, other->results, one->result_count * sizeof one->results[0]) == 0);
	MUST(one->server_length == other->server_length &&
	     memcmp(one->server, other->server, one->server_length) == 0);
	MUST(one->signature_count == other->signature_count &&
	     one->signatures_left_out == other->signatures_left_out);
	for (size_t i = 0; i < one->signature_count; i++)
		same_signature(&one->signatures[i], &other->signatures[i]);
}

/* ---- the reader alone ---- */

// Lengths of pieces, from the byte that says how to cut: 0 is all at once.
static size_t piece_of(uint8_t cut, size_t number, size_t left)
{
	size_t size = cut == 0 ? left : 1 + (cut * (number + 1)) % 61;
	return size < left ? size : left;
}

static void read_message(const uint8_t *message, size_t length, uint8_t cut, struct told *told)
{
	uint8_t room[TOLD_MAX];
	struct message_facts facts = {.transport = BY_DATA};
	struct message_reader *reader = message_reader_create(shared.headers, &facts, SECONDS(1));
	MUST(reader != NULL);
	for (size_t at = 0, number = 0; at < length; number++) {
		size_t size = piece_of(cut, number, length - at);
		uint8_t *copy = exact_copy(message + at, size);
		message_reader_take(reader, copy, size);
		free(copy);
		at += size;
	}
	message_reader_end(reader, true);
	size_t size = message_facts_size(&facts);
	MUST(size <= sizeof room);
	message_facts_put(&facts, room);
	tell(view_of(room, size), told);
	message_reader_destroy(reader);
	check(&told->facts);
}

/* ---- as it is carried ---- */

struct talk {
	struct session session;
	struct dialogue *dialogue;
	uint8_t cut;
};

static void say(struct talk *talk, enum direction from, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	for (size_t number = 0; length > 0; number++) {
		size_t size = piece_of(from == FROM_CLIENT ? talk->cut : 0, number, length);
		uint8_t *copy = exact_copy(at, size);
		struct chunk chunk = {
		    .from = from, .bytes = copy, .length = size, .time = SECONDS(1)};
		dialogue_data(talk->dialogue, &chunk, true);
		free(copy);
		at += size;
		length -= size;
	}
}

static void say_text(struct talk *talk, enum direction from, const char *text)
{
	say(talk, from, text, strlen(text));
}

static void begin(struct talk *talk)
{
	static const bool missing[2];
	session_begin(&talk->session, &shared);
	talk->dialogue = dialogue_create(
	    memory, &talk->session, (struct port_hint){.protocol = PROTOCOL_SMTP}, missing);
	MUST(talk->dialogue != NULL);
	say_text(talk, FROM_SERVER, "220 a.example ESMTP\r\n");
	say_text(talk, FROM_CLIENT, "EHLO b.example\r\n");
	say_text(talk, FROM_SERVER, "250 a.example\r\n");
	say_text(talk, FROM_CLIENT, "MAIL FROM:<>\r\n");
	say_text(talk, FROM_SERVER, "250 ok\r\n");
}

static void end(struct talk *talk, struct told *told)
{
	say_text(talk, FROM_SERVER, "250 taken\r\n");
	dialogue_destroy(talk->dialogue);
	tell(message_shelf_at(message_context_shelf(shared.headers), talk->session.told), told);
	session_release(&talk->session);
	MUST(told->facts.outcome == MESSAGE_ACCEPTED && told->facts.number == 1);
	check(&told->facts);
}

static void by_data(const uint8_t *message, size_t length, uint8_t cut, struct told *told)
{
	struct talk talk = {.cut = cut};
	uint8_t *stuffed = malloc(2 * length + 3);
	size_t size = 0;
	MUST(stuffed != NULL);
	for (size_t i = 0; i < length; i++) {
		bool begins =
		    i == 0 || (i >= 2 && message[i - 2] == '\r' && message[i - 1] == '\n');
		if (begins && message[i] == '.')
			stuffed[size++] = '.';
		stuffed[size++] = message[i];
	}
	memcpy(stuffed + size, ".\r\n", 3);
	begin(&talk);
	say_text(&talk, FROM_CLIENT, "DATA\r\n");
	say_text(&talk, FROM_SERVER, "354 go\r\n");
	say(&talk, FROM_CLIENT, stuffed, size + 3);
	free(stuffed);
	end(&talk, told);
	MUST(told->facts.transport == BY_DATA);
}

static void by_bdat(const uint8_t *message, size_t length, uint8_t cut, struct told *told)
{
	struct talk talk = {.cut = cut};
	char command[64];
	size_t first = length * cut / 255;
	begin(&talk);
	snprintf(command, sizeof command, "BDAT %zu\r\n", first);
	say_text(&talk, FROM_CLIENT, command);
	say(&talk, FROM_CLIENT, message, first);
	say_text(&talk, FROM_SERVER, "250 more\r\n");
	snprintf(command, sizeof command, "BDAT %zu LAST\r\n", length - first);
	say_text(&talk, FROM_CLIENT, command);
	say(&talk, FROM_CLIENT, message + first, length - first);
	end(&talk, told);
	MUST(told->facts.transport == BY_BDAT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct told whole, other;
	struct input input = {data, data + size};
	uint8_t cut = take(&input);
	size_t length = input_left(&input);
	open_all();
	size_t before = memory_in_use(memory);
	// As DATA has it: the last line ends.
	uint8_t *message = malloc(length + 2);
	MUST(message != NULL);
	if (length > 0)
		memcpy(message, input.at, length);
	bool ends = length == 0 ||
	            (length >= 2 && message[length - 2] == '\r' && message[length - 1] == '\n');
	memcpy(message + length, "\r\n", 2);
	length += ends ? 0 : 2;
	read_message(message, length, 0, &whole);
	read_message(message, length, cut | 1, &other);
	same(&whole.facts, &other.facts);
	by_data(message, length, cut, &other);
	same(&whole.facts, &other.facts);
	by_bdat(message, length, cut, &other);
	same(&whole.facts, &other.facts);
	free(message);
	MUST(memory_in_use(memory) == before);
	return 0;
}
