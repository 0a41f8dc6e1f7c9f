// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/harness.h"

#include "analytics/anonymise_key.h"
#include "analytics/exporter.h"
#include "decode/pattern_set.h"
#include "tests/fuzz/fuzzer.h"
#include "tests/fuzz/compiled_patterns.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct harness {
	struct crew *crew;
	struct exporters *exporters;
	size_t budget;
	bool more;
	uint64_t records, packets; // of them, both directions
};

static const struct port_table *ports(bool every, bool names)
{
	static const struct {
		uint16_t port;
		struct port_hint hint;
	} rows[] = {{25, {PROTOCOL_SMTP, false, false}}, {587, {PROTOCOL_SMTP, false, false}},
	    {143, {PROTOCOL_IMAP, false, false}}, {110, {PROTOCOL_POP3, false, false}},
	    {465, {PROTOCOL_SMTP, true, false}}, {993, {PROTOCOL_IMAP, true, false}},
	    {995, {PROTOCOL_POP3, true, false}}, {2526, {PROTOCOL_UNDECIDED, false, false}}};
	static struct port_table tables[2][2];
	struct port_table *table = &tables[every][names];
	table->set.every = every;
	table->set.names = names;
	if (names) {
		port_set_add(&table->set, DNS_PORT);
		table->hints[DNS_PORT] = (struct port_hint){PROTOCOL_DNS, false, false};
	}
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		port_set_add(&table->set, rows[i].port);
		table->hints[rows[i].port] = rows[i].hint;
	}
	return table;
}

// One for all inputs: it is slow to make, and what strangers showed before must not matter.
static struct certificate_judge *certificates(void)
{
	static struct certificate_judge *judge;
	struct error error;
	struct certificate_judge_options options = {.memory = 4 << 20};
	if (judge == NULL)
		judge = certificate_judge_create(&options, &error);
	MUST(judge != NULL);
	return judge;
}

static struct pattern_reader *pattern_reader(void)
{
	static struct pattern_reader *reader;
	if (reader == NULL)
		reader = pattern_reader_create(compiled_patterns());
	MUST(reader != NULL);
	return reader;
}

static void on_certificate(void *context, const struct shown_certificate *shown)
{
	(void)context;
	const struct certificate *certificate = certificate_judge_shown(certificates(), shown);
	MUST(certificate == NULL || certificate->facts.der.length == shown->der.length);
}

// A file with a key by which outputs hide addresses.
static const char *anonymisation_key(void)
{
	static char path[64];
	static const uint8_t key[ANONYMISE_KEY_BYTES] = {1, 0xff};
	if (path[0] == '\0') {
		int file = memfd_create("key", MFD_CLOEXEC);
		MUST(file >= 0 && fchmod(file, 0600) == 0);
		MUST(write(file, key, sizeof key) == (ssize_t)sizeof key);
		snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	}
	return path;
}

static const struct mail_names *mail_names(void)
{
	static struct mail_names *names;
	if (names == NULL)
		names = mail_names_create();
	MUST(names != NULL);
	return names;
}

static bool on_names(void *context, const struct dns_message *message)
{
	(void)context;
	MUST(message->captured <= message->length);
	free(exact_copy(message->bytes, message->captured));
	return true;
}

static void check_messages(struct view messages)
{
	static struct message_facts facts;
	while (messages.length > 0)
		MUST(message_facts_take(&messages, &facts));
}

// What goes through the ring is the record itself.
static void on_session(void *context, const struct session_record *original)
{
	struct harness *harness = context;
	struct session_record *record = malloc(session_record_size(original));
	MUST(record != NULL);
	session_record_copy(original, record);
	struct judged_session judged = {.record = record,
	    .judgement = judge(record),
	    .certificates = certificate_judge_session(certificates(), record),
	    .patterns = pattern_findings_of(pattern_reader(), record)};
	MUST(verdict_name(judged.judgement.verdict) != NULL);
	MUST(record->end >= record->start);
	check_messages(record->messages);
	MUST(record->packets[FROM_CLIENT] + record->packets[FROM_SERVER] > 0);
	if (record->end_reason == END_STILL_OPEN) { // the same connection comes once more
		MUST(!record->ended);
		free(record);
		return;
	}
	harness->records++;
	harness->packets += record->packets[FROM_CLIENT] + record->packets[FROM_SERVER];
	MUST(exporters_session(harness->exporters, &judged));
	free(record);
}

