"""What gcloud says when it cannot submit a build: whether to try again, and what to type next."""

import re

from esteira.errors import GoogleError, ProgramError
from esteira.google.login import LOG_IN
from esteira.settings import Settings

NO_BUILD = "gcloud builds submit: expected a build as JSON"
# Where trying again may help. Mostly nobody knows then whether the build was made.
PASSING = re.compile(
    f"{NO_BUILD.lower()}|connection|timed out|took longer than|"
    r"resource_exhausted|unavailable|internal|'status': 5\d\d"
)
FINAL = re.compile(r"permission|unauthenticated|invalid_argument")


def is_passing(error: ProgramError) -> bool:
    """Return whether gcloud may succeed when it is run again."""
    return passes(gcloud_words(error))


def passes(words: str) -> bool:
    return bool(PASSING.search(words.lower())) and not FINAL.search(words.lower())


def gcloud_words(error: ProgramError) -> str:
    """Return what gcloud says went wrong, without the command and what was uploaded, whose names hold any number."""
    text = str(error)
    return text[max(text.find("ERROR:"), 0) :].partition("\n\nIf you would like to report")[0]


def explained(settings: Settings, error: ProgramError) -> GoogleError:
    """Return gcloud's refusal with what to type next."""
    text = gcloud_words(error)
    if "no such program" in text:
        return GoogleError(text)
    return GoogleError(f"Cloud Build does not take the build.\n{text}\n{advice(settings, text)}")


def advice(settings: Settings, text: str) -> str:
    if "UNAUTHENTICATED" in text or "invalid_grant" in text or "auth login" in text:
        return f"Log in: {LOG_IN}    Then run the command again."
    if "INVALID_ARGUMENT" in text:
        return "Mend the template in cloudbuild/, then run: make generate    Then run the command again."
    if "RESOURCE_EXHAUSTED" in text:
        return "Wait a minute and run the command again."
    if passes(text):
        return "Check the network and run the command again."
    return f"See what is missing: make doctor ENV={settings.selected}"
