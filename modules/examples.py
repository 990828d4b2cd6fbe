"""Reading what Transform wrote, as batches for training."""

from typing import Dict, List, Sequence, Tuple

import tensorflow as tf
import tensorflow_transform as tft
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from modules import features
from modules.inputs import network_inputs

Row = Tuple[Dict[str, tf.Tensor], tf.Tensor]
# Rows parsed at once; no effect on the result.
PARSED_ROWS = 1024


def read_labels(schema_file: str) -> List[str]:
    """Return the class names, sorted, from the schema's domain of the label.

    Raises ValueError if the schema has no string domain for it.
    """
    schema = schema_pb2.Schema()
    with tf.io.gfile.GFile(schema_file) as stream:
        text_format.Parse(stream.read(), schema)
    shared = {domain.name: domain for domain in schema.string_domain}
    for feature in schema.feature:
        if feature.name == features.LABEL:
            domain = shared.get(feature.domain) or feature.string_domain
            if domain.value:
                return sorted(domain.value)
    raise ValueError(
        f"{schema_file}: feature {features.LABEL} has no string domain.\n"
        "Expected the class names there. Run: make data"
    )


def read_rows(
    patterns: Sequence[str], transform_output: tft.TFTransformOutput, labels: Sequence[str]
) -> tf.data.Dataset:
    """Return single (network inputs, label id) that are kept in memory once they were read.

    A text of 100 characters takes some 3 KB.
    """
    spec = transform_output.transformed_feature_spec()
    files = sorted(name for pattern in patterns for name in tf.io.gfile.glob(pattern))
    names = tf.constant(list(labels))

    def parse(serialized: tf.Tensor) -> Row:
        parsed = tf.io.parse_example(serialized, spec)
        label = tf.reshape(parsed[features.LABEL], [-1, 1])
        return network_inputs(parsed), tf.argmax(label == names, axis=1)

    records = tf.data.TFRecordDataset(files, compression_type="GZIP")
    return records.batch(PARSED_ROWS).map(parse).unbatch().cache()


def shuffle_batches(rows: tf.data.Dataset, *, row_count: int, batch_size: int, seed: int) -> tf.data.Dataset:
    """Return batches in an order that the seed decides, another one each epoch."""
    return rows.shuffle(row_count, seed=seed).batch(batch_size).prefetch(2)
