"""Reading what Transform wrote, as batches for training."""

from typing import Dict, List, Sequence, Tuple

import tensorflow as tf
import tensorflow_transform as tft
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from modules import features

Batch = Tuple[Dict[str, tf.Tensor], tf.Tensor]
# Rows that are shuffled at once: a bound on memory, above the size of the data sets at hand.
SHUFFLED_ROWS = 100_000


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


def list_files(patterns: Sequence[str]) -> List[str]:
    return sorted(name for pattern in patterns for name in tf.io.gfile.glob(pattern))


def read_batches(
    patterns: Sequence[str],
    transform_output: tft.TFTransformOutput,
    labels: Sequence[str],
    *,
    batch_size: int,
    shuffle_seed: int = -1,
) -> tf.data.Dataset:
    """Return batches of (features, label ids [n]); shuffled anew each epoch if a seed is given."""
    spec = transform_output.transformed_feature_spec()
    records = tf.data.TFRecordDataset(list_files(patterns), compression_type="GZIP").cache()
    if shuffle_seed >= 0:
        records = records.shuffle(SHUFFLED_ROWS, seed=shuffle_seed)
    names = tf.constant(list(labels))

    def parse(serialized: tf.Tensor) -> Batch:
        parsed = tf.io.parse_example(serialized, spec)
        label = parsed.pop(features.LABEL)
        return parsed, tf.argmax(tf.reshape(label, [-1, 1]) == names, axis=1)

    return records.batch(batch_size).map(parse).prefetch(2)
