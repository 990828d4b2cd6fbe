from pathlib import Path

import pytest

from esteira.errors import ImageError
from esteira.images.bases import read_bases
from esteira.images.spec import NAMES, base_of, place_of, read_spec
from tests.conftest import REPOSITORY
from tests.images.image_made import RUNTIME
from tests.images.test_bases import PINNED
from tests.repositories import write


def faults(root: Path, before: str, after: str) -> str:
    """Return what is told of a specification in which one text was replaced."""
    assert before in RUNTIME
    write(root / "docker" / "runtime.toml", RUNTIME.replace(before, after))
    with pytest.raises(ImageError) as caught:
        read_spec(root, "runtime")
    return str(caught.value)


def test_the_specifications_of_this_repository_are_sound() -> None:
    for name in NAMES:
        spec = read_spec(REPOSITORY, name)
        assert base_of(REPOSITORY, name, spec).digest.startswith("sha256:")
        assert spec.user == "65532:65532"


def test_a_specification_is_read(tmp_path: Path) -> None:
    write(tmp_path / "docker" / "runtime.toml", RUNTIME)
    assert read_spec(tmp_path, "runtime").dict() == {
        "base": "python",
        "lock": "requirements.lock",
        "folders": ["esteira", "pipeline"],
        "workdir": "/app",
        "entrypoint": [],
        "command": ["python"],
        "user": "65532:65532",
        "env": {"PYTHONPATH": "/app", "HOME": "/tmp"},
        "labels": {"org.opencontainers.image.title": "a tiny image"},
    }


PATHS = "expected a path below the repository, without . and .."
FOLDERS = "expected esteira, pipeline, docker or a folder below them"
LOCKS = "expected requirements.lock, from which make lock makes the wheels"


def outside(folder: str) -> str:
    return f"expected a folder outside {folder}, such as /app: it has a mode of its own."


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("workdir =", "workdirs =", ["workdir is missing.", "workdirs: unknown key. Perhaps you meant workdir."]),
        ('base = "python"\n', "", ["base is missing."]),
        ('["esteira", "pipeline"]', '["../elsewhere"]', [f'folders has "../elsewhere"; {PATHS}.']),
        ('["esteira", "pipeline"]', '["/etc"]', [f'folders has "/etc"; {PATHS}.']),
        ('["esteira", "pipeline"]', '["esteira/../../x"]', [f'folders has "esteira/../../x"; {PATHS}.']),
        ('["esteira", "pipeline"]', '["."]', [f'folders has "."; {PATHS}.']),
        ('["esteira", "pipeline"]', '[""]', [f'folders has ""; {PATHS}.']),
        ('["esteira", "pipeline"]', '["modules"]', [f'folders has "modules"; {FOLDERS}.']),
        ('["esteira", "pipeline"]', '"esteira"', ["folders value is not a valid list."]),
        ('"requirements.lock"', '"requirements.in"', [f'lock is "requirements.in"; {LOCKS}.']),
        ('"requirements.lock"', '"requirements-dev.lock"', [f'lock is "requirements-dev.lock"; {LOCKS}.']),
        ('"requirements.lock"', '"requirement.lock"', [f'lock is "requirement.lock"; {LOCKS}.']),
        ('"requirements.lock"', '"pipeline/own.lock"', [f'lock is "pipeline/own.lock"; {LOCKS}.']),
        ('"requirements.lock"', '"requirements.wheels"', [f'lock is "requirements.wheels"; {LOCKS}.']),
        ('"requirements.lock"', '"../requirements.lock"', [f'lock has "../requirements.lock"; {PATHS}.']),
        ('"/app"\nentry', '"app"\nentry', ['workdir is "app"; expected an absolute folder such as /app.']),
        ('"/app"\nentry', '"/"\nentry', ['workdir is "/"; expected an absolute folder such as /app.']),
        ('"/app"\nentry', '"/tmp"\nentry', [f'workdir is "/tmp"; {outside("/tmp")}']),
        ('"/app"\nentry', '"/tmp/app"\nentry', [f'workdir is "/tmp/app"; {outside("/tmp")}']),
        ('"/app"\nentry', '"/var/tmp/app"\nentry', [f'workdir is "/var/tmp/app"; {outside("/var/tmp")}']),
        ('"/app"\nentry', '"/root/app"\nentry', [f'workdir is "/root/app"; {outside("/root")}']),
        ('"65532:65532"', '"0:0"', ['user is "0:0", root; expected another user, such as 65532:65532.']),
        ('"65532:65532"', '"00:5"', ['user is "00:5", root; expected another user, such as 65532:65532.']),
        ('"65532:65532"', '"root"', ['user is "root"; expected uid:gid in numbers, such as 65532:65532.']),
        (
            'HOME = "/tmp"',
            'PATH = "/bin"',
            ['env has "PATH"; expected names of variables, PATH apart, which is made of the base\'s.'],
        ),
        (
            'HOME = "/tmp"',
            '"A-B" = "/bin"',
            ['env has "A-B"; expected names of variables, PATH apart, which is made of the base\'s.'],
        ),
        (
            '"org.opencontainers.image.title"',
            '"Title!"',
            ['labels is "Title!"; expected a label such as org.opencontainers.image.title.'],
        ),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, before: str, after: str, told: "list[str]") -> None:
    assert faults(tmp_path, before, after).splitlines() == [f"docker/runtime.toml: {line}" for line in told]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = RUNTIME.replace("65532:65532", "0:0").replace('"/app"\nentry', '"app"\nentry').replace('base = "python"', "")
    write(tmp_path / "docker" / "runtime.toml", text)
    with pytest.raises(ImageError) as caught:
        read_spec(tmp_path, "runtime")
    assert str(caught.value).splitlines() == [
        "docker/runtime.toml: base is missing.",
        'docker/runtime.toml: workdir is "app"; expected an absolute folder such as /app.',
        'docker/runtime.toml: user is "0:0", root; expected another user, such as 65532:65532.',
    ]


