"""The request log in BigQuery, over its REST API."""
