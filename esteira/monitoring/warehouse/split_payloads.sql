-- Purpose: functions that split a body of TensorFlow Serving's REST interface into rows. DuckDB's SQL.
--   https://www.tensorflow.org/tfx/serving/api_rest#predict_api
-- Result: rows_of(body, by_row, by_column) is a list with one JSON text a row. `by_row` and `by_column` are the JSON
--   paths of the two forms: a list of rows, or an object of named columns, where one column may stand alone.
--   What fits neither is one element, as it is; so is what can be understood in two ways, since a name comes twice in
--   the body or among its columns. esteira/monitoring/bigquery/payload_rows.py does the same.
CREATE OR REPLACE TEMP MACRO pointer(name) AS '/' || replace(replace(name, '~', '~0'), '/', '~1');

-- Of one name, as nearly always, it need not be asked: that would take half as long as all else.
CREATE OR REPLACE TEMP MACRO are_distinct(names) AS
  CASE WHEN len(names) < 2 THEN true ELSE len(list_distinct(names)) = len(names) END;

CREATE OR REPLACE TEMP MACRO elements(body, path) AS CAST(json_extract(body, path || '[*]') AS VARCHAR[]);

-- The column as a list of texts such as "name":1; null where it is no list.
CREATE OR REPLACE TEMP MACRO column_of(tensors, name) AS
  CASE WHEN json_type(tensors, pointer(name)) = 'ARRAY'
  THEN list_transform(
    CAST(CAST(json_extract(tensors, pointer(name)) AS JSON[]) AS VARCHAR[]),
    element -> CAST(to_json(name) AS VARCHAR) || ':' || coalesce(element, 'null')
  ) END;

-- Null where a column is no list, or they are not of one length. A lambda copies what it takes from outside for each
-- element: it takes nothing long.
CREATE OR REPLACE TEMP MACRO joined_columns(columns) AS
  CASE WHEN len(list_distinct(list_transform(columns, c -> coalesce(len(c), -1)))) = 1 AND columns[1] IS NOT NULL
  THEN list_transform(
    list_reduce(columns, (done, more) -> list_transform(list_zip(done, more), pair -> pair[1] || ',' || pair[2])),
    fields -> '{' || fields || '}'
  ) END;

CREATE OR REPLACE TEMP MACRO rows_of_columns(tensors) AS
  CASE WHEN are_distinct(json_keys(tensors))
  THEN joined_columns(list_transform(json_keys(tensors), name -> column_of(tensors, name))) END;

CREATE OR REPLACE TEMP MACRO rows_of(body, by_row, by_column) AS
  CASE
    WHEN NOT json_valid(body) THEN [body]
    WHEN NOT are_distinct(json_keys(body)) THEN [body]
    WHEN json_type(body, by_row) = 'ARRAY' THEN elements(body, by_row)
    WHEN json_type(body, by_column) = 'ARRAY' THEN elements(body, by_column)
    WHEN json_type(body, by_column) = 'OBJECT' THEN coalesce(rows_of_columns(json_extract(body, by_column)), [body])
    ELSE [body]
  END;
