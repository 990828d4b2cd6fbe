"""The Cloud Build files, made from the templates in cloudbuild/ and the settings.

Rendering is pure: the same templates and settings give the same bytes, whichever environment is
chosen, since what an environment changes is a substitution of the build.
"""

import difflib
import json
import re
import traceback
from pathlib import Path
from typing import Any, Dict, List

import jinja2

from esteira.builds.lint import lint_build
from esteira.errors import TemplateError
from esteira.files import write_text
from esteira.settings import BuildSettings, Settings
from esteira.suggest import suggestion

FOLDER = "cloudbuild"
SUFFIX = ".j2"
DIFF_LINES = 20
MEND = "Mend the template, then run: make generate"
# What YAML 1.1 reads as a line break, or not at all, and JSON leaves as it is.
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def render_build(template: str, settings: Settings) -> str:
    """Return the build file that a template such as full.yaml.j2 makes with these settings.

    Raises TemplateError, with the template's line, for an undefined name or a syntax error, and for
    a result that Cloud Build would refuse.
    """
    context = {
        "build": {**settings.build.dict(), "secrets": secrets_of(settings.build)},
        "pipeline": settings.pipeline.dict(),
    }
    environment = make_environment(settings.root / FOLDER)
    try:
        body = environment.get_template(template).render(context)
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise TemplateError(f"{FOLDER}/{explain_error(error, template, context)}") from None
    text = f"# Made by make generate from {FOLDER}/{template}; do not edit.\n{body.lstrip()}"
    check_rendered(text, template)
    return text


def secrets_of(build: BuildSettings) -> List[Dict[str, str]]:
    """Return the variables that steps get from Secret Manager, each with the version of a secret that it holds."""
    pairs = [pair.split("=") for pair in build.secrets.split(",") if pair]
    versions = [(variable, *place.split("/")) for variable, place in pairs]
    return [
        {"variable": variable, "version": f"projects/$PROJECT_ID/secrets/{secret}/versions/{version}"}
        for variable, secret, version in versions
    ]


def write_builds(settings: Settings) -> List[Path]:
    """Render every template, then write the files that changed; return their paths.

    Raises TemplateError before anything is written.
    """
    rendered = render_builds(settings)
    changed = [path for path, text in rendered.items() if read_if_there(path) != text]
    for path in changed:
        write_text(path, rendered[path])
    return changed


def check_builds(settings: Settings) -> None:
    """Raise TemplateError, with a short diff, for each file that is not what its template makes."""
    faults: List[str] = []
    for path, text in render_builds(settings).items():
        there = read_if_there(path)
        if there != text:
            faults.append(f"{FOLDER}/{path.name}: is not what its template makes.\n{short_diff(there, text)}")
    if faults:
        raise TemplateError("\n".join([*faults, "Run: make generate"]))


def render_builds(settings: Settings) -> Dict[Path, str]:
    """Return the text of every build file, by path."""
    folder = settings.root / FOLDER
    templates = sorted(path.name for path in folder.glob(f"*.yaml{SUFFIX}"))
    if not templates:
        raise TemplateError(f"{folder}: holds no template. Expected {FOLDER}/full.yaml{SUFFIX}.")
    return {folder / name[: -len(SUFFIX)]: render_build(name, settings) for name in templates}


def make_environment(folder: Path) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(folder)),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the result is YAML: values pass through the filter `quote`
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quote"] = quote
    return environment


def quote(value: object) -> str:
    """Return a value as a YAML double-quoted scalar."""
    text = json.dumps(str(value), ensure_ascii=False)
    return UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def explain_error(error: Exception, template: str, context: Dict[str, Any]) -> str:
    """Say where a template is wrong, and for an unknown name what may be meant."""
    if isinstance(error, jinja2.TemplateNotFound):
        return f"{template}: there is no template {error.name} in {FOLDER}/."
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.name or template}:{error.lineno}: {str(error.message).rstrip('.')}.\n{MEND}"
    place = template_place(error, template)
    if not isinstance(error, jinja2.UndefinedError):
        return f"{place}: {error}.\n{MEND}"
    name = (re.findall(r"'([^']+)'", error.message or "") or ["?"])[-1]
    known = [*context, *(key for values in context.values() for key in values)]
    hint = suggestion(name, known) or f" Known: {', '.join(known)}."
    return f"{place}: {name} is undefined.{hint}"


def template_place(error: BaseException, template: str) -> str:
    """Return file:line of the innermost template in a traceback, which jinja2 maps to its source."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(SUFFIX)]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else template


def check_rendered(text: str, template: str) -> None:
    lines = text.splitlines()
    faults = [
        f"{FOLDER}/{template}: makes line {fault.line}, {lines[fault.line - 1].strip()!r}: {fault.message}"
        for fault in lint_build(text, template)
    ]
    if faults:
        raise TemplateError("\n".join(faults))


def read_if_there(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def short_diff(there: str, made: str) -> str:
    lines = list(difflib.unified_diff(there.splitlines(), made.splitlines(), "committed", "made", lineterm="", n=1))
    more = len(lines) - DIFF_LINES
    return "\n".join(lines[:DIFF_LINES] + ([f"… and {more} lines more"] if more > 0 else []))
