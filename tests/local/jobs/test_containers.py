"""Jobs whose tasks run in containers of a small image, with the engine of this machine."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

from esteira.errors import ImageError
from esteira.images.descriptor import Descriptor
from esteira.images.engine.container import find_containers
from esteira.images.engine.find import Engine
from esteira.images.engine.load import image_tag, inspect, load_image
from esteira.images.layout import Layout
from esteira.local.jobs.containers import Containers, find_manifest, outside_inputs
from esteira.local.jobs.store import Store
from esteira.settings import Settings
from tests.images.engine.small_image import add_small_image, remove_image, require_engine, unique_script
from tests.local.jobs.handmade import HandmadeJob, run, start_run, states
from tests.local.jobs.test_interruption import is_gone, wait_for

pytestmark = [pytest.mark.programs, pytest.mark.timeout(120)]
# Given its output's folder as $1.
WRITE = 'echo done > "$1/file"'
OF_THE_SHELL_AND_PODMAN = ("PWD", "SHLVL", "_", "TERM", "container")
RESULT = "{{$.outputs.artifacts['result'].uri}}"


@pytest.fixture
def engine() -> Engine:
    return require_engine()


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings(run__isolation="container")


@pytest.fixture
def image(settings: Settings, engine: Engine) -> Iterator[str]:
    """A small image of the state folder, as a job names it."""
    manifest = add_small_image(Layout(settings.state / "images"), unique=unique_script(settings.state))
    yield f"host/project/small@{manifest.digest}"
    if inspect(engine, image_tag("small", manifest)):
        remove_image(engine, image_tag("small", manifest))


def add_script(job: HandmadeJob, name: str, image: str, script: str = WRITE, **options: Any) -> HandmadeJob:
    """Add a task that runs a script of the shell in an image."""
    options.setdefault("outputs", {"result": "tfx.Schema"})
    command = {"image": image, "command": ["sh", "-c"], "args": [script, "sh", RESULT, "{{$}}"]}
    return job.add(name, {"container": command}, **options)


def containers_here(engine: Engine, settings: Settings) -> "set[str]":
    return find_containers(engine, {"dev.esteira.state": str(settings.state)})


def test_a_container_sees_the_image_the_state_folder_and_nothing_else(
    settings: Settings, image: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "told")
    script = (
        'env > "$1/env"; id -u > "$1/id"; test ! -e "$3" && test -w "$HOME" && : > "$HOME/file"; echo $? > "$1/status"'
    )
    job = HandmadeJob(settings.state / "root")
    container = {
        "image": image,
        "command": ["sh", "-c"],
        "args": [script, "sh", RESULT, "{{$}}", str(settings.root)],
        "env": [{"name": "OF_THE_TASK", "value": "1"}],
    }
    job.add("one", {"container": container}, outputs={"result": "tfx.Schema"})
    result = run(job, settings, "r1").require_success()
    folder = Path(result.tasks["one"].outputs["result"][0].uri)
    assert (folder / "status").read_text() == "0\n"
    assert (folder / "id").read_text() == f"{os.getuid()}\n"
    assert (folder / "id").stat().st_uid == os.getuid()
    variables = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines())
    assert variables.pop("HOSTNAME")
    for name in OF_THE_SHELL_AND_PODMAN:
        variables.pop(name, None)
    assert variables == {
        "FROM_IMAGE": "yes",
        "HOME": "/tmp",
        "LOGNAME": "esteira",
        "OF_THE_TASK": "1",
        "PATH": "/bin",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore::FutureWarning",
        "TF_CPP_MIN_LOG_LEVEL": "1",
        "USER": "esteira",
    }
    assert containers_here(engine, settings) == set()


def test_the_cache_is_that_of_the_other_isolations(
    settings: Settings, make_settings: Callable[..., Settings], image: str, engine: Engine
) -> None:
    job = add_script(HandmadeJob(settings.state / "root"), "one", image)
    assert states(run(job, settings, "r1")) == {"one": "succeeded"}
    assert states(run(job, make_settings(run__isolation="process"), "r2")) == {"one": "cached"}
    assert states(run(job, settings, "r3")) == {"one": "cached"}


def test_the_command_takes_the_image_by_its_id_and_the_entry_point_away(settings: Settings) -> None:
    containers = Containers(Engine("docker", {"PATH": "/bin"}), "sha256:abc", settings.state, "r1", [Path("/encoder")])
    request = containers.request(["python", "-m", "module"], {"HOME": "/home/of-the-task"})
    name = f"esteira-r1-{os.getpid()}-1"
    state = str(settings.state)
    assert request["command"] == [
        *("docker", "run", "--rm", "--init", "--log-driver", "none", "--name", name),
        *("--label", f"dev.esteira.state={state}", "--label", "dev.esteira.run=r1"),
        *("--user", f"{os.getuid()}:{os.getgid()}"),
        *("--mount", f"type=bind,source={state},target={state}"),
        *("--mount", "type=bind,source=/encoder,target=/encoder,readonly"),
        *("--env", "HOME=/home/of-the-task", "--env", "USER=esteira", "--env", "LOGNAME=esteira"),
        *("--entrypoint", "python", "sha256:abc", "-m", "module"),
    ]
    assert request["end"] == ["docker", "rm", "--force", name]
    assert request["env"] == {"PATH": "/bin"}
    assert containers.request(["sh"], {})["end"][-1] == f"esteira-r1-{os.getpid()}-2"


def test_an_encoder_that_lies_elsewhere_is_an_input(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    hub = {"training__encoder": "hub"}
    assert outside_inputs(make_settings(training__hub_module=str(encoder))) == []
    assert outside_inputs(make_settings(**hub, training__hub_module=str(encoder))) == [encoder]
    assert outside_inputs(make_settings(**hub, training__hub_module=str(tmp_path / "lost"))) == []
    assert outside_inputs(make_settings(**hub, training__hub_module="https://example.org/encoder")) == []


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["sh", "-c", "exit 3"], "left with status 3."),
        (["sh", "-c", "kill -9 $$"], "was killed in its container, by kill -9 or for lack of memory (status 137 of "),
        (["sh", "-c", "kill -15 $$"], "was ended in its container by the signal SIGTERM."),
        (["python"], "cannot be run: the image has no such program (status 127 of docker run)."),
        (["/tmp"], "could not be started in the image (status 126 of docker run)."),
    ],
)
def test_how_a_container_ended_is_told(
    settings: Settings, image: str, engine: Engine, command: List[str], told: str
) -> None:
    if engine.program == "podman" and "docker" in told:
        pytest.skip("Podman's init leaves with status 1, and says in the log what it misses")
    job = HandmadeJob(settings.state / "root")
    job.add("one", {"container": {"image": image, "command": command}})
    result = run(job, settings, "r1")
    assert f"task one: its command {told}" in result.tasks["one"].error


def test_a_failure_of_the_engine_is_told_with_its_words(settings: Settings, image: str, engine: Engine) -> None:
    lost = settings.state.parent / "lost"
    _, manifest = find_manifest(Layout(settings.state / "images"), image)
    loaded = load_image(Layout(settings.state / "images"), manifest, image_tag("small", manifest), engine)
    containers = Containers(engine, loaded, settings.state, "r1", [lost])
    request = containers.request(["sh", "-c", "exit 0"], {})
    done = subprocess.run(request["command"], env=request["env"], capture_output=True, encoding="utf-8")
    assert done.returncode == 125
    assert str(lost) in done.stderr


def test_a_module_that_the_image_lacks_fails_the_task(settings: Settings, engine: Engine) -> None:
    """As with Python: the module lies in the repository, and the image does not have it."""
    layout = Layout(settings.state / "images")
    python = '#!/bin/sh\ntest -e "$2" || { echo "No module named $2" >&2; exit 1; }\n'
    manifest = add_small_image(layout, python=python, unique=unique_script(settings.state))
    job = HandmadeJob(settings.state / "root")
    job.add("one", {"container": {"image": f"small@{manifest.digest}", "command": ["python", "-m", "esteira"]}})
    error = run(job, settings, "r1").tasks["one"].error
    remove_image(engine, image_tag("small", manifest))
    assert error.startswith("task one: its command left with status 1.\nThe end of its log:\n  No module named esteira")


class Lingering:
    """A run whose container stays for ten minutes unless told, in a process of its own."""

    def __init__(self, settings: Settings, image: str, engine: Engine, trap: str = "") -> None:
        self.settings, self.engine = settings, engine
        self.there, self.again = settings.state / "there", settings.state / "again"
        linger = f'{trap} if ! test -e "{self.again}"; then : > "{self.there}"; while :; do sleep 600; done; fi;'
        self.job = add_script(HandmadeJob(settings.state / "root"), "one", image)
        add_script(self.job, "two", image, linger + WRITE, after=["one"])
        self.runner = start_run(self.job, settings, "r1")
        wait_for(self.there.exists)
        assert len(containers_here(engine, settings)) == 1

    @property
    def server(self) -> int:
        """The id of the process that starts tasks."""
        children = Path(f"/proc/{self.runner.pid}/task/{self.runner.pid}/children").read_text(encoding="utf-8")
        return int(children.split()[0])

    def check_going_on(self, run_id: str) -> None:
        self.again.touch()
        assert states(run(self.job, self.settings, run_id)) == {"one": "cached", "two": "succeeded"}
        assert containers_here(self.engine, self.settings) == set()


TRAPS = ["", 'trap "" TERM INT;']


@pytest.mark.parametrize("trap", TRAPS, ids=["that ends", "that hears no signal"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_container(
    settings: Settings, image: str, engine: Engine, number: int, trap: str
) -> None:
    lingering = Lingering(settings, image, engine, trap)
    lingering.runner.send_signal(number)
    output, _ = lingering.runner.communicate(timeout=60)
    assert "KeyboardInterrupt" in output
    assert "- two: cancelled" in output
    assert containers_here(engine, settings) == set()
    with Store(settings.state / "metadata.sqlite") as store:
        assert store.executions_of("r1") == [("one", "COMPLETE"), ("two", "CANCELLED")]
    lingering.check_going_on("r2")


def test_a_run_that_was_killed_takes_its_container_with_it(settings: Settings, image: str, engine: Engine) -> None:
    lingering = Lingering(settings, image, engine, TRAPS[1])
    server = lingering.server
    lingering.runner.kill()
    lingering.runner.wait()
    wait_for(lambda: is_gone(server))
    assert containers_here(engine, settings) == set()
    lingering.check_going_on("r1")


@pytest.mark.parametrize("run_id", ["r1", "r2"])
def test_a_container_that_outlived_all_is_removed_by_the_next_run(
    settings: Settings, image: str, engine: Engine, run_id: str
) -> None:
    lingering = Lingering(settings, image, engine)
    # Nobody is left to end it.
    os.kill(lingering.server, signal.SIGSTOP)
    server = lingering.server
    lingering.runner.kill()
    lingering.runner.wait()
    os.kill(server, signal.SIGKILL)
    wait_for(lambda: is_gone(server))
    assert len(containers_here(engine, settings)) == 1
    lingering.check_going_on(run_id)


def test_the_containers_of_a_run_that_goes_on_are_let_be(settings: Settings, image: str, engine: Engine) -> None:
    lingering = Lingering(settings, image, engine)
    other = add_script(HandmadeJob(settings.state / "root", "other"), "three", image)
    assert states(run(other, settings, "r2")) == {"three": "succeeded"}
    assert len(containers_here(engine, settings)) == 1
    assert lingering.runner.poll() is None
    lingering.runner.terminate()
    lingering.runner.communicate(timeout=60)
    assert containers_here(engine, settings) == set()


def test_the_end_of_the_process_that_starts_tasks_ends_their_containers(
    settings: Settings, image: str, engine: Engine
) -> None:
    lingering = Lingering(settings, image, engine, TRAPS[1])
    os.kill(lingering.server, signal.SIGKILL)
    output, _ = lingering.runner.communicate(timeout=60)
    assert "the process that starts tasks was ended by the signal SIGKILL" in output
    assert containers_here(engine, settings) == set()


def test_the_end_of_the_engines_client_ends_its_container(settings: Settings, image: str, engine: Engine) -> None:
    lingering = Lingering(settings, image, engine, TRAPS[1])
    children = Path(f"/proc/{lingering.server}/task/{lingering.server}/children").read_text(encoding="utf-8")
    os.kill(int(children.split()[0]), signal.SIGKILL)
    output, _ = lingering.runner.communicate(timeout=60)
    assert "task two: its command lost its container, as " in output
    assert containers_here(engine, settings) == set()


def test_an_image_that_is_not_here_is_told_before_anything_runs(settings: Settings) -> None:
    image = f"local@sha256:{'1' * 64}"
    job = add_script(HandmadeJob(settings.state / "root"), "one", image)
    with pytest.raises(ImageError) as caught:
        run(job, settings, "r1")
    assert str(caught.value) == (
        f"{image}: is no image in {settings.state}/images, and ISOLATION=container runs tasks in one.\n"
        "Expected the image of the release: it was skipped since its base could not be had, or removed since.\n"
        "Run: make deploy-full ISOLATION=container where the base can be had, or take ISOLATION=fork"
    )
    with Store(settings.state / "metadata.sqlite") as store:
        assert store.executions_of("r1") == []


def test_a_tag_is_no_name_of_an_image(settings: Settings) -> None:
    with pytest.raises(ImageError, match=r"^host/small:latest: is no image in "):
        find_manifest(Layout(settings.state / "images"), "host/small:latest")


def test_a_job_needs_an_images_manifest(settings: Settings) -> None:
    layout = Layout(settings.state / "images")
    other: Descriptor = layout.add("application/json", b"{}")
    with pytest.raises(ImageError) as caught:
        find_manifest(layout, f"small@{other.digest}")
    assert str(caught.value) == (
        f'{layout.blob(other.digest)}: is of the type ""; expected one image\'s manifest. Run: make images'
    )
