"""Training: what TFX's Trainer calls."""

from typing import Any, Dict, Mapping

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx import v1 as tfx

from modules import features
from modules.examples import read_batches, read_labels
from modules.export import export_model
from modules.network import Classifier

BATCH_SIZE = 128


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Train the classifier and write it to `fn_args.serving_model_dir`."""
    settings: Mapping[str, Any] = fn_args.custom_config
    hyperparameters: Dict[str, Any] = (fn_args.hyperparameters or {}).get("values", {})
    tf.keras.utils.set_random_seed(settings["seed"])
    tf.config.experimental.enable_op_determinism()
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    labels = read_labels(fn_args.schema_path)
    train = read_batches(
        fn_args.train_files, transform_output, labels, batch_size=BATCH_SIZE, shuffle_seed=settings["seed"]
    )
    evaluation = read_batches(fn_args.eval_files, transform_output, labels, batch_size=1024)
    vocabulary_size = transform_output.vocabulary_size_by_name(features.VOCABULARY_NAME) + 2
    network = Classifier(len(labels), vocabulary_size, hyperparameters)
    network.compile(
        tf.keras.optimizers.Adam(hyperparameters["learning_rate"]),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    stopping = tf.keras.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True)
    network.fit(
        train,
        validation_data=evaluation,
        epochs=settings["epochs"],
        class_weight=class_weights(train, len(labels)),
        callbacks=[stopping],
        verbose=2,
    )
    texts = [text for batch, _ in evaluation.take(1) for text in batch[features.TEXT].numpy()[:16]]
    export_model(network, transform_output, labels, texts, fn_args.serving_model_dir)


def class_weights(train: tf.data.Dataset, classes: int) -> Dict[int, float]:
    """Return weights that grow with the square root of a class's rarity, 1 on average."""
    counts = np.zeros(classes)
    for _, label in train:
        counts += np.bincount(label.numpy(), minlength=classes)
    weights = np.sqrt(counts.sum() / np.maximum(counts, 1))
    weights *= counts.sum() / (weights * counts).sum()
    return dict(enumerate(weights.tolist()))
