// SPDX-License-Identifier: Apache-2.0
// The spool: a directory in which records wait for a server that may be away. One process writes records into it as
// they come, another sends them and removes what has arrived; names say how far a file has come, and every step is a
// rename, so that a process may be killed between any two of them:
//
//   RUN-SEQUENCE-TABLE.open             lines of a log, still being added to; its first line names the sensor
//   RUN-SEQUENCE-TABLE.lines            all of them are there
//   RUN-SEQUENCE-TABLE-DAY-ROWS.half    a batch that is being made of them: thrown away where its maker has died
//   RUN-SEQUENCE-TABLE-DAY-ROWS.gz      a batch, never sent. It counts only when no .lines of its sequence is there
//   RUN-SEQUENCE-TABLE-DAY-ROWS.sent    one whose outcome is not known
//   RUN-SEQUENCE-TABLE-DAY-ROWS.refused one that the server does not take for what is in it
//
// RUN is another for each run (its beginning and a random number), so names of several runs are in order of time and
// never the same. A batch has rows of one day, of one table.
#ifndef MAILTAP_ANALYTICS_SPOOL_H
#define MAILTAP_ANALYTICS_SPOOL_H

#include "analytics/store_columns.h"
#include "capture/base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	SPOOL_RUN_LENGTH = 24, // hexadecimal digits
	SPOOL_NAME_MAX = 96, // with its end
	SPOOL_FILES_MOST = 65536 // no more are begun
};

enum spool_stage {
	SPOOL_OPEN,
	SPOOL_LINES,
	SPOOL_HALF,
	SPOOL_BATCH,
	SPOOL_SENT,
	SPOOL_REFUSED,
	SPOOL_STAGES
};

struct spool_file {
	char run[SPOOL_RUN_LENGTH + 1];
	uint32_t sequence;
	enum store_table_id table;
	uint32_t day; // as the number 20261127; 0 before it is a batch
	uint32_t rows; // likewise
	enum spool_stage stage;
};

// The name of a file, and what a batch is called on the server.
void spool_file_name(char name[SPOOL_NAME_MAX], const struct spool_file *file);
void spool_batch_name(char name[SPOOL_NAME_MAX], const struct spool_file *file);

// False: it is none of the spool's.
bool spool_file_read(struct spool_file *file, const char *name);

// A name for a run that no other has.
void spool_run_name(char run[SPOOL_RUN_LENGTH + 1]);

// Opens the directory; makes it if it is missing. Returns a descriptor, or -1: *error.
int spool_open(const char *path, struct error *error);

// One run at a time uses a spool. Waits as long as the last flush of a run that was killed may take. Returns a
// descriptor that holds the lock until it is closed in all processes, or -1: *error.
int spool_lock(int directory, const char *path, unsigned seconds, struct error *error);

struct spool_list {
	struct spool_file *files; // in the order in which they are to be sent
	size_t count;
	uint64_t bytes; // of all of them
};

// What is in the directory. False: *error. To be freed by spool_list_free in both cases.
bool spool_list_read(struct spool_list *list, int directory, struct error *error);
void spool_list_free(struct spool_list *list);

// The file is at its next stage. False: errno says why not.
bool spool_move(int directory, struct spool_file *file, enum spool_stage stage);
bool spool_remove(int directory, const struct spool_file *file);

#endif
