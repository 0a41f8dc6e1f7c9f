// SPDX-License-Identifier: Apache-2.0
// The one capability that outlasts the start of a run from an interface, where it may have to be opened
// again: CAP_NET_RAW, permitted, and effective only between these two calls. Does nothing where it is not
// permitted. Used by the live source, in the thread that opens.
#ifndef MAILTAP_CAPTURE_NET_RAW_H
#define MAILTAP_CAPTURE_NET_RAW_H

void net_raw_take_up(void);
void net_raw_lay_down(void);

#endif
