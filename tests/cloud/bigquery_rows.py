"""Google's own client of BigQuery: loads rows, streams some, asks for them, and prints what it is told.

Run as a program, as the engine imports none: python -m tests.cloud.bigquery_rows URL
"""

import json
import sys

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import BadRequest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

TABLE = "demo-project.esteira.ground_truth"


def main(url: str) -> None:
    options = ClientOptions(api_endpoint=url)
    client = bigquery.Client("demo-project", AnonymousCredentials(), client_options=options, location="europe-west1")
    rows = [
        {"request_id": "2", "row_number": 0, "label": "ação", "given_time": "2026-11-22T21:30:41.123456Z"},
        {"request_id": "18446744073709551615", "row_number": 1},
    ]
    as_it_is = bigquery.LoadJobConfig(schema=client.get_table(TABLE).schema)
    client.load_table_from_json(rows, TABLE, job_config=as_it_is).result()
    once = [{"request_id": 1, "row_number": 0, "label": "negative"}]
    streamed = [
        client.insert_rows_json(TABLE, once, row_ids=["one"]) + client.insert_rows_json(TABLE, once, row_ids=["one"]),
        client.insert_rows_json(TABLE, [{"labl": "x"}]),
    ]
    dry = bigquery.QueryJobConfig(dry_run=True)
    told = {
        "scanned": client.query(f"SELECT request_id FROM `{TABLE}`", job_config=dry).total_bytes_processed,
        "streamed": streamed,
        "asked": asked(client),
        "view": made_view(client),
        "held": held(client),
        "removed": removed(client),
        "refused": refused(client),
    }
    print(json.dumps(told, default=str))


def asked(client: bigquery.Client) -> list:
    columns = "request_id, row_number, label, given_time"
    sql = f"SELECT {columns} FROM `{TABLE}` WHERE row_number < @most ORDER BY request_id"
    parameters = [bigquery.ScalarQueryParameter("most", "INT64", 2)]
    found = client.query(sql, job_config=bigquery.QueryJobConfig(query_parameters=parameters)).result(page_size=2)
    return [[str(row[0]), row[1], row[2], row[3].isoformat() if row[3] else None] for row in found]


def made_view(client: bigquery.Client) -> list:
    client.query(f"CREATE OR REPLACE VIEW esteira.labels AS SELECT label FROM `{TABLE}`").result()
    return [[field.name, field.field_type] for field in client.get_table("demo-project.esteira.labels").schema]


def held(client: bigquery.Client) -> str:
    try:
        client.query(f"DELETE FROM `{TABLE}` WHERE row_number = 0").result()
    except BadRequest as error:
        return error.errors[0]["message"]
    return ""


def removed(client: bigquery.Client) -> int:
    job = client.query(f"DELETE FROM `{TABLE}` WHERE row_number = 0 AND given_time IS NOT NULL")
    job.result()
    return job.num_dml_affected_rows


def refused(client: bigquery.Client) -> str:
    try:
        client.query("SELECT labl FROM esteira.ground_truth").result()
    except BadRequest as error:
        return error.errors[0]["reason"]
    return ""


if __name__ == "__main__":
    main(sys.argv[1])
