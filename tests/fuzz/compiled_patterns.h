// SPDX-License-Identifier: Apache-2.0
// The shipped patterns, compiled once in a process: that takes longer than thousands of inputs. Where
// MAILTAP_FUZZ_CACHE names a directory, once for all processes.
#ifndef MAILTAP_TESTS_FUZZ_COMPILED_PATTERNS_H
#define MAILTAP_TESTS_FUZZ_COMPILED_PATTERNS_H

#include "decode/pattern_set.h"

const struct pattern_set *compiled_patterns(void);

// What libFuzzer calls before the first input, so that they do not count for its time.
int LLVMFuzzerInitialize(int *count, char ***arguments);

#endif
