// SPDX-License-Identifier: Apache-2.0
// A first look at connections on ports that are not known for mail: which of them are mail, for certain.
// What is not certain is no mail: to miss one is better than to call another protocol mail.
//
// Certain is a greeting that names its protocol; EHLO or LHLO; a ClientHello whose first ALPN name is a
// mail protocol's; or a greeting that could be of a mail protocol, and a command of the same protocol in
// answer to it. Of a connection whose beginning is not in the capture, each side's first bytes that are
// in it are looked at in the same way, but not kept to wait for more.
// Called by tcp_delivery.c and dialogue.c. Pure.
#ifndef MAILTAP_DECODE_MAIL_ELSEWHERE_H
#define MAILTAP_DECODE_MAIL_ELSEWHERE_H

#include "decode/session.h"

enum mail_elsewhere {
	ELSEWHERE_NO_MAIL,
	ELSEWHERE_TOO_SHORT, // to say; all fitting so far
	ELSEWHERE_SIGN, // of a server: mail if the client answers accordingly
	ELSEWHERE_MAIL,
	ELSEWHERE_MAIL_IN_TLS,
};

// Looks at the first bytes of a direction (at least one, behind a proxy header). `theirs`: what the other
// side's first bytes were a sign of; PROTOCOL_UNDECIDED: nothing. *protocol is set with the last three
// answers.
enum mail_elsewhere mail_elsewhere(enum direction from, const uint8_t *bytes, size_t length,
    bool from_start, enum protocol theirs, enum protocol *protocol);

// The same of the very first bytes of a connection, which may be a proxy header: false if it is no mail.
bool mail_elsewhere_possible(
    enum direction from, const uint8_t *bytes, size_t length, bool from_start);

#endif
