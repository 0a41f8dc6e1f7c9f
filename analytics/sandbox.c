// SPDX-License-Identifier: Apache-2.0
#include "analytics/sandbox.h"

#include <dlfcn.h>

#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define WITH_SANITIZER 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define WITH_SANITIZER 1
#endif
#ifndef WITH_SANITIZER
#define WITH_SANITIZER 0
#endif

struct sandbox_state sandbox_possible(void)
{
	if (WITH_SANITIZER)
		return (struct sandbox_state){0};
	return (struct sandbox_state){
	    .calls = sandbox_calls_possible(), .landlock = sandbox_files_version()};
}

bool sandbox_enter(const struct sandbox_plan *plan, struct error *error)
{
	struct sandbox_state possible = sandbox_possible();
	(void)dlopen("libgcc_s.so.1", RTLD_NOW); // the C library asks for it when a thread is cancelled
	return (possible.landlock == 0 || sandbox_files_enter(plan, error)) &&
	       (!possible.calls || sandbox_calls_enter(plan->needs, error));
}
