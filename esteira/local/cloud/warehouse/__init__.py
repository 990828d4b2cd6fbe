"""The stand-in of BigQuery: datasets, tables and rows, jobs, and what is streamed."""
