// SPDX-License-Identifier: Apache-2.0
// Bytes that come again with another value: what becomes a clue, what is told of at once, and that no
// byte is kept that could be private.
#include "tests/unit/lab.h"

#define GREETING "220 mx.example ESMTP\r\n"
#define HELLO "EHLO c.example\r\n"
#define TRUE_REPLY "250-mx.example\r\n250-STARTTLS\r\n250 SIZE 1000\r\n"
#define FORGED_REPLY "250-mx.example\r\n250-XXXXXXXX\r\n250 SIZE 1000\r\n"

enum { SERVER_TTL = 57, CLIENT_TTL = 64, FORGER_TTL = 120, NO_ID = 0 };

// A conversation whose senders are told apart by their TTLs.
static struct talk open_talk(struct lab *lab, uint16_t port)
{
	struct talk talk = talk_begin(lab, 1, port);
	talk.base[FROM_CLIENT].ttl = CLIENT_TTL;
	talk.base[FROM_SERVER].ttl = SERVER_TTL;
	talk_open(&talk);
	return talk;
}

static void say_as(
    struct talk *talk, enum direction from, uint8_t ttl, uint32_t offset, const char *text)
{
	uint8_t own = talk->base[from].ttl;
	talk->base[from].ttl = ttl;
	talk_say_at(talk, from, offset, text);
	talk->base[from].ttl = own;
}

static uint32_t said(const struct talk *talk, enum direction from)
{
	return talk->next[from] - talk->start[from];
}

// A session to read clues from, out of a kept record.
struct clue_reader {
	struct session session;
	size_t position;
	_Alignas(struct text) uint8_t text[sizeof(struct text) + CLUES_MAX];
};

static void read_clues(struct clue_reader *reader, const struct kept_record *kept)
{
	*reader = (struct clue_reader){.position = 0};
	struct text *text = (void *)reader->text;
	text->length = kept->clues_length;
	memcpy(text->bytes, kept->clues, kept->clues_length);
	reader->session.clues = kept->clues_length > 0 ? text : NULL;
}

struct found {
	struct clue_conflict conflict;
	char first[CLUE_CONFLICT_MAX + 1], second[CLUE_CONFLICT_MAX + 1];
};

static bool next_conflict(struct clue_reader *reader, struct found *found)
{
	struct clue clue;
	*found = (struct found){.first = ""};
	while (clue_next(&reader->session, &reader->position, &clue)) {
		if (clue.kind != CLUE_CONFLICT)
			continue;
		struct clue_conflict *conflict = &found->conflict;
		memcpy(conflict, clue.bytes, sizeof *conflict);
		assert_int_equal(clue.length,
		    sizeof *conflict + conflict->first_length + conflict->second_length);
		memcpy(found->first, clue.bytes + sizeof *conflict, conflict->first_length);
		memcpy(found->second, clue.bytes + sizeof *conflict + conflict->first_length,
		    conflict->second_length);
		return true;
	}
	return false;
}

static unsigned conflicts_of(const struct kept_record *kept, struct found *first)
{
	struct clue_reader reader;
	struct found found;
	unsigned count = 0;
	read_clues(&reader, kept);
	*first = (struct found){.first = ""};
	while (next_conflict(&reader, &found))
		if (count++ == 0)
			*first = found;
	return count;
}

static const struct kept_record *end_with_one(struct lab *lab)
{
	lab_end(lab);
	assert_int_equal(lab->count, 1);
	return &lab->records[0];
}

