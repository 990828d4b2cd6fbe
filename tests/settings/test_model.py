from typing import Callable

import pytest

from esteira.errors import SettingsError
from esteira.settings import Settings


@pytest.mark.parametrize("name", ["ESTEIRA_PLAN", "ESTEIRA_GATE_MACRO_F1", "PATH", "HOME", "PYTHONPATH", "LD_PRELOAD"])
def test_a_secret_is_no_variable_that_steps_have_already(make_settings: Callable[..., Settings], name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make_settings(build__secrets=f"INDEX_TOKEN=index-token/3,{name}=x/1")
    assert str(caught.value).endswith(
        f"build.secrets: {name} is a variable that steps have already; expected another name"
    )


def test_a_secret_is_given_once(make_settings: Callable[..., Settings]) -> None:
    with pytest.raises(SettingsError, match="build.secrets: A is given twice; expected a secret for each variable"):
        make_settings(build__secrets="A=x/1,B=x/1,A=y/1")


def test_secrets_of_any_other_name_are_taken(make_settings: Callable[..., Settings]) -> None:
    given = "LDAP_PASSWORD=ldap/1,HOME_TOKEN=home/2,PIP_INDEX_URL=index/3"
    assert make_settings(build__secrets=given).build.secrets == given
