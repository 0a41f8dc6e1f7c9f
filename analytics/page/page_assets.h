// SPDX-License-Identifier: Apache-2.0
// The style and the script of the page, as they stand in page.css and page.js: embedded when mailtap is built
// (assets.py makes page_assets.c), with what a Content-Security-Policy calls them by.
#ifndef MAILTAP_ANALYTICS_PAGE_PAGE_ASSETS_H
#define MAILTAP_ANALYTICS_PAGE_PAGE_ASSETS_H

#include <stddef.h>

struct page_asset {
	const char *text; // ASCII; stands in its element as it is
	size_t length;
	const char *hash; // "sha256-…" of it
};

extern const struct page_asset page_style, page_script;

#endif
