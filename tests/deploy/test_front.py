from pathlib import Path
from typing import Callable

import pytest
from rich.console import Console

from esteira.deploy.front import deploy, roll_back
from esteira.errors import StateError
from esteira.settings import Settings


def test_a_cloud_environment_is_refused_plainly(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    (tmp_path / "esteira.toml").write_text(
        "[environments.dev]\n"
        'project = "my-project"\nregion = "europe-west1"\nbucket = "models"\nrepository = "images"\n'
    )
    settings = make_settings(tmp_path, env="dev")
    for act in (
        lambda: deploy(settings, "full", {}, False, True, Console()),
        lambda: roll_back(settings, None, Console()),
    ):
        with pytest.raises(StateError, match="ENV=dev: this version deploys to the environment local only"):
            act()
