"""The edge between a command line and the engine: settings in, errors out.

Below the edge nothing reads os.environ, and nothing prints an error.
"""

import errno
import functools
import os
import re
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Optional, Tuple, TypeVar, cast

from esteira.errors import EsteiraError, SettingsError, StateError
from esteira.settings import LOCAL, Settings
from esteira.settings.load import load_settings, origins, overrides
from esteira.variables import OF_AN_ENVIRONMENT

ROOT = Path(__file__).resolve().parent.parent
DEFECT_EXIT_CODE = 70
INTERRUPTED_EXIT_CODE = 130
FULL = (errno.ENOSPC, errno.EDQUOT)
# A target that means another environment with ENV=, with what may stand behind it.
COMMAND = re.compile(rf"\bmake (?:{'|'.join(OF_AN_ENVIRONMENT)})(?![\w-])(?!(?: [A-Z]+=\S+)* ENV=)")

Function = TypeVar("Function", bound=Callable[..., Any])


def settings_here(flags: Iterable[str] = ()) -> Settings:
    """Return the settings of this repository; `flags` are texts such as "training.epochs=2"."""
    return settings_in(ROOT, flags)


def settings_in(root: Path, flags: Iterable[str] = ()) -> Settings:
    """Return the settings of the repository that lies in a folder, with the variables and flags of here."""
    return load_settings(root, os.environ, dict(parse_flag(flag) for flag in flags))


def local_settings() -> Settings:
    """Return the settings of this repository for the environment local, whichever is chosen."""
    return load_settings(ROOT, {key: value for key, value in os.environ.items() if key != "ESTEIRA_ENV"}, {})


def origins_here(flags: Iterable[str]) -> Dict[str, str]:
    """Return, for each "section.key" that is no default, what sets it."""
    return origins(ROOT, os.environ, dict(parse_flag(flag) for flag in flags))


def parse_flag(flag: str) -> Tuple[str, str]:
    key, equals, value = flag.partition("=")
    if not equals:
        raise SettingsError(f"--set {flag}: has no value. Expected --set section.key=value")
    return key, value


def variable(name: str) -> Optional[str]:
    """Return what ESTEIRA_<name> holds, None if it is unset or empty."""
    return os.environ.get(f"ESTEIRA_{name}") or None


def switch(name: str, default: bool = False) -> bool:
    """Return whether the variable `name` of make is 1; SettingsError for anything but 1, 0 or empty."""
    value = variable(name) or str(int(default))
    if value not in ("0", "1"):
        raise SettingsError(f"{name}={value}: expected {name}=1 or {name}=0, or nothing")
    return value == "1"


def number(name: str, default: int) -> int:
    """Return the positive number that the variable `name` of make holds; SettingsError for anything else."""
    value = variable(name) or str(default)
    if not value.isdecimal() or int(value) < 1:
        raise SettingsError(f"{name}={value}: expected a number from 1 on, such as {name}={default}")
    return int(value)


def required_variable(name: str, example: str) -> str:
    """Return what the variable `name` of make holds, or raise SettingsError."""
    value = variable(name)
    if value is None:
        raise SettingsError(f"{name} is missing. Expected, for example: {example}")
    return value


def overrides_here(flags: Iterable[str] = ()) -> Dict[str, str]:
    """Return what variables and flags set, as "section.key", to hand on to a build."""
    return {key: value for key, value, _ in overrides(os.environ, dict(parse_flag(flag) for flag in flags))}


def at_the_edge(function: Function) -> Function:
    """Make errors of `function` end the program with a message and the error's exit code."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        quiet_libraries()
        try:
            result = function(*arguments, **options)
            print(end="", flush=True)
            return result
        except EsteiraError as error:
            leave(str(error), error.exit_code)
        except KeyboardInterrupt:
            leave("Interrupted. Run the same command again to go on.", INTERRUPTED_EXIT_CODE)
        except BrokenPipeError:
            drop_output()
            sys.exit(1)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in FULL:
                drop_output()
                said = f"{error.filename or 'standard output'}: cannot write: {error.strerror}."
                leave(f"{said} Free some space, then run it again.", StateError.exit_code)
            leave(f"This is a defect of Esteira: {error!r}\n{keep_traceback()}", DEFECT_EXIT_CODE)

    return cast(Function, wrapped)


def drop_output() -> None:
    """Let what is still to be written go nowhere, as where it goes takes no more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def quiet_libraries() -> None:
    """Keep TensorFlow's start-up lines, and Google's warnings about Python 3.8, from what users read."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    warnings.simplefilter("ignore", FutureWarning)
    os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning")


def for_environment(text: str) -> str:
    """Return a text whose commands are those for the chosen environment: below the edge they are named without."""
    environment = variable("ENV") or LOCAL
    return text if environment == LOCAL else COMMAND.sub(rf"\g<0> ENV={environment}", text)


def leave(message: str, exit_code: int) -> None:
    print(end="", flush=True)
    print(for_environment(message), file=sys.stderr)
    sys.exit(exit_code)


def keep_traceback() -> str:
    """Write the current traceback to a file and return a line that says where."""
    state = Path(variable("STATE") or ROOT / ".esteira")
    path = state / "logs" / "defects" / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(traceback.format_exc(), encoding="utf-8")
    except OSError:
        return traceback.format_exc()
    return f"The traceback is in {path}"
