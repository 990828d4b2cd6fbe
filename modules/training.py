"""Fitting a classifier to prepared examples: shared by the Trainer and the Tuner."""

import math
from typing import Any, Dict, List, Mapping, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from modules import features
from modules.examples import read_labels, read_rows, shuffle_batches
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
    train: tf.data.Dataset
    evaluation: tf.data.Dataset
    row_count: int
    class_weights: Dict[int, float]
    gram_weights: np.ndarray


def fix_seed(seed: int) -> None:
    """Make training a function of the seed and the data: twice the same numbers."""
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def read_training_data(fn_args: Any) -> TrainingData:
    """Return the examples that TFX names in the arguments of run_fn or tuner_fn."""
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    labels = read_labels(fn_args.schema_path)
    train = read_rows(fn_args.train_files, transform_output, labels)
    class_counts, gram_counts = count_rows(train, len(labels))
    return TrainingData(
        transform_output=transform_output,
        labels=labels,
        vocabulary_size=transform_output.vocabulary_size_by_name(features.VOCABULARY_NAME),
        train=train,
        evaluation=read_rows(fn_args.eval_files, transform_output, labels),
        row_count=int(class_counts.sum()),
        class_weights=weigh_classes(class_counts),
        gram_weights=weigh_grams(gram_counts, int(class_counts.sum())),
    )


def count_rows(rows: tf.data.Dataset, classes: int) -> "tuple[np.ndarray, np.ndarray]":
    """Return in how many rows each class [classes] and each bucket of n-grams [buckets] occurs."""
    class_counts = np.zeros(classes, np.int64)
    gram_counts = np.zeros(features.GRAM_BUCKETS, np.int64)
    for inputs, label in rows:
        class_counts[int(label)] += 1
        gram_counts[np.unique(inputs[features.GRAMS].numpy())] += 1
    return class_counts, gram_counts


def weigh_classes(counts: np.ndarray) -> Dict[int, float]:
    """Return weights that grow with the square root of a class's rarity, 1 on average over the rows."""
    weights = np.sqrt(counts.sum() / np.maximum(counts, 1))
    weights *= counts.sum() / (weights * counts).sum()
    return dict(enumerate(weights.tolist()))


def weigh_grams(counts: np.ndarray, row_count: int) -> np.ndarray:
    """Return the inverse document frequency of each bucket, 0 for what occurs in one row only."""
    weights = np.log((1 + row_count) / (1 + counts)) + 1
    return np.where(counts < 2, 0, weights).astype(np.float32)


def create_network(
    data: TrainingData, settings: Mapping[str, Any], hyperparameters: Mapping[str, Any]
) -> Classifier:
    """Return a compiled network. Raises HubEncoderError if its encoder cannot be loaded."""
    encoder = create_encoder(settings, hyperparameters, data.vocabulary_size)
    network = Classifier(encoder, data.gram_weights, len(data.labels))
    network.compile(
        tf.keras.optimizers.Adam(hyperparameters["learning_rate"]),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[],
        metrics=["accuracy"],
    )
    return network


def fit_arguments(data: TrainingData, *, epochs: int, seed: int) -> Dict[str, Any]:
    """Return the arguments of `network.fit`: it stops early and keeps the best epoch's weights."""
    batch_size = min(max(math.ceil(data.row_count / STEPS_PER_EPOCH), 1), MAX_BATCH_SIZE)
    train = shuffle_batches(data.train, row_count=data.row_count, batch_size=batch_size, seed=seed)
    stopping = tf.keras.callbacks.EarlyStopping("val_loss", patience=PATIENCE, restore_best_weights=True)
    return {
        "x": train,
        "validation_data": data.evaluation.batch(EVAL_BATCH_SIZE),
        "epochs": epochs,
        "class_weight": data.class_weights,
        "callbacks": [stopping],
        "verbose": 2,
    }
