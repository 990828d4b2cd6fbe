"""The order of a job's tasks."""

from typing import Dict, List, Mapping, Set

from esteira.errors import JobError
from esteira.local.jobs.spec import Job, RuntimeParameter, Task, TaskOutput


def producers(task: Task) -> Set[str]:
    """Return the names of the tasks that `task` waits for."""
    outputs = [source.task for source in task.artifacts.values()]
    outputs += [source.task for source in task.parameters.values() if isinstance(source, TaskOutput)]
    return {*outputs, *task.depends_on}


def build_graph(job: Job) -> Dict[str, Set[str]]:
    """Return, for each task in a topological order, the tasks that it waits for.

    Raises JobError for an input that nothing puts out, an unknown runtime parameter, or a cycle.
    """
    graph = {name: producers(task) for name, task in job.tasks.items()}
    for name, task in job.tasks.items():
        check_dependencies(name, graph[name], job)
        check_inputs(task, job)
    return {name: graph[name] for name in sorted_tasks(graph)}


def check_dependencies(name: str, dependencies: Set[str], job: Job) -> None:
    for producer in sorted(dependencies - set(job.tasks)):
        raise JobError(
            f"task {name}: waits for {producer}, which is no task of the job.\n"
            f"Expected one of: {', '.join(sorted(job.tasks))}. Compile the job again: .venv/bin/inv compile"
        )


def check_inputs(task: Task, job: Job) -> None:
    for key, source in task.artifacts.items():
        check_output(task.name, key, source, job.tasks[source.task].outputs)
    for key, value in task.parameters.items():
        if isinstance(value, TaskOutput):
            check_output(task.name, key, value, job.tasks[value.task].output_parameters)
        elif isinstance(value, RuntimeParameter) and value.name not in job.parameters:
            raise JobError(
                f"task {task.name}: its parameter {key} takes the runtime parameter {value.name}, which "
                "the job does not declare or which has no value. Compile the job again: .venv/bin/inv compile"
            )


def check_output(name: str, key: str, source: TaskOutput, outputs: Mapping[str, object]) -> None:
    if source.key not in outputs:
        raise JobError(
            f"task {name}: its input {key} takes {source.key} of {source.task}, which puts out "
            f"{', '.join(sorted(outputs)) or 'nothing'}. Compile the job again: .venv/bin/inv compile"
        )


def sorted_tasks(graph: Mapping[str, Set[str]]) -> List[str]:
    """Return the tasks, each after those that it waits for, else by name."""
    order: List[str] = []
    left = dict(graph)
    while left:
        ready = sorted(name for name, waits_for in left.items() if waits_for.issubset(order))
        if not ready:
            raise JobError(f"job: these tasks wait for each other: {', '.join(sorted(left))}. Remove the cycle.")
        order += ready
        for name in ready:
            del left[name]
    return order
