import tomli

from esteira.settings import Settings
from esteira.settings.show import show_settings


def test_what_is_shown_can_be_pasted_into_the_file(settings: Settings) -> None:
    shown = tomli.loads(show_settings(settings, {}))
    assert shown["training"] == settings.training.dict()
    sections = ("pipeline", "data", "training", "tuning", "gate", "serving", "run", "build", "images", "deploy")
    assert set(shown) == {*sections, "cloud", "trainer", "endpoint", "log"}


def test_a_line_that_is_no_default_names_its_origin(settings: Settings) -> None:
    shown = show_settings(settings, {"training.seed": "ESTEIRA_TRAINING_SEED"})
    (line,) = [line for line in shown.splitlines() if "#" in line and "seed" in line]
    assert line.split("#")[1] == " ESTEIRA_TRAINING_SEED"