// The forged reply comes before the true one or behind it; the client has gone on meanwhile or not.
static void a_forged_reply(void **state)
{
	(void)state;
	for (int variant = 0; variant < 8; variant++) {
		bool forged_first = variant & 1, goes_on = variant & 2, wraps = variant & 4;
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, 25);
		for (int from = FROM_CLIENT; wraps && from <= FROM_SERVER; from++) {
			talk.next[from] = UINT32_MAX - 35;
			talk.start[from] = talk.next[from] + 1;
		}
		talk.base[FROM_CLIENT].ttl = CLIENT_TTL;
		talk.base[FROM_SERVER].ttl = SERVER_TTL;
		talk_open(&talk);
		talk_say(&talk, FROM_SERVER, GREETING);
		talk_say(&talk, FROM_CLIENT, HELLO);
		say_as(&talk, FROM_SERVER, forged_first ? FORGER_TTL : SERVER_TTL, 22,
		    forged_first ? FORGED_REPLY : TRUE_REPLY);
		uint32_t heard = talk.next[FROM_CLIENT];
		talk.next[FROM_SERVER] += (uint32_t)strlen(TRUE_REPLY);
		if (goes_on)
			talk_say(&talk, FROM_CLIENT, "MAIL FROM:<secret@c.example>\r\n");
		uint32_t client_next = talk.next[FROM_CLIENT];
		talk.next[FROM_CLIENT] = heard; // the sender has not heard that yet
		assert_int_equal(lab.told_count, forged_first); // the list has filler
		say_as(&talk, FROM_SERVER, forged_first ? SERVER_TTL : FORGER_TTL, 22,
		    forged_first ? TRUE_REPLY : FORGED_REPLY);
		talk.next[FROM_CLIENT] = client_next;
		assert_int_equal(lab.told_count, 1); // once only
		talk_close(&talk);
		struct found found;
		const struct kept_record *kept = end_with_one(&lab);
		assert_int_equal(conflicts_of(kept, &found), 1);
		assert_int_equal(found.conflict.offset, 22 + 20);
		assert_int_equal(found.conflict.length, 8);
		assert_int_equal(found.conflict.from, FROM_SERVER);
		assert_true(found.conflict.unlike);
		assert_int_equal(found.conflict.usual.ttl, SERVER_TTL);
		assert_int_equal(found.conflict.first.ttl, forged_first ? FORGER_TTL : SERVER_TTL);
		assert_int_equal(found.conflict.second.ttl, forged_first ? SERVER_TTL : FORGER_TTL);
		assert_int_equal(found.conflict.first.window, 8192);
		assert_string_equal(found.first, forged_first ? "XXXXXXXX" : "STARTTLS");
		assert_string_equal(found.second, forged_first ? "STARTTLS" : "XXXXXXXX");
		assert_int_equal(kept->session.conflicting_bytes[FROM_SERVER], 8);
		if (!forged_first)
			assert_int_equal(conflicts_of(&lab.told, &found), 1);
	}
}

