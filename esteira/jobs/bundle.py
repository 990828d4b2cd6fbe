"""The whole `modules/` package as one Python file, which TFX fetches and runs by its URI.

TFX copies exactly one module file from a bucket, so helper modules have to travel inside it.
"""

import ast
from pathlib import Path
from typing import Dict, List, Union

from esteira.errors import CompileError
from esteira.release.partition import files_of

PACKAGE = "modules"
LOADER = Path(__file__).with_name("bundle_loader.py")

# Text where a file is UTF-8, so that the bundle can be read; bytes where it is not.
Content = Union[str, bytes]


def bundle_modules(folder: Path) -> bytes:
    """Return the files of a package folder that the part "modules" is made of, as one file's bytes.

    They depend only on the files' relative paths and contents. Raises CompileError
    if a file cannot be read, or a .py file is not UTF-8 or not Python, with its place.
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


def read_bundle(content: bytes) -> Dict[str, Content]:
    """Return the files that a bundle carries, by path, without running any of it.

    Raises CompileError for anything but what `bundle_modules` returns.
    """
    try:
        calls = [line.value for line in ast.parse(content).body if isinstance(line, ast.Expr)]
        files = ast.literal_eval(calls[-1].args[0])  # type: ignore[attr-defined]
        if all(isinstance(path, str) and isinstance(text, (str, bytes)) for path, text in files.items()):
            return dict(files)
    except (SyntaxError, ValueError, AttributeError, LookupError, RecursionError, MemoryError):
        pass
    raise CompileError("this is no bundle of modules. Expected a modules.py that a deploy laid down.")


def read_files(folder: Path) -> Dict[str, Content]:
    """Return {path from the package on: content} of all that travels."""
    there = {f"{PACKAGE}/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()}
    # What makes the default data is of no interest to the model's code, whatever it is trained on.
    return {name: read_content(path) for name, path in sorted(files_of(PACKAGE, there, default_data=True).items())}


def read_content(path: Path) -> Content:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CompileError(f"{path}: cannot be read: {error.strerror}. Mend its permissions.") from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if path.suffix != ".py":
            return content
        raise CompileError(f"{path}: is not UTF-8 at byte {error.start}. Save it as UTF-8 and try again.") from None


def check_syntax(folder: Path, files: Dict[str, Content]) -> None:
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