struct harness *harness_begin(const struct harness_settings *settings)
{
	static FILE *summary;
	struct error error;
	struct harness *harness = calloc(1, sizeof *harness);
	if (summary == NULL)
		summary = fopen("/dev/null", "w");
	struct exporter_settings outputs = {.records_path = "/dev/null",
	    .summary = summary,
	    .anonymisation_key = settings->more ? anonymisation_key() : NULL};
	void *context = harness;
	struct worker_options worker = {
	    .ports = ports(settings->every_port, settings->more),
	    .memory = settings->budget,
	    .patterns = compiled_patterns(),
	    .drop_wrong_checksums = settings->drop_wrong_checksums,
	    .without_foreign = !settings->names,
	    .mail_names = settings->more ? mail_names() : NULL,
	    .mail_hashes = true,
	    .on_names = on_names,
	    .on_session = on_session,
	    .on_certificate = on_certificate,
	};
	MUST(harness != NULL);
	harness->budget = settings->budget;
	harness->more = settings->more;
	harness->exporters = exporters_open(&outputs, &error);
	harness->crew =
	    crew_create(&(struct crew_options){.worker = worker, .contexts = &context}, &error);
	MUST(harness->exporters != NULL && harness->crew != NULL);
	return harness;
}

// Connections of DNS have no record.
static bool adds_up(const struct harness *harness, uint64_t all, uint64_t found)
{
	return harness->more ? found <= all : found == all;
}

static void check_sums(const struct harness *harness, const struct worker_counters *counters)
{
	struct segment_reader_counters read = crew_reader_counters(harness->crew);
	uint64_t packets = 0;
	for (int outcome = 0; outcome < HEADERS_OUTCOMES; outcome++)
		packets += read.headers.outcomes[outcome];
	MUST(packets == read.packets);
	MUST(read.headers.outcomes[HEADERS_SEGMENT] + read.reassembled[HEADERS_SEGMENT] ==
	     counters->segments_tracked + counters->segments_duplicated +
	         counters->segments_dropped + counters->segments_set_aside +
	         counters->segments_no_mail + counters->flow.refused);
	MUST(counters->flow.created == counters->flow.ended + counters->flow.live);
	MUST(adds_up(
	    harness, counters->flow.ended, harness->records + counters->connections_no_mail));
	MUST(counters->memory_reserved <= harness->budget);
}

void harness_batch(struct harness *harness, const struct packet_batch *batch)
{
	crew_batch(harness->crew, batch);
	struct worker_counters counters = crew_worker_counters(harness->crew);
	check_sums(harness, &counters);
}

// In datagrams, and in streams; each message is seen and in one of the others.
static void check_names(const struct dns_counters *reader, const struct dns_counters *worker)
{
	MUST(reader->seen + worker->seen ==
	     reader->kept + worker->kept + reader->other + worker->other + reader->malformed +
	         worker->malformed + reader->left_out + worker->left_out);
}

void harness_end(struct harness *harness)
{
	struct run_accounting accounting = {0};
	struct error error;
	crew_finish(harness->crew);
	accounting.reader = crew_reader_counters(harness->crew);
	accounting.worker = crew_worker_counters(harness->crew);
	check_sums(harness, &accounting.worker);
	MUST(accounting.worker.flow.live == 0);
	MUST(adds_up(harness, accounting.worker.segments_tracked, harness->packets));
	check_names(&accounting.reader.names, &accounting.worker.names);
	MUST(exporters_close(harness->exporters, &accounting, &error));
	crew_destroy(harness->crew);
	free(harness);
}
