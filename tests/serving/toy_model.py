"""Makes a small SavedModel with the signatures of ours: python -m tests.serving.toy_model FOLDER

It counts words: "good" speaks for positive, "bad" for negative.
"""

import json
import sys
from pathlib import Path
from typing import Any, Dict, List

LABELS = ["negative", "neutral", "positivo ✓"]
TEXTS = ["a good, good film", "bad", "it is a film", "É ótimo, good 🎉", ""]


def make_model(folder: Path) -> None:
    import tensorflow as tf

    class Toy(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = tf.Variable(1.5)
            self.labels = tf.constant(LABELS)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
        def serve_text(self, text: Any) -> Dict[str, Any]:
            words = tf.strings.split(text)
            starts, limits = words.row_starts(), words.row_limits()
            good, bad = (self._count(words.values, word, starts, limits) for word in ("good,?", "bad,?"))
            logits = self.scale * tf.stack([bad, tf.ones_like(good) * 0.5, good], axis=1)
            probabilities = tf.nn.softmax(logits)
            return {
                "label": tf.gather(self.labels, tf.argmax(probabilities, axis=1)),
                "confidence": tf.reduce_max(probabilities, axis=1),
                "probabilities": probabilities,
            }

        def _count(self, values: Any, pattern: str, starts: Any, limits: Any) -> Any:
            found = tf.cast(tf.strings.regex_full_match(values, pattern), tf.float32)
            sums = tf.concat([[0.0], tf.cumsum(found)], axis=0)
            return tf.gather(sums, limits) - tf.gather(sums, starts)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
        def serve_examples(self, examples: Any) -> Dict[str, Any]:
            features = tf.io.parse_example(examples, {"text": tf.io.FixedLenFeature([], tf.string)})
            return {"probabilities": self.serve_text(features["text"])["probabilities"]}

        @tf.function(
            input_signature=[
                tf.TensorSpec([None, 2], tf.float32, name="point"),
                tf.TensorSpec([None], tf.int64, name="times"),
            ]
        )
        def stretch(self, point: Any, times: Any) -> Dict[str, Any]:
            return {"stretched": point * tf.cast(times, tf.float32)[:, None]}

    toy = Toy()
    signatures = {"serving_default": toy.serve_text, "examples": toy.serve_examples, "stretch": toy.stretch}
    tf.saved_model.save(toy, str(folder), signatures=signatures)
    answers = {name: tensor.numpy() for name, tensor in toy.serve_text(tf.constant(TEXTS)).items()}
    write_extras(folder / "assets.extra", answers)


def write_extras(folder: Path, answers: Dict[str, Any]) -> None:
    """Write the labels, and the model's own answers, as our Trainer does."""
    predictions: List[Dict[str, Any]] = [
        {"label": label.decode(), "confidence": float(confidence), "probabilities": probabilities.tolist()}
        for label, confidence, probabilities in zip(answers["label"], answers["confidence"], answers["probabilities"])
    ]
    folder.mkdir()
    recorded = {"instances": [{"text": text} for text in TEXTS], "predictions": predictions}
    (folder / "labels.json").write_text(json.dumps({"labels": LABELS}), encoding="utf-8")
    (folder / "smoke.json").write_text(json.dumps(recorded), encoding="utf-8")


if __name__ == "__main__":
    make_model(Path(sys.argv[1]))
