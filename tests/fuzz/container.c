// SPDX-License-Identifier: Apache-2.0
// Fuzzes the layout of capture files, pcap and pcapng: the input is a file. Whether all of it is in memory at
// once, or no more than what is asked for, or that in steps of a few bytes: the same packets come out and the
// same is said of the end; packets lie within what is in memory, and their times within bounds; and they are those that
// libpcap reads, for as long as it does.
#include "capture/base/view.h"
#include "capture/container.h"
#include "tests/fuzz/fuzzer.h"

#include <pcap/pcap.h>

enum { STEPS = 3, BATCHES_MAX = 1 << 16, COMPARED_MAX = 512 };

// What libpcap must say of a packet, too.
struct compared {
	uint64_t digest; // of its bytes
	uint32_t captured, length;
	nanoseconds time;
};

struct result {
	uint64_t digest; // of all packets
	struct source_counters counters;
	uint64_t offset; // where reading ended
	bool begun, failed;
	char reason[sizeof((struct error *)NULL)->text];
};

struct reading {
	const struct container_ops *ops;
	struct container *container;
	struct view rest; // of the input, behind the window
	size_t step; // bytes added to the window at a time; 0: all
	uint8_t *block; // the window's bytes, in a block of just their size
	struct window window;
	struct result *result;
	struct compared *compared; // COMPARED_MAX of them, or NULL
};

static uint64_t digest_on(uint64_t digest, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		digest = (digest ^ at[i]) * UINT64_C(1099511628211);
	return digest;
}

static void add_to_digest(struct result *result, const void *bytes, size_t length)
{
	result->digest = digest_on(result->digest, bytes, length);
}

static void take_packet(struct reading *reading, const struct packet *packet)
{
	size_t at = (size_t)(packet->data - reading->block);
	size_t size = (size_t)(reading->window.end - reading->block);
	MUST(packet->data >= reading->block && at <= size && packet->captured <= size - at);
	MUST(packet->captured <= packet->length && packet->captured <= CAPTURED_MAX);
	MUST(packet->time >= 0 && packet->time <= PACKET_TIME_MAX);
	add_to_digest(reading->result, packet->data, packet->captured);
	add_to_digest(reading->result, &packet->captured, sizeof packet->captured);
	add_to_digest(reading->result, &packet->length, sizeof packet->length);
	add_to_digest(reading->result, &packet->time, sizeof packet->time);
	add_to_digest(reading->result, &packet->link_type, sizeof packet->link_type);
	add_to_digest(reading->result, &packet->interface, sizeof packet->interface);
	if (reading->compared != NULL && reading->result->counters.packets < COMPARED_MAX)
		reading->compared[reading->result->counters.packets] =
		    (struct compared){.digest = digest_on(0, packet->data, packet->captured),
		        .captured = packet->captured,
		        .length = packet->length,
		        .time = packet->time};
	reading->result->counters.packets++;
}

// Gives the window what is left of it and `more` bytes behind that.
static void move_window(struct reading *reading, size_t more)
{
	struct window *window = &reading->window;
	size_t left = window_left(window);
	uint8_t *block = malloc(left + more > 0 ? left + more : 1);
	MUST(block != NULL);
	if (left > 0)
		memcpy(block, window->at, left);
	if (more > 0)
		memcpy(block + left, view_take(&reading->rest, more), more);
	free(reading->block);
	reading->block = block;
	window->at = block;
	window->end = block + left + more;
	window->end_offset += more;
}

// What the container asked for, or a part of it. False: there is no more.
static bool refill(struct reading *reading)
{
	struct window *window = &reading->window;
	size_t skipped =
	    window->skip < reading->rest.length ? (size_t)window->skip : reading->rest.length;
	MUST(window->needed <= CONTAINER_RECORD_MAX);
	MUST(window->skip == 0 || window_left(window) == 0);
	if (skipped > 0)
		view_take(&reading->rest, skipped);
	window->skip -= skipped;
	window->end_offset += skipped;
	size_t left = window_left(window), more = reading->rest.length;
	if (reading->step > 0 && more > 0) {
		size_t wanted = window->needed > left ? window->needed - left : 1;
		if (reading->step > 1 && wanted > reading->step)
			wanted = reading->step;
		more = wanted < more ? wanted : more;
	}
	move_window(reading, more);
	return skipped + more > 0;
}

// Calls until the container is ready or the input is at its end. False: the latter, or it failed.
static bool begin(struct reading *reading, struct error *error)
{
	int link_type = LINK_TYPE_UNKNOWN;
	for (unsigned i = 0; i < BATCHES_MAX; i++) {
		enum container_status status =
		    reading->ops->begin(reading->container, &reading->window, &link_type, error);
		reading->result->failed = status == CONTAINER_FAILED;
		if (status == CONTAINER_READY)
			return true;
		if (status == CONTAINER_FAILED || !refill(reading))
			return false;
	}
	fprintf(stderr, "it never begins\n");
	abort();
}

