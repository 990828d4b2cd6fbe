"""The benches: what each times, in the words of its table, and how to read that."""

from typing import Dict

COMMANDS: Dict[str, str] = {
    "deploy": "deploys to the stand-ins of Google Cloud, beside the original's two Cloud Build files.",
    "images": "builds and pushes the container images, beside `docker build`, BuildKit and buildah.",
    "run": "runs the whole job on this machine, beside TFX's LocalDagRunner.",
    "plan": "plans a deploy of a large repository.",
    "serve": "puts load on the prediction server, beside a plain one of FastAPI and Keras.",
    "log": "loads and reads a large request log, beside the view that people write.",
}
READING = (
    "A value is the median of its rounds, unless a bench says otherwise below. The ratio says how many times better "
    "ours is, faster or more; below 1 the other way is better. It is the quotient of the two values, which were "
    "measured in one run on one machine; in brackets stand the least and the greatest of the rounds' own."
)
