// SPDX-License-Identifier: Apache-2.0
// Fuzzes the whole way: the input is a capture file, read by the file source and given to the worker, judged and
// written. A byte of a pcap file's header that nobody reads says what the run is like. With packet_mutator.c
// the inputs stay captures of traffic (`traffic`), without it they become whatever libFuzzer makes of them
// (`capture`).
#include "capture/source.h"
#include "tests/fuzz/captured.h"
#include "tests/fuzz/fuzzer.h"
#include "tests/fuzz/harness.h"

#include <sys/mman.h>
#include <unistd.h>

enum {
	BATCHES_MAX = 1 << 16, // compression can make a small input large
};

static void read_capture(struct harness *harness, const char *path)
{
	struct packet_batch batch;
	struct error error;
	struct source *source = source_file.open(&(struct source_request){.target = path}, &error);
	if (source == NULL)
		return;
	for (unsigned i = 0; i < BATCHES_MAX; i++) {
		enum source_status status = source_file.next(source, 0, &batch, &error);
		if (status == SOURCE_END || status == SOURCE_FAILED)
			break;
		if (status != SOURCE_PACKETS)
			continue;
		for (size_t p = 0; p < batch.count; p++)
			if (batch.packets[p].time < 0 || batch.packets[p].time > PACKET_TIME_MAX ||
			    batch.packets[p].captured > batch.packets[p].length)
				abort();
		harness_batch(harness, &batch);
	}
	source_file.close(source);
}

static struct harness_settings settings_of(uint8_t byte)
{
	static const size_t budgets[] = {2 << 20, 256 << 10, 128 << 10, 88 << 10};
	return (struct harness_settings){
	    .budget = budgets[byte & 3],
	    .drop_wrong_checksums = byte & 4,
	    .every_port = !(byte & 8),
	    .names = byte & 16,
	    .more = byte & 32,
	};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int file = memfd_create("capture", MFD_CLOEXEC);
	if (file < 0 || write(file, data, size) != (ssize_t)size)
		abort();
	lseek(file, 0, SEEK_SET);
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	struct harness_settings settings =
	    settings_of(size > CAPTURED_SETTINGS ? data[CAPTURED_SETTINGS] : 0);
	struct harness *harness = harness_begin(&settings);
	read_capture(harness, path);
	harness_end(harness);
	close(file);
	return 0;
}
