import io

from rich.console import Console

from esteira.progress import Progress


def test_plain_lines_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with Progress(["one", "two"], Console(file=stream, width=80)) as report:
        report.started("one")
        report.line("one", "[bold]said[/bold]")
        report.finished("one", "failed", "no disk")
        report.finished("two", "skipped")
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["… one", "one: [bold]said[/bold]"]
    assert lines[2].startswith("✗ one: failed 0.0 s: no disk")
    assert lines[3] == "- two: skipped"


def test_a_terminal_shows_what_runs_and_what_waits() -> None:
    stream = io.StringIO()
    with Progress(["one", "two"], Console(file=stream, force_terminal=True, width=80)) as report:
        report.started("one")
        report._live.refresh()
        report.finished("one", "succeeded")
    shown = stream.getvalue()
    assert "one" in shown and "○" in shown and "two" in shown
    assert "✓ one: succeeded" in shown


def test_no_colour_is_respected() -> None:
    stream = io.StringIO()
    with Progress([], Console(file=stream, force_terminal=True, no_color=True, width=80)) as report:
        report.finished("one", "succeeded")
    assert "\x1b[32m" not in stream.getvalue()
