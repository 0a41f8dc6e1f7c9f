// SPDX-License-Identifier: Apache-2.0
#include "capture/base/module.h"

#include <dlfcn.h>
#include <stddef.h>

const void *module_load(const struct module *module, struct error *error)
{
	void *library = dlopen(module->file, RTLD_NOW | RTLD_LOCAL);
	const void *found = library != NULL ? dlsym(library, module->symbol) : NULL;
	if (found == NULL)
		error_set(
		    error, "%s: %s; is %s installed?", module->purpose, dlerror(), module->package);
	return found;
}
