"""The jobs of each form, for a fixed release: python -m tests.jobs.targets.golden writes golden/ anew.

They change with pipeline/, with TFX's compiler and with esteira/jobs/targets.
"""

import tempfile
from pathlib import Path
from typing import Dict

from esteira.jobs.compile import compiled
from esteira.jobs.targets.tasks import Job
from esteira.release.manifest import json_text
from tests.jobs.targets.fixed import FORMS, bound_of, settings_of

FOLDER = Path(__file__).with_name("golden")


def jobs(folder: Path, job: Job) -> Dict[str, str]:
    """Return the text of each form's job, by the form's name; `folder` is scratch space for settings."""
    return {form: json_text(bound_of(settings_of(folder, flags), job)) for form, flags in FORMS.items()}


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for form, text in jobs(folder, compiled(settings_of(folder, {}))).items():
            (FOLDER / f"{form}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
