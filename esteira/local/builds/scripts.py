"""The scripts of a build's steps, as files that can be started."""

from pathlib import Path
from typing import Dict, Sequence

from esteira.files import telling_os_errors
from esteira.local.builds.plan import Step

# "If you don't prefix the script string with a shebang, Cloud Build uses #!/bin/sh":
# https://cloud.google.com/build/docs/configuring-builds/run-bash-scripts
DEFAULT_START = "#!/bin/sh\n"


def write_scripts(folder: Path, steps: Sequence[Step]) -> Dict[int, Path]:
    """Write the script of each step that has one; return the files by the step's position.

    All are written before any step starts: a file that some process still has open for writing
    cannot be executed.
    """
    paths: Dict[int, Path] = {}
    with telling_os_errors("write the scripts", folder):
        folder.mkdir()
        for index, step in enumerate(steps):
            if step.script:
                start = "" if step.script.startswith("#!") else DEFAULT_START
                paths[index] = folder / str(index)
                paths[index].write_text(start + step.script, encoding="utf-8")
                paths[index].chmod(0o700)
    return paths
