// SPDX-License-Identifier: Apache-2.0
#include "analytics/page/page.h"

#include "analytics/page/html.h"
#include "analytics/page/sections.h"

// A new section is one file and one row.
static const struct page_section *const sections[] = {
    &overview_section,
    &sessions_section,
    &times_section,
    &stripping_section,
    &paths_section,
    &funnel_section,
    &protection_section,
    &certificates_section,
    &tls_section,
    &operators_section,
    &domains_section,
    &lookups_section,
    &servers_section,
    &clients_section,
    &mail_section,
    &capture_section,
};

enum { SECTIONS = sizeof sections / sizeof sections[0] };

size_t page_section_count(void)
{
	return SECTIONS;
}

const struct page_section *page_section_at(size_t index)
{
	return sections[index];
}

/* ---- what it is filled with ---- */

struct tables {
	struct page *page;
	struct page_table *list;
};

static void take_table(void *context, const struct table_ops *table, const void *accumulator)
{
	struct tables *tables = context;
	if (tables->page->table_count < PAGE_TABLES_MAX)
		tables->list[tables->page->table_count++] = (struct page_table){table, accumulator};
}

void page_take_statistics(
    struct page *page, struct page_table *list, const struct statistics *statistics)
{
	struct tables tables = {page, list};
	page->tables = list;
	page->table_count = 0;
	page->span = statistics_span(statistics);
	statistics_each(statistics, take_table, &tables);
}

/* ---- the document ---- */

static const struct page_head plain_head = {0};

// An icon of its own keeps browsers from asking a server for one.
void page_policy(char room[PAGE_POLICY_SIZE], const struct page_head *head)
{
	bool scripted = head->script != NULL;
	snprintf(room, PAGE_POLICY_SIZE,
	    "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src "
	    "'%s'; "
	    "script-src '%s'%s%s%s%s%s",
	    page_style.hash, page_script.hash, scripted ? " '" : "",
	    scripted ? head->script->hash : "", scripted ? "'" : "",
	    head->policy != NULL ? "; " : "", head->policy != NULL ? head->policy : "");
}

static void put_asset(FILE *out, const char *element, const struct page_asset *asset)
{
	fprintf(out, "<%s>", element);
	fwrite(asset->text, 1, asset->length, out);
	fprintf(out, "</%s>\n", element);
}

static void put_head(const struct page *page, const struct page_head *head, FILE *out)
{
	char policy[PAGE_POLICY_SIZE];
	page_policy(policy, head);
	fprintf(out,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"%s\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<meta name=\"generator\" content=\"mailtap " MAILTAP_VERSION "\">\n"
	    "<meta name=\"referrer\" content=\"no-referrer\">\n"
	    "<link rel=\"icon\" href=\"data:,\">\n<title>",
	    policy);
	html_string(out, page->title);
	fputs("</title>\n", out);
	put_asset(out, "style", &page_style);
	fputs("</head>\n", out);
}

// Fills that are told apart without colour: stripes and dots, used by all charts.
static void put_patterns(FILE *out)
{
	fputs("<svg class=\"patterns\" aria-hidden=\"true\" width=\"0\" height=\"0\"><defs>\n"
	      "<pattern id=\"stripes\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
	      "patternTransform=\"rotate(45)\"><rect class=\"ground\" width=\"6\" height=\"6\"/>"
	      "<rect class=\"mark\" width=\"2\" height=\"6\"/></pattern>\n"
	      "<pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" "
	      "patternTransform=\"rotate(-45)\"><rect class=\"ground\" width=\"5\" height=\"5\"/>"
	      "<rect class=\"mark\" width=\"1\" height=\"5\"/></pattern>\n"
	      "<pattern id=\"dots\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
	      "<rect class=\"ground\" width=\"5\" height=\"5\"/>"
	      "<circle class=\"mark\" cx=\"2.5\" cy=\"2.5\" r=\"1.1\"/></pattern>\n"
	      "</defs></svg>\n",
	    out);
}

static void put_navigation(FILE *out)
{
	fputs("<nav aria-label=\"Sections\"><ul>\n", out);
	for (size_t i = 0; i < SECTIONS; i++)
		fprintf(
		    out, "<li><a href=\"#%s\">%s</a></li>\n", sections[i]->id, sections[i]->tab);
	fputs("</ul></nav>\n", out);
}

void page_write_begin(const struct page *page, const struct page_head *head, FILE *out)
{
	put_head(page, head != NULL ? head : &plain_head, out);
	fputs("<body>\n", out);
	put_patterns(out);
	fputs("<header><h1>", out);
	html_string(out, page->title);
	fputs("</h1>\n", out);
	put_navigation(out);
	fputs("</header>\n<main>\n", out);
}

void page_write_end(const struct page *page, const struct page_head *head, FILE *out)
{
	(void)page;
	fputs("</main>\n<footer><p>mailtap " MAILTAP_VERSION "</p></footer>\n", out);
	put_asset(out, "script", &page_script);
	if (head != NULL && head->script != NULL)
		put_asset(out, "script", head->script);
	fputs("</body>\n</html>\n", out);
}

void page_write_section(const struct page *page, const struct page_section *section, FILE *out)
{
	fprintf(out,
	    "<section id=\"%s\" aria-labelledby=\"%s-title\"><h2 id=\"%s-title\">%s</h2>\n",
	    section->id, section->id, section->id, section->title);
	section->write(page, out);
	fputs("</section>\n", out);
}

void page_write(const struct page *page, const struct page_head *head, FILE *out)
{
	page_write_begin(page, head, out);
	for (size_t i = 0; i < SECTIONS; i++)
		page_write_section(page, sections[i], out);
	page_write_end(page, head, out);
}
