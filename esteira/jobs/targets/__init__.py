"""Targets: what makes the one compiled job the job of an environment.

The pipeline compiles with TFX's plain Trainer and Pusher. Where a job trains and who deploys its model is
decided when a release binds it: TFX compiles its Google Cloud components to the same job but for class
paths, custom_config and the push destination (tests/jobs/targets/test_oracle.py shows it).
"""

from esteira.jobs.targets.deployable import check_deployable
from esteira.jobs.targets.target import for_target

__all__ = ["check_deployable", "for_target"]
