// SPDX-License-Identifier: Apache-2.0
// The source "dpdk" of a mailtap that was built without DPDK.
#include "capture/source.h"

#include <stddef.h>

const char *source_dpdk_version(void)
{
	return NULL;
}

static struct source *open_source(const struct source_request *request, struct error *error)
{
	(void)request;
	error_set(
	    error, "--dpdk: this mailtap was built without DPDK (meson setup -Ddpdk=enabled)");
	return NULL;
}

const struct source_ops source_dpdk = {.name = "dpdk", .live = true, .open = open_source};
