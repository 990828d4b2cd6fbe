"""Tables for people: as wide as what they hold, so that ids and places stay whole in a pipe, too."""

from typing import Iterable, Sequence, Union

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from esteira.visible import visible

WIDEST = 10_000
Cell = Union[str, Text]


class WholeTable(Table):
    """A table whose lines end with what they show: blanks after it would break lines in a narrow terminal."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        parts = super().__rich_console__(console, options)
        for line in Segment.split_lines(part for part in parts if isinstance(part, Segment)):
            while line and not line[-1].text.strip():
                line.pop()
            yield from line[:-1]
            if line:
                yield Segment(line[-1].text.rstrip(), line[-1].style)
            yield Segment.line()


def make_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, right: Sequence[str] = ()) -> Table:
    """Return a table; a column that is named in `right` is aligned to it, and no text is read as markup, or obeyed."""
    table = WholeTable(box=None, pad_edge=False)
    for column in columns:
        table.add_column(Text(column), justify="right" if column in right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(visible(cell)) if isinstance(cell, str) else cell for cell in row))
    # Rich squeezes a table into the terminal, which it takes to be 80 wide where there is none.
    table.width = Console(width=WIDEST).measure(table).maximum
    return table


def make_facts(facts: Iterable[Sequence[Cell]]) -> Table:
    """Return (name, value) pairs as lines; those without a value are left out."""
    table = make_table(["", ""], [(name, value) for name, value in facts if value])
    table.show_header = False
    return table
