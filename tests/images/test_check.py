"""Checking images whose Python is a script, with the engine of this machine."""

import os
from pathlib import Path
from typing import List, Tuple

import pytest

from esteira.errors import ImageError
from esteira.images.check import check_image, hints
from esteira.images.engine.find import Engine
from esteira.images.engine.load import image_tag
from esteira.images.layout import Layout
from esteira.settings import Settings
from tests.images.engine.small_image import add_small_image, remove_image, require_engine, unique_script
from tests.repositories import write

pytestmark = pytest.mark.programs
AGAIN = "Then run: make images && make image-check"


@pytest.fixture
def engine() -> Engine:
    return require_engine()


def check(settings: Settings, engine: Engine, **scripts: str) -> Tuple[List[str], str, str]:
    """Check a small image; return the lines that were told, its tag, and the error's text."""
    layout = Layout(settings.state / "images")
    manifest = add_small_image(layout, **scripts, unique=unique_script(settings.state))
    lines: List[str] = []
    error = ""
    try:
        check_image(settings, manifest, os.environ, lines.append)
    except ImageError as caught:
        error = str(caught)
    tag = image_tag("runtime", manifest)
    remove_image(engine, tag)
    assert lines.pop(0).startswith(f"{engine.program} is given {tag}: ")
    return lines, tag, error


def script(*lines: str, status: int = 0) -> str:
    told = "".join(f"echo '{line}'\n" for line in lines)
    return f"#!/bin/sh\n{told}exit {status}\n"


def test_an_image_that_holds_all_is_told_line_by_line(settings: Settings, engine: Engine) -> None:
    lines, _, error = check(settings, engine, python=script("✓ pipeline.pipeline", "✓ pipeline.report.Report_Executor"))
    assert (lines, error) == (["✓ pipeline.pipeline", "✓ pipeline.report.Report_Executor"], "")


def test_the_repository_gives_the_image_its_modules_and_nothing_else(settings: Settings, engine: Engine) -> None:
    seen = '#!/bin/sh\nfor path in "$3"/*; do echo "$path"; done; echo "$1 $2"\n'
    lines, _, error = check(settings, engine, python=seen)
    assert (lines, error) == ([str(settings.root / "modules"), "-m esteira.images.inside"], "")


def test_what_is_missing_is_told_with_the_file_to_add_it_to(settings: Settings, engine: Engine) -> None:
    failures = [
        "✗ pipeline.one.Executor: ModuleNotFoundError: No module named pipeline.report",
        "✗ pipeline.two.Executor: ModuleNotFoundError: No module named pipeline.lost",
        "✗ three.Executor: ModuleNotFoundError: No module named matplotlib.pyplot",
        "✗ pipeline.four.Executor: ModuleNotFoundError: No module named tests.make",
    ]
    lines, tag, error = check(settings, engine, python=script("✓ pipeline.pipeline", *failures, status=1))
    assert lines == ["✓ pipeline.pipeline", *failures]
    assert error.splitlines() == [
        f"{tag}: lacks what the pipeline needs:",
        *failures,
        "matplotlib.pyplot: add the package that holds it to requirements.in, and run: make lock",
        "pipeline.lost: is neither in the image nor in this repository. Add it below pipeline/.",
        "pipeline.report: is in this repository and not in the image. Is it ignored by git? "
        "See: git check-ignore -v pipeline/report.py",
        "tests.make: is at tests/make.py. Move it below pipeline/ (an image holds nothing else of the repository).",
        AGAIN,
    ]


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("pipeline.own", "is in this repository and not in the image. Is it ignored by git? See: {see}/own.py"),
        ("pipeline.deep", "is in this repository and not in the image. Is it ignored by git? See: {see}/deep"),
        ("pipeline.lost", "is neither in the image nor in this repository. Add it below pipeline/."),
        ("common", "is at common. {move}"),
        ("common.rows", "is at common/rows.py. {move}"),
        ("docker", "add the package that holds it to requirements.in, and run: make lock"),
        ("yaml.nodes", "add the package that holds it to requirements.in, and run: make lock"),
    ],
)
def test_a_module_is_to_be_added_where_an_image_can_hold_it(tmp_path: Path, module: str, told: str) -> None:
    for path in ("pipeline/own.py", "pipeline/deep/model.py", "common/rows.py", "docker/runtime.toml"):
        write(tmp_path / path, "")
    line = f"✗ pipeline.pipeline: ModuleNotFoundError: No module named '{module}'"
    move = "Move it below pipeline/ (an image holds nothing else of the repository)."
    told = told.format(move=move, see="git check-ignore -v pipeline")
    assert hints(tmp_path, [line]) == [f"{module}: {told}", AGAIN]


def test_another_failure_is_to_be_mended_in_the_pipeline(settings: Settings, engine: Engine) -> None:
    failure = "✗ pipeline.pipeline: ValueError: unknown label"
    _, tag, error = check(settings, engine, python=script(failure, status=1))
    assert error.splitlines() == [
        f"{tag}: lacks what the pipeline needs:",
        failure,
        "Mend it below pipeline/, then run: make images && make image-check",
    ]


def test_an_image_without_the_engines_code_is_told(settings: Settings, engine: Engine) -> None:
    python = "#!/bin/sh\necho '/opt/venv/bin/python: No module named esteira.images.inside' >&2\nexit 1\n"
    lines, tag, error = check(settings, engine, python=python)
    assert lines == []
    assert error.splitlines() == [
        f"{tag}: python -m esteira.images.inside left with status 1:",
        "/opt/venv/bin/python: No module named esteira.images.inside",
        "esteira.images.inside: is in this repository and not in the image. Is it ignored by git? "
        "See: git check-ignore -v esteira/images/inside.py",
        AGAIN,
    ]


def test_an_image_without_python_is_told(settings: Settings, engine: Engine) -> None:
    _, tag, error = check(settings, engine)
    # Podman's init leaves with status 1, and says what it misses.
    missing = "cannot be run: the image has no such program (status 127 of docker run)"
    how = missing if engine.program == "docker" else "left with status 1"
    assert error.splitlines()[0] == f"{tag}: python -m esteira.images.inside {how}:"


def test_without_an_engine_the_check_says_what_to_install(settings: Settings, tmp_path: Path) -> None:
    manifest = add_small_image(Layout(settings.state / "images"))
    with pytest.raises(ImageError, match="no container engine answers here"):
        check_image(settings, manifest, {"PATH": str(tmp_path)}, print)
