// SPDX-License-Identifier: Apache-2.0
// The script of the live page, as it stands in live_page.js: embedded when mailtap is built.
#ifndef MAILTAP_ANALYTICS_LIVE_ASSET_H
#define MAILTAP_ANALYTICS_LIVE_ASSET_H

#include "analytics/page/page_assets.h"

extern const struct page_asset live_script;

#endif
