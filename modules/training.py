"""Fitting a classifier to prepared examples: shared by the Trainer and the Tuner."""

import math
from typing import Any, Dict, List, Mapping, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from modules import features
from modules.examples import Rows, batch_rows, read_labels, read_rows
from modules.network import Classifier, create_encoder

# Small data needs small batches to get as many steps in an epoch.
STEPS_PER_EPOCH = 64
MAX_BATCH_SIZE = 256
EVAL_BATCH_SIZE = 512
# Epochs without improvement before training stops.
PATIENCE = 1


class TrainingData(NamedTuple):
    """What a network is made for and fitted to."""

    transform_output: tft.TFTransformOutput
    labels: List[str]
    vocabulary_size: int
    train: Rows
    evaluation: Rows


def fix_seed(seed: int) -> None:
    """Make training a function of the seed and the data: twice the same numbers."""
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def read_training_data(fn_args: Any) -> TrainingData:
    """Return the examples that TFX names in the arguments of run_fn or tuner_fn."""
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    labels = read_labels(fn_args.schema_path)
    return TrainingData(
        transform_output=transform_output,
        labels=labels,
        vocabulary_size=transform_output.vocabulary_size_by_name(features.VOCABULARY_NAME),
        train=read_rows(fn_args.train_files, transform_output, labels),
        evaluation=read_rows(fn_args.eval_files, transform_output, labels),
    )


def weigh_classes(labels: np.ndarray, classes: int) -> Dict[int, float]:
    """Return weights that grow with the square root of a class's rarity, 1 on average over the rows."""
    counts = np.bincount(labels, minlength=classes)
    weights = np.sqrt(counts.sum() / np.maximum(counts, 1))
    weights *= counts.sum() / (weights * counts).sum()
    return dict(enumerate(weights.tolist()))


def weigh_grams(*grams: tf.RaggedTensor) -> np.ndarray:
    """Return the inverse document frequency of each bucket, 0 for what occurs in one row only and for NO_GRAM."""
    row_count = int(grams[0].nrows())
    pairs = np.unique(np.concatenate([pair_rows(part) for part in grams]))
    counts = np.bincount(pairs % features.GRAM_BUCKETS, minlength=features.GRAM_BUCKETS)
    weights = np.log((1 + row_count) / (1 + counts)) + 1
    weights[features.NO_GRAM] = 0
    return np.where(counts < 2, 0, weights).astype(np.float32)


def pair_rows(grams: tf.RaggedTensor) -> np.ndarray:
    """Return each row's number with each of its buckets, as one whole number; see gram_buckets."""
    rows = grams.value_rowids().numpy()[:, np.newaxis]
    return np.ravel(rows * features.GRAM_BUCKETS + grams.values.numpy())


def create_network(data: TrainingData, settings: Mapping[str, Any], hyperparameters: Mapping[str, Any]) -> Classifier:
    """Return a compiled network. Raises HubEncoderError if its encoder cannot be loaded."""
    encoder = create_encoder(settings, hyperparameters, data.vocabulary_size)
    gram_weights = weigh_grams(*(data.train.inputs[name] for name in features.GRAMS))
    network = Classifier(encoder, gram_weights, len(data.labels))
    network.compile(
        tf.keras.optimizers.Adam(hyperparameters["learning_rate"]),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[],
        metrics=["accuracy"],
    )
    return network


def fit_arguments(data: TrainingData, *, epochs: int, seed: int) -> Dict[str, Any]:
    """Return the arguments of `network.fit`: it stops early and keeps the best epoch's weights."""
    row_count = data.train.labels.shape[0]
    batch_size = min(math.ceil(row_count / STEPS_PER_EPOCH), MAX_BATCH_SIZE)
    stopping = tf.keras.callbacks.EarlyStopping("val_loss", patience=PATIENCE, restore_best_weights=True)
    return {
        "x": batch_rows(data.train, batch_size, seed=seed),
        "validation_data": batch_rows(data.evaluation, EVAL_BATCH_SIZE),
        "epochs": epochs,
        "class_weight": weigh_classes(data.train.labels.numpy(), len(data.labels)),
        "callbacks": [stopping],
        "verbose": 2,
    }
