// SPDX-License-Identifier: Apache-2.0
// For tests of TCP: what all of them ask of the record of one connection.
#ifndef MAILTAP_TESTS_UNIT_TCP_LAB_H
#define MAILTAP_TESTS_UNIT_TCP_LAB_H

#include "tests/unit/lab.h"

#define GREETING "220 mx.example ESMTP\r\n"
#define HELLO "EHLO c.example\r\n"

// Ends the lab, which has to have written one record.
const struct kept_record *end_with_one(struct lab *lab);

// Both sides' lines were read whole.
void assert_greetings(const struct kept_record *kept);

struct worker_counters counters_of(const struct lab *lab);

#endif