static void read_packets(struct reading *reading, struct error *error)
{
	for (unsigned i = 0; i < BATCHES_MAX; i++) {
		struct packet_batch batch = {.count = 0};
		enum container_status status =
		    reading->ops->fill(reading->container, &reading->window, &batch, error);
		MUST(batch.count <= PACKET_BATCH_MAX &&
		     (status != CONTAINER_READY || batch.count > 0));
		for (size_t p = 0; p < batch.count; p++)
			take_packet(reading, &batch.packets[p]);
		reading->result->failed = status == CONTAINER_FAILED;
		if (status == CONTAINER_FAILED || (status == CONTAINER_NEEDS && !refill(reading)))
			return;
	}
	fprintf(stderr, "it never ends\n");
	abort();
}

static void read_all(struct view input, const struct container_ops *ops, size_t step,
    struct result *result, struct compared *compared)
{
	struct reading reading = {
	    .ops = ops, .rest = input, .step = step, .result = result, .compared = compared};
	struct error error = {""};
	*result = (struct result){.digest = UINT64_C(14695981039346656037)};
	reading.container = ops->create("file", &result->counters);
	MUST(reading.container != NULL);
	reading.window.needed = CONTAINER_MAGIC;
	move_window(&reading, 0);
	refill(&reading);
	result->begun = begin(&reading, &error);
	if (result->begun)
		read_packets(&reading, &error);
	result->offset = window_offset(&reading.window) + reading.window.skip;
	MUST(result->failed == (error.text[0] != '\0'));
	memcpy(result->reason, error.text, sizeof result->reason);
	ops->destroy(reading.container);
	free(reading.block);
}

static void check_same(const struct result *one, const struct result *other)
{
	MUST(one->begun == other->begun && one->failed == other->failed);
	MUST(strcmp(one->reason, other->reason) == 0);
	MUST(one->counters.packets == other->counters.packets && one->digest == other->digest);
	MUST(one->counters.damaged == other->counters.damaged);
	MUST(one->counters.capture_dropped == other->counters.capture_dropped);
	MUST(one->offset == other->offset);
}

static void compare(const struct compared *ours, const struct pcap_pkthdr *header,
    const uint8_t *bytes, uint32_t snap)
{
	nanoseconds time = SECONDS((uint32_t)header->ts.tv_sec) + header->ts.tv_usec;
	if (ours->captured > snap)
		return; // libpcap cuts it off
	MUST(ours->captured == header->caplen &&
	     ours->digest == digest_on(0, bytes, header->caplen));
	MUST(ours->length == (header->len > header->caplen ? header->len : header->caplen));
	// libpcap has the 32 bits of pcap as negative seconds; what an offset of pcapng takes farther is none of ours.
	bool has_none = header->ts.tv_usec < 0 || header->ts.tv_sec > UINT32_MAX ||
	                header->ts.tv_sec < INT32_MIN;
	MUST(ours->time == time || has_none);
}

// Reads it again with libpcap. Where something is damaged the two may go on differently.
static void compare_with_libpcap(
    struct view input, const struct result *result, const struct compared *compared)
{
	char reason[PCAP_ERRBUF_SIZE];
	FILE *file = fmemopen((void *)(uintptr_t)input.data, input.length, "r");
	MUST(file != NULL);
	pcap_t *pcap =
	    pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason);
	if (pcap == NULL) {
		fclose(file);
		return;
	}
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	for (uint64_t i = 0; i < COMPARED_MAX && pcap_next_ex(pcap, &header, &bytes) == 1; i++) {
		if (i >= result->counters.packets) {
			MUST(result->failed || result->counters.damaged > 0);
			break;
		}
		compare(&compared[i], header, bytes, (uint32_t)pcap_snapshot(pcap));
	}
	pcap_close(pcap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct container_ops *const kinds[] = {&container_pcap, &container_pcapng};
	static const size_t steps[STEPS] = {0, 1, 5};
	static struct compared compared[COMPARED_MAX];
	struct result results[STEPS];
	for (size_t kind = 0; size >= CONTAINER_MAGIC && kind < 2; kind++) {
		if (!kinds[kind]->recognise(data))
			continue;
		for (size_t i = 0; i < STEPS; i++)
			read_all(view_of(data, size), kinds[kind], steps[i], &results[i],
			    i == 0 ? compared : NULL);
		for (size_t i = 1; i < STEPS; i++)
			check_same(&results[0], &results[i]);
		if (results[0].counters.damaged == 0)
			compare_with_libpcap(view_of(data, size), &results[0], compared);
	}
	return 0;
}
