"""The whole `modules/` package as one Python file, which TFX fetches and runs by its URI.

TFX copies exactly one module file from a bucket, so helper modules have to travel inside it.
"""

import ast
from pathlib import Path
from typing import Dict, List

from esteira.errors import CompileError

PACKAGE = "modules"
SUFFIXES = (".py", ".json")
# Travels by itself, as the artifact of an Importer.
LEFT_OUT = ("best_hyperparameters", "__pycache__")
LOADER = Path(__file__).with_name("bundle_loader.py")


def bundle_modules(folder: Path) -> bytes:
    """Return the Python files and JSON files of a package folder as one file's bytes.

    They depend only on the files' relative paths and contents. Raises CompileError
    if a file cannot be read as UTF-8 or is not Python, with its place.
    """
    files = read_files(folder)
    if f"{PACKAGE}/__init__.py" not in files:
        raise CompileError(
            f"{folder}: is no Python package: there is no __init__.py.\n"
            "Expected the folder with preprocessing.py and model.py. Run: git checkout -- modules"
        )
    check_syntax(folder, files)
    lines: List[str] = [LOADER.read_text(encoding="utf-8"), "", "", "install_bundle(", "    {"]
    lines += [f"        {path!r}: {content!r}," for path, content in sorted(files.items())]
    lines += ["    },", "    __file__,", ")", ""]
    return "\n".join(lines).encode("utf-8")


def read_files(folder: Path) -> Dict[str, str]:
    """Return {path from the package on: text} of all that travels."""
    files: Dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.suffix in SUFFIXES and path.is_file() and not set(relative.parts) & set(LEFT_OUT):
            files[f"{PACKAGE}/{relative.as_posix()}"] = read_source(path)
    return files


def read_source(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise CompileError(f"{path}: is not UTF-8 at byte {error.start}. Save it as UTF-8 and try again.") from None
    except OSError as error:
        raise CompileError(f"{path}: cannot be read: {error.strerror}. Mend its permissions.") from None


def check_syntax(folder: Path, files: Dict[str, str]) -> None:
    """Raise CompileError that lists the place of every Python file's syntax error."""
    faults = []
    for name, content in sorted(files.items()):
        path = folder.parent / name if folder.name == PACKAGE else folder / name[len(PACKAGE) + 1 :]
        if path.suffix != ".py":
            continue
        try:
            ast.parse(content, str(path))
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", 1)
            text = (getattr(error, "text", None) or "").strip()
            faults.append(f"{path}:{line}: {getattr(error, 'msg', error)}: {text}")
    if faults:
        raise CompileError("\n".join(faults) + "\nMend the syntax, then run: make test")
