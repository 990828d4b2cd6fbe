"""Every link of a page leads somewhere, every picture is there, and every page can be come to."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Iterator, List, Set
from urllib.parse import unquote

import pytest

from tests.conftest import REPOSITORY
from tests.docs.pages import Page, is_elsewhere, listed, place, read_page

ON_GITHUB = re.compile(r"^(?:\.\./)*blob/HEAD/")
# Pages that GitHub itself shows where they are needed.
FOUND_BY_GITHUB = {"CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"}


@lru_cache(maxsize=None)
def pages() -> List[Page]:
    return [read_page(REPOSITORY / name) for name in listed("*.md")]


@lru_cache(maxsize=None)
def files() -> Set[str]:
    """Return every file, and every folder that holds one, by its path in the repository."""
    names = listed()
    folders = {str(parent) for name in names for parent in Path(name).parents}
    return {*names, *folders}


def target_of(page: Page, link: str) -> str:
    """Return the path in the repository that a link leads to; it may begin at the repository's top.

    What is shown elsewhere on GitHub, as the summary of a workflow is, names a page by its place there: blob/HEAD/.
    """
    name = ON_GITHUB.sub("/", unquote(link.partition("#")[0]))
    # A fragment of the change log becomes a part of CHANGELOG.md.
    at_the_top = name.startswith("/") or page.path.match("changes/+*.md")
    start = REPOSITORY if at_the_top else page.path.parent
    path = (start / name.lstrip("/")).resolve() if name else page.path
    return str(path.relative_to(REPOSITORY)) if REPOSITORY in (path, *path.parents) else str(path)


def anchors_of(name: str) -> Set[str]:
    known = {str(page.path.relative_to(REPOSITORY)): page.anchors for page in pages()}
    return known.get(name, set())


def faults(page: Page) -> Iterator[str]:
    """Yield what is wrong with a page's links and pictures."""
    for line, link in [*page.links, *page.pictures]:
        if is_elsewhere(link):
            continue
        name, anchor = target_of(page, link), link.partition("#")[2]
        if name not in files():
            yield f"{place(page, line)}: {link}: there is no {name}"
        elif anchor and name.endswith(".md") and unquote(anchor) not in anchors_of(name):
            yield f"{place(page, line)}: {link}: {name} has no heading of this anchor"


@pytest.mark.programs
def test_every_link_leads_somewhere_and_every_picture_is_there() -> None:
    assert len(pages()) > 15
    assert [fault for page in pages() for fault in faults(page)] == []


@pytest.mark.programs
def test_every_page_can_be_come_to_from_the_readme() -> None:
    by_name = {str(page.path.relative_to(REPOSITORY)): page for page in pages()}
    reached, waiting = set(FOUND_BY_GITHUB), ["README.md"]
    while waiting:
        page = by_name[waiting.pop()]
        found = {target_of(page, link) for _, link in page.links if not is_elsewhere(link)}
        found |= {f"{name}/README.md" for name in found}
        waiting += sorted((found & set(by_name)) - reached)
        reached |= found
    assert [name for name in by_name if name.startswith("docs/") and name not in reached] == []


PAGE = """# A `code`, and b

[to](#a-code-and-b) [again](#a-code-and-b-1) [no](#none) [off](https://example.test/#none) ![pic](none.png)

# A code, and b

[file](../esteira/errors.py#L10) [folder](../sql) [top](/README.md)
[gone](gone.md) <a id="here"></a>[here](#here)

```
[not a link](none.md)
```
"""


@pytest.mark.programs
def test_what_leads_nowhere_is_told_with_its_line() -> None:
    page = read_page(REPOSITORY / "docs" / "page.md", PAGE)
    assert page.anchors == {"a-code-and-b", "a-code-and-b-1", "here"}
    missing = {fault for fault in faults(page) if "#" not in fault}
    assert missing == {
        "docs/page.md:3: none.png: there is no docs/none.png",
        "docs/page.md:8: gone.md: there is no docs/gone.md",
    }
