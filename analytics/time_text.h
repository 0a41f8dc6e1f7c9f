// SPDX-License-Identifier: Apache-2.0
// Reads times as logs write them (json_time): RFC 3339, UTC. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_TIME_TEXT_H
#define MAILTAP_ANALYTICS_TIME_TEXT_H

#include "capture/packet.h"

#include <stdbool.h>

// False: it is none, or one that no packet can have.
bool time_text_read(const char *text, nanoseconds *time);

#endif
