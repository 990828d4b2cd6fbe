"""SavedModels with the Evaluator's signature that answer by a rule, and examples for them."""

from pathlib import Path
from typing import Dict, Sequence, Tuple

import tensorflow as tf

Row = Tuple[str, str, str]


class ToyClassifier(tf.Module):
    """Answers a text's first word if it is a class, else `default`."""

    def __init__(self, classes: Sequence[str], default: str) -> None:
        super().__init__()
        self.classes = tf.constant([*classes, default])
        self.default = tf.constant(default)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def evaluate(self, examples: tf.Tensor) -> Dict[str, tf.Tensor]:
        text = tf.io.parse_example(examples, {"text": tf.io.FixedLenFeature([], tf.string)})["text"]
        first = tf.strings.regex_replace(text, " .*", "")
        known = tf.reduce_any(first[:, tf.newaxis] == self.classes, axis=1)
        return {"label": tf.where(known, first, self.default)}


def save_toy(folder: Path, classes: Sequence[str], default: str) -> str:
    model = ToyClassifier(classes, default)
    tf.saved_model.save(model, str(folder), signatures={"evaluate": model.evaluate})
    return str(folder)


def write_examples(path: Path, rows: Sequence[Row]) -> str:
    """Write rows of (text, label, source) as ExampleGen does, without compression."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in rows:
            example = tf.train.Example()
            for name, value in zip(("text", "label", "source"), row):
                example.features.feature[name].bytes_list.value.append(value.encode("utf-8"))
            writer.write(example.SerializeToString())
    return str(path)
