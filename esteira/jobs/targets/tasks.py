"""The tasks of a job by the TFX executor that they run, and what of them can be changed."""

import json
from typing import Any, Dict, List, Mapping

from esteira.errors import CompileError

Job = Dict[str, Any]
CLASS_PATH_FLAG = "--executor_class_path"


class ExecutorTask:
    """A task that runs an executor class of TFX. What is changed is changed in the job that it is of."""

    def __init__(self, spec: Dict[str, Any], name: str) -> None:
        self.name = name
        self.task: Dict[str, Any] = spec["root"]["dag"]["tasks"][name]
        self.component: Dict[str, Any] = spec["components"][self.task["componentRef"]["name"]]
        executor = spec["deploymentSpec"]["executors"][self.component["executorLabel"]]
        self.container: Dict[str, Any] = executor.get("container", {})

    @property
    def inputs(self) -> Dict[str, Any]:
        """The parameters that the task gives its component."""
        inputs: Dict[str, Any] = self.task.setdefault("inputs", {}).setdefault("parameters", {})
        return inputs

    @property
    def image(self) -> str:
        return str(self.container["image"])

    @property
    def class_path(self) -> str:
        """The executor class, "" for a task that runs none."""
        args = self.container.get("args", [])
        return str(args[args.index(CLASS_PATH_FLAG) + 1]) if CLASS_PATH_FLAG in args else ""

    @class_path.setter
    def class_path(self, value: str) -> None:
        args = self.container["args"]
        args[args.index(CLASS_PATH_FLAG) + 1] = value

    @property
    def custom_config(self) -> Dict[str, Any]:
        """The component's custom_config, empty where it has none. Raises CompileError if it is no constant."""
        try:
            text = self.inputs["custom_config"]["runtimeValue"]["constantValue"]["stringValue"]
        except KeyError:
            raise CompileError(
                f"pipeline/pipeline.py: the custom_config of {self.name} is no constant of the job.\n"
                "Expected a dict, so that a release can add where it trains and serves in Google Cloud."
            ) from None
        return json.loads(text) or {}

    @custom_config.setter
    def custom_config(self, value: Mapping[str, Any]) -> None:
        # As tfx/utils/json_utils.py dumps it; no custom_config compiles to null.
        text = json.dumps(value, sort_keys=True) if value else "null"
        self.inputs["custom_config"] = {"runtimeValue": {"constantValue": {"stringValue": text}}}


def tasks_running(job: Job, class_path: str) -> List[ExecutorTask]:
    """Return the job's tasks whose executor is this class, by name."""
    spec = job["pipelineSpec"]
    tasks = (ExecutorTask(spec, name) for name in sorted(spec["root"]["dag"]["tasks"]))
    return [task for task in tasks if task.class_path == class_path]


def required_tasks(job: Job, class_path: str, setting: str) -> List[ExecutorTask]:
    """Return them; CompileError if there are none, though a setting is about them."""
    tasks = tasks_running(job, class_path)
    if not tasks:
        raise CompileError(
            f"pipeline/pipeline.py: the job has no task that runs {class_path}, "
            f"which {setting} in esteira.toml is about.\nExpected TFX's own component there, or the setting's default."
        )
    return tasks


def remove_parameter(job: Job, task: ExecutorTask, key: str) -> None:
    """Take an input from a task and its component, and from the job if no other task takes it."""
    source = task.inputs.pop(key, {}).get("componentInputParameter", "")
    task.component["inputDefinitions"]["parameters"].pop(key, None)
    if source and not takes_parameter(job, source):
        declared_parameters(job).pop(source, None)
        job["runtimeConfig"]["parameters"].pop(source, None)


def takes_parameter(job: Job, name: str) -> bool:
    """Return whether any task takes a runtime parameter of the job."""
    tasks = job["pipelineSpec"]["root"]["dag"]["tasks"].values()
    sources = (source for task in tasks for source in task.get("inputs", {}).get("parameters", {}).values())
    return any(source.get("componentInputParameter") == name for source in sources)


def add_parameter(job: Job, task: ExecutorTask, key: str, value: str) -> None:
    """Give a task an input that is a text parameter of the job of the same name."""
    task.inputs[key] = {"componentInputParameter": key}
    task.component["inputDefinitions"]["parameters"][key] = {"type": "STRING"}
    declared_parameters(job)[key] = {"type": "STRING"}
    job["runtimeConfig"]["parameters"][key] = {"stringValue": value}


def declared_parameters(job: Job) -> Dict[str, Any]:
    declared: Dict[str, Any] = job["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]
    return declared


def filesystem_push(folder: str) -> str:
    """Return a push destination, a PushDestination of TFX as JSON: below a folder or a gs:// URI."""
    return json.dumps({"filesystem": {"base_directory": folder}})
