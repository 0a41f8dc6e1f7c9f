// SPDX-License-Identifier: Apache-2.0
#include "analytics/confinement.h"
#include "analytics/option_help.h"

#include "analytics/option_table.h"
#include "analytics/service.h"
#include "capture/source.h"
#include "decode/foreign.h"

#include <string.h>

enum { HELP_COLUMN = 27 }; // where an option's text begins

static const char help_head[] =
    "Usage: mailtap -r FILE... [options] [filter expression]\n"
    "       mailtap -i INTERFACE... [options] [filter expression]\n"
    "       mailtap --dpdk ARGUMENTS [-p LIST] [options]\n"
    "       mailtap servers --server-memory FILE [options] [SERVER...]\n"
    "       mailtap report -i LOGDIR... [options]\n"
    "       mailtap store -i LOGDIR... --store-file FILE [options]\n"
    "       mailtap query [--store-file FILE] [VIEW] [options]\n"
    "       mailtap top [options]\n"
    "\n"
    "Reads captures or interfaces and tells of every mail connection in them whether it was protected.\n"
    "\n";

static const char help_tail[] =
    "\n"
    "Without -o - the summary goes to standard output, with it to standard error.\n"
    "Exit code: 0 all was read and written, 1 something could not be, 2 wrong usage.\n";

// `-r, --read FILE...`, and the space up to its text: on the next line where it is too long for that.
static void print_name(FILE *out, const struct option_row *row)
{
	char letter[] = "-x, ";
	letter[1] = row->letter;
	int width = fprintf(out, "  %4s--%s%s%s", row->letter != 0 ? letter : "", row->name,
	    row->argument != NULL ? " " : "", row->argument != NULL ? row->argument : "");
	if (width >= HELP_COLUMN) {
		fputc('\n', out);
		width = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - width, "");
}

static void print_row(FILE *out, const struct option_row *row)
{
	const char *line = row->help;
	print_name(out, row);
	for (size_t length; (length = strcspn(line, "\n")), line[length] != '\0';
	     line += length + 1)
		fprintf(out, "%.*s\n%*s", (int)length, line, HELP_COLUMN, "");
	fprintf(out, "%s\n", line);
}

void option_help_print(FILE *out)
{
	fputs(help_head, out);
	for (size_t i = 0; i < option_rows; i++)
		print_row(out, &option_table[i]);
	fputs(help_tail, out);
}

void option_version_print(FILE *out)
{
	char sandbox[64];
	const char *library = foreign_library();
	const char *dpdk = source_dpdk_version();
	confinement_describe(sandbox, sizeof sandbox);
	fprintf(out, "mailtap " MAILTAP_VERSION ", %s %s, %s%s, %s systemd\n%s\n",
	    library != NULL ? "with" : "without", library != NULL ? library : "nDPI",
	    dpdk != NULL ? "with DPDK " : "without DPDK", dpdk != NULL ? dpdk : "",
	    service_can() ? "with" : "without", sandbox);
}
