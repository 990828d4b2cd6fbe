"""The curated schema's text, and the labels of the data filled into it."""

import re
from pathlib import Path
from typing import Iterable, List, NamedTuple

from esteira.errors import DataError

DOMAIN = "labels"

# The lexical elements of protobuf's text format that matter for finding a block: strings and
# comments, which may hold braces, and the braces themselves.
# https://protobuf.dev/reference/protobuf/textformat-spec/#lexical
TOKEN_PATTERN = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?P<comment>\#[^\n]*)|[{}]""")
NAME_PATTERN = re.compile(rf"""(^|[\s;,{{])name\s*:\s*(["']){DOMAIN}\2""")


class Block(NamedTuple):
    """A top-level message of a text-format file: its name, and where its braces stand."""

    name: str
    start: int
    end: int


def read_curated_schema(path: Path) -> str:
    """Return the schema's text. Raises DataError if there is none."""
    if not path.is_file():
        raise DataError(f"{path}: no such file. Expected the curated schema. Run: git checkout {path}")
    return path.read_text(encoding="utf-8")


def fill_labels(schema: str, labels: Iterable[str], place: str) -> str:
    """Return the schema with `labels` as the only values of the string domain "labels".

    All else stays as it is, to the byte. Raises DataError if the domain is not there once.
    """
    blocks = [block for block in find_blocks(schema) if is_label_domain(block, schema)]
    if len(blocks) != 1:
        raise DataError(
            f'{place}: has {len(blocks)} blocks string_domain {{ name: "{DOMAIN}" }} at its top level.\n'
            "Expected one, which takes the data's labels, and the feature label with "
            f'domain: "{DOMAIN}". Run: git checkout {place}'
        )
    values = "".join(f"  value: {quote(label)}\n" for label in labels)
    filled = f'{{\n  name: "{DOMAIN}"\n{values}}}'
    return schema[: blocks[0].start] + filled + schema[blocks[0].end + 1 :]


def is_label_domain(block: Block, schema: str) -> bool:
    content = without_comments(schema[block.start : block.end])
    return block.name == "string_domain" and bool(NAME_PATTERN.search(content))


def find_blocks(schema: str) -> List[Block]:
    """Return the top-level messages in braces, in their order."""
    blocks: List[Block] = []
    depth, start = 0, 0
    for token in TOKEN_PATTERN.finditer(schema):
        if token.group() == "{":
            start = token.start() if depth == 0 else start
            depth += 1
        elif token.group() == "}":
            depth -= 1
            if depth == 0:
                blocks.append(Block(field_before(schema[:start]), start, token.start()))
    return blocks


def field_before(text: str) -> str:
    """Return the field name that stands at the end of `text`, before an opening brace."""
    match = re.search(r"(\w+)\s*:?\s*$", text)
    return match.group(1) if match else ""


def without_comments(text: str) -> str:
    return TOKEN_PATTERN.sub(lambda token: "" if token["comment"] else token.group(), text)


def quote(value: str) -> str:
    """Return the value as a text-format string: UTF-8, with quotes and control characters escaped."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\{ord(match.group()):03o}", escaped) + '"'
