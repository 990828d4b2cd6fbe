"""The request log on one machine, in DuckDB."""
