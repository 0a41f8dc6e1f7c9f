// SPDX-License-Identifier: Apache-2.0
// Parts of mailtap that are libraries of their own (DPDK, HTTP), loaded when a run asks for them. So the many runs
// that only read files neither wait for a dozen libraries and their constructors, nor have them in a process that
// reads hostile bytes.
#ifndef MAILTAP_CAPTURE_BASE_MODULE_H
#define MAILTAP_CAPTURE_BASE_MODULE_H

#include "capture/base/error.h"

struct module {
	const char *file; // looked for where the program's modules were built, or are installed (DT_RUNPATH)
	const char *symbol; // of what it gives out
	const char *purpose; // that a line says it is missing for: "cannot use DPDK"
	const char *package; // of Debian, that has the library behind it
};

// Loads a module; to be called before the sandbox closes. It stays: the libraries behind it have threads. Returns
// the address of its symbol, or NULL: *error.
const void *module_load(const struct module *module, struct error *error);

#endif
