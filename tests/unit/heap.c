// SPDX-License-Identifier: Apache-2.0
// The heap grows, and huge pages are asked for behind what it has grown by.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/base/heap.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 4000, BLOCKS = 16 * 1024, EACH_TIME = 256 };

// KiB of the heap behind which huge pages were asked for (proc_pid_smaps(5): hg).
static unsigned long huge_kib(void)
{
	char line[512];
	unsigned long size = 0, huge = 0;
	bool heap = false;
	FILE *maps = fopen("/proc/self/smaps", "r");
	assert_non_null(maps);
	while (fgets(line, sizeof line, maps) != NULL) {
		unsigned long from, to;
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			heap = strstr(line, "[heap]") != NULL;
		(void)sscanf(line, "Size: %lu kB", &size);
		if (heap && strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " hg") != NULL)
			huge += size;
	}
	assert_int_equal(fclose(maps), 0);
	return huge;
}

static void what_it_grows_by_is_huge(void **state)
{
	static void *blocks[BLOCKS];
	struct heap_end end = {0};
	(void)state;
	if (access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) != 0) {
		print_message("# this kernel has no huge pages\n"); // skip() is no TAP
		return;
	}
	heap_prepare();
	heap_follow(&end);
	uintptr_t before = end.address;
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(BLOCK);
		assert_non_null(blocks[i]);
		if (i % EACH_TIME == 0)
			heap_follow(&end);
	}
	if (end.address == before)
		print_message("# malloc is a sanitizer's: there is no heap that grows\n");
	else
		assert_true(huge_kib() >= (unsigned long)BLOCKS * BLOCK / 1024 * 3 / 4);
	for (size_t i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	heap_follow(&end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_it_grows_by_is_huge),
	};
	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
