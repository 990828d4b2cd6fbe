"""Our server as `make serve` runs it, but of a model in a folder: python -m bench.serve.ours MODEL_DIR --state DIR ...

The settings are the repository's; `--state` has the request log, which is on where `--log-percent` is not 0.
"""

import argparse
from pathlib import Path

from bench.serve.model import REPOSITORY
from esteira.serving.front import log_opener
from esteira.serving.identity import Identity
from esteira.serving.limits import limits_of
from esteira.serving.server import serve_models
from esteira.serving.sources import FolderSource
from esteira.settings import load_settings

NAME = "bench"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.serve.ours")
    parser.add_argument("model_dir", type=Path)
    parser.add_argument("--state", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--max-batch", required=True)
    parser.add_argument("--log-percent", required=True)
    given = parser.parse_args()
    chosen = {"serving.max_batch": given.max_batch, "log.percent": given.log_percent}
    settings = load_settings(REPOSITORY, {"ESTEIRA_STATE": given.state}, chosen)
    serve_models(
        FolderSource(given.model_dir, NAME, Identity()),
        host="127.0.0.1",
        port=given.port,
        max_batch=settings.serving.max_batch,
        limits=limits_of(settings.serving),
        open_log=log_opener(settings),
    )


if __name__ == "__main__":
    main()
