"""Which benches `make bench` runs, in which order, and with which variables."""

import pytest

from bench.__main__ import choose, rest, variables
from bench.form import BENCHES
from tests.bench.test_form import report_of


def test_without_a_choice_all_are_run() -> None:
    assert choose("") == list(BENCHES)


def test_chosen_ones_are_run_in_the_order_of_all() -> None:
    assert choose("plan, deploy") == ["deploy", "plan"]


def test_an_unknown_bench_is_told_with_those_that_there_are() -> None:
    with pytest.raises(SystemExit) as failure:
        choose("plan,paln")
    message = "ONLY=plan,paln: no bench 'paln'; expected some of deploy,images,run,plan,serve,log, or rest"
    assert str(failure.value) == message


def test_the_rest_is_what_has_no_figures_of_the_commit() -> None:
    commit = "1" * 40
    reports = [report_of(commit=commit), report_of(bench="plan")]
    assert rest(reports, commit) == ["deploy", "images", "plan", "serve", "log"]


def test_a_bench_does_not_get_our_own_variable() -> None:
    assert variables({"ESTEIRA_ONLY": "plan", "ESTEIRA_ENV": "dev", "PATH": "/bin"}) == {
        "ESTEIRA_ENV": "dev",
        "PATH": "/bin",
    }
