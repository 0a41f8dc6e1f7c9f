// SPDX-License-Identifier: Apache-2.0
// A worker as a whole: which packets make one session, when sessions end, and what happens when there
// is too much of everything.
#include "tests/unit/lab.h"

#include <time.h>

static struct worker_counters counters_of(const struct lab *lab)
{
	return crew_worker_counters(lab->crew);
}

// A packet of a connection that nobody asks about, to let time pass.
static void tick(struct lab *lab)
{
	struct tcp_packet packet = {.source = 99,
	    .destination = 98,
	    .source_port = 1,
	    .destination_port = 80,
	    .flags = TCP_ACK};
	lab_send(lab, &packet);
}

/* ---- what is one session ---- */

static void set_vlan(struct talk *talk, enum direction from, uint16_t vlan)
{
	talk->base[from].vlan_count = 1;
	talk->base[from].vlans[0] = vlan;
}

static void two_copies_are_two_sessions(void **state)
{
	(void)state;
	for (int by_interface = 0; by_interface <= 1; by_interface++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk copies[2];
		for (uint16_t i = 0; i < 2; i++) {
			copies[i] = talk_begin(&lab, 1, 25);
			set_vlan(&copies[i], FROM_CLIENT, by_interface ? 7 : (uint16_t)(10 + i));
			set_vlan(&copies[i], FROM_SERVER, by_interface ? 7 : (uint16_t)(10 + i));
		}
		void (*const steps[])(struct talk *) = {talk_open, talk_greetings, talk_close};
		for (int step = 0; step < 3; step++) {
			for (uint16_t i = 0; i < 2; i++) {
				lab.interface = by_interface ? i : 0;
				steps[step](&copies[i]);
			}
		}
		lab_end(&lab);
		assert_int_equal(lab.count, 2);
		for (uint16_t i = 0; i < 2; i++) {
			assert_string_equal(lab.records[i].client_name, "c.example");
			assert_int_equal(lab.records[i].record.packets[FROM_CLIENT], 5);
			assert_int_equal(lab.records[i].record.end_reason, END_FIN);
			assert_int_equal(lab.records[i].record.vlan_count, 1);
		}
		assert_int_equal(lab.records[0].record.vlans[0] + lab.records[1].record.vlans[0],
		    by_interface ? 14 : 21);
	}
}

// The copy that ends first says that another is there, the later one that there is none; nor is there
// where the one was over when the other began.
static void the_first_of_two_copies_tells_of_the_other(void **state)
{
	(void)state;
	for (int apart = 0; apart <= 2; apart++) { // 2: and the first one is never closed
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk copies[3];
		void (*const steps[])(struct talk *) = {talk_open, talk_greetings, talk_close};
		for (uint16_t i = 0; i < 3; i++) { // the third is another connection
			copies[i] = talk_begin(&lab, i < 2 ? 1 : 2, 25);
			set_vlan(&copies[i], FROM_CLIENT, (uint16_t)(10 + i));
			set_vlan(&copies[i], FROM_SERVER, (uint16_t)(10 + i));
		}
		for (int i = 0; i < 9; i++, lab.now += apart && i % 3 == 0 ? 2 * TWIN_DELAY : 0)
			if (apart < 2 || i != 2)
				steps[apart ? i % 3 : i / 3](&copies[apart ? i / 3 : i % 3]);
		lab_end(&lab);
		assert_int_equal(lab.count, 3);
		for (size_t i = 0; i < 3; i++) {
			const struct session_record *record = &lab.records[i].record;
			assert_int_equal(record->twin_live, !apart && i == 0);
			assert_int_equal(record->tap_point >> 12 & 0xfff, record->vlans[0]);
		}
	}
}

static void directions_on_two_vlans_are_one_session(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	set_vlan(&talk, FROM_CLIENT, 10);
	set_vlan(&talk, FROM_SERVER, 20);
	talk_open(&talk);
	talk_greetings(&talk);
	talk_close(&talk);
	lab_end(&lab);
	assert_int_equal(lab.count, 1);
	assert_string_equal(lab.records[0].client_name, "c.example");
	assert_int_equal(lab.records[0].record.vlans[0], 10);
}

