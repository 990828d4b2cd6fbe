import pytest

from esteira.builds.submit_refusal import explained, is_passing
from esteira.errors import ProgramError
from esteira.settings import Settings

LOG_IN = "Log in: gcloud auth application-default login    Then run the command again."


@pytest.mark.parametrize(
    ("words", "again"),
    [
        ("gcloud builds submit /tmp/500/429\ntook longer than 300 s.", True),
        ("ERROR: gcloud crashed (ConnectionError): ('Connection aborted.', RemoteDisconnected('Remote end'))", True),
        ("ERROR: (gcloud.builds.submit) HttpError accessing <http://x>: response: <{'status': 503}>", True),
        ("gcloud submit /tmp/500\nleft with status 1:\nto [gs://b/503-429.tgz].\nERROR: INVALID_ARGUMENT: bad", False),
        ("ERROR: (gcloud) PERMISSION_DENIED: Permission 'cloudbuild.connections.get' denied", False),
        ("ERROR: (gcloud.builds.submit) unable to find 502", False),
    ],
)
def test_only_gclouds_own_words_tell_whether_to_try_again(words: str, again: bool) -> None:
    assert is_passing(ProgramError(words)) is again


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("gcloud builds submit\ntook longer than 300 s.", "Check the network and run the command again."),
        ("ERROR: gcloud crashed (ConnectionError): reset", "Check the network and run the command again."),
        ("ERROR: (gcloud) invalid_grant: Bad Request", LOG_IN),
        ("ERROR: (gcloud) Please run: $ gcloud auth login", LOG_IN),
        ("ERROR: (gcloud) NOT_FOUND: no such location", "See what is missing: make doctor ENV=local"),
    ],
)
def test_a_refusal_ends_with_what_to_type(settings: Settings, words: str, advice: str) -> None:
    told = str(explained(settings, ProgramError(words)))
    assert told == f"Cloud Build does not take the build.\n{words}\n{advice}"


def test_what_gcloud_says_for_its_makers_is_left_out(settings: Settings) -> None:
    crash = "ERROR: gcloud crashed (ConnectionError): reset\n\nIf you would like to report this issue, please run the"
    assert "report" not in str(explained(settings, ProgramError(crash)))
