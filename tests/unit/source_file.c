// SPDX-License-Identifier: Apache-2.0
// The file source, whatever the container: what is no capture, pipes, filters, garbage.
#include "tests/unit/capture_lab.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// ---- What is no capture

static void what_is_no_capture_is_refused(void **state)
{
	(void)state;
	struct error error;
	assert_null(source_file.open(&(struct source_request){.target = "/nonexistent/a.pcap"}, &error));
	assert_non_null(strstr(error.text, "/nonexistent/a.pcap: No such file"));
	assert_null(source_file.open(&(struct source_request){.target = "/tmp"}, &error));
	assert_non_null(strstr(error.text, "it is a directory"));
	char path[4000];
	memset(path, 'x', sizeof path);
	path[sizeof path - 1] = '\0';
	assert_null(source_file.open(&(struct source_request){.target = path}, &error));
	assert_non_null(strstr(error.text, "name too long"));
	struct bytes file = {0};
	put(&file, "From: a@example.org\n", 20);
	assert_says(read_bytes(&file), "no capture file mailtap can read");
	discard(&file);
	put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	file.data[4] = 3;
	assert_says(read_bytes(&file), "version 3.4");
	discard(&file);
	put_section(&file);
	file.data[12] = 2;
	assert_says(read_bytes(&file), "version 2");
	discard(&file);
	assert_ptr_equal(source_find("file"), &source_file);
	assert_null(source_find("cloud"));
}

// ---- Standard input

static void input_in_small_pieces(void **state)
{
	(void)state;
	static struct outcome outcome;
	struct bytes pcap = {0}, pcapng = {.big_endian = true};
	put_pcap_header(&pcap, PCAP_NANOSECONDS, LINK_ETHERNET);
	put_section(&pcapng);
	put_interface(&pcapng, LINK_ETHERNET, 9, 0);
	for (uint32_t i = 0; i < 100; i++) {
		put_pcap_record(&pcap, 0, i, i, i, (uint8_t)i);
		put_packet_block(&pcapng, 0, i, i, (uint8_t)i);
	}
	for (size_t step = 1; step < 200; step = step * 3 + 1)
		for (int kind = 0; kind < 2; kind++) {
			read_in_steps(kind == 0 ? &pcap : &pcapng, step, &outcome);
			assert_int_equal(outcome.end, SOURCE_END);
			assert_int_equal(outcome.count, 100);
			assert_int_equal(outcome.packets[99].time, 99);
			assert_int_equal(outcome.last_byte[99], 99);
			assert_int_equal(outcome.counters.input_size, 0);
		}
	discard(&pcap);
	discard(&pcapng);
}

static void do_nothing(int number)
{
	(void)number;
}

// A capture that is still being written: what is there is given at once, a signal does not wait.
static void live_pipe_neither_holds_back_nor_hangs(void **state)
{
	(void)state;
	struct bytes file = {0};
	put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	put_pcap_record(&file, 1, 0, 60, 60, 1);
	int ends[2], saved = dup(STDIN_FILENO);
	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
	close(ends[0]);
	assert_true(write(ends[1], file.data, file.length - 1) > 0);
	struct error error;
	struct packet_batch batch;
	struct source *source = source_file.open(&(struct source_request){.target = "-"}, &error);
	assert_non_null(source);
	struct sigaction action = {.sa_handler = do_nothing}, before;
	sigaction(SIGALRM, &action, &before);
	ualarm(20000, 0);
	assert_int_equal(source_file.next(source, 0, &batch, &error), SOURCE_IDLE);
	sigaction(SIGALRM, &before, NULL);
	assert_true(write(ends[1], file.data + file.length - 1, 1) == 1);
	assert_int_equal(source_file.next(source, 0, &batch, &error), SOURCE_PACKETS);
	assert_int_equal(batch.count, 1);
	close(ends[1]);
	assert_int_equal(source_file.next(source, 0, &batch, &error), SOURCE_END);
	source_file.close(source);
	dup2(saved, STDIN_FILENO);
	close(saved);
	discard(&file);
}

// ---- Filters

static void put_tcp(struct bytes *packet, uint8_t port)
{
	static const uint8_t start[] = {
	    0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x80, 0, 0};
	put(packet, start, sizeof start);
	put(packet, &port, 1);
	put_fill(packet, 16, 0);
}

