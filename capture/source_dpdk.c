// SPDX-License-Identifier: Apache-2.0
// The source "dpdk" as mailtap has it: DPDK and all that is built on it are a module (base/module.h), loaded when
// the source is opened.
#include "capture/base/module.h"
#include "capture/dpdk/module.h"
#include "capture/source.h"

#include <stdlib.h>

struct source {
	const struct source_ops *ops;
	struct source *inner;
};

const char *source_dpdk_version(void)
{
	return MAILTAP_WITH_DPDK;
}

static struct source *open_source(const struct source_request *request, struct error *error)
{
	static const struct module module = {DPDK_MODULE_FILE, DPDK_MODULE_SYMBOL,
	    "cannot use DPDK", "the package mailtap-dpdk (or librte-ethdev23)"};
	const struct source_ops *ops = module_load(&module, error);
	struct source *source = ops != NULL ? malloc(sizeof *source) : NULL;
	if (ops != NULL && source == NULL)
		error_set(error, "cannot use DPDK: no memory");
	if (source == NULL)
		return NULL;
	source->ops = ops;
	source->inner = ops->open(request, error);
	if (source->inner != NULL)
		return source;
	free(source);
	return NULL;
}

static unsigned lanes(const struct source *source)
{
	return source->ops->lanes(source->inner);
}

static enum source_status next(
    struct source *source, unsigned lane, struct packet_batch *batch, struct error *error)
{
	return source->ops->next(source->inner, lane, batch, error);
}

static bool waits(const struct source *source)
{
	return source->ops->waits(source->inner);
}

static struct source_counters counters(const struct source *source)
{
	return source->ops->counters(source->inner);
}

static void close_source(struct source *source)
{
	source->ops->close(source->inner);
	free(source);
}

const struct source_ops source_dpdk = {
    .name = "dpdk",
    .live = true,
    .open = open_source,
    .lanes = lanes,
    .next = next,
    .waits = waits,
    .counters = counters,
    .close = close_source,
};
