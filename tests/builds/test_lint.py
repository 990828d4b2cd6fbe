from typing import Any, Dict, List

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from esteira.builds.fields import BUILD, OPTIONS, STEP
from esteira.builds.lint import lint_build

DIGEST = "img@sha256:" + "0" * 64
HEAD = f"""\
steps:
  - id: one
    name: {DIGEST}
"""


def lint(text: str) -> List[str]:
    return [str(fault) for fault in lint_build(text, "f.yaml")]


def only_fault(text: str) -> str:
    faults = lint(text)
    assert len(faults) == 1, faults
    return faults[0]


def test_a_sound_build_has_no_faults() -> None:
    assert lint(HEAD + '    waitFor: ["-"]\n    args: ["$_A", "$$HOME"]\nsubstitutions: {_A: ""}\ntimeout: 60s\n') == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "f.yaml:1: is empty."),
        ("- a\n", "f.yaml:1: is no build; expected a mapping with the key steps."),
        ("steps: []\n", "f.yaml:1: has no steps; a build needs one at least."),
        ("timeout: 5s\n", "f.yaml:1: has no steps; a build needs one at least."),
        ("steps:\n", "f.yaml:1: steps is None; expected a list of mappings."),
        ("steps: [1]\n", "f.yaml:1: steps is [1]; expected a list of mappings."),
    ],
)
def test_what_is_no_build_is_told(text: str, expected: str) -> None:
    assert lint(text)[0] == expected


def test_a_syntax_error_has_its_line() -> None:
    assert only_fault("steps:\n  - a: 'b\n").startswith("f.yaml:3: is not YAML: found unexpected end of stream")


def test_a_key_that_stands_twice_is_a_fault() -> None:
    fault = only_fault(HEAD + f"    name: {DIGEST}\n")
    assert fault == 'f.yaml:4: key "name" stands twice; the first is on line 3. Keep one.'


@pytest.mark.parametrize("text", ["&a\nsteps: [*a]\n", "steps: &a [*a]\n", "artifacts: &a {x: *a}\n"])
def test_an_alias_that_stands_for_what_it_stands_in_is_a_fault(text: str) -> None:
    assert only_fault(text).endswith(": is not YAML: an alias stands for what it stands in.")


def test_a_merged_key_that_is_given_again_is_no_fault() -> None:
    text = f"steps:\n  - &base\n    name: {DIGEST}\n    dir: a\n  - <<: *base\n    dir: b\n"
    assert lint(text) == []


def test_a_file_holds_one_document() -> None:
    assert only_fault(HEAD + "---\na: b\n") == "f.yaml:4: is not YAML: but found another document."


KEYS = st.sampled_from([*BUILD, *STEP, *OPTIONS, "env", "envMap", "secretManager", "inline"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.sampled_from(["", "-", "$_A", "5s"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)
STEPS = st.lists(st.dictionaries(st.sampled_from(sorted(STEP)), VALUES, max_size=4), max_size=3)


@examples(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(BUILD)), VALUES, max_size=5), STEPS | VALUES)
def test_whatever_a_file_holds_there_are_faults_and_no_crash(build: Dict[str, Any], steps: Any) -> None:
    text = yaml.safe_dump({**build, "steps": steps})
    for fault in lint_build(text, "f.yaml"):
        assert 1 <= fault.line <= len(text.splitlines())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("wait_for: []", '"wait_for" is no field of a step. Perhaps you meant waitFor.'),
        ("secret_env: []", '"secret_env" is no field of a step. Perhaps you meant secretEnv.'),
        ("args: build", "args is 'build'; expected a list of texts."),
        ("args: [1]", "args is [1]; expected a list of texts."),
        ("args: [yes]", "args is [True]; expected a list of texts."),
        ("env: {A: b}", "env is {'A': 'b'}; expected a list of texts."),
        ("env: [A]", 'env entry "A" is not of the form KEY=VALUE.'),
        ("waitFor: [two]", 'waitFor names "two", which is no step\'s id.'),
        ("waitFor: [on]", "waitFor is [True]; expected a list of texts."),
        ("waitFor: [onee]", 'waitFor names "onee", which is no step\'s id. Perhaps you meant one.'),
        ("waitFor: [one]", 'waitFor names "one", the step itself.'),
        ("timeout: 60m", 'timeout: "60m" is no duration; expected seconds with the suffix s, such as 600s.'),
        ("timeout: 600", "timeout is 600; expected a duration in seconds such as 600s."),
        ("timeout: 3601s", "timeout is 3601s, longer than the build's 3600s."),
        ("args: [$_X]", "$_X is used and not declared under substitutions."),
        ("dir: $_X", "$_X is used and not declared under substitutions."),
        (
            "args: [$COMMIT]",
            "$COMMIT is no built-in substitution; write $$COMMIT for the shell's variable. "
            "Perhaps you meant $COMMIT_SHA.",
        ),
        ('script: ""', "script is empty."),
        ("secretEnv: [S]", 'secretEnv names "S", which neither availableSecrets nor secrets defines.'),
        ("allowExitCodes: ['1']", "allowExitCodes is ['1']; expected a list of whole numbers."),
        ("allowFailure: 1", "allowFailure is 1; expected true or false."),
    ],
)
def test_a_step_that_cloud_build_would_refuse_or_misread(line: str, expected: str) -> None:
    assert only_fault(f"{HEAD}    {line}\n") == f"f.yaml:4: {expected}"


