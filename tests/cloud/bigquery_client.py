"""Google's own client of BigQuery: prints what it reads of the dataset and the request log.

Run as a program, as the engine imports none: python -m tests.cloud.bigquery_client URL
"""

import json
import sys

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery


def main(url: str) -> None:
    client = bigquery.Client("demo-project", AnonymousCredentials(), client_options=ClientOptions(api_endpoint=url))
    (listed,) = client.list_datasets(filter="labels.managed-by:esteira")
    dataset = client.get_dataset(listed.reference)
    (table,) = [client.get_table(each) for each in client.list_tables(dataset) if each.table_id == "request_log"]
    partitions = table.time_partitioning
    told = {
        "dataset": [dataset.full_dataset_id, dataset.location, dataset.labels["environment"]],
        "writers": [entry.entity_id for entry in dataset.access_entries if entry.role == "WRITER"],
        "table": [table.full_table_id, table.table_type, table.num_rows],
        "partitions": [partitions.type_, partitions.field, partitions.expiration_ms],
        "clustering": table.clustering_fields,
        "schema": [field.to_api_repr() for field in table.schema],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
