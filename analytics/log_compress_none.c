// SPDX-License-Identifier: Apache-2.0
// Without libzstd.
#include "analytics/log_compress.h"

bool log_compress_can(void)
{
	return false;
}

bool log_compress(const char *plain, const char *packed, struct error *error)
{
	(void)packed;
	error_set(error, "%s: not compressed: this mailtap was built without libzstd", plain);
	return false;
}
