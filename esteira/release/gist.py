"""A release in a few words and figures, as lists show it."""

from typing import Dict

from esteira.release.manifest import Release

SHORT_COMMIT = 7
# The measure that people ask for first, whatever the gate holds the model to.
MEASURE = "accuracy"
# A count of the examples that were looked at, and no measure of the model.
COUNT = "example_count"
# Of a release whose manifest is damaged.
UNREADABLE = "unreadable"
VERDICT_STYLES = {"yes": "green", "no": "yellow", "failed": "red", "not known yet": "dim", UNREADABLE: "red"}


def short_commit(release: Release) -> str:
    """Return the beginning of the commit, with -dirty where the source differed from it."""
    return (release.commit[:SHORT_COMMIT] or "none") + ("-dirty" if release.dirty else "")


def moment(at: str) -> str:
    """Return a time of a manifest, 2026-11-22T21:30:41Z, as 2026-11-22 21:30:41."""
    return at.replace("T", " ").rstrip("Z")


def verdict(release: Release) -> str:
    """Return whether the release's model was blessed: yes, no, failed or not known yet.

    A blessed model that failed its smoke test failed: it may not be served.
    """
    if release.outcome is None:
        return "not known yet"
    if release.outcome.blessed:
        return "failed" if release.outcome.error else "yes"
    return "no" if release.outcome.evaluation else "failed"


def metrics_of(release: Release) -> Dict[str, float]:
    """Return every metric of the release's evaluation, none if there is none."""
    evaluation = release.outcome.evaluation if release.outcome else {}
    return dict(evaluation.get("metrics", {}))


def main_metrics(release: Release) -> Dict[str, float]:
    """Return the accuracy and the metrics that the gate looked at, or every one if it looked at none."""
    metrics = metrics_of(release)
    thresholds = release.outcome.evaluation.get("thresholds", []) if release.outcome else []
    gate = {threshold["metric"] for threshold in thresholds}
    names = {MEASURE, *gate} if gate else set(metrics) - {COUNT}
    return {name: metrics[name] for name in sorted(names & set(metrics))}
