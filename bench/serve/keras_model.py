"""The served model as a Keras model: text in, probabilities out.

What is pushed has signatures alone, no Keras model. This builds the network of modules/ anew, with Keras' own
StringLookup where Transform has a vocabulary, gives it the weights of the SavedModel, and checks that it answers the
same texts with the same probabilities.
"""

from pathlib import Path
from typing import List, Sequence, Tuple

import numpy as np
import tensorflow as tf

from bench.serve.recorded import Recorded, read_recorded
from modules import features
from modules.encoder import AttentionEncoder
from modules.inputs import network_inputs
from modules.network import Classifier
from modules.text import normalize, tokenize

TOLERANCE = 1e-4


class TextClassifier(tf.keras.Model):
    """Texts [n] to probabilities [n, classes]."""

    def __init__(self, words: List[str], network: Classifier) -> None:
        super().__init__()
        self.lookup = tf.keras.layers.StringLookup(vocabulary=words, mask_token="")
        self.network = network

    def call(self, text: tf.Tensor) -> tf.Tensor:
        text = tf.reshape(text, [-1])
        normalized = normalize(text)
        tokens = tf.cast(self.lookup(tokenize(normalized)[:, : features.MAX_TOKENS]), tf.int64)
        transformed = {
            features.TOKENS: tokens.to_sparse(),
            features.NORMALIZED: normalized,
            features.TEXT: text,
        }
        return tf.nn.softmax(self.network(network_inputs(transformed)))


def load_keras_model(model_dir: str) -> Tuple[tf.keras.Model, List[str]]:
    """Return the model and its labels. Raises ValueError if it is not the network of modules/, or answers otherwise."""
    folder = Path(model_dir)
    recorded = read_recorded(folder)
    words = (folder / "assets" / features.VOCABULARY_NAME).read_text(encoding="utf-8").splitlines()
    weights = list(tf.saved_model.load(model_dir).weights)
    model = TextClassifier(words, build_network(weights, len(recorded.labels)))
    model.predict(tf.constant(["a text"]), verbose=0)
    # In the order in which the network made them, as in training.
    for variable, weight in zip(model.network.variables, weights):
        variable.assign(weight)
    check_answers(model, recorded)
    return model, recorded.labels


def build_network(weights: Sequence[tf.Variable], classes: int) -> Classifier:
    """Return the network, without weights of its own yet, of the sizes that these have."""
    shapes = {weight.name.split("/", 1)[-1]: weight.shape.as_list() for weight in weights}
    query, tokens = shapes.get("multi_head_attention/query/kernel:0"), shapes.get("embedding/embeddings:0")
    if not query or not tokens:
        raise ValueError(f"expected the weights of an AttentionEncoder, got {', '.join(shapes)}")
    units, heads, _ = query
    vocabulary_size = tokens[0] - features.FIRST_WORD_ID
    encoder = AttentionEncoder(vocabulary_size, units=units, heads=heads, dropout=0.0, token_dropout=0.0)
    return Classifier(encoder, [0.0] * features.GRAM_BUCKETS, classes)


def check_answers(model: tf.keras.Model, recorded: Recorded) -> None:
    wanted = np.array([prediction["probabilities"] for prediction in recorded.predictions])
    difference = np.abs(model.predict(tf.constant(recorded.texts), verbose=0) - wanted).max()
    if not difference < TOLERANCE:
        raise ValueError(f"the Keras model answers otherwise than the SavedModel, by {difference:.2g}")
