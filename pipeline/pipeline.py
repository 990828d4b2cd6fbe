"""The TFX pipeline: from CSV files to a pushed model."""

from typing import Dict, List, Mapping, Optional, Type, Union

from ml_metadata.proto import metadata_store_pb2
from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.data_types import RuntimeParameter

from esteira.settings import Settings
from pipeline.anomalies import AnomalyGate
from pipeline.evaluation import create_eval_config
from pipeline.report import EvaluationReport
from pipeline.training_config import create_training_config

# What differs from run to run: each is a runtime parameter of the job.
PARAMETERS = ("data_uri", "schema_uri", "modules_uri", "hyperparameters_uri", "push_destination")
# Stands for the root in a compiled job; a run names its own.
ROOT = "ESTEIRA_ROOT"

artifacts = tfx.types.standard_artifacts
Components = List[BaseNode]
Uri = Union[str, RuntimeParameter]


def create_pipeline(
    settings: Settings,
    *,
    root: str = ROOT,
    defaults: Optional[Mapping[str, str]] = None,
    metadata_config: Optional[metadata_store_pb2.ConnectionConfig] = None,
) -> tfx.dsl.Pipeline:
    """Return the pipeline whose inputs are runtime parameters.

    `defaults` gives some of PARAMETERS a value, and `metadata_config` a store: both for TFX's
    LocalDagRunner, which takes no parameters. A compiled job needs neither.
    """
    parameters = create_parameters(defaults or {})
    examples = create_example_gen(parameters["data_uri"])
    schema = create_importer("schema_importer", parameters["schema_uri"], artifacts.Schema)
    validation = validate_data(examples, schema)
    training = train_model(settings, parameters, examples, schema, gate=validation[-1])
    delivery = judge_model(settings, parameters, examples, trainer=training[-1])
    return tfx.dsl.Pipeline(
        pipeline_name=settings.pipeline.name,
        pipeline_root=root,
        components=[examples, schema, *validation, *training, *delivery],
        enable_cache=True,
        metadata_connection_config=metadata_config,
    )


def create_parameters(defaults: Mapping[str, str]) -> Dict[str, RuntimeParameter]:
    return {name: RuntimeParameter(name, ptype=str, default=defaults.get(name)) for name in PARAMETERS}


def create_example_gen(data_uri: Uri) -> tfx.components.CsvExampleGen:
    splits = [tfx.proto.Input.Split(name=name, pattern=f"{name}/*") for name in ("train", "eval")]
    return tfx.components.CsvExampleGen(data_uri, input_config=tfx.proto.Input(splits=splits))


def create_importer(name: str, uri: Uri, kind: Type[tfx.dsl.Artifact]) -> tfx.dsl.Importer:
    return tfx.dsl.Importer(source_uri=uri, artifact_type=kind).with_id(name)


def validate_data(examples: tfx.components.CsvExampleGen, schema: tfx.dsl.Importer) -> Components:
    """Return the components that hold the data against the schema; the last one is the gate."""
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["result"]
    )
    gate = AnomalyGate(anomalies=validator.outputs["anomalies"])
    return [statistics, validator, gate]


def train_model(
    settings: Settings,
    parameters: Mapping[str, RuntimeParameter],
    examples: tfx.components.CsvExampleGen,
    schema: tfx.dsl.Importer,
    gate: BaseNode,
) -> Components:
    """Return the components that make a model once `gate` is passed; the last one is the Trainer."""
    transform = tfx.components.Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["result"],
        module_file=parameters["modules_uri"],
        disable_statistics=True,
    )
    hyperparameters = create_importer(
        "hyperparameters_importer", parameters["hyperparameters_uri"], artifacts.HyperParameters
    )
    trainer = tfx.components.Trainer(
        module_file=parameters["modules_uri"],
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["result"],
        hyperparameters=hyperparameters.outputs["result"],
        custom_config=create_training_config(settings.training),
    )
    # Transform may run beside the checks of the data; what it made of bad data is never trained on.
    trainer.add_upstream_node(gate)
    return [transform, hyperparameters, trainer]


def judge_model(
    settings: Settings,
    parameters: Mapping[str, RuntimeParameter],
    examples: tfx.components.CsvExampleGen,
    trainer: BaseNode,
) -> Components:
    """Return the components that measure the model, say why it passed or not, and push it."""
    model = trainer.outputs["model"]
    resolver = tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=artifacts.ModelBlessing),
    ).with_id("latest_blessed_model_resolver")
    evaluator = tfx.components.Evaluator(
        examples=examples.outputs["examples"],
        model=model,
        baseline_model=resolver.outputs["model"],
        eval_config=create_eval_config(settings.gate),
    )
    blessing = evaluator.outputs["blessing"]
    report = EvaluationReport(evaluation=evaluator.outputs["evaluation"], blessing=blessing)
    pusher = tfx.components.Pusher(
        model=model, model_blessing=blessing, push_destination=parameters["push_destination"]
    )
    return [resolver, evaluator, report, pusher]
