"""settings.md: every key of esteira.toml."""

from pathlib import Path
from typing import Any, Dict, List, Type, get_args

from pydantic.fields import ModelField

from esteira.reference.faults import Faults
from esteira.release.inputs import CLOUD_SECTIONS
from esteira.release.partition import CSV, CSV_COLUMNS, ENCODER, PARTITION, values_of
from esteira.settings.environment import Environment
from esteira.settings.load import sections
from esteira.settings.model import Settings
from esteira.settings.section import Section
from esteira.variables import VARIABLES

# What stands for the content of the file or folder that a setting names.
CONTENTS = {"data.file": CSV, "training.hub_module": ENCODER}
# A truth is a whole number, too, so that it comes first.
TYPES = {bool: "true or false", int: "whole number", float: "number", str: "text"}


def settings_page(root: Path) -> Dict[str, Any]:
    """Return what the page is made of; TemplateError for a section or key without a description."""
    faults = Faults()
    known = {name: Settings.__fields__[name].type_ for name in sections()}
    tables = {name: table_of(f"[{name}]", name, kind, faults) for name, kind in known.items()}
    environments = table_of("[environments.NAME]", "environment", Environment, faults)
    faults.check()
    return {"sections": {**tables, "environments.NAME": environments}}


def table_of(title: str, section: str, kind: Type[Section], faults: Faults) -> Dict[str, Any]:
    """Return what a section is about, from its class's docstring, and its keys."""
    place = f"{kind.__module__.replace('.', '/')}.py: {kind.__name__}"
    about = (kind.__doc__ or "").split("\n")[0].partition(": ")[2]
    faults.expect(about, place, f'a docstring such as """{title}: what it is about."""')
    return {
        "about": about,
        "is_cloud": section in (*CLOUD_SECTIONS, "environment"),
        "keys": [key_of(section, name, field, place, faults) for name, field in kind.__fields__.items()],
    }


def key_of(section: str, name: str, field: ModelField, place: str, faults: Faults) -> Dict[str, Any]:
    info = field.field_info
    faults.expect(info.description or "", f"{place}.{name}", 'Field(..., description="what it means")')
    key = f"{section}.{name}"
    is_environment = section == "environment"
    return {
        "name": f"environments.NAME.{name}" if is_environment else key,
        "title": name,
        "meaning": info.description or "",
        "kind": kind_of(field),
        "is_required": bool(field.required),
        "default": field.default,
        "example": info.extra.get("example", ""),
        "variable": "" if is_environment else f"ESTEIRA_{key.replace('.', '_').upper()}",
        "make": next((name for name, variable in VARIABLES.items() if variable.setting == key), ""),
        "changes": changes_of(key),
    }


def kind_of(field: ModelField) -> str:
    """Return the type of a key with its choices or its range, in words."""
    choices = get_args(field.outer_type_)
    if choices:
        return f"one of {', '.join(f'`{choice}`' for choice in choices)}"
    least, most = field.field_info.ge, field.field_info.le
    span = "" if least is None else f", from {least} on" if most is None else f", {least} to {most}"
    return next(told for kind, told in TYPES.items() if issubclass(field.type_, kind)) + span


def changes_of(key: str) -> List[Dict[str, str]]:
    """Return the parts that a change of a setting changes, each with its kind of deploy and when that is so."""
    found = []
    for part, rule in PARTITION.items():
        content = CONTENTS.get(key, "")
        when = "where a CSV is trained on" if key in CSV_COLUMNS else ""
        if content and values_of(part, {content: ""}, default_data=False):
            when = "by the content of what it names"
        elif not values_of(part, {key: ""}, default_data=False):
            continue
        found.append({"part": part, "kind": rule.kind, "when": when})
    return found
