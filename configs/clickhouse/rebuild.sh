#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the statements that make the sums of views.sql anew from the tables, for as far back as those go:
#
#   ./rebuild.sh | clickhouse-client --database mailtap --multiquery
#
# Let no tap send meanwhile (stop them, or take the user's right to insert: records wait in their spools), and first drop
# no partition of `sessions` that is to count.
exec awk '
	/^CREATE MATERIALIZED VIEW IF NOT EXISTS fill_/ {
		printf "TRUNCATE TABLE %s;\nINSERT INTO %s\n", $(NF - 1), $(NF - 1)
		query = 1
		next
	}
	query { print }
	/;$/ { query = 0 }
' "$(dirname "$0")/views.sql"
