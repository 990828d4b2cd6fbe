"""What a page names is there: settings, variables, exit codes, files of the repository, tasks."""

import fnmatch
import re
from functools import lru_cache
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Set, Tuple

import pytest
import tomli

from esteira.reference.exit_codes import OTHERS, read_codes
from esteira.reference.makefile import read_targets
from esteira.reference.server_metrics import HISTOGRAM, read_metrics
from esteira.reference.surroundings import known_names
from esteira.reference.task_index import read_tasks
from esteira.settings import Environment
from esteira.settings.load import known_keys, sections
from tests.conftest import REPOSITORY
from tests.docs.pages import Page, listed, place, read_page

SETTING = re.compile(r"([a-z_]+)\.([a-z][a-z0-9_]*)(?: ?=.*)?")
ENVIRONMENT_SETTING = re.compile(r"environments?\.\w+\.([a-z_]+)")
SECTION = re.compile(r"\[([a-z_]+)(\.\w+)?\]")
VARIABLE = re.compile(r"\bESTEIRA_[A-Z][A-Z0-9_]*[A-Z0-9]\b")
# Stands for any setting's.
ANY_VARIABLE = "ESTEIRA_SECTION_KEY"
EXIT_CODE = re.compile(r"\b(?:exit codes?|Error|leaves with) (\d+)\b")
# What stands between brackets and is no section.
OTHER_WORDS = {"redacted"}
# The verb, where a message is shown.
PROSE = {"a", "the"}
METRIC = re.compile(r"esteira_[a-z_]+")
# Endings of files whose names begin as a setting's.
ENDINGS = {"csv", "html", "j2", "js", "json", "jsonl", "md", "png", "py", "sh", "sql", "svg", "toml", "txt", "yaml"}
COMMAND = re.compile(r"\b(make|inv)(?: -s)? ([a-z][a-z-]*)")
PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
# What a page has somebody add to the repository, or what is made there.
MADE = ("*/__pycache__*", "modules/*.zip", "pipeline/rows.py")
# It names the files of another repository.
OF_ANOTHER = ("docs/how-to/migrate.md",)


@lru_cache(maxsize=None)
def pages() -> List[Page]:
    return [read_page(REPOSITORY / name) for name in listed("*.md") if name != "CHANGELOG.md"]


@lru_cache(maxsize=None)
def files() -> Tuple[Set[str], Set[str]]:
    """Return every file and folder of the repository, and what lies at its top."""
    names = listed()
    folders = {"/".join(name.split("/")[:depth]) for name in names for depth in range(1, name.count("/") + 1)}
    return {*names, *folders}, {name.partition("/")[0] for name in names}


@lru_cache(maxsize=None)
def settings() -> FrozenSet[str]:
    return frozenset(known_keys())


@lru_cache(maxsize=None)
def exit_codes() -> FrozenSet[int]:
    return frozenset(code.code for code in [*OTHERS, *read_codes(REPOSITORY)])


@lru_cache(maxsize=None)
def commands() -> Dict[str, Set[str]]:
    targets, tasks = read_targets(REPOSITORY), read_tasks(REPOSITORY)
    return {"make": {target.name for target in targets}, "inv": {task.name for task in tasks}}


@lru_cache(maxsize=None)
def metrics() -> FrozenSet[str]:
    """Return the names of the server's metrics, with those of a histogram's series."""
    found = read_metrics(REPOSITORY)
    series = (f"{metric.name}{one}" for metric in found if metric.kind == "histogram" for one in HISTOGRAM)
    return frozenset([*(metric.name for metric in found), *series])


def code(page: Page) -> Iterator[Tuple[int, str]]:
    """Yield what a page shows as code, its blocks line by line."""
    yield from page.code
    for line, block in page.blocks:
        yield from ((line + number, text) for number, text in enumerate(block.splitlines(), 1))


def wrong_settings(page: Page) -> Iterator[str]:
    for line, text in page.code:
        setting, of_environment, section = (
            pattern.fullmatch(text) for pattern in (SETTING, ENVIRONMENT_SETTING, SECTION)
        )
        if of_environment and of_environment.group(1) not in Environment.__fields__:
            yield f"{place(page, line)}: {text}: no such setting"
        elif setting and setting.group(1) in sections() and setting.group(2) not in ENDINGS:
            if f"{setting.group(1)}.{setting.group(2)}" not in settings():
                yield f"{place(page, line)}: {text}: no such setting"
        elif section and section.group(1) not in {*sections(), "environments", *OTHER_WORDS}:
            yield f"{place(page, line)}: {text}: no such section"


def wrong_variables(page: Page) -> Iterator[str]:
    known = known_names()
    for line, text in code(page):
        for name in VARIABLE.findall(text):
            if name not in (*known, ANY_VARIABLE):
                yield f"{place(page, line)}: {name}: no such variable"


