"""`make generate`: every file of the repository that is made from others."""

from typing import Callable, List

from esteira.builds.render import check_builds, write_builds
from esteira.errors import TemplateError
from esteira.release.schema import check_schema, write_schema
from esteira.settings import Settings


def write_generated(settings: Settings) -> None:
    """Write the Cloud Build files and the schema of release.json; TemplateError before anything is written."""
    write_builds(settings)
    write_schema(settings.root)


def check_generated(settings: Settings) -> None:
    """Raise TemplateError that names every committed file that is not what it is made from."""
    faults: List[str] = []
    checks: List[Callable[[], None]] = [lambda: check_builds(settings), lambda: check_schema(settings.root)]
    for check in checks:
        try:
            check()
        except TemplateError as error:
            faults.append(str(error))
    if faults:
        raise TemplateError("\n".join(faults))
