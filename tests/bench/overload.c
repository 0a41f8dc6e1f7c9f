// SPDX-License-Identifier: Apache-2.0
// What is still right when there is more to do than can be done. A trace is given to one worker as fast as it
// can take it, and then again, live, at multiples of that rate: what the ring cannot hold is left out. Prints for
// each rate how many segments were, and what became of the verdicts. The trace should be much larger
// than the ring (8 MiB), and two cores must be free.
#include "analytics/session_id.h"
#include "analytics/verdict.h"
#include "capture/source.h"
#include "decode/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
	uint16_t port;
	struct port_hint hint;
} followed[] = {{25, {PROTOCOL_SMTP, false, false}}, {587, {PROTOCOL_SMTP, false, false}},
    {143, {PROTOCOL_IMAP, false, false}}, {110, {PROTOCOL_POP3, false, false}},
    {465, {PROTOCOL_SMTP, true, false}}, {993, {PROTOCOL_IMAP, true, false}},
    {995, {PROTOCOL_POP3, true, false}}};

static const double rates[] = {0.9, 1.5, 2, 3, 4};

static struct port_table ports;

struct trace {
	struct packet *packets;
	size_t count, room;
};

struct finding {
	uint64_t id;
	enum verdict verdict;
};

struct findings {
	struct finding *found;
	size_t count, room;
};

static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room == 0 ? 1024 : 2 * *room;
	array = realloc(array, *room * size);
	if (array == NULL)
		abort();
	return array;
}

static void keep(struct trace *trace, const struct packet *packet)
{
	uint8_t *bytes = malloc(packet->captured);
	if (bytes == NULL)
		abort();
	memcpy(bytes, packet->data, packet->captured);
	trace->packets = grow(trace->packets, trace->count, &trace->room, sizeof *trace->packets);
	trace->packets[trace->count] = *packet;
	trace->packets[trace->count++].data = bytes;
}

static bool load(const char *path, struct trace *trace)
{
	struct error error;
	struct packet_batch batch;
	struct source *source = source_file.open(&(struct source_request){.target = path}, &error);
	enum source_status status = SOURCE_FAILED;
	while (source != NULL &&
	       ((status = source_file.next(source, 0, &batch, &error)) == SOURCE_PACKETS ||
	           status == SOURCE_IDLE))
		for (size_t i = 0; i < batch.count; i++)
			keep(trace, &batch.packets[i]);
	if (source != NULL)
		source_file.close(source);
	if (status != SOURCE_END)
		fprintf(stderr, "overload: %s\n", error.text);
	return status == SOURCE_END;
}

static void on_session(void *context, const struct session_record *record)
{
	struct findings *findings = context;
	if (record->end_reason == END_STILL_OPEN)
		return;
	findings->found =
	    grow(findings->found, findings->count, &findings->room, sizeof *findings->found);
	findings->found[findings->count++] =
	    (struct finding){session_id_of(record), judge(record).verdict};
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// Gives the trace to a crew of one worker thread, in `seconds` if that is not 0. Returns how long it took.
static double run(const struct trace *trace, double seconds, struct findings *findings,
    struct crew_losses *losses)
{
	struct error error;
	void *context = findings;
	struct crew_options options = {
	    .worker = {.ports = &ports, .memory = (size_t)1 << 30, .on_session = on_session},
	    .threads = 1,
	    .contexts = &context,
	    .live = seconds > 0};
	struct crew *crew = crew_create(&options, &error);
	if (crew == NULL)
		abort();
	double begin = now();
	for (size_t i = 0; i < trace->count;) {
		struct packet_batch batch = {.count = 0};
		while (seconds > 0 && now() - begin < seconds * (double)i / (double)trace->count)
			;
		while (batch.count < PACKET_BATCH_MAX && i < trace->count)
			batch.packets[batch.count++] = trace->packets[i++];
		crew_batch(crew, &batch);
	}
	crew_finish(crew);
	double took = now() - begin;
	*losses = crew_losses(crew);
	crew_destroy(crew);
	return took;
}

static int by_id(const void *one, const void *other)
{
	const struct finding *a = one, *b = other;
	return a->id < b->id ? -1 : a->id > b->id;
}

static void sort(struct findings *findings)
{
	qsort(findings->found, findings->count, sizeof *findings->found, by_id);
}

// What became of the sessions whose verdict, with nothing left out, says something.
static void compare(const struct findings *whole, const struct findings *some)
{
	size_t all = 0, right = 0, less = 0, gone = 0, other = 0;
	for (size_t i = 0; i < whole->count; i++) {
		const struct finding *expected = &whole->found[i];
		if (expected->verdict == VERDICT_PARTIAL)
			continue;
		all++;
		const struct finding *found =
		    bsearch(expected, some->found, some->count, sizeof *some->found, by_id);
		if (found == NULL)
			gone++;
		else if (found->verdict == expected->verdict)
			right++;
		else if (found->verdict == VERDICT_PARTIAL)
			less++;
		else
			other++;
	}
	double share = 100.0 / (double)(all > 0 ? all : 1);
	printf("%7.1f %8.1f %9.1f %8.2f\n", share * (double)right, share * (double)less,
	    share * (double)gone, share * (double)other);
}

static void measure(const struct trace *trace)
{
	struct findings whole = {.count = 0}, ignored = {.count = 0};
	struct crew_losses losses;
	double took = run(trace, 0, &ignored, &losses), again = run(trace, 0, &whole, &losses);
	took = again < took ? again : took;
	sort(&whole);
	printf("%zu packets, %zu sessions\n\n", trace->count, whole.count);
	printf("        of the segments, %%              of the verdicts, %%\n");
	printf("  rate     shed  refused  dropped  |  right  partial  not seen  another\n");
	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		struct findings some = {.count = 0};
		(void)run(trace, took / rates[i], &some, &losses);
		sort(&some);
		double share = 100.0 / (double)trace->count;
		printf("%5.1fx %8.2f %8.2f %8.2f  |", rates[i], share * (double)losses.shed,
		    share * (double)losses.refused, share * (double)losses.dropped);
		compare(&whole, &some);
		free(some.found);
	}
	free(whole.found);
	free(ignored.found);
}

int main(int argc, char **argv)
{
	struct trace trace = {.count = 0};
	if (argc != 2) {
		fprintf(stderr, "usage: bench-overload TRACE\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof followed / sizeof followed[0]; i++) {
		port_set_add(&ports.set, followed[i].port);
		ports.hints[followed[i].port] = followed[i].hint;
	}
	if (!load(argv[1], &trace))
		return 1;
	measure(&trace);
	for (size_t i = 0; i < trace.count; i++)
		free((void *)(uintptr_t)trace.packets[i].data);
	free(trace.packets);
	return 0;
}
