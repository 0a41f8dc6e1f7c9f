// SPDX-License-Identifier: Apache-2.0
// What the module with DPDK in it gives to the program that loads it.
#ifndef MAILTAP_CAPTURE_DPDK_MODULE_H
#define MAILTAP_CAPTURE_DPDK_MODULE_H

#include "capture/source.h"

#define DPDK_MODULE_SYMBOL "dpdk_module"

extern const struct source_ops dpdk_module;

#endif
