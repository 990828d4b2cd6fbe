import os
import subprocess
from pathlib import Path
from typing import Callable, List

import pytest

from esteira.errors import BuildError, StateError
from esteira.local.builds.result import BuildResult
from tests.local.builds.conftest import Recorder

pytestmark = pytest.mark.programs

Run = Callable[..., BuildResult]


def script(step_id: str, text: str, *fields: str) -> str:
    """Return a step that runs a script, its id set and its other fields given as lines."""
    lines = "".join(f"  {field}\n" for field in fields)
    body = "".join(f"    {line}\n" for line in text.splitlines())
    return f'- id: {step_id}\n  name: "$_BUILDER"\n{lines}  script: |\n{body}'


def await_file(name: str) -> str:
    return f"for i in $(seq 600); do test -e {name} && break; sleep 0.05; done; test -e {name}"


def states(result: BuildResult) -> List[str]:
    return [step.state for step in result.steps]


def test_steps_share_a_workspace_with_the_source_and_run_one_after_the_other(run: Run, recorder: Recorder) -> None:
    steps = script("one", "cat file.txt > copy") + script("two", "cat copy; pwd; ls ..")
    result = run(steps)
    assert (result.state, states(result), result.workspace) == ("succeeded", ["succeeded"] * 2, None)
    first, *lines = recorder.lines_of("two")
    assert first == "committed"
    assert lines[0].endswith(f"/state/builds/{result.build_id}/workspace")
    assert [call for call in recorder.calls if call[0] != "line"] == [
        ("started", "one"),
        ("finished", "one", "succeeded", ""),
        ("started", "two"),
        ("finished", "two", "succeeded", ""),
    ]
    assert not Path(lines[0]).exists()


def test_what_is_built_is_said_in_one_plain_line(run: Run, recorder: Recorder, repository: Path) -> None:
    (repository / "new").write_text("")
    run(script("one", "test -e new"))
    [line] = recorder.lines_of("source")
    assert line.startswith("the working tree, not a commit: 1 file differ")


def test_steps_that_wait_for_nothing_run_at_once(run: Run) -> None:
    one = script("one", f"touch a; {await_file('b')}", 'waitFor: ["-"]')
    two = script("two", f"touch b; {await_file('a')}", 'waitFor: ["-"]')
    assert run(one + two).state == "succeeded"


def test_a_step_waits_for_the_named_ones_only(run: Run) -> None:
    slow = script("slow", await_file("go"), 'waitFor: ["-"]')
    quick = script("quick", "true", 'waitFor: ["-"]')
    after = script("after", "touch go", "waitFor: [quick]")
    assert run(slow + quick + after).state == "succeeded"


def test_commands_get_their_arguments_and_variables_as_they_stand(run: Run, recorder: Recorder) -> None:
    run(
        '- id: a\n  name: "$_BUILDER"\n  entrypoint: sh\n  dir: new/folder\n  env: ["A=a  b", "B=$_B"]\n'
        '  args: [-c, "printf \'%s\\\\n\' \\"$$A\\" \\"$$B\\" \\"$$1\\"; pwd", name, "*  $$x"]\n',
        head='substitutions: {_BUILDER: "", _B: default}\n',
        _B="$HOME `id`",
    )
    first, second, third, folder = recorder.lines_of("a")
    assert (first, second, third) == ("a  b", "$HOME `id`", "*  $x")
    assert folder.endswith("/workspace/new/folder")


def test_python_is_the_projects_own(run: Run, recorder: Recorder) -> None:
    import sys

    run('- id: a\n  name: "$_BUILDER"\n  args: [python, -c, "import sys; print(sys.executable)"]\n')
    assert recorder.lines_of("a") == [str(Path(sys.executable).with_name("python"))]


def test_a_scripts_first_line_chooses_its_program(run: Run, recorder: Recorder) -> None:
    run(script("py", "#!/usr/bin/env python\nimport sys\nprint(sys.version_info.major)") + script("sh", "echo $0"))
    assert recorder.lines_of("py") == ["3"]
    assert recorder.lines_of("sh")[0].endswith("/scripts/1")


