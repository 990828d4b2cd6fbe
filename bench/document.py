"""The figures in docs: `python -m bench.document` puts them where the marks are, `--check` says whether they are there.

docs/benchmarks.md has the one table, the machines and the notes between two marks. Any document may quote a figure
in its text, between `<!-- bench run/the whole job/times -->` and `<!-- / -->`: bench, case, and what is quoted:
`ours`, another way's name, or `times`, before which the other way's name may stand: `.../docker build, uv/times`.
"""

import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Match, Sequence

from bench.form import OURS, REPOSITORY, Case, Ratio, Report, by_name, read_reports
from bench.targets import COMMANDS, READING
from esteira.files import write_text

TABLE = REPOSITORY / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
QUOTED = re.compile(r"(<!-- bench ([^<>]+?) -->)(.*?)(<!-- / -->)", re.DOTALL)
COLUMNS = ("bench", "case", "ours", "the other way", "ratio", "rounds", "date")


def main() -> None:
    changed = stale(REPOSITORY, read_reports())
    if sys.argv[1:] == ["--check"]:
        if changed:
            names = ", ".join(str(path.relative_to(REPOSITORY)) for path in changed)
            raise SystemExit(f"{names}: not what bench/results/*.json gives. Run: make bench-docs")
        return
    for path, text in changed.items():
        write_text(path, text)
        print(f"wrote {path.relative_to(REPOSITORY)}")


def stale(root: Path, reports: Sequence[Report]) -> Dict[Path, str]:
    """Return the documents below `root` that show other figures, each with the text that it should have."""
    found = {}
    for path in documents(root):
        text = path.read_text(encoding="utf-8")
        new = with_quotes(with_table(text, reports), reports, path.name)
        if new != text:
            found[path] = new
    return found


def documents(root: Path) -> List[Path]:
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md")])


def with_table(text: str, reports: Sequence[Report]) -> str:
    """Return a document with the table, the machines and the notes between its marks, if it has them."""
    if BEGIN not in text or END not in text:
        return text
    head, tail = text.partition(BEGIN)[0], text.partition(END)[2]
    return f"{head}{BEGIN}\n{render(reports)}\n{END}{tail}"


def with_quotes(text: str, reports: Sequence[Report], name: str) -> str:
    """Return a document with its quoted figures. SystemExit for one that nothing measured."""
    by_bench = {report.bench: report for report in reports}

    def replaced(match: Match[str]) -> str:
        bench, *rest = match.group(2).split("/")
        try:
            return f"{match.group(1)}{quoted(by_bench[bench], rest)}{match.group(4)}"
        except (KeyError, ValueError):
            raise SystemExit(f"{name}: {match.group(1)}: no such figure in bench/results/{bench}.json") from None

    return QUOTED.sub(replaced, text)


def quoted(report: Report, words: List[str]) -> str:
    """Return a figure by its case and what of it; KeyError or ValueError if there is none."""
    case, *what = words
    if what[-1] == "times":
        (ratio,) = [one for one in report.ratios if one.case == case and what[:-1] in ([], [one.other])]
        return shown_times(ratio.times)
    (way,) = what
    return shown(report.case(case, way))


def render(reports: Sequence[Report]) -> str:
    """Return the table, and what stands below it."""
    lines = [line(COLUMNS), line(["---", "---", *["---:"] * 4, "---"])]
    lines += [line(cells) for report in reports for cells in rows(report)]
    return "\n\n".join(["\n".join(lines), READING, "### Machines", machines(reports), *map(section, reports)])


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def rows(report: Report) -> Iterator[List[str]]:
    """Yield the row of each ratio, and of each case of ours that stands alone."""
    cases, compared = by_name(report.cases), {ratio.case for ratio in report.ratios}
    for case in report.cases:
        if case.way == OURS:
            ratios = [ratio for ratio in report.ratios if ratio.case == case.case]
            for ratio in ratios:
                other = cases[ratio.case, ratio.other]
                yield [*beginning(report, case), f"{shown(other)}: {other.way}", spread(ratio), *ending(report, case)]
            if case.case not in compared:
                yield [*beginning(report, case), "", "", *ending(report, case)]


def beginning(report: Report, case: Case) -> List[str]:
    return [f"[{report.bench}](#{report.bench})", case.case, shown(case)]


def ending(report: Report, case: Case) -> List[str]:
    return [str(case.rounds), report.date.isoformat()]


def shown(case: Case) -> str:
    """Return a value with its unit: three digits that count, no more than two of them behind the point."""
    digits = 0 if case.value >= 100 else 1 if case.value >= 10 else 2
    return f"{case.value:,.{digits}f} {case.unit}"


def spread(ratio: Ratio) -> str:
    least, most = shown_times(ratio.least), shown_times(ratio.most)
    return shown_times(ratio.times) if least == most else f"{shown_times(ratio.times)} ({least} to {most})"


def shown_times(times: float) -> str:
    return f"{times:,.0f}" if times >= 100 else f"{times:.1f}" if times >= 2 else f"{times:.2f}"


def machines(reports: Sequence[Report]) -> str:
    """Return a line for each machine, and what it measured."""
    by_machine: Dict[str, List[str]] = {}
    for report in reports:
        machine = report.machine
        text = f"{machine.cpu}, {machine.cores} cores, {machine.memory_bytes / 2**30:.0f} GiB, Python {machine.python}"
        by_machine.setdefault(text, []).append(f"{report.bench} (load {machine.load_before:.1f} before it began)")
    return "\n".join(f"- {text}: {', '.join(benches)}" for text, benches in by_machine.items())


def section(report: Report) -> str:
    """Return what a bench's figures are, and what else it saw."""
    versions = ", ".join(f"{name} {text}" for name, text in sorted(report.versions.items()))
    about, *seen = report.notes
    lines = [f"- {note}" for note in seen]
    verdicts = {True: "met", False: "missed", None: "not measured"}
    lines += [f"- {verdicts[target.met]}: {target.target}: {target.found}" for target in report.targets]
    lines.append(f"- commit {report.commit[:10]}{'; ' + versions if versions else ''}")
    data = f"[All of it](../bench/results/{report.bench}.json)."
    head = f"### {report.bench}\n\n`make bench-{report.bench}` {COMMANDS[report.bench]} {about} {data}"
    return "\n\n".join([head, "\n".join(lines)])


if __name__ == "__main__":
    main()
