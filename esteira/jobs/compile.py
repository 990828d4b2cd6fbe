"""Compiling the pipeline to a Vertex AI pipeline job, the image left open."""

import contextlib
import io
import json
import logging
import tempfile
from pathlib import Path
from typing import Any, Dict

from esteira.errors import CompileError, EsteiraError
from esteira.files import write_json
from esteira.settings import Settings

# Stands for the image in a compiled job, until a release binds one by digest.
IMAGE = "ESTEIRA_IMAGE"
# An ephemeral value of the compiler: which of its versions wrote the file decides nothing here.
FILE = "job.json"


def compile_job(settings: Settings, path: Path) -> None:
    """Write the job of pipeline.create_pipeline(settings) to `path`, the same bytes each time.

    Raises CompileError with the place in the user's code where it failed.
    """
    try:
        job = compiled(settings)
    except EsteiraError:
        raise
    except Exception as error:
        raise CompileError(f"{place_of(error, settings.root)}: {type(error).__name__}: {error}") from error
    write_json(path, job)


def compiled(settings: Settings) -> Dict[str, Any]:
    """Return the job as a JSON object. Imports TFX, which takes many seconds."""
    from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as kubeflow

    from pipeline.pipeline import create_pipeline

    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        config = kubeflow.KubeflowV2DagRunnerConfig(default_image=IMAGE)
        runner = kubeflow.KubeflowV2DagRunner(config, output_dir=folder, output_filename=FILE)
        runner.run(create_pipeline(settings), write_out=True)
        job: Dict[str, Any] = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
    return job


def place_of(error: BaseException, root: Path) -> str:
    """Return file:line of the innermost frame in the user's code."""
    place = "pipeline"
    trace = error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if (root / "pipeline") in path.parents:
            place = f"{path.relative_to(root)}:{trace.tb_lineno}"
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{Path(error.filename).name}:{error.lineno}"
    return place
