// SPDX-License-Identifier: Apache-2.0
// The OpenSSL contexts that certificates are parsed in. To find the decoder for one public key, OpenSSL 3.0 makes an
// instance of each of the seventy that its default provider has, in which it spends two thirds of the time that a
// certificate takes. These contexts have the same provider, but of its decoders only those for the keys of certificates,
// or for one kind of them, and of its kinds of keys only those that these decode, or that sign such certificates.
#ifndef MAILTAP_ANALYTICS_CERTIFICATE_CONTEXT_H
#define MAILTAP_ANALYTICS_CERTIFICATE_CONTEXT_H

#include "decode/x509.h"

#include <openssl/types.h>

// For the certificate with these facts. Made with the first call and kept until the process ends, as OpenSSL's default
// context is. NULL: it could not be made; that is the default context, which does the same in more time. Any thread.
OSSL_LIB_CTX *certificate_context(const struct x509 *facts);

#endif
