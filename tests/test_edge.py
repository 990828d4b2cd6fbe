from pathlib import Path

import pytest

from esteira import edge
from esteira.errors import DataError, EsteiraError, InterruptedRunError, SettingsError


def every_error(base: type = EsteiraError) -> "list[type]":
    return [base, *(error for kind in base.__subclasses__() for error in every_error(kind))]


def test_no_exit_code_stands_for_two_errors() -> None:
    """What a GoogleError is of in particular is for the engine to know: users see one code."""
    codes = [vars(error)["exit_code"] for error in every_error() if "exit_code" in vars(error)]
    assert len(codes) == len(set(codes))
    assert not {0, 2, edge.DEFECT_EXIT_CODE} & set(codes)
    assert InterruptedRunError.exit_code == edge.INTERRUPTED_EXIT_CODE


def failing_with(error: BaseException) -> "SystemExit":
    @edge.at_the_edge
    def fail() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        fail()
    return caught.value


def test_a_users_mistake_ends_with_its_message_and_code(capsys: pytest.CaptureFixture) -> None:
    assert failing_with(DataError("data.csv: is empty.")).code == 5
    assert capsys.readouterr().err == "data.csv: is empty.\n"


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("Run: make deploy-full", "Run: make deploy-full ENV=dev"),
        ("make deploy FORCE=1    Or: make rollback", "make deploy ENV=dev FORCE=1    Or: make rollback ENV=dev"),
        ("Run: make status ENV=dev. Then", "Run: make status ENV=dev. Then"),
        ("make gc KEEP=3 ENV=dev", "make gc KEEP=3 ENV=dev"),
        ("make lock, make test and make generate", "make lock, make test and make generate"),
        ("make deployments, remake plan", "make deployments, remake plan"),
    ],
)
def test_what_a_message_says_to_type_is_for_the_environment_that_was_chosen(
    said: str, typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("ESTEIRA_ENV", "dev")
    failing_with(DataError(said))
    assert capsys.readouterr().err == f"{typed}\n"
    monkeypatch.setenv("ESTEIRA_ENV", "local")
    failing_with(DataError(said))
    assert capsys.readouterr().err == f"{said}\n"


def test_ctrl_c_ends_without_a_traceback(capsys: pytest.CaptureFixture) -> None:
    assert failing_with(KeyboardInterrupt()).code == 130
    assert capsys.readouterr().err == "Interrupted. Run the same command again to go on.\n"


def test_a_defect_leaves_its_traceback_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("ESTEIRA_STATE", str(tmp_path))
    assert failing_with(ValueError("odd")).code == 70
    message = capsys.readouterr().err
    assert "This is a defect of Esteira: ValueError('odd')" in message
    (log,) = tmp_path.rglob("*.log")
    assert str(log) in message
    assert "raise error" in log.read_text()


def test_a_flag_without_a_value_is_told() -> None:
    with pytest.raises(SettingsError, match="--set training.epochs: has no value. Expected --set section.key=value"):
        edge.parse_flag("training.epochs")


def test_a_missing_variable_is_told_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTEIRA_TEXT", "")
    with pytest.raises(SettingsError, match=r'TEXT is missing. Expected, for example: make predict TEXT="a"'):
        edge.required_variable("TEXT", 'make predict TEXT="a"')


@pytest.mark.parametrize(("value", "expected"), [("", False), ("0", False), ("1", True)])
def test_a_switch_is_on_for_1(value: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTEIRA_ACCEPT", value)
    assert edge.switch("ACCEPT") is expected


def test_a_switch_that_is_neither_on_nor_off_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTEIRA_ACCEPT", "yes")
    with pytest.raises(SettingsError, match="ACCEPT=yes: expected ACCEPT=1 or ACCEPT=0, or nothing"):
        edge.switch("ACCEPT")


def test_what_is_handed_on_to_a_build_are_settings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTEIRA_ENV", "local")
    monkeypatch.setenv("ESTEIRA_FORCE", "1")
    monkeypatch.setenv("ESTEIRA_TRAINING_EPOCHS", "2")
    assert edge.overrides_here() == {"training.epochs": "2"}
