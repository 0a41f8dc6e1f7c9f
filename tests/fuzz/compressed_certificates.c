// SPDX-License-Identifier: Apache-2.0
// Fuzzes compressed certificates: the input is an algorithm, the length that the sender says, and the
// compressed bytes. Never a byte more is written, nor more memory taken than what a message of that length
// needs; what came out comes out again; and all memory comes back.
#include "decode/tls_certificate_compression.h"
#include "tests/fuzz/fuzzer.h"

enum { LENGTH_MAX = 1 << 17, BUDGET = 1 << 20 };

static bool decompress(uint16_t algorithm, struct view compressed, uint8_t *into, size_t length)
{
	struct memory *memory = memory_create(BUDGET);
	MUST(memory != NULL);
	bool good = tls_certificate_decompress(memory, algorithm, compressed, into, length);
	MUST(memory_in_use(memory) == 0);
	memory_destroy(memory);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[LENGTH_MAX];
	struct input input = {data, data + size};
	uint16_t algorithm = take(&input);
	size_t length = (size_t)take(&input) << 16;
	length = (length | take_u16(&input)) % LENGTH_MAX;
	uint8_t *compressed = exact_copy(input.at, input_left(&input));
	uint8_t *into = exact_copy(room, length); // a sanitizer sees what is written behind it
	uint8_t *again = exact_copy(room, length);
	struct view view = view_of(compressed, input_left(&input));
	bool good = decompress(algorithm, view, into, length);
	MUST(decompress(algorithm, view, again, length) == good);
	MUST(!good || memcmp(into, again, length) == 0);
	free(compressed);
	free(into);
	free(again);
	return 0;
}
