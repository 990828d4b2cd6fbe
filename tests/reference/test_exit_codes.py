from pathlib import Path
from typing import Iterator, Type

from esteira.errors import EsteiraError
from esteira.images.registry.refusals import UnreachableError
from esteira.reference.exit_codes import read_codes, said_by
from esteira.reference.pages import render_page
from esteira.release.manifest import UnreadableError
from esteira.release.store.interface import ConflictError
from tests.conftest import REPOSITORY
from tests.reference.conftest import append

ELSEWHERE = (UnreachableError, UnreadableError, ConflictError)


def below(kind: Type[EsteiraError]) -> Iterator[Type[EsteiraError]]:
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


def test_every_class_with_a_code_is_there_and_no_code_is_there_twice() -> None:
    found = {code.name: code.code for code in read_codes(REPOSITORY)}
    own = {kind.__name__: kind.exit_code for kind in below(EsteiraError) if "exit_code" in vars(kind)}
    assert {kind.__name__ for kind in ELSEWHERE} <= set(own)
    assert {name: code for name, code in own.items() if name in found} == found
    assert len(set(found.values())) == len(found)
    text = render_page("exit-codes.md", REPOSITORY)
    assert [code for code in (0, 1, 2, 70, *found.values()) if f'<a id="{code}"></a>{code} |' not in text] == []


def test_a_class_that_is_added_appears(root: Path) -> None:
    docstring = '"""It is the moon\'s fault.\n\n    Next: wait for\n    another one.\n    """'
    append(root / "esteira" / "clock.py", f"\n\nclass MoonError(Exception):\n    {docstring}\n\n    exit_code = 99\n")
    assert (
        '\n| <a id="99"></a>99 | It is the moon\'s fault. | Wait for another one. | '
        "[`MoonError`](../../esteira/clock.py) |\n"
    ) in render_page("exit-codes.md", root)


def test_what_to_do_next_is_a_paragraph_of_its_own() -> None:
    assert said_by("What it is.\n\nNext: do\nthis.\n\nMore.") == ("What it is", "do this.")
    assert said_by("What it is.") == ("What it is", "")
