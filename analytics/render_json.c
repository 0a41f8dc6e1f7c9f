// SPDX-License-Identifier: Apache-2.0
#include "analytics/json_fields.h"
#include "analytics/proportion.h"
#include "analytics/render.h"

struct json_sink {
	struct row_sink sink;
	const struct table_ops *table;
	struct json *json;
	size_t rows, most;
};

static void key_ratio(struct json *json, const char *key, double ratio)
{
	json_key(json, key);
	json_ratio(json, ratio);
}

static void put_share(struct json *json, const struct cell *cell)
{
	struct proportion share = proportion_of(cell->part, cell->of);
	json_object_begin(json);
	json_key_unsigned(json, "part", cell->part);
	json_key_unsigned(json, "of", cell->of);
	key_ratio(json, "value", share.value);
	key_ratio(json, "low", share.low);
	key_ratio(json, "high", share.high);
	json_object_end(json);
}

static void json_row(struct row_sink *sink, const struct cell *cells)
{
	struct json_sink *rows = (struct json_sink *)sink;
	struct json *json = rows->json;
	if (++rows->rows > rows->most)
		return;
	json_object_begin(json);
	for (size_t i = 0; i < rows->table->column_count; i++) {
		const struct column *column = &rows->table->columns[i];
		json_key(json, column->key);
		if (!cells[i].known)
			json_null(json);
		else if (column->kind == COLUMN_SHARE)
			put_share(json, &cells[i]);
		else if (column->kind == COLUMN_TEXT || column->kind == COLUMN_NOTE)
			json_bytes(json, cells[i].text.data, cells[i].text.length);
		else
			json_unsigned(json, cells[i].number);
	}
	json_object_end(json);
}

size_t render_json(
    struct json *json, const struct table_ops *table, const void *accumulator, size_t most)
{
	struct json_sink rows = {{json_row}, table, json, 0, most > 0 ? most : SIZE_MAX};
	json_array_begin(json);
	table->rows(accumulator, &rows.sink);
	json_array_end(json);
	return rows.rows;
}
