// SPDX-License-Identifier: Apache-2.0
#include "analytics/interface_list.h"

#include "capture/interface_state.h"

#include <inttypes.h>
#include <net/if.h>
#include <unistd.h>

static void print_one(FILE *out, int descriptor, const char *name)
{
	struct interface_state state;
	if (interface_state_read(descriptor, name, &state) != INTERFACE_FOUND) {
		fprintf(out, "%s\n", name);
		return;
	}
	const char *said = !state.up ? "down" : state.linked ? "up" : "up, no link";
	fprintf(out, "%-15s %s, %" PRIu64 " packets\n", name, said, state.packets);
}

void interface_list_print(FILE *out)
{
	int descriptor = interface_socket_open();
	struct if_nameindex *list = if_nameindex();
	for (const struct if_nameindex *one = list; one != NULL && one->if_index != 0; one++)
		print_one(out, descriptor, one->if_name);
	if_freenameindex(list);
	fprintf(out, "%-15s all of them\n", "any");
	if (descriptor >= 0)
		close(descriptor);
}
