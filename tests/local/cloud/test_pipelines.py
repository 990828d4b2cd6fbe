from typing import Any, Dict

import pytest

from esteira.local.cloud.pipelines import check_job
from esteira.local.cloud.refusal import Refused
from tests.vertex.scripted import RUN, bound_job, changed


def test_a_bound_job_is_taken() -> None:
    check_job(RUN, bound_job())


def set_label(job: Dict[str, Any]) -> None:
    job["labels"]["release"] = "1.14.0"


def set_root(job: Dict[str, Any]) -> None:
    job["runtimeConfig"]["gcsOutputDirectory"] = "/bucket/root"


def leave_out_a_parameter(job: Dict[str, Any]) -> None:
    del job["runtimeConfig"]["parameters"]["data_uri"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_label, "Invalid label: release: 1.14.0"),
        (set_root, "runtime_config.gcs_output_directory: expected a path in a Cloud Storage bucket"),
        (
            leave_out_a_parameter,
            "runtime_config.parameters: expected data_uri, hyperparameters_uri, modules_uri, push_destination, "
            "schema_uri",
        ),
    ],
)
def test_what_vertex_ai_does_not_take_is_refused(change: Any, message: str) -> None:
    with pytest.raises(Refused) as caught:
        check_job(RUN, changed(bound_job(), change))
    assert str(caught.value) == message


def test_an_id_that_begins_with_a_digit_is_refused() -> None:
    with pytest.raises(Refused, match="^Invalid pipelineJobId: 0123$"):
        check_job("0123", bound_job())
