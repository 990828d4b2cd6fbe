"""The pages of docs/reference/: rendering is pure, the same code gives the same bytes."""

from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

import jinja2

from esteira.builds.render import read_if_there, short_diff, template_place
from esteira.errors import TemplateError
from esteira.files import write_text
from esteira.reference import markdown
from esteira.reference.exit_codes import exit_codes_page
from esteira.reference.log_tables import tables_page
from esteira.reference.manifest import manifest_page
from esteira.reference.part_list import parts_page
from esteira.reference.server_metrics import metrics_page
from esteira.reference.setting_list import settings_page
from esteira.reference.surroundings import surroundings_page
from esteira.reference.targets import targets_page

FOLDER = Path("docs") / "reference"
TEMPLATES = Path(__file__).resolve().parent
INDEX = "README.md"
FILTERS = ("anchor", "cell", "code", "codes", "sentence", "value")


class Page(NamedTuple):
    """A page: its title in the index, what it is about, and what its template gets for a repository."""

    title: str
    about: str
    context: Callable[[Path], Dict[str, Any]]


def index_page(root: Path) -> Dict[str, Any]:
    return {"pages": {name: page for name, page in PAGES.items() if name != INDEX}}


PAGES: Dict[str, Page] = {
    "README.md": Page("Reference", "What there is, one page for each kind of thing", index_page),
    "targets.md": Page("Targets, variables and tasks", "Everything one can type, by group", targets_page),
    "settings.md": Page("Settings", "Every key of esteira.toml: type, default, and what a change does", settings_page),
    "environment-variables.md": Page(
        "Environment variables", "What is read of the environment, and a repository's variables", surroundings_page
    ),
    "parts.md": Page("Parts of a release", "What each is made of, where it lies, what a change means", parts_page),
    "release-json.md": Page("release.json", "Every field of a release's manifest, with an example", manifest_page),
    "tables.md": Page("The request log", "Every table, view and query, with columns and parameters", tables_page),
    "metrics.md": Page("Metrics of the prediction server", "What `/metrics` tells: names, types, labels", metrics_page),
    "exit-codes.md": Page("Exit codes", "What each means, and what to do next", exit_codes_page),
}


def render_page(name: str, root: Path) -> str:
    """Return a page of the repository at `root`; TemplateError for what the code does not describe."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(TEMPLATES)),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the result is Markdown: what the code says passes through the filters of markdown.py
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update((filter_name, getattr(markdown, filter_name)) for filter_name in FILTERS)
    try:
        header = environment.get_template("header.md.j2").make_module()
        template = environment.get_template(f"{name}.j2")
        text = template.render(PAGES[name].context(root), heading=vars(header)["heading"])
    except jinja2.TemplateError as error:
        raise TemplateError(f"esteira/reference/{template_place(error, f'{name}.j2')}: {error}") from None
    return text.rstrip("\n") + "\n"


def render_pages(root: Path) -> Dict[Path, str]:
    """Return the text of every page, by its path below the repository; TemplateError with all that is missing."""
    faults: List[str] = []
    rendered: Dict[Path, str] = {}
    for name in PAGES:
        try:
            rendered[FOLDER / name] = render_page(name, root)
        except TemplateError as error:
            faults.append(str(error))
    if faults:
        raise TemplateError("\n".join(faults))
    return rendered


def write_pages(root: Path) -> None:
    """Write the pages that changed; TemplateError before anything is written."""
    for path, text in render_pages(root).items():
        if read_if_there(root / path) != text:
            write_text(root / path, text)


def check_pages(root: Path) -> None:
    """Raise TemplateError, with a short diff, for each page that is not what the code gives, or that nothing makes."""
    rendered = render_pages(root)
    faults = [
        f"{path}: is not what the code gives.\n{short_diff(read_if_there(root / path), text)}"
        for path, text in rendered.items()
        if read_if_there(root / path) != text
    ]
    strangers = sorted(path.relative_to(root) for path in (root / FOLDER).glob("*.md"))
    faults += [f"{path}: is made by nothing. Remove it." for path in strangers if path not in rendered]
    if faults:
        raise TemplateError("\n".join([*faults, "Run: make generate"]))