static void a_moved_connection_is_one_session(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	set_vlan(&talk, FROM_CLIENT, 10);
	set_vlan(&talk, FROM_SERVER, 10);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, "220 mx.example ESMTP\r\n");
	set_vlan(&talk, FROM_CLIENT, 20);
	set_vlan(&talk, FROM_SERVER, 20);
	talk_say(&talk, FROM_CLIENT, "EHLO c.example\r\n");
	talk_say(&talk, FROM_SERVER, "250 STARTTLS\r\n");
	talk_close(&talk);
	lab_end(&lab);
	assert_int_equal(lab.count, 1);
	assert_string_equal(lab.records[0].client_name, "c.example");
	assert_int_equal(lab.records[0].record.packets[FROM_CLIENT], 5);
}

static void both_ip_versions_and_all_ports(void **state)
{
	static const uint16_t ports[] = {25, 143, 110, 465};
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	for (size_t i = 0; i < 8; i++) {
		struct talk talk = talk_begin(&lab, 1, ports[i % 4]);
		talk.base[0].v6 = talk.base[1].v6 = i >= 4;
		talk_open(&talk);
		talk_close(&talk);
	}
	tick(&lab);
	assert_int_equal(crew_reader_counters(lab.crew).headers.outcomes[HEADERS_OTHER_PORT], 1);
	lab_end(&lab);
	assert_int_equal(lab.count, 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(lab.records[i].record.port[FROM_SERVER], ports[i % 4]);
}

static void wrong_checksums_are_kept_unless_asked_otherwise(void **state)
{
	(void)state;
	for (int drop = 0; drop <= 1; drop++) {
		struct lab lab = lab_begin(LAB_MEMORY, drop);
		struct talk talk = talk_begin(&lab, 1, 25);
		talk_open(&talk);
		talk_say(&talk, FROM_SERVER, "220 mx.example ESMTP\r\n");
		talk.base[FROM_CLIENT].wrong_checksum = true;
		talk_say(&talk, FROM_CLIENT, "EHLO c.example\r\n");
		talk.base[FROM_CLIENT].wrong_checksum = false;
		talk_close(&talk);
		assert_int_equal(crew_reader_counters(lab.crew).headers.checksums_wrong, 1);
		assert_int_equal(counters_of(&lab).segments_dropped, drop);
		lab_end(&lab);
		assert_string_equal(lab.records[0].client_name, drop ? "" : "c.example");
		assert_int_equal(lab.records[0].record.missing[FROM_CLIENT], drop ? 16 : 0);
	}
}

// Tags can be forged: what bears one address after the other must not cost ever more.
static void copies_at_countless_tap_points(void **state)
{
	enum { TAGS = 200000 };
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	clock_t start = clock();
	for (uint32_t i = 0; i < TAGS; i++) {
		talk.base[FROM_CLIENT].vlan_count = 2;
		talk.base[FROM_CLIENT].vlans[0] = (uint16_t)(1 + i % 4000);
		talk.base[FROM_CLIENT].vlans[1] = (uint16_t)(1 + i / 4000);
		talk.next[FROM_CLIENT] = 1000;
		talk_flags(&talk, FROM_CLIENT, TCP_SYN);
		lab.now -= 999000; // all within a second
	}
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
	lab_end(&lab);
	assert_int_equal(lab.count, 16);
}

/* ---- when sessions end ---- */

static void say_ssh(struct talk *talk)
{
	talk_open(talk);
	talk_say(talk, FROM_SERVER, "SSH-2.0-OpenSSH_9\r\n");
	talk_say(talk, FROM_CLIENT, "SSH-2.0-OpenSSH_9\r\n");
}

static void open_and_greet(struct talk *talk)
{
	talk_open(talk);
	talk_greetings(talk);
}

static void open_and_close(struct talk *talk)
{
	talk_open(talk);
	talk_close(talk);
}

// A flow ends when nothing came for its time, and not before; a sixteenth later at most.
static void each_state_has_its_time(void **state)
{
	static const struct {
		void (*begin)(struct talk *talk);
		int64_t seconds;
		enum end_reason reason;
	} cases[] = {{talk_open, 60, END_TIMEOUT}, {open_and_greet, 1860, END_TIMEOUT},
	    {say_ssh, 1860, END_TIMEOUT}, {open_and_close, 5, END_FIN}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, 25);
		cases[i].begin(&talk);
		nanoseconds last = lab.now - 1000000;
		lab.now = last + SECONDS(cases[i].seconds) - 10000000;
		tick(&lab);
		assert_int_equal(lab.count, 0);
		lab.now = last + SECONDS(cases[i].seconds) / 16 * 17 + 1;
		tick(&lab);
		assert_int_equal(lab.count, 1);
		assert_int_equal(lab.records[0].record.end_reason, cases[i].reason);
		assert_int_equal(lab.records[0].record.end, last);
		lab_end(&lab);
	}
}