// What the client says: its commands are known to be harmless, in both versions, or nothing is kept.
static void a_changed_command(void **state)
{
	static const struct {
		uint16_t port;
		const char *greeting, *before, *first, *again, *kept_first, *kept_again;
	} cases[] = {
	    {25, GREETING, HELLO, "STARTTLS\r\n", "XXXXXXXX\r\n", "STARTTLS", "XXXXXXXX"},
	    {25, GREETING, "", "EHLO c.example\r\n", "HELO c.example\r\n", "", ""},
	    {25, GREETING, HELLO, "QUIT\r\n", "PASS\r\n", "", ""},
	    {25, GREETING, HELLO, "QUIT\r\nx", "QUIT\r\ny", "", ""},
	    {25, GREETING, HELLO, "STARTTLS\r\n", "AUTH secr\n", "", ""},
	    {25, GREETING, HELLO, "AUTH LOGIN\r\n", "STARTTLS\r\n\r\n", "", ""},
	    {25, GREETING, HELLO, "MAIL FROM:<a@secret>\r\n", "MAIL FROM:<b@secret>\r\n", "", ""},
	    {25, GREETING, HELLO, "STARTTLS secret\r\n", "STARTTLS\r\nEHLO a\r", "", ""},
	    {25, GREETING, HELLO "NOOP\r\n", "STARTTLS\r\n", "XXXXXXXX\r\n", "", ""},
	    {110, "+OK ready\r\n", "CAPA\r\n", "STLS\r\n", "XXXX\r\n", "STLS", "XXXX"},
	    {110, "+OK ready\r\n", "", "STLS\r\n", "QUIT\r\n", "STLS", "QUIT"},
	    {110, "+OK ready\r\n", "", "CAPA\r\n", "PASS\r\n", "", ""},
	    {110, "+OK ready\r\n", "USER u\r\n", "PASS secret\r\n", "PASS sEcret\r\n", "", ""},
	    {143, "* OK ready\r\n", "", "a STARTTLS\r\n", "a XXXXXXXX\r\n", "STARTTLS", "XXXXXXXX"},
	    {143, "* OK ready\r\n", "", "a STARTTLS\r\n", "a LOGIN u \r\n", "", ""},
	    {143, "* OK ready\r\n", "", "a CAPABILITY x\r\n", "a CAPABILITY y\r\n", "", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (int in_line = 0; in_line <= 1; in_line++) { // from its beginning, or later
			struct lab lab = lab_begin(LAB_MEMORY, false);
			struct talk talk = open_talk(&lab, cases[i].port);
			talk_say(&talk, FROM_SERVER, cases[i].greeting);
			if (cases[i].before[0] != '\0')
				talk_say(&talk, FROM_CLIENT, cases[i].before);
			uint32_t at = said(&talk, FROM_CLIENT);
			talk_say(&talk, FROM_CLIENT, cases[i].first);
			bool from_first = cases[i].first[0] != cases[i].again[0];
			uint32_t skip = in_line && !from_first ? 1 : 0;
			say_as(&talk, FROM_CLIENT, CLIENT_TTL, at + skip, cases[i].again + skip);
			struct found found;
			unsigned count = conflicts_of(end_with_one(&lab), &found);
			if (count != 1 || strcmp(found.first, cases[i].kept_first) != 0 ||
			    strcmp(found.second, cases[i].kept_again) != 0)
				fail_msg("case %zu: %u, '%s' and '%s'", i, count, found.first,
				    found.second);
			assert_int_equal(found.conflict.from, FROM_CLIENT);
			assert_false(found.conflict.unlike);
			assert_int_equal(lab.told_count, 0);
		}
	}
}

// What the server says where it may repeat what the client has confided.
static void a_private_reply(void **state)
{
	(void)state;
	for (int variant = 0; variant < 3; variant++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = open_talk(&lab, 25);
		talk_say(&talk, FROM_SERVER, GREETING);
		talk_say(&talk, FROM_CLIENT, HELLO);
		uint32_t at = said(&talk, FROM_SERVER);
		if (variant < 2) {
			talk_say(&talk, FROM_SERVER,
			    "250 mx.example and something longer than that\r\n");
			if (variant == 0) // the second version knows what the client confided
				talk_say(&talk, FROM_CLIENT, "VRFY secret\r\n");
			else // or the tap missed what the client said
				talk.next[FROM_CLIENT] += 20;
		} else {
			talk_say(&talk, FROM_SERVER, "250 mx.example\r\n");
			talk_say(&talk, FROM_CLIENT, "VRFY secret\r\n");
			at = said(&talk, FROM_SERVER);
			talk_say(&talk, FROM_SERVER, "252 2.0.0 secret@mx.example\r\n");
		}
		say_as(&talk, FROM_SERVER, FORGER_TTL, at, "250 secret@mx.example\r\n");
		struct found found;
		assert_int_equal(conflicts_of(end_with_one(&lab), &found), 1);
		assert_int_equal(found.conflict.offset >= at, 1);
		assert_int_equal(found.conflict.first_length + found.conflict.second_length, 0);
		assert_true(found.conflict.unlike);
		assert_int_equal(lab.told_count, 1);
	}
}

static struct talk in_dialogue(struct lab *lab)
{
	struct talk talk = open_talk(lab, 25);
	talk_say(&talk, FROM_SERVER, GREETING);
	talk_say(&talk, FROM_CLIENT, HELLO);
	return talk;
}

static void damaged_again(struct lab *lab)
{
	struct talk talk = in_dialogue(lab);
	talk_say(&talk, FROM_SERVER, TRUE_REPLY);
	talk.base[FROM_SERVER].wrong_checksum = true;
	say_as(&talk, FROM_SERVER, FORGER_TTL, 22, FORGED_REPLY);
}

static void damaged_first(struct lab *lab)
{
	struct talk talk = in_dialogue(lab);
	talk.base[FROM_SERVER].wrong_checksum = true;
	say_as(&talk, FROM_SERVER, FORGER_TTL, 22, FORGED_REPLY);
	talk.base[FROM_SERVER].wrong_checksum = false;
	talk_say(&talk, FROM_SERVER, TRUE_REPLY);
}

static void damaged_and_held(struct lab *lab)
{
	struct talk talk = in_dialogue(lab);
	talk.base[FROM_SERVER].wrong_checksum = true;
	say_as(&talk, FROM_SERVER, FORGER_TTL, 22 + 3, &FORGED_REPLY[3]);
	talk.base[FROM_SERVER].wrong_checksum = false;
	talk_say(&talk, FROM_SERVER, TRUE_REPLY);
}

static void cut_short(struct lab *lab)
{
	struct talk talk = in_dialogue(lab);
	talk_say(&talk, FROM_SERVER, TRUE_REPLY);
	lab->snap_length = 54 + 30;
	say_as(&talk, FROM_SERVER, FORGER_TTL, 22, FORGED_REPLY);
}

static void only_repeated(struct lab *lab)
{
	struct talk talk = in_dialogue(lab);
	talk_say(&talk, FROM_SERVER, TRUE_REPLY);
	say_as(&talk, FROM_SERVER, FORGER_TTL, 22, TRUE_REPLY);
	say_as(&talk, FROM_SERVER, FORGER_TTL, 30, &TRUE_REPLY[8]);
	say_as(&talk, FROM_SERVER, FORGER_TTL, 0, GREETING "250-mx");
}

static void kept_alive(struct lab *lab)
{
	struct talk talk = in_dialogue(lab);
	talk_say_at(&talk, FROM_CLIENT, 15, "\1");
	talk_say_at(&talk, FROM_CLIENT, 20, "ahead\r\n"); // held
	talk_say_at(&talk, FROM_CLIENT, 26, "\1"); // of who has sent that
	talk_say_at(&talk, FROM_CLIENT, 16, "NOOP");
	talk_say_at(&talk, FROM_CLIENT, 15, "\1"); // late
}

static void in_tls(struct lab *lab)
{
	struct talk talk = in_dialogue(lab);
	talk_say(&talk, FROM_SERVER, TRUE_REPLY);
	talk_say(&talk, FROM_CLIENT, "STARTTLS\r\n");
	talk_say(&talk, FROM_SERVER, "220 go\r\n");
	uint32_t at = said(&talk, FROM_CLIENT);
	talk_say(&talk, FROM_CLIENT, "\x16\x03\x01\x01\x01\x01\x01\x01zzzzzz");
	say_as(&talk, FROM_CLIENT, FORGER_TTL, at, "\x16\x03\x01\x01\x01\x01\x01\x01yyyyyy");
}

static void in_tls_and_held(struct lab *lab)
{
	struct talk talk = in_dialogue(lab);
	talk_say(&talk, FROM_SERVER, TRUE_REPLY);
	talk_say(&talk, FROM_CLIENT, "STARTTLS\r\n");
	talk_say(&talk, FROM_SERVER, "220 go\r\n");
	uint32_t at = said(&talk, FROM_CLIENT) + 100;
	talk_say(&talk, FROM_CLIENT, "\x16\x03\x01\x01\x01\x01\x01\x01zzzzzz");
	say_as(&talk, FROM_CLIENT, CLIENT_TTL, at, "by chance a text");
	say_as(&talk, FROM_CLIENT, FORGER_TTL, at, "by chance a TEXT");
}

static void tls_from_the_start(struct lab *lab)
{
	struct talk talk = open_talk(lab, 465);
	talk_say(&talk, FROM_CLIENT, "\x16\x03\x01\x01\x01\x01\x01\x01zzzzzz");
	say_as(&talk, FROM_CLIENT, FORGER_TTL, 0, "\x16\x03\x01\x01\x01\x01\x01\x01yyyyyy");
}

// Behind its FIN, which counts in the sequence and is no byte.
static void repeated_behind_the_end(struct lab *lab)
{
	struct talk talk = in_dialogue(lab);
	uint32_t at = said(&talk, FROM_SERVER);
	talk_say(&talk, FROM_SERVER, TRUE_REPLY);
	talk_flags(&talk, FROM_SERVER, TCP_FIN | TCP_ACK);
	say_as(&talk, FROM_SERVER, FORGER_TTL, at, TRUE_REPLY);
}

// The receiver threw them away: what it read instead was seen too late.
static void damaged_bytes_are_not_believed(void **state)
{
	static const struct {
		void (*say)(struct lab *lab);
		bool unclear;
	} cases[] = {{damaged_again, false}, {damaged_first, true}, {damaged_and_held, true},
	    {only_repeated, false}, {kept_alive, false}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		cases[i].say(&lab);
		assert_int_equal(
		    end_with_one(&lab)->session.dialogue_gap[FROM_SERVER], cases[i].unclear);
	}
}

static void what_is_no_conflict(void **state)
{
	static void (*const cases[])(struct lab * lab) = {damaged_again, damaged_first,
	    damaged_and_held, cut_short, only_repeated, kept_alive, in_tls, in_tls_and_held,
	    tls_from_the_start, repeated_behind_the_end};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct found found;
		cases[i](&lab);
		if (conflicts_of(end_with_one(&lab), &found) != 0)
			fail_msg("case %zu: '%s' and '%s'", i, found.first, found.second);
		assert_true(lab.told_count == 0 || i == 1 || i == 2); // there the list has filler
	}
}

