"""Reading the settings: default < esteira.toml < environment variable < flag."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Tuple

import tomli
from pydantic import ValidationError

from esteira.errors import SettingsError
from esteira.settings.environment import Environment
from esteira.settings.model import LOCAL, Settings
from esteira.settings.section import Section
from esteira.suggest import suggestion
from esteira.variables import VARIABLES, environment_name

FILE = "esteira.toml"
PREFIX = "ESTEIRA_"
# Settings handed on to a step of a build, as a JSON object of "section.key" and text.
OVERRIDES = "ESTEIRA_OVERRIDES"
# Variables that are no section's key: those of the set-up and of a build's steps, and those of single targets.
INNER = ("BUILD_ID", "OVERRIDES", "PLAN", "PYTHON", "REGISTRY_AT", "THIN")
RESERVED = {
    f"{PREFIX}{name}" for name in (*INNER, *(name for name, variable in VARIABLES.items() if not variable.setting))
}

Fault = Tuple[str, str]


def load_settings(root: Path, environ: Mapping[str, str], flags: Mapping[str, str]) -> Settings:
    """Return the settings of the repository at `root`.

    `flags` maps "section.key" to text, as does `environ` with ESTEIRA_SECTION_KEY;
    ESTEIRA_ENV chooses the environment and ESTEIRA_STATE moves the state folder.
    Raises SettingsError that names every fault with its place.
    """
    faults: List[Fault] = []
    origins: Dict[str, str] = {}
    values = read_file(root / FILE)
    values = {key: dict(value) if isinstance(value, dict) else value for key, value in values.items()}
    faults.extend(type_faults(values))
    for key, text, origin in overrides(environ, flags):
        section, _, name = key.partition(".")
        if name not in section_keys(section):
            faults.append((origin, f"is no setting.{suggestion(key, known_keys())}"))
            continue
        table = values.setdefault(section, {})
        # A section that is no table is a fault of its own, found below.
        if isinstance(table, dict):
            table[name] = text
            origins[key] = as_typed(origin, text)
    selected = environ.get("ESTEIRA_ENV") or LOCAL
    values.update(
        root=root,
        state=Path(environ.get("ESTEIRA_STATE") or root / ".esteira").absolute(),
        selected=selected,
    )
    for name in sections():
        values.setdefault(name, {})
    values.setdefault("environments", {})
    faults.extend(state_faults(root, values["state"]))
    faults.extend(environment_faults(selected, values["environments"]))
    try:
        settings = Settings(**values)
    except ValidationError as error:
        faults.extend(faults_of(error, origins))
    if faults:
        raise SettingsError("\n".join(f"{place}: {fault}" for place, fault in faults))
    return settings


def read_file(path: Path) -> Dict[str, Any]:
    """Return the tables of a TOML file, none if it is absent."""
    try:
        values = tomli.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}. Expected a file of settings.") from None
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f'{path.name}: is not TOML: {error}. Expected lines such as: name = "value"') from None
    for reserved in ("root", "state", "selected"):
        if reserved in values:
            raise SettingsError(f"{path.name}: {reserved}: unknown key.{suggestion(reserved, sections())}")
    return values


def overrides(environ: Mapping[str, str], flags: Mapping[str, str]) -> Iterator[Tuple[str, str, str]]:
    """Yield (section.key, text, origin), the strongest last."""
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in RESERVED:
            section, _, name = variable[len(PREFIX) :].lower().partition("_")
            yield f"{section}.{name}", environ[variable], variable
    for key, text in handed_on(environ).items():
        yield key, text, f"{OVERRIDES} {key}"
    for key, text in flags.items():
        yield key, text, f"--set {key}"


def handed_on(environ: Mapping[str, str]) -> Dict[str, str]:
    try:
        values = json.loads(environ.get(OVERRIDES) or "{}")
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(text, str) for text in values.values()):
        raise SettingsError(f'{OVERRIDES}: expected a JSON object of texts such as {{"training.epochs": "2"}}')
    return values


def origins(root: Path, environ: Mapping[str, str], flags: Mapping[str, str]) -> Dict[str, str]:
    """Return, for each "section.key" that is no default, the file, variable or flag that sets it."""
    found = {
        f"{section}.{key}": FILE
        for section, values in read_file(root / FILE).items()
        if isinstance(values, dict)
        for key in values
    }
    found.update((key, origin) for key, _, origin in overrides(environ, flags))
    return found


def state_faults(root: Path, state: Path) -> Iterator[Fault]:
    if state == root:
        yield f"STATE={state}", "is the repository itself. Expected a folder of its own, such as .esteira."


def type_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what the file gives as another type: a text from a variable is converted, 2.9 epochs are not."""
    for section in sections():
        table = values.get(section)
        fields = Settings.__fields__[section].type_.__fields__
        for key, value in table.items() if isinstance(table, dict) else ():
            default = fields[key].default if key in fields else value
            same = type(value) is type(default) or (type(default) is float and type(value) is int)
            if not same:
                yield f"{FILE}: {section}.{key}", f"is {value!r}; expected a value such as {default!r}"


def environment_faults(selected: str, environments: Any) -> Iterator[Fault]:
    if not isinstance(environments, dict):
        return
    if LOCAL in environments:
        yield f"{FILE}: environments.{LOCAL}", "is built in and takes no settings. Remove the table."
    elif selected != LOCAL and selected not in environments:
        known = ", ".join([LOCAL, *sorted(environments)])
        yield (
            f"ENV={selected}",
            (
                f"no such environment; there are: {known}.{suggestion(selected, [LOCAL, *environments])}\n"
                f"Add a table [environments.{selected}] with project, region, bucket and repository to {FILE}."
            ),
        )


def as_typed(origin: str, text: str) -> str:
    """Return the place of a value as somebody may have typed it: what stands behind make has a name of its own."""
    name = next(
        (name for name, variable in VARIABLES.items() if variable.setting and environment_name(name) == origin), ""
    )
    return f"{name}={text} ({origin})" if name else origin


def faults_of(error: ValidationError, origins: Mapping[str, str]) -> Iterator[Fault]:
    """Yield each fault with its place and, for an unknown key, what may be meant."""
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"])
        place = origins.get(key, f"{FILE}: {key}")
        message = fault["msg"]
        if fault["type"] == "type_error.integer":
            message = "expected a whole number"
        elif fault["type"] == "value_error.const":
            known = [str(word) for word in fault["ctx"]["permitted"]]
            *others, last = known
            given = str(fault["ctx"]["given"])
            message = f"expected {', '.join(others)} or {last}.{suggestion(given, known)}"
        elif fault["type"] == "value_error.extra":
            message = "unknown key." + suggestion(str(fault["loc"][-1]), keys_beside(fault["loc"]))
        elif fault["type"] == "value_error.missing":
            message = "is missing."
        yield place, message


def keys_beside(location: Tuple[Any, ...]) -> List[str]:
    """Return the keys that are known where an unknown one stands."""
    if len(location) == 1:
        return [*sections(), "environments"]
    if location[0] == "environments":
        return list(Environment.__fields__)
    return section_keys(location[0])


def section_keys(section: str) -> List[str]:
    """Return the keys of a section, none if it is no section of single values."""
    kind = Settings.__fields__[section].type_ if section in sections() else Section
    return list(kind.__fields__)


def sections() -> List[str]:
    """Return the names of the sections; `environments` is a table of tables and none of them."""
    kinds = {name: field.outer_type_ for name, field in Settings.__fields__.items()}
    return [name for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, Section)]


def known_keys() -> List[str]:
    return [f"{section}.{key}" for section in sections() for key in section_keys(section)]
