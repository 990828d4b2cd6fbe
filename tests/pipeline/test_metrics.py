"""The metrics of the gate, worked out by hand."""

import pytest

from pipeline.metrics import accuracy, accuracy_lift, macro_f1

CONFUSION = {("a", "a"): 6, ("a", "b"): 1, ("b", "b"): 2, ("b", "a"): 1}
MAJORITY = {("a", "a"): 71, ("b", "a"): 23, ("c", "a"): 6}


def test_a_confusion_of_two_classes() -> None:
    assert accuracy(CONFUSION) == pytest.approx(0.8)
    assert accuracy_lift(CONFUSION) == pytest.approx(0.1)
    assert macro_f1(CONFUSION) == pytest.approx((12 / 14 + 4 / 6) / 2)


def test_always_the_majority_has_no_lift_and_a_low_macro_f1() -> None:
    assert accuracy(MAJORITY) == pytest.approx(0.71)
    assert accuracy_lift(MAJORITY) == 0
    assert macro_f1(MAJORITY) == pytest.approx(142 / 171 / 3)


def test_a_class_that_is_only_predicted_counts() -> None:
    assert macro_f1({("a", "a"): 1, ("a", "z"): 1}) == pytest.approx((2 / 3 + 0) / 2)


def test_no_examples_give_zero() -> None:
    assert accuracy({}) == accuracy_lift({}) == macro_f1({}) == 0
