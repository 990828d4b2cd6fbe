-- Purpose: append the requests of one batch of the journal to the request log. DuckDB's SQL: it runs on one machine alone.
-- Source: `batch`, a table of Arrow: endpoint, deployed_model_id, logging_us (UTC), request_id, request, response,
--   model_version, release_id. `request` and `response` are bodies as they were sent.
-- Result: rows of esteira.request_log, payloads split into one element an instance.
INSERT INTO esteira.request_log
  (endpoint, deployed_model_id, logging_time, request_id, request_payload, response_payload, model_version, release_id)
SELECT
  endpoint,
  deployed_model_id,
  make_timestamptz(logging_us),
  request_id,
  rows_of(request, '$.instances', '$.inputs'),
  rows_of(response, '$.predictions', '$.outputs'),
  model_version,
  release_id
FROM batch
