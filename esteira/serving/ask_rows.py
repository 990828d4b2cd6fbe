"""Asking a model about a stream of rows, in requests of many rows over several connections, answered in order."""

from typing import Iterable, Iterator, List, NamedTuple

from esteira.data.faults import Faults
from esteira.serving.asked_rows import AskedRow
from esteira.serving.client import CHUNK
from esteira.serving.endpoint import Endpoint, RefusedError
from esteira.serving.in_order import in_order
from esteira.serving.prediction import NOBODY, Answered

CONNECTIONS = 4
# Vertex AI takes no request of more than 1.5 MB, and a character may be twelve bytes in JSON.
# https://cloud.google.com/vertex-ai/docs/predictions/get-online-predictions
CHUNK_CHARACTERS = 100_000
# What a single row can be at fault for.
OF_A_ROW = (400, 413)


class AnsweredRow(NamedTuple):
    """A row with the answer that its prediction is in, at `number`; `fault` says why it was refused, if it was."""

    row: AskedRow
    answered: Answered
    number: int
    fault: str = ""


def ask_rows(
    endpoint: Endpoint, rows: Iterable[AskedRow], faults: Faults, connections: int = CONNECTIONS
) -> Iterator[AnsweredRow]:
    """Yield each row that the model answers, in order; one that it refuses becomes a fault.

    Raises ServingError or GoogleError if nobody answers, or refuses more than a row.
    """
    for answers in in_order(lambda chunk: ask_chunk(endpoint, chunk), chunks(rows), connections):
        for one in answers:
            if one.fault:
                faults.add(one.row.line, one.fault)
            else:
                yield one


def ask_chunk(endpoint: Endpoint, chunk: List[AskedRow]) -> List[AnsweredRow]:
    """Return what became of each row: of a request that is refused each half is asked by itself."""
    try:
        answered = endpoint.ask([row.instance for row in chunk])
    except RefusedError as error:
        if error.status not in OF_A_ROW:
            raise
        if len(chunk) == 1:
            return [AnsweredRow(chunk[0], NOBODY, 0, f"is refused with status {error.status}: {error.said}")]
        half = len(chunk) // 2
        return ask_chunk(endpoint, chunk[:half]) + ask_chunk(endpoint, chunk[half:])
    return [AnsweredRow(row, answered, number) for number, row in enumerate(chunk)]


def chunks(rows: Iterable[AskedRow]) -> Iterator[List[AskedRow]]:
    """Yield the rows in lists of at most CHUNK rows, with no more than CHUNK_CHARACTERS unless it is one row."""
    chunk: List[AskedRow] = []
    characters = 0
    for row in rows:
        size = sum(len(value) if isinstance(value, str) else len(str(value)) for value in row.instance.values())
        if chunk and (len(chunk) == CHUNK or characters + size > CHUNK_CHARACTERS):
            yield chunk
            chunk, characters = [], 0
        chunk.append(row)
        characters += size
    if chunk:
        yield chunk