static struct bytes mixed_capture(uint16_t second_link_type)
{
	struct bytes file = {0};
	put_section(&file);
	put_interface(&file, LINK_ETHERNET, 6, 0);
	put_interface(&file, second_link_type, 6, 0);
	for (uint32_t i = 0; i < 300; i++) {
		struct bytes body = {0}, packet = {0};
		if (i % 2 == 0) {
			put_fill(&packet, 12, 2);
			put(&packet, "\x08\x00", 2);
		}
		put_tcp(&packet, i % 3 == 0 ? 25 : 80);
		put_number(&body, i % 2, 4);
		put_number(&body, 0, 4);
		put_number(&body, i, 4);
		put_number(&body, packet.length, 4);
		put_number(&body, packet.length, 4);
		put(&body, packet.data, packet.length);
		put_block(&file, 6, &body);
		discard(&body);
		discard(&packet);
	}
	return file;
}

static void filter_keeps_what_matches(void **state)
{
	(void)state;
	struct bytes file = mixed_capture(LINK_RAW);
	const struct outcome *outcome = read_filtered(&file, "tcp port 25");
	assert_int_equal(outcome->end, SOURCE_END);
	assert_int_equal(outcome->count, 100);
	assert_int_equal(outcome->counters.filtered, 200);
	assert_int_equal(outcome->packets[1].time, 3000);
	assert_int_equal(outcome->packets[1].link_type, LINK_RAW);
	outcome = read_filtered(&file, "tcp port 110");
	assert_int_equal(outcome->end, SOURCE_END);
	assert_int_equal(outcome->counters.filtered, 300);
	discard(&file);
}

static void filter_that_does_not_fit_is_told(void **state)
{
	(void)state;
	struct bytes file = mixed_capture(LINK_RAW);
	const struct outcome *outcome = read_filtered(&file, "tcp prt 25");
	assert_false(outcome->opened);
	assert_says(outcome, "cannot use filter 'tcp prt 25'");
	// Compiles for Ethernet, where it keeps the first packet, and not for raw IP.
	outcome = read_filtered(&file, "ether src 02:02:02:02:02:02");
	assert_true(outcome->opened);
	assert_int_equal(outcome->end, SOURCE_FAILED);
	assert_int_equal(outcome->count, 1);
	assert_says(outcome, "ether src");
	discard(&file);
	file = mixed_capture(60000);
	outcome = read_filtered(&file, "tcp port 25");
	assert_int_equal(outcome->end, SOURCE_FAILED);
	assert_int_equal(outcome->count, 1);
	assert_says(outcome, "link type 60000");
	discard(&file);
}

// ---- Garbage

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static struct bytes garbage(uint64_t *seed, unsigned kind)
{
	struct bytes file = {.big_endian = next_random(seed) % 2 != 0};
	if (kind == 0)
		put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	else
		put_section(&file);
	if (kind == 2)
		put_interface(&file, LINK_ETHERNET, (int)(next_random(seed) % 256), 0);
	size_t words = next_random(seed) % 200;
	for (size_t i = 0; i < words; i++) {
		// Small numbers, so that lengths and types are often likely ones.
		uint32_t value = next_random(seed), small = value % 7;
		put_number(&file, small < 3 ? value % 12 : small < 5 ? value % 64 * 4 : value, 4);
	}
	return file;
}

static void garbage_does_no_harm(void **state)
{
	(void)state;
	uint64_t seed = 25;
	for (unsigned round = 0; round < 9000; round++) {
		struct bytes file = garbage(&seed, round % 3);
		read_filtered(&file, round % 5 == 0 ? "tcp port 25" : NULL);
		discard(&file);
	}
}

static void damaged_bytes_do_no_harm(void **state)
{
	(void)state;
	uint64_t seed = 587;
	struct bytes files[] = {mixed_capture(LINK_RAW), sample_capture()};
	for (unsigned round = 0; round < 4000; round++) {
		const struct bytes *whole = &files[round % 2];
		struct bytes file = {0};
		put(&file, whole->data, whole->length < 6000 ? whole->length : 6000);
		for (unsigned changes = next_random(&seed) % 8; changes > 0; changes--)
			file.data[next_random(&seed) % file.length] = (uint8_t)next_random(&seed);
		read_bytes(&file);
		discard(&file);
	}
	discard(&files[0]);
	discard(&files[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_no_capture_is_refused),
	    cmocka_unit_test(input_in_small_pieces),
	    cmocka_unit_test(live_pipe_neither_holds_back_nor_hangs),
	    cmocka_unit_test(filter_keeps_what_matches),
	    cmocka_unit_test(filter_that_does_not_fit_is_told),
	    cmocka_unit_test(garbage_does_no_harm),
	    cmocka_unit_test(damaged_bytes_do_no_harm),
	};
	return cmocka_run_group_tests_name("source_file", tests, NULL, NULL);
}
