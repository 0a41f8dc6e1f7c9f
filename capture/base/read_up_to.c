// SPDX-License-Identifier: Apache-2.0
#include "capture/base/read_up_to.h"

#include <errno.h>
#include <unistd.h>

ssize_t read_up_to(int file, uint8_t *bytes, size_t size)
{
	size_t have = 0;
	while (have < size) {
		ssize_t count = read(file, bytes + have, size - have);
		if (count == 0)
			break;
		if (count < 0 && errno != EINTR)
			return -1;
		have += count > 0 ? (size_t)count : 0;
	}
	return (ssize_t)have;
}