// One that had packets in between does not stay because others came after it.
static void each_flow_has_its_time(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	nanoseconds start = lab.now;
	struct talk first = talk_begin(&lab, 1, 25), second = talk_begin(&lab, 2, 25);
	open_and_greet(&first);
	lab.now = start + SECONDS(900);
	talk_say(&first, FROM_CLIENT, "NOOP\r\n");
	lab.now = start + SECONDS(1850);
	open_and_greet(&second);
	lab.now = start + SECONDS(900 + 1859);
	for (int i = 0; i < 3; i++)
		tick(&lab);
	assert_int_equal(lab.count, 0);
	lab.now = start + SECONDS(900) + SECONDS(1860) / 16 * 17 + 1;
	tick(&lab);
	assert_int_equal(lab.count, 1);
	assert_int_equal(lab.records[0].record.end, start + SECONDS(900));
	lab_end(&lab);
	assert_int_equal(lab.ends[END_TIMEOUT], 1);
}

static void what_goes_on_does_not_time_out(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_greetings(&talk);
	for (int i = 0; i < 10; i++) {
		lab.now += SECONDS(1800);
		talk_say(&talk, FROM_CLIENT, "NOOP\r\n");
		tick(&lab);
		talk_say(&talk, FROM_SERVER, "250 ok\r\n");
	}
	lab_end(&lab);
	assert_int_equal(lab.count, 1);
	assert_int_equal(lab.ends[END_OF_CAPTURE], 1);
}

// Captures are read one after the other as one traffic: the second may be the earlier one. And a clock
// may be set, or a packet bear a false time.
static void time_may_go_back(void **state)
{
	static const int64_t seconds[] = {1, 6, 70, 1800, 3500, 86400};
	(void)state;
	for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		nanoseconds start = lab.now;
		lab.now = start + SECONDS(seconds[i]);
		struct talk later = talk_begin(&lab, 1, 25), earlier = talk_begin(&lab, 2, 25);
		talk_open(&later);
		talk_greetings(&later);
		lab.now = start;
		talk_open(&earlier);
		talk_greetings(&earlier);
		lab.now += SECONDS(2);
		talk_close(&earlier);
		lab.now += SECONDS(2);
		tick(&lab);
		assert_int_equal(lab.count, 0); // what comes late is still waited for
		lab_end(&lab);
		assert_int_equal(lab.count, 2);
		for (size_t k = 0; k < 2; k++)
			assert_string_equal(lab.records[k].client_name, "c.example");
	}
}

// What was open at a later time does not keep what is earlier from ending.
static void time_that_went_back_goes_on(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	nanoseconds start = lab.now;
	lab.now = start + SECONDS(86400);
	struct talk later = talk_begin(&lab, 1, 25), earlier = talk_begin(&lab, 2, 25);
	open_and_close(&later);
	lab.now = start;
	open_and_close(&earlier);
	nanoseconds last = lab.now - 1000000;
	lab.now += SECONDS(4);
	tick(&lab);
	assert_int_equal(lab.count, 0);
	lab.now = last + SECONDS(6);
	tick(&lab);
	assert_int_equal(lab.count, 2);
	lab_end(&lab);
}

/* ---- what does not wait for the end ---- */

