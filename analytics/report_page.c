// SPDX-License-Identifier: Apache-2.0
#include "analytics/report_page.h"

#include "analytics/atomic_file.h"
#include "analytics/command_line.h"

#include <string.h>

bool report_page_save(const struct page *page, const char *path, struct error *error)
{
	struct atomic_file file;
	if (strcmp(path, "-") == 0) {
		page_write(page, NULL, stdout);
		return command_output_end(error);
	}
	if (!atomic_file_begin(&file, NULL, path, error))
		return false;
	page_write(page, NULL, file.out);
	return atomic_file_commit(&file, error);
}
