"""BigQuery's SQL as DuckDB's."""
