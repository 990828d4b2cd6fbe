"""A plain predict server, as people write one with FastAPI and Keras: `uvicorn bench.serve.peer:app`.

Two forms, each under a path of its own: `model.predict` of a Keras model, and the SavedModel's signature. Runs in an
environment of its own (peer.txt), with uvicorn's settings as they are by default.
"""

import os
from typing import Any, Dict

import numpy as np
import tensorflow as tf
from fastapi import FastAPI
from pydantic import BaseModel

from bench.serve.keras_model import load_keras_model

MODEL_DIR = os.environ["MODEL_DIR"]

app = FastAPI()
served = tf.saved_model.load(MODEL_DIR)
model, labels = load_keras_model(MODEL_DIR)


class Review(BaseModel):
    text: str


@app.get("/health")
def health() -> Dict[str, str]:
    return {"status": "ok"}


@app.post("/keras")
def predict(review: Review) -> Dict[str, Any]:
    probabilities = model.predict(tf.constant([review.text]), verbose=0)[0]
    best = int(np.argmax(probabilities))
    return {"label": labels[best], "confidence": float(probabilities[best]), "probabilities": probabilities.tolist()}


@app.post("/signature")
def predict_by_signature(review: Review) -> Dict[str, Any]:
    outputs = served.signatures["serving_default"](text=tf.constant([review.text]))
    return {
        "label": outputs["label"].numpy()[0].decode("utf-8"),
        "confidence": float(outputs["confidence"].numpy()[0]),
        "probabilities": outputs["probabilities"].numpy()[0].tolist(),
    }
