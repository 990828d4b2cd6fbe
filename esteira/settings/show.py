"""Showing the settings in force, and what sets each."""

import json
from typing import Mapping, Optional

from esteira.settings.load import sections
from esteira.settings.model import Settings

ORIGIN_COLUMN = 40
REFERENCE = "docs/reference/settings.md"


def show_settings(settings: Settings, origins: Mapping[str, str]) -> str:
    """Return the settings as TOML, each line that is no default with its origin."""
    lines = [f"# environment {settings.selected}, its files under {settings.bucket}", f"# what each means: {REFERENCE}"]
    for section in sections():
        lines += ["", f"[{section}]"]
        for key, value in getattr(settings, section).dict().items():
            lines.append(setting_line(f"{key} = {toml(value)}", origins.get(f"{section}.{key}")))
    for name, environment in sorted(settings.environments.items()):
        lines += ["", f"[environments.{name}]"]
        lines += [f"{key} = {toml(value)}" for key, value in environment.dict().items()]
    return "\n".join(lines)


def setting_line(text: str, origin: Optional[str]) -> str:
    return text if origin is None else f"{text:<{ORIGIN_COLUMN}} # {origin}"


def toml(value: object) -> str:
    """Return a string, number or boolean as TOML writes it, which is as JSON does."""
    return json.dumps(value, ensure_ascii=False)
