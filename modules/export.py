"""The SavedModel: raw text in, named class out, with the transform inside."""

import json
from pathlib import PurePosixPath
from typing import Any, Dict, List, Sequence, Union

import tensorflow as tf
import tensorflow_transform as tft

from modules import features
from modules.inputs import network_inputs

ASSETS = "assets.extra"


class NotTracked:
    """Calls a network, and hides it from the SavedModel's writer."""

    def __init__(self, network: tf.keras.Model) -> None:
        self.network = network

    def __call__(self, inputs: Dict[str, tf.Tensor]) -> tf.Tensor:
        return self.network(inputs, training=False)


class ServedModel(tf.Module):
    """Signatures `serving_default` (text [n]) and `evaluate` (serialized tf.Examples [n])."""

    def __init__(self, network: tf.keras.Model, transform_output: tft.TFTransformOutput, labels: Sequence[str]) -> None:
        super().__init__()
        # Kept from the SavedModel, which would otherwise hold every Keras layer's functions as well:
        # their weights, and what a hub encoder was loaded with, are all that the signatures need.
        self._answer = NotTracked(network)
        self.weights = network.variables
        self.loaded = getattr(network.encoder, "encoder", None)
        self.transform = transform_output.transform_features_layer()
        self.text_spec = transform_output.raw_feature_spec()[features.TEXT]
        self.labels = tf.constant(list(labels))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(self, text: tf.Tensor) -> Dict[str, tf.Tensor]:
        """Return label [n], confidence [n] and probabilities [n, classes]."""
        transformed = self.transform({features.TEXT: shape_text(text, self.text_spec)})
        probabilities = tf.nn.softmax(self._answer(network_inputs(transformed)))
        return {
            "label": tf.gather(self.labels, tf.argmax(probabilities, axis=1)),
            "confidence": tf.reduce_max(probabilities, axis=1),
            "probabilities": probabilities,
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def evaluate(self, examples: tf.Tensor) -> Dict[str, tf.Tensor]:
        """Return the same for serialized tf.Examples; a missing text counts as empty."""
        spec = {features.TEXT: tf.io.FixedLenFeature([], tf.string, "")}
        return self.serve(tf.io.parse_example(examples, spec)[features.TEXT])


def shape_text(text: tf.Tensor, spec: Any) -> Union[tf.Tensor, tf.SparseTensor]:
    """Return texts [n] in the form that the schema gives the column: dense of any rank, or sparse."""
    if isinstance(spec, tf.io.VarLenFeature):
        return tf.sparse.from_dense(text[:, tf.newaxis])
    return tf.reshape(text, [-1, *spec.shape])


def export_model(
    network: tf.keras.Model,
    transform_output: tft.TFTransformOutput,
    labels: Sequence[str],
    smoke_texts: Sequence[bytes],
    folder: str,
) -> None:
    """Write the SavedModel with its class names and its own answers to `smoke_texts`."""
    model = ServedModel(network, transform_output, labels)
    signatures = {"serving_default": model.serve, "evaluate": model.evaluate}
    tf.saved_model.save(model, folder, signatures=signatures)
    write_json(folder, "labels.json", {"labels": list(labels)})
    write_json(folder, "smoke.json", smoke_answers(model, smoke_texts))


def smoke_answers(model: ServedModel, texts: Sequence[bytes]) -> Dict[str, List[dict]]:
    """Return the texts as instances of a request, and the model's predictions for them."""
    outputs = {name: value.numpy().tolist() for name, value in model.serve(tf.constant(texts)).items()}
    predictions = [
        {"label": label.decode("utf-8"), "confidence": confidence, "probabilities": probabilities}
        for label, confidence, probabilities in zip(outputs["label"], outputs["confidence"], outputs["probabilities"])
    ]
    return {"instances": [{"text": text.decode("utf-8")} for text in texts], "predictions": predictions}


def write_json(folder: str, name: str, content: object) -> None:
    """Write JSON beside the SavedModel, where TensorFlow Serving and the Pusher keep it."""
    place = PurePosixPath(ASSETS)
    tf.io.gfile.makedirs(f"{folder}/{place}")
    with tf.io.gfile.GFile(f"{folder}/{place}/{name}", "w") as stream:
        stream.write(json.dumps(content, ensure_ascii=False, indent=1) + "\n")
