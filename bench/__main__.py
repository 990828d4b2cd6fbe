"""All benches, one after the other: `python -m bench`, or some of them: ONLY=plan,deploy, or ONLY=rest.

Each writes its bench/results/<name>.json itself, as soon as it is done. One that fails does not keep the others from
running: what failed is told at the end, and the exit status is 1. ONLY=rest runs those that have no figures of this
commit yet, so it goes on where a run was interrupted. In the end the figures are put into docs, and shown.
"""

import os
import subprocess
import sys
import time
from typing import Dict, List, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from bench.document import rows, stale
from bench.form import BENCHES, REPOSITORY, Report, read_reports
from esteira.files import write_text
from esteira.git import git

ONLY = "ESTEIRA_ONLY"
REST = "rest"


def main() -> None:
    chosen = choose(os.environ.get(ONLY, ""))
    failed = [name for name in chosen if not succeeds(name, chosen)]
    reports = read_reports()
    for path, text in stale(REPOSITORY, reports).items():
        write_text(path, text)
        print(f"wrote {path.relative_to(REPOSITORY)}")
    show([report for report in reports if report.bench in chosen and report.bench not in failed])
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}. Run again: make bench ONLY={','.join(failed)}")


def choose(only: str) -> List[str]:
    """Return the benches that are meant, in their order; SystemExit for a name that there is not."""
    if only == REST:
        return rest(read_reports(), git(REPOSITORY, "rev-parse", "HEAD").strip())
    names = [name.strip() for name in only.split(",")] if only else list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        raise SystemExit(f"ONLY={only}: no bench {unknown[0]!r}; expected some of {','.join(BENCHES)}, or {REST}")
    return [name for name in BENCHES if name in names]


def rest(reports: Sequence[Report], commit: str) -> List[str]:
    """Return the benches that have no figures of a commit."""
    done = {report.bench for report in reports if report.commit == commit}
    return [name for name in BENCHES if name not in done]


def succeeds(name: str, chosen: Sequence[str]) -> bool:
    """Run a bench, whose output goes where ours goes, and return whether it ended well."""
    print(f"bench {name} ({chosen.index(name) + 1} of {len(chosen)})", flush=True)
    started_s = time.monotonic()
    command = [sys.executable, "-m", f"bench.{name}"]
    status = subprocess.run(command, cwd=REPOSITORY, env=variables(os.environ)).returncode
    told = "done" if not status else f"failed with status {status}"
    print(f"bench {name}: {told} after {time.monotonic() - started_s:.0f} s", flush=True)
    return not status


def variables(environ: Mapping[str, str]) -> Dict[str, str]:
    """Return a bench's variables: to the settings of a deploy that it makes, our own would be one they do not know."""
    return {name: value for name, value in environ.items() if name != ONLY}


def show(reports: Sequence[Report]) -> None:
    table = Table(title="bench/results")
    for column in ("bench", "case", "ours", "the other way", "ratio", "rounds"):
        table.add_column(column, justify="right" if column in ("ours", "ratio", "rounds") else "left")
    for report in reports:
        for _, *cells, _date in rows(report):
            table.add_row(report.bench, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
