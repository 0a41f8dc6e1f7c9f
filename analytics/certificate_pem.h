// SPDX-License-Identifier: Apache-2.0
// A certificate as PEM (RFC 7468). Pure; any thread.
#ifndef MAILTAP_ANALYTICS_CERTIFICATE_PEM_H
#define MAILTAP_ANALYTICS_CERTIFICATE_PEM_H

#include "capture/base/view.h"

// Returns the text, terminated, for the caller to free; *length without the end. NULL: no memory.
char *certificate_pem(struct view der, size_t *length);

#endif
