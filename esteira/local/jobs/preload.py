"""What the fork server imports once, so that its children need not.

The first group is what TFX's driver and executor entry points import themselves, without
which nothing can start. The second is imported while the first tasks run: what user code
imports. Measured on two cores: 12 s and 4 s. Only imports: a TensorFlow operation in the
parent would start threads, which a fork loses.
"""

import contextlib
import gc
import importlib
from typing import Iterator, Sequence, Tuple

EXECUTOR = "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor"
DRIVER = "tfx.orchestration.kubeflow.v2.file_based_example_gen.driver"
NEEDED = (
    "runpy",
    "apache_beam",
    "tensorflow",
    "tfx.components",
    "tfx.components.example_gen.driver",
    "tfx.components.example_gen.input_processor",
    "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_entrypoint_utils",
    "tfx.orchestration.portable.outputs_utils",
    "apache_beam.runners.portability.portable_runner",
    "apache_beam.typehints.opcodes",
)
USEFUL = (
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "tfx.v1",
    "keras.api._v2.keras",
    "tensorflow_data_validation",
    "tensorflow_model_analysis",
    "tensorflow_transform.beam",
)


# How many more objects than now start a collection; Python's 700 costs tasks 5 to 8 % of their CPU time.
COLLECT_AFTER = 50_000


def can_fork(command: Sequence[str]) -> bool:
    """Whether the command is one of TFX's entry points, which a forked child can run."""
    return len(command) >= 3 and command[1] == "-m" and command[2] in (EXECUTOR, DRIVER)


def import_modules(names: Tuple[str, ...]) -> Iterator[str]:
    """Import modules one by one, and yield after each. One that does not import is left to the children."""
    for name in names:
        gc.disable()
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
        # What is there now stays: keep the collector off it, and its pages shared with the children.
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        gc.enable()
        yield name
