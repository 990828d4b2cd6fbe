from pathlib import Path

import pytest

from esteira.jobs.targets.tasks import Job
from tests.jobs.targets.golden import FOLDER, jobs

pytestmark = pytest.mark.slow


def test_the_jobs_of_each_form_are_the_golden_ones(compiled_job: Job, tmp_path: Path) -> None:
    golden = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    found = jobs(tmp_path, compiled_job)
    assert sorted(found) == sorted(golden) == ["ai_platform", "vertex", "vertex_custom_job"]
    changed = [form for form in golden if found[form] != golden[form]]
    assert not changed, f"{changed}: differ. If they should: python -m tests.jobs.targets.golden"
