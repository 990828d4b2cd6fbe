"""Reading what Transform wrote, as batches for training."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import tensorflow as tf
import tensorflow_transform as tft
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from modules import features
from modules.inputs import network_inputs

# Rows parsed at once; no effect on the result.
PARSED_ROWS = 1024
POOLED_BATCHES = 8


class Rows(NamedTuple):
    """Examples: what `network_inputs` gives for each, and label ids, int64 [n]."""

    inputs: Dict[str, tf.Tensor]
    labels: tf.Tensor


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
        f"{schema_file}: feature {features.LABEL} has no string domain.\nExpected the class names there. Run: make data"
    )


def read_rows(patterns: Sequence[str], transform_output: tft.TFTransformOutput, labels: Sequence[str]) -> Rows:
    """Return all examples in memory; a text of 100 characters takes some 3 KB."""
    spec = transform_output.transformed_feature_spec()
    files = sorted(name for pattern in patterns for name in tf.io.gfile.glob(pattern))
    names = tf.constant(list(labels))

    def parse(serialized: tf.Tensor) -> Rows:
        parsed = tf.io.parse_example(serialized, spec)
        label = tf.reshape(parsed[features.LABEL], [-1, 1])
        return Rows(network_inputs(parsed), tf.argmax(label == names, axis=1))

    records = tf.data.TFRecordDataset(files, compression_type="GZIP")
    parts = list(records.batch(PARSED_ROWS).map(parse))
    inputs = {name: tf.concat([part.inputs[name] for part in parts], axis=0) for name in parts[0].inputs}
    return Rows(inputs, tf.concat([part.labels for part in parts], axis=0))


def batch_rows(rows: Rows, batch_size: int, *, seed: Optional[int] = None) -> tf.data.Dataset:
    """Return all rows in batches; with a seed in an order that it decides, another each epoch.

    Rows of like length share a batch, so that little of it is padding: rows are sorted within
    pools of POOLED_BATCHES batches, which hold rows from all over the data.
    """
    count = rows.labels.shape[0]
    lengths = rows.inputs[features.TOKENS].row_lengths()
    indices = tf.data.Dataset.range(count)
    if seed is not None:
        indices = indices.shuffle(count, seed=seed)

    def sort(pool: tf.Tensor) -> tf.Tensor:
        return tf.gather(pool, tf.argsort(tf.gather(lengths, pool), stable=True))

    def take(chosen: tf.Tensor) -> Tuple[Dict[str, tf.Tensor], tf.Tensor]:
        inputs = {name: tf.gather(value, chosen) for name, value in rows.inputs.items()}
        return inputs, tf.gather(rows.labels, chosen)

    batches = indices.batch(POOLED_BATCHES * batch_size).map(sort).unbatch().batch(batch_size)
    if seed is not None:
        batches = batches.shuffle(POOLED_BATCHES, seed=seed)
    return batches.map(take).prefetch(2)