static void a_clue_is_told_of_at_once(void **state)
{
	static const struct {
		const char *says[4]; // client and server in turn
		size_t told_after; // how many of them; 0: never
	} cases[] = {
	    {{"XXXXXXXX\r\n", "500 what\r\n", "XXXXXXXX\r\n", "500 what\r\n"}, 2},
	    {{"XXXXXXXX\r\n", "250 fine\r\n", "XXXXXXXA\r\n", "502 what\r\n"}, 4},
	    {{"EHLO a\r\n", "250-a\r\n250-XXXX\r\n250 SIZE\r\n", "EHLO a\r\n", "250-a\r\n250 XXXX\r\n"}, 2},
	    {{"EHLO a\r\n", "250-a\r\n250-XXXX\r\n", "", "250 SIZE\r\n"}, 4},
	    {{"EHLO a\r\n", "250-a\r\n250 XXXY\r\n", "STARTTLS\r\n", "454 no\r\n"}, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, 25);
		size_t told_after = cases[i].told_after;
		talk_open(&talk);
		talk_say(&talk, FROM_SERVER, "220 mx.example ESMTP\r\n");
		for (size_t said = 1; said <= 4; said++) {
			talk_say(&talk, said % 2 ? FROM_CLIENT : FROM_SERVER, cases[i].says[said - 1]);
			assert_int_equal(lab.told_count, told_after > 0 && said >= told_after);
		}
		if (told_after > 0) {
			assert_int_equal(lab.told.record.starttls_requested, NOT_SEEN);
			assert_int_equal(lab.told.record.tls_mode, TLS_MODE_NOT_SEEN);
			assert_false(lab.told.record.messages_known);
			assert_string_equal(lab.told.banner, "220 mx.example ESMTP");
		}
		talk_close(&talk);
		lab_end(&lab);
		assert_int_equal(lab.count, 1);
		assert_int_equal(lab.told_count, told_after > 0);
		assert_int_equal(lab.records[0].record.end_reason, END_FIN);
		assert_int_equal(lab.records[0].record.starttls_requested,
		    told_after > 0 ? SEEN_NO : SEEN_YES);
	}
}

// A client that is kept from a port of TLS goes elsewhere soon.
static void a_syn_without_an_answer_is_told_of_at_once(void **state)
{
	static const struct {
		uint16_t port;
		bool answered;
		nanoseconds between;
		bool told;
	} cases[] = {{465, false, SECONDS(1), true}, {465, false, 20000, false},
	    {465, true, SECONDS(1), false}, {25, false, SECONDS(1), false}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, cases[i].port);
		nanoseconds start = lab.now;
		talk_flags(&talk, FROM_CLIENT, TCP_SYN);
		assert_int_equal(lab.told_count, 0);
		if (cases[i].answered)
			talk_flags(&talk, FROM_SERVER, TCP_SYN | TCP_ACK);
		for (int again = 1; again <= 3; again++) {
			lab.now = start + again * cases[i].between;
			talk.next[FROM_CLIENT]--;
			talk_flags(&talk, FROM_CLIENT, TCP_SYN);
			assert_int_equal(lab.told_count, cases[i].told);
		}
		lab_end(&lab);
		assert_int_equal(lab.count, 1);
		if (!cases[i].told)
			continue;
		assert_true(lab.told.record.tls_port);
		assert_int_equal(lab.told.record.packets[FROM_CLIENT], 2);
		assert_int_equal(lab.told.record.packets[FROM_SERVER], 0);
	}
}

/* ---- too much of everything ---- */

// Connection number `i`, of 2^24.
static struct talk numbered(struct lab *lab, uint32_t i)
{
	struct talk talk = talk_begin(lab, (uint8_t)i, 25);
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++)
		talk.base[from].network = (uint8_t)(i >> 8);
	talk.base[FROM_CLIENT].source_port = talk.base[FROM_SERVER].destination_port =
	    (uint16_t)(1024 + (i >> 16));
	return talk;
}

/* ---- mail on any port ---- */

struct spoken {
	enum direction from;
	const char *text;
};

// The handshake, these words, and the end.
static void talk_through(struct talk *talk, const struct spoken *spoken)
{
	talk_open(talk);
	for (; spoken->text != NULL; spoken++)
		talk_say(talk, spoken->from, spoken->text);
	talk_close(talk);
}

static const struct spoken smtp_words[] = {{FROM_SERVER, "220 mx.example ESMTP\r\n"},
    {FROM_CLIENT, "EHLO c.example\r\n"}, {FROM_SERVER, "250-mx.example\r\n250 STARTTLS\r\n"}, {0}};
