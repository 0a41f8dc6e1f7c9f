// SPDX-License-Identifier: Apache-2.0
// The identifier of a session: the same connection of the same capture has the same one in every run and
// in every log. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_SESSION_ID_H
#define MAILTAP_ANALYTICS_SESSION_ID_H

#include "decode/session_record.h"

enum { SESSION_ID_SIZE = 17 }; // with the terminating zero

uint64_t session_id_of(const struct session_record *record);

// In 16 hexadecimal digits.
void session_id_text(char text[SESSION_ID_SIZE], uint64_t id);

#endif
