"""`make doctor` for the environment local: what a deploy on this machine needs, and what it can do without."""

from functools import partial
from typing import List, Mapping

from esteira.doctor.clone import check_clone, check_git
from esteira.doctor.finding import Check, Finding, run_checks
from esteira.doctor.machine import (
    check_clock,
    check_disk,
    check_language,
    check_memory,
    check_platform,
    check_port,
    check_python,
)
from esteira.doctor.programs import INSTALL_GCLOUD, check_engine, check_program
from esteira.doctor.state import check_lease, check_leftovers, check_state
from esteira.doctor.supplies import check_data, check_environment, check_index, check_wheels
from esteira.settings import Settings


def examine_local(settings: Settings, environ: Mapping[str, str]) -> List[Finding]:
    """Return what every check finds, in the order in which one would mend it."""
    checks: List[Check] = [
        check_platform,
        check_python,
        partial(check_git, environ),
        partial(check_clone, settings.root),
        partial(check_environment, settings.root, environ),
        partial(check_wheels, settings, environ),
        partial(check_data, settings, environ),
        partial(check_index, settings, environ),
        partial(check_disk, settings),
        check_memory,
        check_clock,
        partial(check_language, environ),
        partial(check_state, settings),
        partial(check_lease, settings),
        partial(check_leftovers, settings),
        partial(check_port, settings),
        partial(check_engine, settings, environ),
        partial(check_program, "gcloud", "only make deploy ENV=name needs it", INSTALL_GCLOUD, environ),
    ]
    return run_checks(checks)
