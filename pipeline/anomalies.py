"""The component that stops a run on anomalies, before anything is trained on them."""

from typing import Dict, List

import tensorflow as tf
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.types import artifact_utils
from tfx.v1.dsl.components import InputArtifact, component
from tfx.v1.types.standard_artifacts import ExampleAnomalies

from esteira.errors import DataError

# ExampleValidator's file names, in tfx/components/example_validator/executor.py.
ANOMALIES_FILE = "SchemaDiff.pb"


@component
def AnomalyGate(anomalies: InputArtifact[ExampleAnomalies]) -> None:
    """Fail if ExampleValidator found an anomaly in any split, and list them all."""
    splits = artifact_utils.decode_split_names(anomalies.split_names)
    found = {split: read_anomalies(f"{anomalies.uri}/Split-{split}/{ANOMALIES_FILE}") for split in splits}
    check_anomalies(found)


def read_anomalies(path: str) -> anomalies_pb2.Anomalies:
    with tf.io.gfile.GFile(path, "rb") as stream:
        return anomalies_pb2.Anomalies.FromString(stream.read())


def check_anomalies(found: Dict[str, anomalies_pb2.Anomalies]) -> None:
    """Raise DataError that lists each split's anomalies, if there are any."""
    lines = [line for split, anomalies in found.items() for line in list_anomalies(split, anomalies)]
    if lines:
        raise DataError(
            "The data does not match pipeline/schema.pbtxt:\n"
            + "\n".join(lines)
            + "\nMend the data, or review the schema. Run: make schema"
        )


def list_anomalies(split: str, anomalies: anomalies_pb2.Anomalies) -> List[str]:
    lines = [
        f"  {split}: {column}: {info.short_description}: {info.description}"
        for column, info in sorted(anomalies.anomaly_info.items())
    ]
    if anomalies.HasField("dataset_anomaly_info"):
        info = anomalies.dataset_anomaly_info
        lines.append(f"  {split}: {info.short_description}: {info.description}")
    if anomalies.data_missing:
        lines.append(f"  {split}: the split holds no examples")
    return lines
