from pathlib import Path

import pytest

from esteira.errors import SettingsError, StateError
from esteira.settings import Settings, load_settings
from esteira.settings.load import origins

DEV = '[environments.dev]\nproject = "my-project"\nregion = "europe-west1"\nbucket = "models"\nrepository = "images"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def write(root: Path, text: str) -> None:
    (root / "esteira.toml").write_text(text, encoding="utf-8")


def faults(root: Path, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(root, environ, {})
    return str(caught.value)


def epochs(root: Path, environ: "dict[str, str]", flags: "dict[str, str]") -> int:
    return load_settings(root, environ, flags).training.epochs


def test_defaults_hold_without_a_file(root: Path) -> None:
    settings = load_settings(root, {}, {})
    assert (settings.pipeline.name, settings.selected, settings.state) == (
        "sentiment",
        "local",
        root / ".esteira",
    )


def test_file_beats_default_variable_beats_file_and_flag_beats_all(root: Path) -> None:
    write(root, "[training]\nepochs = 20\n")
    variable, handed_on = (
        {"ESTEIRA_TRAINING_EPOCHS": "30"},
        {"ESTEIRA_OVERRIDES": '{"training.epochs": "35"}'},
    )
    assert epochs(root, {}, {}) == 20
    assert epochs(root, variable, {}) == 30
    assert epochs(root, {**variable, **handed_on}, {}) == 35
    assert epochs(root, {**variable, **handed_on}, {"training.epochs": "40"}) == 40


def test_origins_name_what_sets_a_value(root: Path) -> None:
    write(root, "[training]\nepochs = 20\nseed = 3\n")
    assert origins(root, {"ESTEIRA_RUN_WORKERS": "1"}, {"training.seed": "2"}) == {
        "training.epochs": "esteira.toml",
        "run.workers": "ESTEIRA_RUN_WORKERS",
        "training.seed": "--set training.seed",
    }


def test_all_faults_are_told_at_once_with_their_places(root: Path) -> None:
    write(root, '[training]\nepoch = 3\nseed = -1\n[servin]\nport = 1\n[environments.dev]\nproject = ""\n')
    message = faults(root, ESTEIRA_RUN_ISOLATON="fork", ESTEIRA_GATE_MACRO_F1="7")
    assert "esteira.toml: training.epoch: unknown key. Perhaps you meant epochs." in message
    assert "esteira.toml: training.seed: ensure this value is greater than or equal to 0" in message
    assert "esteira.toml: servin: unknown key. Perhaps you meant serving." in message
    assert 'esteira.toml: environments.dev.project: is ""; expected a Google Cloud project id' in message
    assert "esteira.toml: environments.dev.bucket: is missing." in message
    assert "ESTEIRA_RUN_ISOLATON: is no setting. Perhaps you meant run.isolation." in message
    assert "ESTEIRA_GATE_MACRO_F1: ensure this value is less than or equal to 1" in message


def test_an_unknown_environment_is_an_error_with_the_known_ones(root: Path) -> None:
    write(root, DEV)
    message = faults(root, ESTEIRA_ENV="dve")
    assert message.startswith("ENV=dve: no such environment; there are: local, dev. Perhaps you meant dev.\n")
    assert "Add a table [environments.dve] with project, region, bucket and repository" in message


def test_an_environment_without_a_project_never_gives_a_bucket(root: Path) -> None:
    write(root, DEV.replace('project = "my-project"\n', ""))
    assert "environments.dev.project: is missing." in faults(root, ESTEIRA_ENV="dev")


def test_the_bucket_follows_the_environment(root: Path) -> None:
    write(root, DEV)
    assert load_settings(root, {}, {}).bucket == f"{root}/.esteira/bucket/sentiment"
    assert load_settings(root, {"ESTEIRA_ENV": "dev"}, {}).bucket == "gs://models/sentiment"


def test_local_cannot_be_redefined(root: Path) -> None:
    write(root, DEV.replace("dev", "local"))
    assert "environments.local: is built in and takes no settings." in faults(root)


@pytest.mark.parametrize(
    "text",
    ["[training\n", "epochs = \n", "[training]\nepochs = 1\nepochs = 2\n"],
)
def test_a_broken_file_is_told_with_its_line(root: Path, text: str) -> None:
    write(root, text)
    message = faults(root)
    assert message.startswith("esteira.toml: is not TOML: ")
    assert "line" in message


def test_a_section_that_is_no_table_is_told(root: Path) -> None:
    write(root, "training = 3\n")
    assert "esteira.toml: training: " in faults(root, ESTEIRA_TRAINING_EPOCHS="3")


@pytest.mark.parametrize(
    ("section", "line"), [("training", "epochs = 2.9"), ("serving", "port = true"), ("data", "text_column = 5")]
)
def test_a_value_of_another_type_is_not_converted(root: Path, section: str, line: str) -> None:
    write(root, f"[{section}]\n{line}\n")
    assert f"esteira.toml: {section}.{line.split()[0]}: is " in faults(root)


def test_a_whole_number_will_do_where_a_fraction_is_expected(root: Path) -> None:
    write(root, "[gate]\nmacro_f1 = 1\n")
    assert load_settings(root, {}, {}).gate.macro_f1 == 1.0


def test_an_empty_column_name_is_told(root: Path) -> None:
    assert "ESTEIRA_DATA_TEXT_COLUMN: ensure this value has at least 1 character" in faults(
        root, ESTEIRA_DATA_TEXT_COLUMN=""
    )


def test_a_settings_file_that_is_a_folder_is_told(root: Path) -> None:
    (root / "esteira.toml").mkdir()
    assert "esteira.toml: cannot be read: Is a directory." in faults(root)


def test_the_repository_itself_is_no_state_folder(root: Path) -> None:
    assert f"STATE={root}: is the repository itself." in faults(root, ESTEIRA_STATE=str(root))


def test_a_builds_workspace_lies_in_the_state_folder(root: Path) -> None:
    workspace = root / "builds" / "b-1" / "workspace"
    assert load_settings(workspace, {"ESTEIRA_STATE": str(root)}, {}).state == root


def test_a_cloud_environments_bucket_is_no_folder(root: Path) -> None:
    write(root, DEV)
    with pytest.raises(StateError, match="ENV=dev: this is done on the environment local only"):
        _ = load_settings(root, {"ESTEIRA_ENV": "dev"}, {}).folder


def test_what_only_the_engine_sets_cannot_be_set(root: Path) -> None:
    write(root, 'selected = "dev"\n')
    assert "esteira.toml: selected: unknown key." in faults(root)


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"training.epochs": 2}'])
def test_overrides_that_are_no_texts_are_told(root: Path, text: str) -> None:
    assert "ESTEIRA_OVERRIDES: expected a JSON object of texts" in faults(root, ESTEIRA_OVERRIDES=text)


