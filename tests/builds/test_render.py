import shutil
from pathlib import Path
from typing import Callable, Dict

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from esteira.builds.render import check_builds, quote, render_build, write_builds
from esteira.errors import TemplateError
from esteira.settings import Settings, load_settings

CLOUD = """
[environments.staging]
project = "my-project-1"
region = "europe-west1"
bucket = "my-bucket"
repository = "releases"
"""
SOUND = 'steps:\n  - name: "${_BUILDER}"\n    args: [a]\nsubstitutions: {_BUILDER: ""}\n'


@pytest.fixture
def root(tmp_path: Path, settings: Settings) -> Path:
    """Return a copy of the repository's templates and what they made."""
    folder = tmp_path / "a repo"
    shutil.copytree(settings.root / "cloudbuild", folder / "cloudbuild")
    return folder


def settings_of(root: Path, environ: Dict[str, str] = {}, **build: str) -> Settings:  # noqa: B006
    return load_settings(root, environ, {f"build.{key}": value for key, value in build.items()})


def write_template(root: Path, text: str, name: str = "full.yaml.j2") -> None:
    (root / "cloudbuild" / name).write_text(text, encoding="utf-8")


def test_the_committed_files_are_what_the_templates_make(settings: Settings) -> None:
    check_builds(settings)


def test_rendering_twice_gives_the_same_text(settings: Settings) -> None:
    assert render_build("full.yaml.j2", settings) == render_build("full.yaml.j2", settings)


def test_the_file_does_not_depend_on_the_environment(root: Path) -> None:
    (root / "esteira.toml").write_text(CLOUD)
    here, there = settings_of(root), settings_of(root, {"ESTEIRA_ENV": "staging"})
    assert not there.is_local
    assert render_build("full.yaml.j2", here) == render_build("full.yaml.j2", there)


def test_the_first_line_says_where_the_file_comes_from(settings: Settings) -> None:
    first = render_build("full.yaml.j2", settings).splitlines()[0]
    assert first == "# Made by make generate from cloudbuild/full.yaml.j2; do not edit."


def test_the_settings_of_the_build_reach_the_file(root: Path) -> None:
    build = yaml.safe_load(render_build("full.yaml.j2", settings_of(root, machine_type="E2_MEDIUM", timeout_s="600")))
    assert build["options"]["machineType"] == "E2_MEDIUM"
    assert build["timeout"] == "600s"
    assert {step["timeout"] for step in build["steps"]} == {"600s", "300s"}


def test_writing_changes_only_what_drifted(root: Path) -> None:
    path = root / "cloudbuild" / "full.yaml"
    made = settings_of(root)
    write_builds(made)
    assert write_builds(made) == []
    path.write_text("# mine\n" + path.read_text())
    assert write_builds(made) == [path]
    check_builds(made)


def test_a_check_names_each_file_that_drifted_and_how(root: Path) -> None:
    with pytest.raises(TemplateError) as caught:
        write_builds(settings_of(root))
        check_builds(settings_of(root, timeout_s="9000", machine_type="E2_MEDIUM"))
    message = str(caught.value)
    assert message.startswith("cloudbuild/full.yaml: is not what its template makes.\n--- committed\n+++ made\n")
    assert "\n+  machineType: E2_MEDIUM\n" in message
    assert message.endswith("\nRun: make generate")


def test_a_file_that_was_never_made_has_drifted(root: Path) -> None:
    (root / "cloudbuild" / "full.yaml").unlink()
    with pytest.raises(TemplateError, match="is not what its template makes"):
        check_builds(settings_of(root))


def test_a_long_difference_is_cut(root: Path) -> None:
    (root / "cloudbuild" / "full.yaml").write_text("other\n")
    with pytest.raises(TemplateError, match=r"… and \d+ lines more\nRun: make generate$"):
        check_builds(settings_of(root))


def error_of(root: Path) -> str:
    with pytest.raises(TemplateError) as caught:
        write_builds(settings_of(root))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps:\n{{ buidl.timeout_s }}\n", ":2: buidl is undefined. Perhaps you meant build."),
        ("a\nb\n{{ build.machin_type }}\n", ":3: machin_type is undefined. Perhaps you meant machine_type."),
        ("{{ zzz | quote }}", ":1: zzz is undefined. Known: build, pipeline, machine_type, timeout_s, secrets, name."),
        ("a\n{% if %}\n", ":2: Expected an expression, got 'end of statement block'.\nMend the template,"),
        ("{{ build | qoute }}", ":1: No filter named 'qoute'.\nMend the template,"),
        ('{% include "no.j2" %}', ": there is no template no.j2 in cloudbuild/."),
        ("{{ 1 + 'a' }}", ":1: unsupported operand type(s) for +: 'int' and 'str'."),
    ],
)
def test_a_broken_template_is_told_by_file_and_line(root: Path, text: str, message: str) -> None:
    write_template(root, text)
    assert error_of(root).startswith(f"cloudbuild/full.yaml.j2{message}")


def test_an_undefined_name_in_the_shared_steps_is_told_where_it_stands(root: Path) -> None:
    shared = root / "cloudbuild" / "steps.j2"
    lines = shared.read_text().splitlines()
    number = next(index for index, line in enumerate(lines, 1) if "build.machine_type" in line)
    shared.write_text(shared.read_text().replace("build.machine_type", "build.machine_kind"))
    assert error_of(root).startswith(f"cloudbuild/steps.j2:{number}: machine_kind is undefined. Perhaps you meant ")


def test_a_result_that_cloud_build_would_refuse_is_told_by_its_line(root: Path) -> None:
    write_template(root, SOUND.replace("args: [a]", "args: a"))
    assert error_of(root) == (
        "cloudbuild/full.yaml.j2: makes line 4, 'args: a': args is 'a'; expected a list of texts."
    )


def test_nothing_is_written_if_one_template_is_broken(root: Path) -> None:
    write_template(root, SOUND, "a.yaml.j2")
    write_template(root, "{{ nothing }}", "z.yaml.j2")
    before = {path: path.read_bytes() for path in (root / "cloudbuild").iterdir()}
    assert "z.yaml.j2:1: nothing is undefined" in error_of(root)
    assert {path: path.read_bytes() for path in (root / "cloudbuild").iterdir()} == before


def test_a_folder_without_templates_is_an_error(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    with pytest.raises(TemplateError, match=r"holds no template. Expected cloudbuild/full.yaml.j2\."):
        write_builds(make_settings(tmp_path))


@examples(deadline=None)
@given(st.text())
def test_a_quoted_value_is_read_back_as_it_was(text: str) -> None:
    assert yaml.safe_load(f"a: {quote(text)}\n") == {"a": text}


@pytest.mark.parametrize("text", ["\x85 \u2028 \ufeff \x7f", "\U0001f600", "- a: b # c", '"\\', "a\nb\tc\r", "yes"])
def test_what_yaml_reads_in_its_own_way_is_quoted(text: str) -> None:
    assert yaml.safe_load(f"- {quote(text)}\n") == [text]
