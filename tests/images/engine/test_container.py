import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from esteira.images.engine.container import (
    Container,
    Mount,
    find_containers,
    mount_option,
    remove_containers,
    run_command,
    user_arguments,
)
from esteira.images.engine.find import Engine
from esteira.images.engine.load import image_tag, load_image
from esteira.images.layout import Layout
from tests.images.engine.small_image import add_small_image, remove_image, require_engine, unique_script

IMAGE = "sha256:" + "0" * 64
DOCKER, PODMAN = Engine("docker", {}), Engine("podman", {}, rootless=True)


def test_the_whole_command_of_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 1000)
    monkeypatch.setattr("os.getgid", lambda: 1001)
    container = Container(
        name="esteira-r1-7-1",
        image=IMAGE,
        command=["python", "-m", "module", "--flag"],
        labels={"dev.esteira.state": "/home/a b/.esteira"},
        env={"HOME": "/tmp", "NOTE": "two\nlines"},
        mounts=[Mount(Path("/home/a b/.esteira")), Mount(Path("/models/one, two"), read_only=True)],
        as_caller=True,
    )
    state = ["--label", "dev.esteira.state=/home/a b/.esteira"]
    mounts = ["--mount", "type=bind,source=/home/a b/.esteira,target=/home/a b/.esteira"]
    mounts += ["--mount", 'type=bind,"source=/models/one, two","target=/models/one, two",readonly']
    env = ["--env", "HOME=/tmp", "--env", "NOTE=two\nlines"]
    start = ["run", "--rm", "--init", "--log-driver", "none", "--name", "esteira-r1-7-1"]
    end = ["--entrypoint", "python", IMAGE, "-m", "module", "--flag"]
    assert run_command(DOCKER, container) == ["docker", *start, *state, "--user", "1000:1001", *mounts, *env, *end]
    assert run_command(PODMAN, container) == [
        *("podman", *start, *state, "--userns=keep-id", "--user", "1000:1001"),
        *(*mounts, "--security-opt", "label=disable", *env, *end),
    ]


def test_a_container_runs_as_the_user_of_its_image_unless_told() -> None:
    command = run_command(DOCKER, Container("one", IMAGE, ["sh"]))
    assert command == [
        *("docker", "run", "--rm", "--init", "--log-driver", "none", "--name", "one"),
        *("--entrypoint", "sh", IMAGE),
    ]


@pytest.mark.parametrize(
    ("engine", "arguments"),
    [
        (Engine("docker", {}), ["--user", "7:8"]),
        (Engine("docker", {}, rootless=True), ["--user", "0:0"]),
        (Engine("podman", {}), ["--user", "7:8"]),
        (Engine("podman", {}, rootless=True), ["--userns=keep-id", "--user", "7:8"]),
    ],
)
def test_what_a_container_writes_belongs_to_the_caller(engine: Engine, arguments: "list[str]") -> None:
    assert user_arguments(engine, 7, 8) == arguments


def test_a_quote_in_a_path_is_no_end_of_a_field() -> None:
    assert mount_option(Mount(Path('/a"b'))) == 'type=bind,"source=/a""b","target=/a""b"'


@pytest.fixture
def engine() -> Engine:
    return require_engine()


@pytest.fixture
def image(engine: Engine, tmp_path: Path) -> Iterator[str]:
    layout = Layout(tmp_path / "images")
    manifest = add_small_image(layout, unique=unique_script(tmp_path))
    yield load_image(layout, manifest, image_tag("small", manifest), engine)
    remove_image(engine, image_tag("small", manifest))


@pytest.mark.programs
@pytest.mark.parametrize("folder", ["plain", "with a space", 'a "quote", and a comma'])
def test_a_container_sees_its_mounts_and_writes_as_the_caller(
    engine: Engine, image: str, tmp_path: Path, folder: str
) -> None:
    shared, given = tmp_path / folder, tmp_path / "given"
    shared.mkdir()
    given.mkdir()
    script = 'echo "$FROM_IMAGE $TOLD" > "$1/file"; touch "$2/file" || exit 3'
    container = Container(
        name=f"esteira-test-{tmp_path.name}",
        image=image,
        command=["sh", "-c", script, "sh", str(shared), str(given)],
        env={"TOLD": "a b"},
        mounts=[Mount(shared), Mount(given, read_only=True)],
        as_caller=True,
    )
    done = subprocess.run(run_command(engine, container), env=dict(engine.environ), capture_output=True)
    assert done.returncode == 3, done.stderr
    assert b"ead-only file system" in done.stderr
    assert (shared / "file").read_text() == "yes a b\n"
    assert (shared / "file").stat().st_uid == tmp_path.stat().st_uid


@pytest.mark.programs
def test_containers_are_found_by_their_labels_and_removed_whatever_they_do(
    engine: Engine, image: str, tmp_path: Path
) -> None:
    names = [f"esteira-test-{tmp_path.name}-{number}" for number in range(3)]
    for number, name in enumerate(names):
        labels = {"dev.esteira.test": str(tmp_path), "number": str(number)}
        command = run_command(engine, Container(name, image, ["sleep", "600"], labels))
        engine.ask(command[1], "--detach", *command[2:])
    both = {"dev.esteira.test": str(tmp_path)}
    found = find_containers(engine, both)
    assert len(found) == 3
    one = find_containers(engine, {**both, "number": "1"})
    assert len(one) == 1
    remove_containers(engine, one)
    assert find_containers(engine, both) == found - one
    remove_containers(engine, found)
    assert find_containers(engine, both) == set()