static const struct spoken pop3_words[] = {{FROM_SERVER, "+OK ready\r\n"},
    {FROM_CLIENT, "USER someone\r\n"}, {FROM_SERVER, "+OK\r\n"}, {0}};
static const struct spoken http_words[] = {{FROM_CLIENT, "GET / HTTP/1.1\r\n\r\n"},
    {FROM_SERVER, "HTTP/1.1 200 OK\r\n\r\n"}, {FROM_SERVER, "220 mx.example ESMTP\r\n"}, {0}};
static const struct spoken ftp_words[] = {{FROM_SERVER, "220 ftp.example ready\r\n"},
    {FROM_CLIENT, "USER someone\r\n"}, {FROM_SERVER, "331 password\r\n"}, {0}};
// An inline command and its answer: what POP3's would look like, but for who spoke first.
static const struct spoken redis_words[] = {
    {FROM_CLIENT, "AUTH secret\r\n"}, {FROM_SERVER, "+OK ready\r\n"}, {0}};

static void only_mail_is_recorded_on_other_ports(void **state)
{
	static const struct {
		const struct spoken *words;
		enum protocol protocol; // PROTOCOL_UNDECIDED: no record
	} cases[] = {{smtp_words, PROTOCOL_SMTP}, {pop3_words, PROTOCOL_POP3},
	    {http_words, PROTOCOL_UNDECIDED}, {ftp_words, PROTOCOL_UNDECIDED},
	    {redis_words, PROTOCOL_UNDECIDED}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lab lab = lab_begin_on_every_port(LAB_MEMORY);
		struct talk talk = talk_begin(&lab, 1, 2526);
		talk_through(&talk, cases[i].words);
		struct worker_counters counters = counters_of(&lab);
		bool mail = cases[i].protocol != PROTOCOL_UNDECIDED;
		assert_int_equal(counters.connections_no_mail, !mail);
		assert_int_equal(counters.segments_no_mail, mail ? 0 : lab.sent);
		lab_end(&lab);
		assert_int_equal(lab.count, mail);
		if (mail)
			assert_int_equal(lab.records[0].session.protocol, cases[i].protocol);
	}
}

