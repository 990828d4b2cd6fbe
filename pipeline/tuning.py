"""The search for hyperparameters: TFX's Tuner behind the same data and Transform as training."""

import shutil
from pathlib import Path

from tfx import v1 as tfx
from tfx.orchestration.local.local_dag_runner import LocalDagRunner

from esteira.errors import JobError
from esteira.files import write_bytes
from esteira.settings import Settings
from pipeline.pipeline import create_example_gen, create_importer

BEST_FILE = "best_hyperparameters.txt"


def run_tuner(settings: Settings, data_dir: Path, work_dir: Path) -> Path:
    """Search on prepared data, write the best found to modules/best_hyperparameters, return that file.

    `data_dir` is what `make data` prepares; `work_dir` takes the artifacts. Raises JobError
    if the search leaves no result.
    """
    # A search that was cut short would be read as finished.
    shutil.rmtree(work_dir, ignore_errors=True)
    work_dir.mkdir(parents=True)
    LocalDagRunner().run(create_tuning_pipeline(settings, data_dir, work_dir))
    found = sorted(work_dir.glob(f"root/Tuner/best_hyperparameters/*/{BEST_FILE}"))
    if len(found) != 1:
        raise JobError(f"{work_dir}: the Tuner left {len(found)} files {BEST_FILE}; expected one. Run: make tune")
    target = settings.root / "modules" / "best_hyperparameters" / BEST_FILE
    write_bytes(target, found[0].read_bytes())
    return target


def create_tuning_pipeline(settings: Settings, data_dir: Path, work_dir: Path) -> tfx.dsl.Pipeline:
    """Return a pipeline for this machine: it reads `modules` as it lies in the repository."""
    examples = create_example_gen(str(data_dir))
    schema = create_importer("schema_importer", str(data_dir / "schema"), tfx.types.standard_artifacts.Schema)
    transform = tfx.components.Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["result"],
        preprocessing_fn="modules.preprocessing.preprocessing_fn",
        disable_statistics=True,
    )
    tuner = tfx.components.Tuner(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["result"],
        tuner_fn="modules.tuner.tuner_fn",
        custom_config={**settings.training.dict(), **settings.tuning.dict()},
    )
    store = str(work_dir / "metadata.sqlite")
    return tfx.dsl.Pipeline(
        pipeline_name=f"{settings.pipeline.name}-tuning",
        pipeline_root=str(work_dir / "root"),
        components=[examples, schema, transform, tuner],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(store),
    )
