// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/lab.h"

#include "tests/unit/pattern_lab.h"

static const struct port_table *ports(bool every)
{
	static struct port_table tables[2];
	struct port_table *table = &tables[every];
	static const struct {
		uint16_t port;
		struct port_hint hint;
	} rows[] = {{25, {PROTOCOL_SMTP, false, false}}, {143, {PROTOCOL_IMAP, false, false}},
	    {110, {PROTOCOL_POP3, false, false}}, {465, {PROTOCOL_SMTP, true, false}}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		port_set_add(&table->set, rows[i].port);
		table->hints[rows[i].port] = rows[i].hint;
	}
	table->set.every = every;
	return table;
}

static void keep_text(char out[KEPT_TEXT], const struct text *text)
{
	size_t length = text == NULL ? 0 : text->length < KEPT_TEXT ? text->length : KEPT_TEXT - 1;
	if (length > 0)
		memcpy(out, text->bytes, length);
	out[length] = '\0';
}

// A worker has only a context to tell it where records go; a lab may be moved before its first packet.
static struct lab *current;

static void keep_record(struct kept_record *kept, const struct session_record *record)
{
	const struct text *clues = record->session->clues;
	kept->record = *record;
	kept->session = *record->session;
	keep_text(kept->banner, record->session->server_banner);
	keep_text(kept->client_name, record->session->client_name);
	keep_text(kept->capabilities, record->session->capabilities);
	kept->clues_length = clues != NULL ? clues->length : 0;
	if (clues != NULL)
		memcpy(kept->clues, clues->bytes, clues->length);
}

static void on_session(void *context, const struct session_record *record)
{
	struct lab *lab = current;
	(void)context;
	if (record->end_reason == END_STILL_OPEN) {
		assert_false(record->ended);
		keep_record(&lab->told, record);
		lab->told_count++;
		return;
	}
	lab->ends[record->end_reason]++;
	lab->packets += record->packets[FROM_CLIENT] + record->packets[FROM_SERVER];
	assert_true(record->end >= record->start);
	lab->written++;
	if (lab->only_ended && record->end_reason != END_FIN)
		return;
	if (lab->count < KEPT_RECORDS)
		keep_record(&lab->records[lab->count], record);
	lab->count++;
}

static struct lab begin(const struct worker_options *options)
{
	struct lab lab = {.now = SECONDS(1700000000)};
	void *context = NULL;
	struct crew_options crew = {.worker = *options, .contexts = &context};
	struct error error;
	lab.crew = crew_create(&crew, &error);
	assert_non_null(lab.crew);
	lab.memory_at_start = crew_worker_counters(lab.crew).memory_in_use;
	return lab;
}

struct lab lab_begin(size_t memory, bool drop_wrong_checksums)
{
	struct worker_options options = {
	    .ports = ports(false),
	    .memory = memory,
	    .patterns = shipped_set(),
	    .drop_wrong_checksums = drop_wrong_checksums,
	    .on_session = on_session,
	};
	return begin(&options);
}

struct lab lab_begin_on_every_port(size_t memory)
{
	struct worker_options options = {
	    .ports = ports(true), .memory = memory, .on_session = on_session};
	return begin(&options);
}

void lab_send(struct lab *lab, const struct tcp_packet *packet)
{
	static uint8_t frame[TCP_PACKET_HEADERS + UINT16_MAX];
	uint32_t size = tcp_packet_write(packet, frame);
	struct packet_batch batch = {.count = 1};
	uint32_t kept = lab->snap_length > 0 && lab->snap_length < size ? lab->snap_length : size;
	batch.packets[0] = (struct packet){.data = frame,
	    .captured = kept,
	    .length = size,
	    .time = lab->now,
	    .link_type = LINK_ETHERNET,
	    .interface = lab->interface};
	lab->now += 1000000;
	lab->sent++;
	current = lab;
	crew_batch(lab->crew, &batch);
}

void lab_end(struct lab *lab)
{
	current = lab;
	crew_finish(lab->crew);
	struct segment_reader_counters read = crew_reader_counters(lab->crew);
	struct worker_counters counters = crew_worker_counters(lab->crew);
	uint64_t outcomes = 0;
	for (int i = 0; i < HEADERS_OUTCOMES; i++)
		outcomes += read.headers.outcomes[i];
	assert_int_equal(read.packets, lab->sent);
	assert_int_equal(outcomes, lab->sent);
	assert_int_equal(read.headers.outcomes[HEADERS_SEGMENT],
	    counters.segments_tracked + counters.segments_duplicated +
	        counters.segments_dropped + counters.segments_set_aside +
	        counters.segments_no_mail + counters.flow.refused);
	assert_int_equal(counters.segments_tracked, lab->packets);
	assert_int_equal(counters.flow.live, 0);
	assert_int_equal(counters.flow.created, lab->written + counters.connections_no_mail);
	assert_int_equal(counters.flow.ended, counters.flow.created);
	assert_int_equal(counters.memory_in_use, lab->memory_at_start);
	crew_destroy(lab->crew);
}

struct talk talk_begin(struct lab *lab, uint8_t host, uint16_t port)
{
	struct talk talk = {.lab = lab, .start = {1001, 900001}, .next = {1000, 900000}};
	talk.base[FROM_CLIENT] = (struct tcp_packet){.source = host,
	    .destination = 200,
	    .source_port = 40000,
	    .destination_port = port,
	    .window = 8192};
	talk.base[FROM_SERVER] = (struct tcp_packet){.source = 200,
	    .destination = host,
	    .source_port = port,
	    .destination_port = 40000,
	    .window = 8192};
	return talk;
}

static void send_at(
    struct talk *talk, enum direction from, uint32_t sequence, uint8_t flags, const char *text)
{
	struct tcp_packet packet = talk->base[from];
	packet.flags = flags;
	packet.sequence = sequence;
	if (flags & TCP_ACK)
		packet.acknowledgement = talk->next[1 - from];
	packet.payload = text;
	packet.length = (uint32_t)strlen(text);
	lab_send(talk->lab, &packet);
}

void talk_flags(struct talk *talk, enum direction from, uint8_t flags)
{
	send_at(talk, from, talk->next[from], flags, "");
	talk->next[from] += (flags & TCP_SYN) != 0;
	talk->next[from] += (flags & TCP_FIN) != 0;
}

void talk_open(struct talk *talk)
{
	talk_flags(talk, FROM_CLIENT, TCP_SYN);
	talk_flags(talk, FROM_SERVER, TCP_SYN | TCP_ACK);
	talk_flags(talk, FROM_CLIENT, TCP_ACK);
}

void talk_say(struct talk *talk, enum direction from, const char *text)
{
	send_at(talk, from, talk->next[from], TCP_ACK | TCP_PSH, text);
	talk->next[from] += (uint32_t)strlen(text);
}

void talk_say_at(struct talk *talk, enum direction from, uint32_t offset, const char *text)
{
	send_at(talk, from, talk->start[from] + offset, TCP_ACK | TCP_PSH, text);
}

void talk_close(struct talk *talk)
{
	talk_flags(talk, FROM_CLIENT, TCP_FIN | TCP_ACK);
	talk_flags(talk, FROM_SERVER, TCP_FIN | TCP_ACK);
	talk_flags(talk, FROM_CLIENT, TCP_ACK);
}

void talk_greetings(struct talk *talk)
{
	talk_say(talk, FROM_SERVER, "220 mx.example ESMTP\r\n");
	talk_say(talk, FROM_CLIENT, "EHLO c.example\r\n");
	talk_say(talk, FROM_SERVER, "250-mx.example\r\n250 STARTTLS\r\n");
}
