"""Workflows really run, by act on this machine: no container, no network, and stubs in the place of actions."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping

import yaml

from tests.conftest import REPOSITORY

WORKFLOWS = REPOSITORY / ".github" / "workflows"
# A stub for each action, in a folder of the action's own name.
ACTIONS = Path(__file__).resolve().parent / "actions"
ACT = Path(sys.executable).parent / "act"
PROGRAMS = {
    # act gives each step a terminal, which it does not have on GitHub.
    "bash": """#!/bin/bash
[ -t 1 ] || exec /bin/bash "$@"
/bin/bash "$@" </dev/null 2>&1 | cat
exit "${PIPESTATUS[0]}"
""",
    # On GitHub it asks for no password. Here nobody becomes anybody else.
    "sudo": '#!/bin/sh\nexec "$@"\n',
}
# Of the caller's variables a runner gets these alone: no credentials, no settings, and no way to a network.
KEPT = ("PATH", "LANG", "TZ", "TMPDIR", "TF_CPP_MIN_LOG_LEVEL")
LIMIT_S = 300.0


@dataclass(frozen=True)
class Ran:
    """How a workflow went: `results` are its jobs' words for their ends by name, `steps` those of the steps that ran.

    `summary` is what the steps wrote to the job summary, `text` what they printed.
    """

    code: int
    results: Dict[str, str]
    steps: Dict[str, str]
    summary: str
    text: str
    log: str

    def succeeded(self) -> "Ran":
        """Return this; AssertionError with what was printed unless the workflow is green."""
        assert (self.code, set(self.results.values())) == (0, {"success"}), self.told()
        return self

    def failed(self) -> "Ran":
        """Return this; AssertionError with what was printed unless the workflow is red."""
        assert self.code != 0 and "failure" in self.results.values(), self.told()
        return self

    def told(self) -> str:
        return f"act left with {self.code}: {self.results}, {self.steps}\n{self.text}\n{self.log}"


def read_workflow(name: str) -> Dict[str, Any]:
    """Return a workflow; its key "on" stands under True, as YAML 1.1 reads it."""
    document: Dict[str, Any] = yaml.safe_load((WORKFLOWS / name).read_text(encoding="utf-8"))
    return document


def run_workflow(
    root: Path,
    name: str,
    event: str,
    payload: Mapping[str, Any],
    *,
    folder: Path,
    variables: Mapping[str, str],
    environ: Mapping[str, str],
) -> Ran:
    """Run a workflow of the repository at `root`, whose HEAD is what the event is about, and return how it went.

    `folder` takes what act keeps, `variables` are those of the repository's settings, `environ` the steps'.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / "event.json"
    told.write_text(json.dumps(payload), encoding="utf-8")
    command = [str(ACT), event, "--directory", str(root), "--workflows", str(copy_for_act(root, name, folder))]
    command += ["--eventpath", str(told), "--json", "--no-skip-checkout", "--no-cache-server", "--action-offline-mode"]
    command += ["--pull=false", "--container-daemon-socket", "-", "--concurrent-jobs", "1"]
    command += ["--action-cache-path", str(folder / "cache")]
    for path in ("env-file", "secret-file", "var-file", "input-file"):
        command += [f"--{path}", os.devnull]
    for label in runners(root, name):
        command += ["--platform", f"{label}=-self-hosted"]
    for action in actions(root, name):
        command += ["--local-repository", f"{action}={ACTIONS / action.partition('@')[0]}"]
    for key, value in variables.items():
        command += ["--var", f"{key}={value}"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**variables_of_runner(folder), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT_S,
    )
    return read_log(done.returncode, done.stdout, done.stderr)


def copy_for_act(root: Path, name: str, folder: Path) -> Path:
    """Return a copy of a workflow without how many of its runs may wait, which act does not know: it has no queue."""
    text = (root / ".github" / "workflows" / name).read_text(encoding="utf-8")
    copy = folder / "workflow" / name
    copy.parent.mkdir()
    copy.write_text(re.sub(r"^  queue: max\n", "", text, flags=re.MULTILINE), encoding="utf-8")
    return copy


def variables_of_runner(folder: Path) -> Dict[str, str]:
    """Return what a runner gives every step, before the programs of a folder of its own."""
    programs = folder / "bin"
    programs.mkdir()
    for name, text in PROGRAMS.items():
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    kept = {key: os.environ[key] for key in KEPT if key in os.environ}
    return {**kept, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def read_log(code: int, out: str, err: str) -> Ran:
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    mains = [line for line in lines if line.get("stage") == "Main"]
    return Ran(
        code=code,
        results={line["job"].partition("/")[2].strip(): line["jobResult"] for line in lines if "jobResult" in line},
        steps={line["step"]: line["stepResult"] for line in mains if "stepResult" in line},
        summary="".join(line["content"] for line in lines if line.get("command") == "summary"),
        text="".join(line["msg"] for line in lines if line.get("raw_output")),
        log=err,
    )


def may_ask_for_tokens(root: Path, name: str) -> bool:
    """Return whether GitHub would give a job of a workflow what signs it in."""
    return any((job.get("permissions") or {}).get("id-token") == "write" for job in jobs(root, name))


def jobs(root: Path, name: str) -> Iterator[Dict[str, Any]]:
    yield from yaml.safe_load((root / ".github" / "workflows" / name).read_text(encoding="utf-8"))["jobs"].values()


def runners(root: Path, name: str) -> List[str]:
    """Return the labels of the machines that a workflow's jobs run on."""
    return sorted({job["runs-on"] for job in jobs(root, name)})


def actions(root: Path, name: str) -> List[str]:
    """Return what a workflow uses, such as actions/checkout@<commit>; AssertionError for what has no stub."""
    used = sorted({step["uses"] for job in jobs(root, name) for step in job["steps"] if "uses" in step})
    missing = [action for action in used if not (ACTIONS / action.partition("@")[0] / "action.yml").is_file()]
    assert not missing, f"{missing}: no stub in {ACTIONS}"
    return [re.sub(r"^([^/@]+/[^/@]+)[^@]*", r"\1", action) for action in used]
