// SPDX-License-Identifier: Apache-2.0
// In the place of libFuzzer, for any compiler: gives the fuzzer that it is linked with each file it is named
// once. A name that begins with '-' is an option of libFuzzer's, and of no meaning here.
#include "tests/fuzz/fuzzer.h"

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	*size = 0;
	if (file == NULL)
		return NULL;
	for (size_t room = 64 * 1024; bytes == NULL || *size == room / 2; room *= 2) {
		bytes = realloc(bytes, room);
		MUST(bytes != NULL);
		*size += fread(bytes + *size, 1, room - *size, file);
	}
	fclose(file);
	return bytes;
}

int main(int count, char **arguments)
{
	int replayed = 0;
	for (int i = 1; i < count; i++) {
		if (arguments[i][0] == '-')
			continue;
		size_t size;
		uint8_t *bytes = read_file(arguments[i], &size);
		if (bytes == NULL) {
			perror(arguments[i]);
			return 1;
		}
		fprintf(stderr, "%s: %zu bytes\n", arguments[i], size);
		uint8_t *copy = exact_copy(bytes, size);
		LLVMFuzzerTestOneInput(copy, size);
		free(copy);
		free(bytes);
		replayed++;
	}
	fprintf(stderr, "%d inputs replayed\n", replayed);
	return 0;
}
