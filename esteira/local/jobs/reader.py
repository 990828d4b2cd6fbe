"""Reading a compiled job: JSON to typed values, with an error for whatever is not understood.

A field that Vertex AI would act upon and this runner would not must never be ignored:
each message is read with the closed set of its fields.
"""

import re
from typing import Any, Dict, List, Mapping, Tuple, Union

from esteira.errors import JobError
from esteira.local.jobs.fields import Fields
from esteira.local.jobs.parameters import bind_parameters, read_value
from esteira.local.jobs.spec import (
    ArtifactType,
    Constant,
    Container,
    Executor,
    Importer,
    Job,
    OutputArtifact,
    ParameterSource,
    Query,
    Resolver,
    RuntimeParameter,
    Task,
    TaskOutput,
)

SCHEMA_VERSIONS = ("2.0.0",)
TRIGGER_STRATEGIES = (None, "TRIGGER_STRATEGY_UNSPECIFIED", "ALL_UPSTREAM_TASKS_SUCCEEDED")
DEFAULT_QUERY_LIMIT = 1
# TFX 1.14 names the producer of a parameter "<id>_task", though the task's name is "<id>"
# (tfx/orchestration/kubeflow/v2/step_builder.py).
TFX_PRODUCER_SUFFIX = "_task"

TITLE = re.compile(r"^title:\s*['\"]?([^'\"\s]+)", re.MULTILINE)


def read_job(document: Mapping[str, Any]) -> Job:
    """Return the job that a PipelineJob's JSON holds.

    Raises JobError that names the place of the first thing that cannot be run here, or
    all runtime parameters that lack a value.
    """
    fields = Fields(document, "job")
    fields.skip("name", "displayName", "labels")
    spec = fields.message("pipelineSpec")
    runtime = fields.message("runtimeConfig")
    fields.close()
    version = spec.text("schemaVersion")
    if version not in SCHEMA_VERSIONS:
        raise JobError(
            f'{spec.place}.schemaVersion: is "{version}"; this runner reads {", ".join(SCHEMA_VERSIONS)}.\n'
            "Compile the pipeline with TFX 1.14's KubeflowV2DagRunner: .venv/bin/inv compile"
        )
    pipeline = spec.message("pipelineInfo").text("name")
    spec.skip("sdkVersion")
    root = runtime.text("gcsOutputDirectory", default="") or spec.text("defaultPipelineRoot", default="")
    spec.skip("defaultPipelineRoot")
    if not root:
        raise JobError("job.runtimeConfig.gcsOutputDirectory: is not set. Expected the pipeline root, a folder.")
    dag = spec.message("root")
    definitions = dag.message("inputDefinitions", default={})
    declared = definitions.raw("parameters", default={})
    definitions.close()
    values = bind_parameters(
        declared, runtime.raw("parameters", default={}), runtime.raw("parameterValues", default={})
    )
    runtime.close()
    tasks = read_tasks(dag, spec)
    dag.close()
    spec.close()
    job = Job(pipeline=pipeline, root=root.rstrip("/"), parameters=values, tasks=tasks)
    check_images(job)
    return job


def read_tasks(dag: Fields, spec: Fields) -> Dict[str, Task]:
    body = dag.message("dag")
    components = spec.message("components", default={})
    deployment = spec.message("deploymentSpec")
    executors = deployment.message("executors")
    deployment.close()
    tasks = body.message("tasks")
    body.close()
    names = list(tasks.keys())
    return {name: read_task(name, tasks.message(name), components, executors, names) for name in names}


def read_task(name: str, fields: Fields, components: Fields, executors: Fields, names: List[str]) -> Task:
    fields.skip("taskInfo")
    reference = fields.message("componentRef")
    component = components.message(reference.text("name"))
    reference.close()
    inputs = fields.message("inputs", default={})
    trigger = fields.message("triggerPolicy", default={})
    strategy = trigger.text("strategy", default=None)
    if strategy not in TRIGGER_STRATEGIES:
        raise trigger.unsupported("strategy", f'"{strategy}"; only ALL_UPSTREAM_TASKS_SUCCEEDED is run here')
    condition = trigger.text("condition", default="")
    trigger.close()
    caching = fields.message("cachingOptions", default={})
    enable_cache = caching.flag("enableCache")
    caching.close()
    parameters = read_parameter_sources(inputs.message("parameters", default={}), names)
    artifacts = read_artifact_sources(inputs.message("artifacts", default={}))
    inputs.close()
    depends_on = tuple(fields.texts("dependentTasks"))
    fields.close()
    component_json = dict(component.values)
    outputs, output_parameters, label = read_component(component)
    return Task(
        name=name,
        executor=read_executor(executors.message(label)),
        parameters=parameters,
        artifacts=artifacts,
        outputs=outputs,
        output_parameters=output_parameters,
        depends_on=depends_on,
        condition=condition,
        enable_cache=enable_cache,
        component=component_json,
    )