def test_a_hub_encoder_needs_its_module(root: Path) -> None:
    write(root, '[training]\nencoder = "hub"\n')
    assert "training.hub_module: is empty" in faults(root)


def test_a_hub_module_is_a_url_or_holds_from_any_folder(root: Path) -> None:
    write(root, '[training]\nencoder = "hub"\n')
    message = faults(root, ESTEIRA_TRAINING_HUB_MODULE="models/use")
    assert message == 'ESTEIRA_TRAINING_HUB_MODULE: is "models/use"; expected an absolute path or a URL'
    for module in ("/models/use", "https://tfhub.dev/use/4"):
        chosen = load_settings(root, {}, {"training.hub_module": module})
        assert chosen.training.hub_module == module


def test_settings_cannot_be_changed(settings: Settings) -> None:
    with pytest.raises(TypeError):
        settings.training.epochs = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    "registry",
    [
        *("https://127.0.0.1:5000/x", "127.0.0.1/X", "Example.test/x", "example.test/a b", " example.test/x"),
        *("example.test/x:latest", "example.test/x@sha256", "example.test//x", "/x", "example.test:/x"),
        "example.test/x\n",
    ],
)
def test_a_registry_that_begins_no_images_name_is_told(root: Path, registry: str) -> None:
    assert faults(root, ESTEIRA_IMAGES_REGISTRY=registry) == (
        f'ESTEIRA_IMAGES_REGISTRY: is "{registry}"; '
        "expected host[:port]/path without a scheme, such as 127.0.0.1:5000/esteira"
    )


@pytest.mark.parametrize(
    ("registry", "place"),
    [
        ("", ""),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("127.0.0.1:5000/esteira/", "127.0.0.1:5000/esteira"),
        ("[::1]:5000/esteira", "[::1]:5000/esteira"),
        ("localhost/a--b/c__d.e_f", "localhost/a--b/c__d.e_f"),
        ("europe-west1-docker.pkg.dev/my-project/images", "europe-west1-docker.pkg.dev/my-project/images"),
    ],
)
def test_the_registry_of_local_is_told_without_a_slash_at_its_end(root: Path, registry: str, place: str) -> None:
    assert load_settings(root, {"ESTEIRA_IMAGES_REGISTRY": registry}, {}).registry == place


def test_the_registry_and_mirrors_of_local_are_those_of_images(root: Path) -> None:
    images = '[images]\nregistry = "127.0.0.1:1/x"\nmirrors = "a=b/c,d:5=e"\n'
    write(root, f'{DEV}mirrors = "docker.io=dev.test/hub"\n{images}')
    settings = load_settings(root, {}, {})
    assert (settings.registry, settings.mirrors) == ("127.0.0.1:1/x", {"a": "b/c", "d:5": "e"})


def test_the_registry_and_mirrors_of_a_cloud_environment_are_its_own(root: Path) -> None:
    write(root, f'{DEV}mirrors = "docker.io=dev.test/hub"\n[images]\nregistry = "127.0.0.1:1/x"\nmirrors = "a=b"\n')
    settings = load_settings(root, {"ESTEIRA_ENV": "dev"}, {})
    assert settings.registry == "europe-west1-docker.pkg.dev/my-project/images"
    assert settings.mirrors == {"docker.io": "dev.test/hub"}


def test_without_a_word_there_is_no_registry_and_no_mirror(root: Path) -> None:
    settings = load_settings(root, {}, {})
    assert (settings.registry, settings.mirrors) == ("", {})


@pytest.mark.parametrize("mirrors", ["docker.io", "docker.io=", "=hub", "a=b,", "a=b c", "a=https://b"])
def test_mirrors_that_stand_for_no_registry_are_told(root: Path, mirrors: str) -> None:
    expected = (
        f'is "{mirrors}"; expected registries and what stands for them, '
        "such as docker.io=europe-west1-docker.pkg.dev/my-project/docker-hub"
    )
    assert faults(root, ESTEIRA_IMAGES_MIRRORS=mirrors) == f"ESTEIRA_IMAGES_MIRRORS: {expected}"
    write(root, f'{DEV}mirrors = "{mirrors}"\n')
    assert faults(root) == f"esteira.toml: environments.dev.mirrors: {expected}"
