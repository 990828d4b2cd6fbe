"""`make generate`: every file of the repository that is made from others."""

from typing import Callable, List

from esteira.builds.render import check_builds, write_builds
from esteira.errors import TemplateError
from esteira.reference.pages import check_pages, write_pages
from esteira.release.schema import check_schema, write_schema
from esteira.settings import Settings
from esteira.variables_make import check_variables, write_variables


def write_generated(settings: Settings) -> None:
    """Write the Cloud Build files, the schema of release.json, what make knows of its variables, and docs/reference/.

    Raises TemplateError before a file of the kind that is wrong is written.
    """
    write_builds(settings)
    write_schema(settings.root)
    write_variables(settings.root)
    write_pages(settings.root)


def check_generated(settings: Settings) -> None:
    """Raise TemplateError that names every committed file that is not what it is made from."""
    faults: List[str] = []
    checks: List[Callable[[], None]] = [
        lambda: check_builds(settings),
        lambda: check_schema(settings.root),
        lambda: check_variables(settings.root),
        lambda: check_pages(settings.root),
    ]
    for check in checks:
        try:
            check()
        except TemplateError as error:
            faults.append(str(error))
    if faults:
        raise TemplateError("\n".join(faults))
