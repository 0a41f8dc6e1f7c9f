// SPDX-License-Identifier: Apache-2.0
// Writes the certificates of the unit tests into a directory, as seeds for the fuzzer.
#include "tests/unit/certificates.h"

#include <stdio.h>

int main(int count, char **arguments)
{
	static uint8_t octets[CERTIFICATE_MAX];
	for (unsigned i = 0; count == 2 && certificate_recipes[i].name != NULL; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/recipe-%u.der", arguments[1], i);
		FILE *file = fopen(path, "wb");
		size_t length = certificate_make(&certificate_recipes[i], octets);
		if (file == NULL || fwrite(octets, 1, length, file) != length ||
		    fclose(file) != 0) {
			perror(path);
			return 1;
		}
	}
	return count == 2 ? 0 : 2;
}
