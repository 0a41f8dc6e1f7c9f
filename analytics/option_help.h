// SPDX-License-Identifier: Apache-2.0
// What --help and --version print: the first from the table of options. Used by options.c.
#ifndef MAILTAP_ANALYTICS_OPTION_HELP_H
#define MAILTAP_ANALYTICS_OPTION_HELP_H

#include <stdio.h>

void option_help_print(FILE *out);
void option_version_print(FILE *out);

#endif
