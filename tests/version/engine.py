"""A small repository that is an engine's: its version, CHANGELOG.md, fragments, and towncrier's settings."""

from pathlib import Path

from tests.conftest import REPOSITORY
from tests.repositories import commit_all, make_repository, run_git, write

FILES = {
    "esteira/__init__.py": '"""The engine."""\n\n__version__ = "0.1.0"\n',
    "esteira/plan.py": "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n",
    "pipeline/pipeline.py": "graph\n",
    "esteira.toml": '[pipeline]\nname = "sentiment"\n',
    "CHANGELOG.md": "# Changes\n\n<!-- versions -->\n\n## 0.1.0 (2026-11-01)\n\n### Added\n\n- A plan.\n",
    "changes/README.md": "How one is written.\n",
}


def make_engine(root: Path) -> Path:
    """Make the repository, whose one commit is its version 0.1.0."""
    make_repository(root, {**FILES, "pyproject.toml": (REPOSITORY / "pyproject.toml").read_text()})
    run_git(root, "config", "user.name", "T")
    run_git(root, "config", "user.email", "t@example.test")
    run_git(root, "tag", "--annotate", "--message", "Version 0.1.0", "v0.1.0")
    return root


def publish(root: Path, version: str, path: str, text: str, told: str) -> None:
    """Add a version to an engine that changes one file."""
    write(root / path, text)
    write(root / "esteira" / "__init__.py", FILES["esteira/__init__.py"].replace("0.1.0", version))
    changes = (root / "CHANGELOG.md").read_text()
    mark = "<!-- versions -->\n"
    write(root / "CHANGELOG.md", changes.replace(mark, f"{mark}\n## {version} (2026-11-20)\n\n### Added\n\n- {told}\n"))
    commit_all(root, f"Version {version}")
    run_git(root, "tag", "--annotate", "--message", f"Version {version}", f"v{version}")
