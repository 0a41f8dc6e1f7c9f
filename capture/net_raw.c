// SPDX-License-Identifier: Apache-2.0
#include "capture/net_raw.h"

#include <cap-ng.h>

static void set_effective(capng_act_t action)
{
	if (capng_get_caps_process() != 0 || !capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW))
		return;
	capng_update(action, CAPNG_EFFECTIVE, CAP_NET_RAW);
	(void)capng_apply(CAPNG_SELECT_CAPS);
}

void net_raw_take_up(void)
{
	set_effective(CAPNG_ADD);
}

void net_raw_lay_down(void)
{
	set_effective(CAPNG_DROP);
}
