"""Small git repositories for tests, made and asked with the real git."""

import subprocess
from pathlib import Path
from typing import Mapping

AUTHOR = ("-c", "user.name=T", "-c", "user.email=t@example.test")


def run_git(root: Path, *arguments: str) -> str:
    """Run git as a person would and return its output without white space around it."""
    command = ["git", *AUTHOR, *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def commit_all(root: Path, message: str = "change") -> str:
    """Commit everything that is not ignored and return the commit."""
    run_git(root, "add", "--all")
    run_git(root, "commit", "-q", "--allow-empty", "-m", message)
    return run_git(root, "rev-parse", "HEAD")


def make_repository(root: Path, files: Mapping[str, str]) -> Path:
    """Make a repository whose one commit, on the branch main, holds the files; return its folder."""
    root.mkdir(parents=True)
    run_git(root, "init", "-q", "-b", "main")
    for path, text in files.items():
        write(root / path, text)
    commit_all(root, "first")
    return root


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
