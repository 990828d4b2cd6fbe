"""A small TFX pipeline without training. Imported by the processes that compile and run it only."""

from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import standard_artifacts

SPLITS = [tfx.proto.Input.Split(name=name, pattern=f"{name}/*") for name in ("train", "eval")]


@component
def CountSplits(
    statistics: InputArtifact[standard_artifacts.ExampleStatistics],
    result: OutputArtifact[standard_artifacts.Integer],
    wait_for: Parameter[str],
):
    """Counts the splits, once the file `wait_for` is there: a test can kill the run before."""
    import os
    import time

    while not os.path.exists(wait_for):
        time.sleep(0.05)
    count = len(os.listdir(statistics.uri))
    result.write(count)
    result.set_int_custom_property("count", count)


@component
def OnlyIfTwo(statistics: InputArtifact[standard_artifacts.ExampleStatistics]):
    print("there are two splits")


def create_pipeline() -> tfx.dsl.Pipeline:
    examples = tfx.components.CsvExampleGen(
        RuntimeParameter("data_uri", ptype=str), input_config=tfx.proto.Input(splits=SPLITS)
    )
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.dsl.Importer(
        source_uri=RuntimeParameter("schema_uri", ptype=str), artifact_type=standard_artifacts.Schema
    ).with_id("schema_importer")
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["result"]
    )
    blessed = tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("latest_blessed")
    count = CountSplits(statistics=statistics.outputs["statistics"], wait_for=RuntimeParameter("wait_for", ptype=str))
    counted = count.outputs["result"].future()[0].custom_property("count")
    with tfx.dsl.Cond(counted > 1):
        two = OnlyIfTwo(statistics=statistics.outputs["statistics"])
    with tfx.dsl.Cond(counted > 2):
        three = OnlyIfTwo(statistics=statistics.outputs["statistics"]).with_id("OnlyIfThree")
    return tfx.dsl.Pipeline(
        pipeline_name="small",
        pipeline_root="ROOT",
        components=[examples, statistics, schema, validator, blessed, count, two, three],
        enable_cache=True,
    )


def compile_to(folder: str) -> None:
    experimental = tfx.orchestration.experimental
    experimental.KubeflowV2DagRunner(
        experimental.KubeflowV2DagRunnerConfig(default_image="local@sha256:0"),
        output_dir=folder,
        output_filename="job.json",
    ).run(create_pipeline())