// The client was told 454 and the tap saw 220 before: what is TLS for the tap was not for the client.
static void an_answer_to_starttls(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = in_dialogue(&lab);
	talk_say(&talk, FROM_SERVER, TRUE_REPLY);
	talk_say(&talk, FROM_CLIENT, "STARTTLS\r\n");
	uint32_t at = said(&talk, FROM_SERVER);
	talk_say(&talk, FROM_SERVER, "220 go\r\n");
	say_as(&talk, FROM_SERVER, FORGER_TTL, at, "454 no\r\n");
	struct found found;
	assert_int_equal(conflicts_of(end_with_one(&lab), &found), 1);
	assert_int_equal(found.conflict.offset, at);
	assert_int_equal(found.conflict.length, 4);
	assert_true(found.conflict.unlike);
	assert_int_equal(lab.told_count, 1);
}

// Of what came too early nothing is kept: what it answers is not known.
static void what_is_held(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = in_dialogue(&lab);
	say_as(&talk, FROM_SERVER, FORGER_TTL, 22 + 16, &FORGED_REPLY[16]);
	say_as(&talk, FROM_SERVER, SERVER_TTL, 22 + 16, &TRUE_REPLY[16]);
	talk_say(&talk, FROM_SERVER, "250-mx.example\r\n");
	struct found found;
	assert_int_equal(conflicts_of(end_with_one(&lab), &found), 1);
	assert_int_equal(found.conflict.offset, 22 + 20);
	assert_int_equal(found.conflict.length, 8);
	assert_int_equal(found.conflict.first_length + found.conflict.second_length, 0);
	assert_int_equal(found.conflict.first.ttl, FORGER_TTL);
	assert_int_equal(found.conflict.second.ttl, SERVER_TTL);
	assert_true(found.conflict.unlike);
}

