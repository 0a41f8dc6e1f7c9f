// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/compiled_patterns.h"

#include "tests/fuzz/fuzzer.h"

const struct pattern_set *compiled_patterns(void)
{
	static struct pattern_set *set;
	struct error error;
	const struct pattern_set_options options = {
	    .cache_directory = getenv("MAILTAP_FUZZ_CACHE")};
	if (set == NULL)
		set = pattern_set_load(&options, &error);
	MUST(set != NULL);
	return set;
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
	(void)count, (void)arguments;
	return compiled_patterns() == NULL;
}