def read_component(fields: Fields) -> Tuple[Dict[str, OutputArtifact], Dict[str, str], str]:
    """Return a component's output artifacts, the types of its output parameters, and its executor's label."""
    inputs = fields.message("inputDefinitions", default={})
    inputs.skip("parameters", "artifacts")
    inputs.close()
    definitions = fields.message("outputDefinitions", default={})
    artifacts = definitions.message("artifacts", default={})
    outputs = {}
    for key in list(artifacts.keys()):
        artifact = artifacts.message(key)
        type_ = read_type(artifact.message("artifactType"))
        outputs[key] = OutputArtifact(type_, artifact.raw("metadata", default={}))
        artifact.close()
    parameters = definitions.message("parameters", default={})
    types = {}
    for key in list(parameters.keys()):
        parameter = parameters.message(key)
        types[key] = parameter.text("parameterType", default="") or parameter.text("type")
        parameter.skip("type")
        parameter.close()
    definitions.close()
    label = fields.text("executorLabel")
    fields.close()
    return outputs, types, label


def read_type(fields: Fields) -> ArtifactType:
    schema = {key: fields.text(key) for key in list(fields.keys())}
    for key in schema:
        if key not in ("schemaTitle", "instanceSchema", "schemaVersion"):
            raise fields.unsupported(key, "cannot be read here; expected schemaTitle or instanceSchema")
    title = schema.get("schemaTitle")
    if title is None:
        found = TITLE.search(schema.get("instanceSchema", ""))
        if not found:
            raise fields.unsupported("instanceSchema", "has no title; expected a line such as: title: tfx.Model")
        title = found.group(1)
    return ArtifactType(title, schema)


def read_parameter_sources(fields: Fields, names: List[str]) -> Dict[str, ParameterSource]:
    return {key: read_parameter_source(fields.message(key), names) for key in list(fields.keys())}


def read_parameter_source(fields: Fields, names: List[str]) -> ParameterSource:
    source: ParameterSource
    if fields.has("taskOutputParameter"):
        output = fields.message("taskOutputParameter")
        producer = output.text("producerTask")
        if producer not in names and producer.endswith(TFX_PRODUCER_SUFFIX):
            producer = producer[: -len(TFX_PRODUCER_SUFFIX)]
        source = TaskOutput(producer, output.text("outputParameterKey"))
        output.close()
    elif fields.has("componentInputParameter"):
        source = RuntimeParameter(fields.text("componentInputParameter"))
    else:
        source = read_value_or_parameter(fields.message("runtimeValue"))
    fields.close()
    return source


def read_value_or_parameter(fields: Fields) -> Union[Constant, RuntimeParameter]:
    source: Union[Constant, RuntimeParameter]
    if fields.has("runtimeParameter"):
        source = RuntimeParameter(fields.text("runtimeParameter"))
    elif fields.has("constant"):
        source = Constant(fields.raw("constant"))
    else:
        source = Constant(read_value(fields.raw("constantValue"), f"{fields.place}.constantValue"))
    fields.close()
    return source


def read_artifact_sources(fields: Fields) -> Dict[str, TaskOutput]:
    sources = {}
    for key in list(fields.keys()):
        source = fields.message(key)
        output = source.message("taskOutputArtifact")
        sources[key] = TaskOutput(output.text("producerTask"), output.text("outputArtifactKey"))
        output.close()
        source.close()
    return sources


def read_executor(fields: Fields) -> Executor:
    executor: Executor
    if fields.has("container"):
        executor = read_container(fields.message("container"))
    elif fields.has("importer"):
        executor = read_importer(fields.message("importer"))
    else:
        executor = read_resolver(fields.message("resolver"))
    fields.close()
    return executor


def read_container(fields: Fields) -> Container:
    image = fields.text("image")
    command = fields.texts("command")
    if not command:
        raise fields.unsupported("command", "is empty, and the entrypoint of an image is not known here")
    lifecycle = fields.message("lifecycle", default={})
    driver = lifecycle.message("preCacheCheck", default={})
    driver_command = (*driver.texts("command"), *driver.texts("args"))
    driver.close()
    lifecycle.close()
    env = {variable["name"]: variable.get("value", "") for variable in fields.raw("env", default=[])}
    container = Container(
        image=image,
        command=(*command, *fields.texts("args")),
        env=env,
        driver=driver_command,
        resources=fields.raw("resources", default={}),
    )
    fields.close()
    return container


def read_importer(fields: Fields) -> Importer:
    importer = Importer(
        uri=read_value_or_parameter(fields.message("artifactUri")),
        type=read_type(fields.message("typeSchema")),
        metadata=fields.raw("metadata", default={}),
        reimport=fields.flag("reimport"),
    )
    fields.close()
    return importer


def read_resolver(fields: Fields) -> Resolver:
    outputs = fields.message("outputArtifactQueries")
    queries = {}
    for key in list(outputs.keys()):
        query = outputs.message(key)
        queries[key] = Query(query.text("filter"), int(query.raw("limit", default=DEFAULT_QUERY_LIMIT)))
        query.close()
    fields.close()
    return Resolver(queries)


def check_images(job: Job) -> None:
    """All containers must name one image: the one whose environment this is."""
    images: Dict[str, str] = {}
    for task in job.tasks.values():
        if isinstance(task.executor, Container):
            images.setdefault(task.executor.image, task.name)
    if len(images) > 1:
        listed = "\n".join(f"  {name}: {image}" for image, name in images.items())
        raise JobError(
            "job: its tasks name more than one image, and only the project's own environment can run here:\n"
            f"{listed}\nExpected one image for all tasks. "
            "Run the job in a cloud environment: make deploy-full ENV=name"
        )