def test_a_step_may_not_wait_for_a_later_one() -> None:
    text = HEAD + f'    waitFor: ["two"]\n  - id: two\n    name: {DIGEST}\n'
    assert only_fault(text) == 'f.yaml:4: waitFor names "two", which comes later; a step waits for earlier ones only.'


def test_two_steps_with_one_id_are_a_fault() -> None:
    fault = only_fault(HEAD + f"  - name: {DIGEST}\n    id: one\n")
    assert fault == 'f.yaml:5: id "one" is another step\'s too; each needs its own.'


def test_a_step_may_not_be_called_dash() -> None:
    assert only_fault(HEAD.replace("one", '"-"')).startswith('f.yaml:2: id "-" is what waitFor calls')


def test_a_script_stands_alone() -> None:
    faults = lint(HEAD + "    script: echo\n    args: [a]\n    entrypoint: sh\n")
    assert faults == [
        "f.yaml:5: args stands beside script; a step has one or the other.",
        "f.yaml:6: entrypoint stands beside script; a step has one or the other.",
    ]


def test_a_script_is_not_substituted_in() -> None:
    assert lint(HEAD + "    script: echo $HOME ${_X:-y}\n") == []


def test_an_image_needs_a_name_and_a_literal_one_a_digest() -> None:
    assert only_fault("steps:\n- args: [a]\n").startswith("f.yaml:2: name is missing;")
    assert only_fault("steps:\n- name: ubuntu\n") == (
        'f.yaml:2: image "ubuntu" has no digest; expected name@sha256:<64 hex>.'
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "substitutions: {A: b}",
            'substitution "A" has a bad form; expected an underscore, then A-Z, 0-9 and underscores.',
        ),
        (
            "substitutions: {_A: b}",
            "substitution _A is declared and never used, which MUST_MATCH refuses. Remove it.",
        ),
        ("substitutions: {_A: 1}", "substitutions is {'_A': 1}; expected a mapping of texts."),
        ("timeout: 86401s", "timeout is 86401 s; Cloud Build allows 86400 s at most."),
        ("queueTtl: 1h", 'queueTtl: "1h" is no duration; expected seconds with the suffix s, such as 600s.'),
        (
            "options: {machine_type: X}",
            '"machine_type" is no field of options. Perhaps you meant machineType.',
        ),
        ("options: {env: [A]}", 'env entry "A" is not of the form KEY=VALUE.'),
        ("option: {}", '"option" is no field of a build. Perhaps you meant options.'),
    ],
)
def test_a_build_that_cloud_build_would_refuse(line: str, expected: str) -> None:
    assert expected in only_fault(f"{HEAD}{line}\n")


def test_loose_substitutions_need_no_match() -> None:
    text = HEAD + '    args: ["$_X"]\nsubstitutions: {_A: b}\noptions: {substitutionOption: ALLOW_LOOSE}\n'
    assert lint(text) == []


def test_mapping_all_substitutions_uses_them() -> None:
    assert lint(HEAD + "    automapSubstitutions: true\nsubstitutions: {_A: b}\n") == []


def test_a_bash_operation_needs_dynamic_substitutions() -> None:
    text = HEAD + '    args: ["${_A:-b}"]\nsubstitutions: {_A: ""}\n'
    assert only_fault(text) == "f.yaml:4: ${_A…} uses a bash operation, which needs options.dynamicSubstitutions."
    assert lint(text + "options: {dynamicSubstitutions: true}\n") == []


def test_a_declared_secret_may_be_used() -> None:
    secret = "availableSecrets: {secretManager: [{versionName: v, env: S}]}\n"
    assert lint(HEAD + "    secretEnv: [S]\n" + secret) == []


def test_every_fault_is_told_at_once_in_the_order_of_the_lines() -> None:
    faults = lint(HEAD + "    waitFor: [x]\n    timeout: 1h\n    args: [$_X]\n")
    assert [fault.split(":")[1] for fault in faults] == ["4", "5", "6"]