def test_a_failed_step_fails_the_build_ends_the_others_and_starts_no_more(run: Run, recorder: Recorder) -> None:
    bad = script("bad", f"echo why; {await_file('running')}; exit 3", 'waitFor: ["-"]')
    other = script("other", "touch running; sleep 600", 'waitFor: ["-"]')
    result = run(bad + other + script("never", "touch never"))
    assert (result.state, states(result)) == ("failed", ["failed", "cancelled", "skipped"])
    assert [step.status for step in result.steps] == [3, None, None]
    assert ("finished", "bad", "failed", "status 3") in recorder.calls
    assert result.workspace and not (result.workspace / "never").exists()
    assert result.explain() == (
        f"build {result.build_id}: failed.\n"
        f"Step bad left with status 3. Its log: {result.steps[0].log}\n"
        f"Its workspace is kept for a look: {result.workspace}"
    )


def test_only_the_last_failed_workspace_is_kept(run: Run) -> None:
    first, second = run(script("a", "exit 1")), run(script("a", "exit 1"))
    run(script("a", "true"))
    assert first.workspace and not first.workspace.exists()
    assert second.workspace and second.workspace.exists()
    assert first.steps[0].log.exists()


def test_an_allowed_failure_fails_nothing(run: Run, recorder: Recorder) -> None:
    any_status = script("any", "exit 9", "allowFailure: true")
    one_status = script("one", "exit 4", "allowExitCodes: [4]")
    result = run(any_status + one_status + script("last", "true"))
    assert (result.state, states(result)) == (
        "succeeded",
        ["allowed_failure", "allowed_failure", "succeeded"],
    )
    assert ("finished", "any", "failed", "status 9, which the build allows") in recorder.calls


def test_a_step_that_takes_too_long_is_ended_and_fails_the_build(run: Run) -> None:
    result = run(script("late", "echo begun; sleep 600", "timeout: 0.5s") + script("never", "true"))
    assert (result.state, states(result)) == ("failed", ["timed_out", "skipped"])
    assert "Step late took too long." in result.explain()


def test_a_step_that_takes_too_long_may_be_allowed_to(run: Run) -> None:
    result = run(script("late", "sleep 600", "timeout: 0.2s", "allowFailure: true") + script("last", "true"))
    assert (result.state, states(result)) == ("succeeded", ["allowed_failure", "succeeded"])


def test_a_build_that_takes_too_long_is_ended(run: Run) -> None:
    head = 'timeout: 0.5s\nsubstitutions: {_BUILDER: ""}\n'
    result = run(script("late", "sleep 600") + script("never", "true"), head=head)
    assert (result.state, states(result)) == ("timed_out", ["cancelled", "skipped"])


def test_nothing_that_a_step_started_outlives_it(run: Run, recorder: Recorder) -> None:
    """A container ends with its first process; so does a step, whatever it left behind."""
    run(script("a", "sleep 611 & echo $!\nsetsid sh -c 'sleep 612 & echo $!; sleep 613' &\nsleep 0.3"))
    pids = recorder.lines_of("a")
    assert len(pids) == 2
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_step_that_ignores_sigterm_is_killed(run: Run) -> None:
    result = run(script("deaf", "trap '' TERM; while :; do sleep 0.1; done", "timeout: 0.5s"))
    assert states(result) == ["timed_out"]


def test_pipes_behave_as_a_shell_expects(run: Run, recorder: Recorder) -> None:
    run(script("a", "yes | head -n 1"))
    assert recorder.lines_of("a") == ["y"]


def test_a_program_that_is_missing_is_named(run: Run, recorder: Recorder) -> None:
    result = run('- id: a\n  name: "$_BUILDER"\n  entrypoint: no-such-program\n')
    assert (result.state, result.steps[0].status) == ("failed", 127)
    assert recorder.lines_of("a") == ["no-such-program: cannot be run: No such file or directory"]