def wrong_exit_codes(page: Page) -> Iterator[str]:
    known = exit_codes()
    for number, line in enumerate(page.path.read_text(encoding="utf-8").splitlines(), 1):
        for exit_code in EXIT_CODE.findall(line):
            if int(exit_code) not in known:
                yield f"{place(page, number)}: {exit_code}: no such exit code"


def wrong_paths(page: Page) -> Iterator[str]:
    """Yield paths that begin with a folder of the repository and lead nowhere in it."""
    known, at_the_top = files()
    if str(page.path.relative_to(REPOSITORY)) in OF_ANOTHER:
        return
    for line, text in page.code:
        for path in braces(text):
            path = path.partition(":")[0]
            top = path.partition("/")[0]
            if not PATH.fullmatch(path) or "/" not in path or top not in at_the_top:
                continue
            name = path.rstrip("/").replace("**", "*")
            if not any(fnmatch.fnmatch(one, name) for one in known) and not any(
                fnmatch.fnmatch(name, one) for one in MADE
            ):
                yield f"{place(page, line)}: {path}: there is no such file"


def braces(text: str) -> List[str]:
    """Return a text for each choice between braces, as a shell does: a/{b,c} is a/b and a/c."""
    found = re.search(r"\{([^{}]*)\}", text)
    if not found:
        return [text]
    return [text[: found.start()] + choice + text[found.end() :] for choice in found.group(1).split(",")]


def wrong_commands(page: Page) -> Iterator[str]:
    known = commands()
    for line, text in page.code:
        for program, name in COMMAND.findall(text):
            if name not in known[program] | PROSE:
                yield f"{place(page, line)}: {program} {name}: there is none"


def wrong_metrics(page: Page) -> Iterator[str]:
    known = metrics()
    for line, text in page.code:
        name = METRIC.match(text)
        if name and text.partition("{")[0] == name.group() and name.group() not in known:
            yield f"{place(page, line)}: {name.group()}: no such metric"


def wrong_tables(page: Page) -> Iterator[str]:
    """Yield keys in a block of esteira.toml that are no settings."""
    for line, block in page.blocks:
        try:
            tables = tomli.loads(block)
        except tomli.TOMLDecodeError:
            continue
        if set(tables) <= {*sections(), "environments"}:
            yield from (f"{place(page, line)}: {key}: no such setting" for key in unknown_keys(tables))


def unknown_keys(tables: Dict[str, Dict[str, Any]]) -> Iterator[str]:
    """Yield the keys of tables of esteira.toml that are no settings."""
    for name, table in tables.items():
        if name != "environments":
            yield from (f"{name}.{key}" for key in table if f"{name}.{key}" not in settings())
            continue
        for environment, values in table.items():
            yield from (f"{name}.{environment}.{key}" for key in values if key not in Environment.__fields__)


CHECKS = (
    *(wrong_settings, wrong_tables, wrong_variables, wrong_exit_codes, wrong_paths, wrong_commands),
    wrong_metrics,
)


@pytest.mark.programs
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_what_a_page_names_is_there(check: Callable[[Page], Iterator[str]]) -> None:
    assert [fault for page in pages() for fault in check(page)] == []


PAGE = """`training.epoch`, `training.epochs`, `data.csv`, `[traning]`, `environments.dev.buckets`
`ESTEIRA_NONE=1` and exit code 99, exit code 10
`esteira/none.py`, `esteira/{errors,none}.py`, `sql/*.json`, `docs/reference/`, `no/such/place`
`make nothing`, `.venv/bin/inv nothing`, `make plan`
`esteira_none_total`, `esteira_requests_total{route}`, `esteira_request_seconds_bucket`

```toml
[training]
epoch = 1
[environments.dev]
buckets = 1
```
"""


@pytest.mark.programs
def test_what_is_not_there_is_told_with_its_line() -> None:
    page = read_page(REPOSITORY / "README.md", PAGE)
    checks = [check for check in CHECKS if check is not wrong_exit_codes]
    assert [fault for check in checks for fault in check(page)] == [
        "README.md:1: training.epoch: no such setting",
        "README.md:1: [traning]: no such section",
        "README.md:1: environments.dev.buckets: no such setting",
        "README.md:7: training.epoch: no such setting",
        "README.md:7: environments.dev.buckets: no such setting",
        "README.md:2: ESTEIRA_NONE: no such variable",
        "README.md:3: esteira/none.py: there is no such file",
        "README.md:3: esteira/none.py: there is no such file",
        "README.md:4: make nothing: there is none",
        "README.md:4: inv nothing: there is none",
        "README.md:5: esteira_none_total: no such metric",
    ]
    assert EXIT_CODE.findall(PAGE) == ["99", "10"]