// The usual ports are what they are without it: no mail is recorded there, too.
static void usual_ports_stay_what_they_are(void **state)
{
	(void)state;
	struct lab lab = lab_begin_on_every_port(LAB_MEMORY);
	struct talk usual = talk_begin(&lab, 1, 25), other = talk_begin(&lab, 1, 22);
	say_ssh(&usual);
	say_ssh(&other);
	struct talk from_usual = talk_begin(&lab, 2, 4000); // whose client has port 25
	from_usual.base[FROM_CLIENT].source_port = from_usual.base[FROM_SERVER].destination_port =
	    25;
	say_ssh(&from_usual);
	lab_end(&lab);
	assert_int_equal(lab.count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(lab.records[i].session.protocol, PROTOCOL_SSH);
}

// What was given up costs no flow any more, until a SYN begins anew between the same ends.
static void what_is_given_up_is_not_followed_again(void **state)
{
	(void)state;
	struct lab lab = lab_begin_on_every_port(LAB_MEMORY);
	struct talk talk = talk_begin(&lab, 1, 8080);
	talk_open(&talk);
	talk_say(&talk, FROM_CLIENT, "GET / HTTP/1.1\r\n\r\n");
	for (int i = 0; i < 100; i++)
		talk_say(&talk, FROM_SERVER, "220 mx.example ESMTP\r\n");
	struct worker_counters counters = counters_of(&lab);
	assert_int_equal(counters.flow.created, 1);
	assert_int_equal(counters.flow.live, 0);
	assert_int_equal(counters.memory_in_use, lab.memory_at_start);
	talk.next[FROM_CLIENT] = 500000;
	talk.next[FROM_SERVER] = 600000;
	talk_through(&talk, smtp_words);
	lab_end(&lab);
	assert_int_equal(lab.count, 1);
	assert_string_equal(lab.records[0].client_name, "c.example");
}

// Joined mid-way: the first bytes of each side are looked at, and no others.
static void joined_midway_each_side_is_looked_at_once(void **state)
{
	(void)state;
	struct lab lab = lab_begin_on_every_port(LAB_MEMORY);
	struct talk mail = talk_begin(&lab, 1, 2526), other = talk_begin(&lab, 2, 2526);
	talk_flags(&mail, FROM_CLIENT, TCP_ACK);
	assert_int_equal(counters_of(&lab).flow.created, 0);
	talk_greetings(&mail);
	talk_say(&other, FROM_SERVER, "and more of a line\r\n");
	talk_greetings(&other);
	lab_end(&lab);
	assert_int_equal(lab.count, 1);
	assert_string_equal(lab.records[0].client_name, "c.example");
	assert_int_equal(lab.records[0].record.address[FROM_CLIENT].bytes[15], 1);
}

static void a_greeting_in_pieces_is_waited_for(void **state)
{
	(void)state;
	struct lab lab = lab_begin_on_every_port(LAB_MEMORY);
	struct talk talk = talk_begin(&lab, 1, 2526);
	talk_open(&talk);
	for (const char *c = "220 mx.example ESMTP\r\n"; *c != '\0'; c++)
		talk_say(&talk, FROM_SERVER, (const char[]){*c, '\0'});
	talk_close(&talk);
	lab_end(&lab);
	assert_int_equal(lab.count, 1);
	assert_string_equal(lab.records[0].banner, "220 mx.example ESMTP");
}

static void check_budget(const struct lab *lab, size_t budget)
{
	struct worker_counters counters = counters_of(lab);
	assert_true(counters.memory_reserved <= budget);
	assert_true(counters.memory_in_use <= counters.memory_reserved);
	assert_int_equal(counters.flow.refused, 0);
}

static void too_many_connections_are_evicted(void **state)
{
	enum { BUDGET = 8 << 20, CONNECTIONS = 30000 };
	(void)state;
	struct lab lab = lab_begin(BUDGET, false);
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		struct talk talk = numbered(&lab, i);
		talk_open(&talk);
		talk_greetings(&talk);
		talk_say_at(&talk, FROM_CLIENT, 20, "held back");
		check_budget(&lab, BUDGET);
	}
	struct worker_counters counters = counters_of(&lab);
	assert_true(counters.flow.evicted > CONNECTIONS / 2);
	assert_int_equal(lab.ends[END_EVICTED], counters.flow.evicted);
	assert_int_equal(counters.memory_refusals, 0);
	assert_true(counters.flow.live > 1000);
	for (size_t i = 0; i < KEPT_RECORDS; i++)
		assert_string_equal(lab.records[i].client_name, "c.example");
	lab_end(&lab);
	assert_int_equal(lab.count, CONNECTIONS);
}

// A SYN flood costs no more than the budget, and connections that were there before go on.
static void a_syn_flood(void **state)
{
	enum { BUDGET = 8 << 20, SYNS = 1000000 };
	(void)state;
	struct lab lab = lab_begin(BUDGET, false);
	lab.only_ended = true;
	struct talk before = talk_begin(&lab, 250, 143), after = talk_begin(&lab, 251, 25);
	before.base[0].v6 = before.base[1].v6 = true;
	after.base[0].v6 = after.base[1].v6 = true;
	talk_open(&before);
	talk_say(&before, FROM_SERVER, "* OK [CAPABILITY IMAP4rev1] ready\r\n");
	for (uint32_t i = 0; i < SYNS; i++) {
		struct talk talk = numbered(&lab, i);
		talk_flags(&talk, FROM_CLIENT, TCP_SYN);
		lab.now -= 999000; // a million in a second
		if (i % 1000 == 0)
			check_budget(&lab, BUDGET);
	}
	talk_say(&before, FROM_CLIENT, "a STARTTLS\r\n");
	talk_say(&before, FROM_SERVER, "a OK go\r\n");
	talk_close(&before);
	talk_open(&after);
	talk_greetings(&after);
	talk_close(&after);
	lab_end(&lab);
	assert_int_equal(lab.count, 2);
	for (int i = 0; i < 2; i++) {
		const struct kept_record *kept = &lab.records[i];
		if (kept->record.port[FROM_SERVER] == 143)
			assert_int_equal(kept->session.starttls_accepted, SEEN_YES);
		else
			assert_string_equal(kept->client_name, "c.example");
	}
}