def test_a_specification_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        read_spec(tmp_path, "runtime")
    assert str(caught.value) == "docker/runtime.toml: no such file. Run: git checkout -- docker/runtime.toml"


def test_a_specification_that_is_no_toml_is_told(tmp_path: Path) -> None:
    write(tmp_path / "docker" / "runtime.toml", "base = python\n")
    with pytest.raises(ImageError) as caught:
        read_spec(tmp_path, "runtime")
    assert str(caught.value) == (
        "docker/runtime.toml: is not TOML: Invalid value (at line 1, column 8). "
        'Expected lines such as: lock = "requirements.lock"'
    )


def test_a_specification_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "docker" / "runtime.toml").mkdir(parents=True)
    with pytest.raises(ImageError) as caught:
        read_spec(tmp_path, "runtime")
    assert str(caught.value) == "docker/runtime.toml: cannot be read: Is a directory."


def test_a_folder_whose_name_begins_like_another_may_be_worked_in(tmp_path: Path) -> None:
    write(tmp_path / "docker" / "runtime.toml", RUNTIME.replace('"/app"\nentry', '"/tmpfiles"\nentry'))
    assert read_spec(tmp_path, "runtime").workdir == "/tmpfiles"


def test_a_base_that_nobody_pinned_is_told(tmp_path: Path) -> None:
    write(tmp_path / "docker" / "bases.toml", PINNED)
    write(tmp_path / "docker" / "runtime.toml", RUNTIME.replace('base = "python"', 'base = "pyhton"'))
    with pytest.raises(ImageError) as caught:
        base_of(tmp_path, "runtime", read_spec(tmp_path, "runtime"))
    assert str(caught.value) == (
        'docker/runtime.toml: base is "pyhton", which docker/bases.toml has no table of. '
        "Perhaps you meant python. There are: debian, python."
    )


def test_packages_lie_in_an_environment_on_the_bases_interpreter(tmp_path: Path) -> None:
    write(tmp_path / "docker" / "bases.toml", PINNED)
    place = place_of(read_bases(tmp_path)["python"])
    assert (place.prefix, place.python, place.interpreter) == (
        "/opt/venv",
        "/usr/local/bin/python3.8",
        "/opt/venv/bin/python",
    )
