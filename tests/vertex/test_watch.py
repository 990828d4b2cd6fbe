from typing import Callable

import pytest

from esteira.errors import GoogleError
from esteira.local.cloud.faults import Fault
from esteira.vertex.watch import watch_run
from tests.vertex.scripted import LINK, RUN, Project

pytestmark = pytest.mark.loopback
GET = "aiplatform.projects.locations.pipelineJobs.get"
MakeProject = Callable[..., Project]


def test_a_run_that_nobody_answers_for_is_given_up_after_a_while(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "RUNNING"})
    project.add_run()
    project.stand_in.faults.add(Fault(GET, "unavailable", times=99))
    with pytest.raises(GoogleError) as caught:
        watch_run(project.api(0.0), project.settings, RUN, project.said.append, pause=project.pause, patience_s=4.0)
    assert project.paused_s == [1.0, 1.5, 2.25]
    assert str(caught.value) == (
        "Google Cloud: cannot look at the run: The service is currently unavailable.\n"
        f"Run the command again: it goes on from what is there.\nThe run goes on: {LINK}"
    )


def test_looks_become_fewer_up_to_the_setting(make_project: MakeProject) -> None:
    project = make_project(*[{"Trainer": "RUNNING"}] * 9)
    project.add_run()
    cloud = project.settings.cloud.copy(update={"poll_s": 5})
    settings = project.settings.copy(update={"cloud": cloud})
    watch_run(project.api(), settings, RUN, project.said.append, pause=project.pause)
    assert project.paused_s == [1.0, 1.5, 2.25, 3.375, 5, 5, 5, 5, 5]
