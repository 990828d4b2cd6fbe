"""`make schema`: a schema inferred from prepared data, to be reviewed against the curated one."""

import difflib
import logging
from pathlib import Path
from typing import Any, List

from esteira.data.rows import COLUMNS
from esteira.data.schema_text import DOMAIN, read_curated_schema
from esteira.errors import DataError
from esteira.files import write_text

HEADING = """\
# Inferred by `make schema` from the train split; review it before `make schema ACCEPT=1`.
# The domain "labels" takes the labels of the data when it is prepared.

"""


def infer_schema(data: Path, out: Path, curated: Path) -> str:
    """Write the schema that TFDV infers from `data`/train/train.csv to `out`.

    Returns how it differs from the curated schema, as a unified diff that leaves out
    comments and the order of features; empty if it does not. Imports TensorFlow Data
    Validation. Raises DataError if there is no prepared data or no curated schema.
    """
    csv_path = data / "train" / "train.csv"
    if not csv_path.is_file():
        raise DataError(f"{csv_path}: no such file. Expected prepared data. Run: make data")
    before = parse_schema(read_curated_schema(curated), curated)
    inferred = infer_from_csv(csv_path)
    content = HEADING + print_schema(inferred)
    write_text(out, content)
    return diff_schemas(before, parse_schema(content, out), short_name(curated), short_name(out))


def accept_schema(proposal: Path, curated: Path) -> None:
    """Make a proposal of `infer_schema`, perhaps edited since, the curated schema.

    Raises DataError if there is no proposal or it is not a schema.
    """
    if not proposal.is_file():
        raise DataError(f"{proposal}: no such file. Expected a proposed schema. Run: make schema")
    text = proposal.read_text(encoding="utf-8")
    parse_schema(text, proposal)
    write_text(curated, text)


def infer_from_csv(csv_path: Path) -> Any:
    """Return the inferred Schema, features in the columns' order, labels left open."""
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    import tensorflow_data_validation as tfdv

    schema = tfdv.infer_schema(tfdv.generate_statistics_from_csv(str(csv_path)), infer_feature_shape=True)
    features = sorted(schema.feature, key=lambda feature: COLUMNS.index(feature.name))
    del schema.feature[:]
    schema.feature.extend(features)
    leave_labels_open(schema)
    return schema


def leave_labels_open(schema: Any) -> None:
    """Put the domain "labels", without values, in the place of the label's inferred one; a new source is no anomaly."""
    del schema.string_domain[:]
    for feature in schema.feature:
        feature.ClearField("domain")
        if feature.name == "label":
            feature.domain = DOMAIN
    schema.string_domain.add(name=DOMAIN)


def parse_schema(text: str, place: Path) -> Any:
    """Return the Schema in text format. Raises DataError if it is none."""
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    try:
        return text_format.Parse(text, schema_pb2.Schema())
    except text_format.ParseError as error:
        raise DataError(f"{place}: is no TFDV schema: {error}. Expected a Schema in text format.") from None


def print_schema(schema: Any) -> str:
    from google.protobuf import text_format

    return str(text_format.MessageToString(schema, as_utf8=True))


def diff_schemas(before: Any, after: Any, before_name: str, after_name: str) -> str:
    lines = difflib.unified_diff(sorted_lines(before), sorted_lines(after), before_name, after_name, n=6)
    return "".join(lines)


def short_name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def sorted_lines(schema: Any) -> List[str]:
    """Return the schema's lines, its features and domains by name."""
    for field in (schema.feature, schema.string_domain):
        field.sort(key=lambda message: message.name)
    return print_schema(schema).splitlines(keepends=True)