static void each_place_counts_once(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = in_dialogue(&lab);
	talk_say(&talk, FROM_SERVER, TRUE_REPLY);
	for (int i = 0; i < 50; i++)
		say_as(&talk, FROM_SERVER, FORGER_TTL, 22, FORGED_REPLY);
	struct found found;
	assert_int_equal(conflicts_of(end_with_one(&lab), &found), 1);
	assert_int_equal(lab.told_count, 1);
}

static void there_is_an_end_to_them(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = in_dialogue(&lab);
	for (int i = 0; i < 200; i++) {
		uint32_t at = said(&talk, FROM_CLIENT);
		talk_say(&talk, FROM_CLIENT, "NOOP\r\n");
		say_as(&talk, FROM_CLIENT, CLIENT_TTL, at, "RSET\r\n");
	}
	// However many came before, one that is unlike the rest is kept.
	uint32_t at = said(&talk, FROM_CLIENT);
	talk_say(&talk, FROM_CLIENT, "NOOP\r\n");
	say_as(&talk, FROM_CLIENT, FORGER_TTL, at, "RSET\r\n");
	const struct kept_record *kept = end_with_one(&lab);
	struct found found;
	struct clue_reader reader;
	struct clue clue;
	unsigned unlike = 0;
	read_clues(&reader, kept);
	while (next_conflict(&reader, &found))
		unlike += found.conflict.unlike;
	assert_int_equal(unlike, 1);
	assert_in_range(conflicts_of(kept, &found), 10, 40);
	assert_true(clue_find(&reader.session, CLUES_LEFT_OUT, &clue));
	assert_int_equal(kept->session.conflicting_bytes[FROM_CLIENT], 201 * 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_forged_reply),
	    cmocka_unit_test(a_changed_command),
	    cmocka_unit_test(a_private_reply),
	    cmocka_unit_test(what_is_no_conflict),
	    cmocka_unit_test(damaged_bytes_are_not_believed),
	    cmocka_unit_test(an_answer_to_starttls),
	    cmocka_unit_test(what_is_held),
	    cmocka_unit_test(each_place_counts_once),
	    cmocka_unit_test(there_is_an_end_to_them),
	};
	return cmocka_run_group_tests_name("conflict", tests, NULL, NULL);
}
