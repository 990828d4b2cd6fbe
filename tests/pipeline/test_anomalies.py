"""The gate for data."""

import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2

from esteira.errors import DataError
from pipeline.anomalies import check_anomalies


def test_no_anomalies_pass() -> None:
    check_anomalies({"train": anomalies_pb2.Anomalies(), "eval": anomalies_pb2.Anomalies()})


def test_every_anomaly_of_every_split_is_listed() -> None:
    train, evaluation = anomalies_pb2.Anomalies(), anomalies_pb2.Anomalies(data_missing=True)
    train.anomaly_info["label"].short_description = "Unexpected string values"
    train.anomaly_info["label"].description = "Examples contain values missing from the schema: x (1%)."
    train.dataset_anomaly_info.short_description = "Low num examples"
    train.dataset_anomaly_info.description = "3 instead of 10"
    with pytest.raises(DataError) as caught:
        check_anomalies({"train": train, "eval": evaluation})
    assert str(caught.value).splitlines() == [
        "The data does not match pipeline/schema.pbtxt:",
        "  train: label: Unexpected string values: Examples contain values missing from the schema: x (1%).",
        "  train: Low num examples: 3 instead of 10",
        "  eval: the split holds no examples",
        "Mend the data, or review the schema. Run: make schema",
    ]
