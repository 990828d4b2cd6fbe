"""What TFX's own command line is given with --pipeline-path: the same pipeline as ours, in the original's folders."""

import os
from pathlib import Path

from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner

from esteira.settings import load_settings
from pipeline.pipeline import create_pipeline

ROOT = "gs://demo-bucket/original/root"

if __name__ == "__main__":
    config = kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(default_image=os.environ["BENCH_IMAGE"])
    pipeline = create_pipeline(load_settings(Path.cwd().parent, os.environ, {}), root=ROOT)
    kubeflow_v2_dag_runner.KubeflowV2DagRunner(config=config).run(pipeline)
