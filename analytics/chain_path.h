// SPDX-License-Identifier: Apache-2.0
// One path, built and checked by OpenSSL, with everything that is wrong with it and not only the first
// fault. Called by whoever examines a list.
#ifndef MAILTAP_ANALYTICS_CHAIN_PATH_H
#define MAILTAP_ANALYTICS_CHAIN_PATH_H

#include "analytics/chain_material.h"

enum { PATH_MAX_LENGTH = 128 }; // more than OpenSSL builds

struct chain_path {
	unsigned faults;        // enum certificate_fault, those that OpenSSL finds
	const char *reason;     // of the first that made it FAULT_UNTRUSTED
	bool reached;           // it ends at an anchor (whatever else is wrong)
	bool issuer_lacking;    // it ends where the issuer is not to be found
	bool wrong_signature;   // some certificate is not signed by the one above it
	size_t wrong_at;        // which, from the first
	struct piece *pieces[PATH_MAX_LENGTH]; // the first certificate first
	size_t length;
};

// Builds the best path from the first piece of the material, which must be the first certificate sent.
// Two issuers of one name are both tried. `role`: what it must be good for (see chain_judge.h). `at`:
// seconds since 1970. False: no memory.
bool chain_path_build(struct chain_material *material, enum certificate_role role, int64_t at,
    struct chain_path *path);

#endif