def test_the_log_has_every_byte_and_the_report_plain_lines(run: Run, recorder: Recorder) -> None:
    written = rb"\033[31mred\033[0m\n10%%\r100%%\n\377\nno end"
    result = run(script("a", f"printf '{written.decode()}'") + script("b/c", "echo"))
    assert recorder.lines_of("a") == ["red", "100%", "\ufffd", "no end"]
    assert result.steps[0].log.read_bytes() == b"\x1b[31mred\x1b[0m\n10%\r100%\n\xff\nno end"
    assert [step.log.name for step in result.steps] == ["a.log", "step-1.log"]


def test_a_long_output_arrives_whole(run: Run) -> None:
    result = run(script("a", "seq 20000; head -c 300000 /dev/zero | tr '\\0' x"))
    content = result.steps[0].log.read_text()
    assert content.splitlines()[:20000] == [str(number) for number in range(1, 20001)]
    assert len(content.splitlines()[20000]) == 300000


def test_a_faulty_file_runs_nothing(run: Run, recorder: Recorder, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="volumes cannot be honoured"):
        run(script("a", "true") + script("b", "true", "volumes: [{name: v, path: /v}]"))
    assert recorder.calls == []
    assert not (tmp_path / "state").exists()


def test_a_missing_build_file_says_how_it_is_made(run: Run, tmp_path: Path) -> None:
    from esteira.local.builds.run import read_text

    with pytest.raises(BuildError, match=r"there is no such build file\. Run: make generate"):
        read_text(tmp_path / "none.yaml")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's device that is always full")
def test_a_full_disk_under_the_logs_ends_the_build_and_names_the_log(run: Run, tmp_path: Path) -> None:
    logs = tmp_path / "state" / "logs" / "builds" / "b-1"
    logs.mkdir(parents=True)
    (logs / "a.log").symlink_to("/dev/full")
    with pytest.raises(StateError, match=r"a\.log: cannot write the log: No space left on device"):
        run(script("a", "echo text; sleep 600"), build_id="b-1")
    assert list((tmp_path / "state" / "builds").iterdir()) == []


def test_a_log_folder_that_cannot_be_made_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "logs").write_text("a file")
    with pytest.raises(StateError, match="cannot make the log folder"):
        run(script("a", "true"))


def test_two_builds_have_different_ids_and_folders(run: Run) -> None:
    first, second = run(script("a", "pwd")), run(script("a", "pwd"))
    assert first.build_id != second.build_id
    assert first.steps[0].log.read_text() != second.steps[0].log.read_text()


def test_the_built_in_substitutions_tell_the_commit(run: Run, recorder: Recorder, repository: Path) -> None:
    text = "$COMMIT_SHA $SHORT_SHA $BRANCH_NAME $PROJECT_ID $REPO_NAME"
    run(f'- id: a\n  name: "$_BUILDER"\n  args: [echo, "{text}"]\n')
    head = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(head, cwd=repository, check=True, capture_output=True, text=True).stdout.strip()
    assert recorder.lines_of("a") == [f"{commit} {commit[:7]} main local a repo"]


VERSION = "projects/$PROJECT_ID/secrets/s/versions/1"
SECRETS = f'availableSecrets: {{secretManager: [{{versionName: "{VERSION}", env: TOKEN}}]}}\n'


def test_a_secret_comes_from_whoever_runs_the_build(
    run: Run, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "of the one who runs it")
    monkeypatch.setenv("OTHER", "is not handed on")
    run(script("a", 'echo "$TOKEN$OTHER"', "secretEnv: [TOKEN]") + script("b", 'echo "[$TOKEN]"') + SECRETS)
    assert recorder.lines_of("a") == ["of the one who runs it"]
    assert recorder.lines_of("b") == ["[]"]


def test_a_secret_that_is_not_set_is_told_before_anything_runs(run: Run, recorder: Recorder) -> None:
    with pytest.raises(BuildError) as error:
        run(script("a", "true", "secretEnv: [TOKEN]") + SECRETS)
    assert str(error.value) == (
        "build.secrets: TOKEN: not set here, where Secret Manager is not asked.\n"
        "Expected a variable of that name. Nothing was run. Set it and run the command again."
    )
    assert recorder.lines_of("a") == []