// The same flood on a worker that has seen nothing before it.
static void connections_are_read_after_a_syn_flood(void **state)
{
	enum { BUDGET = 8 << 20, SYNS = 100000 };
	(void)state;
	struct lab lab = lab_begin(BUDGET, false);
	lab.only_ended = true;
	for (uint32_t i = 0; i < SYNS; i++) {
		struct talk talk = numbered(&lab, i);
		talk_flags(&talk, FROM_CLIENT, TCP_SYN);
		lab.now -= 999000;
	}
	for (int minutes = 0; minutes <= 2; minutes += 2) { // amid it, and when all is over
		struct talk talk = numbered(&lab, (1 << 24) - 1 - (uint32_t)minutes);
		lab.now += SECONDS(60) * minutes;
		tick(&lab);
		talk_open(&talk);
		talk_greetings(&talk);
		talk_close(&talk);
	}
	lab_end(&lab);
	assert_int_equal(lab.count, 2);
	assert_string_equal(lab.records[0].client_name, "c.example");
	assert_string_equal(lab.records[1].client_name, "c.example");
}

// Whatever comes on other ports, silent or undecided, does not push out what is mail.
static void a_flood_on_other_ports(void **state)
{
	enum { BUDGET = 8 << 20, CONNECTIONS = 100000 };
	(void)state;
	struct lab lab = lab_begin_on_every_port(BUDGET);
	struct talk silent = talk_begin(&lab, 250, 25), mail = talk_begin(&lab, 251, 25);
	talk_open(&silent);
	talk_open(&mail);
	talk_greetings(&mail);
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		struct talk talk = numbered(&lab, i);
		talk.base[FROM_CLIENT].destination_port = talk.base[FROM_SERVER].source_port = 8080;
		talk_flags(&talk, FROM_CLIENT, TCP_SYN);
		if (i % 2 == 0) { // a greeting that never ends
			talk_flags(&talk, FROM_SERVER, TCP_SYN | TCP_ACK);
			talk_say(&talk, FROM_SERVER, "220 mx.example");
			lab.now -= 2 * 1000000;
		}
		lab.now -= 999000;
		if (i % 1000 == 0)
			check_budget(&lab, BUDGET);
	}
	struct worker_counters counters = counters_of(&lab);
	assert_int_equal(counters.flow.evicted, 0);
	assert_true(counters.flow.evicted_elsewhere > 0);
	assert_true(counters.flow.live <= BUDGET / 8 / sizeof(struct flow) + 2);
	talk_greetings(&silent);
	talk_close(&silent);
	talk_close(&mail);
	lab_end(&lab);
	assert_int_equal(lab.count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(lab.records[i].client_name, "c.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(two_copies_are_two_sessions),
	    cmocka_unit_test(the_first_of_two_copies_tells_of_the_other),
	    cmocka_unit_test(directions_on_two_vlans_are_one_session),
	    cmocka_unit_test(a_moved_connection_is_one_session),
	    cmocka_unit_test(both_ip_versions_and_all_ports),
	    cmocka_unit_test(wrong_checksums_are_kept_unless_asked_otherwise),
	    cmocka_unit_test(copies_at_countless_tap_points),
	    cmocka_unit_test(each_state_has_its_time),
	    cmocka_unit_test(each_flow_has_its_time),
	    cmocka_unit_test(what_goes_on_does_not_time_out),
	    cmocka_unit_test(time_may_go_back),
	    cmocka_unit_test(time_that_went_back_goes_on),
	    cmocka_unit_test(a_clue_is_told_of_at_once),
	    cmocka_unit_test(a_syn_without_an_answer_is_told_of_at_once),
	    cmocka_unit_test(too_many_connections_are_evicted),
	    cmocka_unit_test(a_syn_flood),
	    cmocka_unit_test(connections_are_read_after_a_syn_flood),
	    cmocka_unit_test(only_mail_is_recorded_on_other_ports),
	    cmocka_unit_test(usual_ports_stay_what_they_are),
	    cmocka_unit_test(what_is_given_up_is_not_followed_again),
	    cmocka_unit_test(joined_midway_each_side_is_looked_at_once),
	    cmocka_unit_test(a_greeting_in_pieces_is_waited_for),
	    cmocka_unit_test(a_flood_on_other_ports),
	};
	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
