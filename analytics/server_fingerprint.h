// SPDX-License-Identifier: Apache-2.0
// What a server shows beside its offer of STARTTLS, in short: so that a session in which only the offer is
// missing can be told from one with another server. The same in every run, so that it can stand in a file.
// Pure; any thread.
#ifndef MAILTAP_ANALYTICS_SERVER_FINGERPRINT_H
#define MAILTAP_ANALYTICS_SERVER_FINGERPRINT_H

#include "decode/session_record.h"

// Of the capability list, in order: without STARTTLS and STLS, and without the number behind SIZE. 0: no
// list was seen, or not all the server said.
uint64_t server_fingerprint_capabilities(const struct session_record *record);

// Of the greeting: without words that hold a digit (numbers, dates, identifiers, numbered hosts), the names
// of days, months and time zones, and a list of capabilities in brackets. 0: it was not seen.
uint64_t server_fingerprint_banner(const struct session_record *record);

#endif
