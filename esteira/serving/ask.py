"""`make predict`: asking the model that serves about a text, a file of rows, or those of standard input."""

import io
import os
from contextlib import contextmanager
from typing import BinaryIO, Iterator, Optional, TextIO

from esteira.errors import DataError, EsteiraError, InterruptedRunError, SettingsError
from esteira.formats import check_format
from esteira.serving.answer_forms import Form, make_form
from esteira.serving.ask_rows import AnsweredRow, ask_rows
from esteira.serving.asked_rows import STDIN, AskedRow, RowFaults, Source, is_text_model, open_source, read_rows, wanted
from esteira.serving.endpoint import Endpoint
from esteira.serving.opened import opened_endpoint
from esteira.serving.row_progress import RowProgress
from esteira.settings import Settings

FORMATS = ("table", "json", "csv")
EXAMPLES = (
    'make predict TEXT="I love this film"\n'
    "    make predict FILE=texts.csv        (or .jsonl, or .txt with a text a line)\n"
    "    cat texts.csv | make predict"
)


def predict_here(
    settings: Settings,
    text: Optional[str],
    file: Optional[str],
    format: Optional[str],
    stdin: TextIO,
    out: TextIO,
    err: TextIO,
) -> None:
    """Ask the environment's model about a text, or the rows of a file or of `stdin`; write its answers to `out`.

    Notes go to `err`, on which progress is shown if it is a terminal. `format` is table, json or csv; without it a
    terminal gets a table, a pipe JSON lines; a pipe that is closed, as by `head`, ends it.
    Raises SettingsError for what was typed, DataError if some rows could not be asked about (the others are
    answered), StateError if nothing is deployed, ServingError or GoogleError if nobody answers.
    """
    format = format or ("table" if out.isatty() else "json")
    check_format(format, "make predict", FORMATS)
    if text is not None and file is not None:
        raise SettingsError(f"TEXT and FILE={file}: expected one of them. For example: {EXAMPLES}")
    if text is None and file is None and (stdin.isatty() or ends_at_once(stdin.buffer)):
        raise SettingsError(f"TEXT is missing. Expected, for example: {EXAMPLES}")
    source = None if text is not None else open_source(file or STDIN, stdin.buffer)

    def say(line: str) -> None:
        print(line, file=err, flush=True)

    with quiet_at_the_end(out), opened_endpoint(settings, say, timeout_s=float(settings.serving.timeout_s)) as endpoint:
        run = Run(endpoint, settings.data.text_column, format, out, err)
        if source is None:
            run.answer_text(text or "")
        else:
            run.answer_source(source)


@contextmanager
def quiet_at_the_end(out: TextIO) -> Iterator[None]:
    """End where whoever reads the answers has enough of them, as `head` has: that is no failure."""
    try:
        yield
        out.flush()
    except BrokenPipeError:
        # What is still held would fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def ends_at_once(stream: BinaryIO) -> bool:
    """Return whether nothing comes, before a server is started for it; what comes is waited for, and left there."""
    return isinstance(stream, io.BufferedReader) and not stream.peek(1)


class Run:
    """One question or a stream of them, asked of one endpoint and answered in one form."""

    def __init__(self, endpoint: Endpoint, text_column: str, format: str, out: TextIO, err: TextIO) -> None:
        self._endpoint = endpoint
        self._text_column = text_column
        self._inputs = endpoint.interface().inputs
        self._form: Form = make_form(format, out, lambda one: endpoint.labels_of(one.answered), sorted(self._inputs))
        self._err = err

    def answer_text(self, text: str) -> None:
        if not is_text_model(self._inputs):
            takes = wanted(self._inputs, self._text_column)
            raise SettingsError(f"TEXT: the model takes {takes}. Expected FILE= with a column or key for each.")
        fields = {self._text_column: text}
        instance = {name: text for name in self._inputs}
        self._form.write(AnsweredRow(AskedRow(1, fields, instance), self._endpoint.ask([instance]), 0))
        self._form.end()

    def answer_source(self, source: Source) -> None:
        progress = RowProgress(self._err)
        faults = RowFaults(source.name, progress.say)
        rows = read_rows(source, self._inputs, self._text_column, faults)
        with source.stream, self._told_if_ended(source, progress):
            for one in ask_rows(self._endpoint, rows, faults):
                self._form.write(one)
                progress.count(one.row.line)
        if faults.count:
            raise DataError(
                f"{source.name}: {counted(faults.count)} could not be asked about; {progress.written:,} are answered.\n"
                "Mend or remove the lines that are named above, then run the command again."
            )
        if not progress.written:
            raise DataError(f"{source.name}: has no rows. Expected a CSV with a header and rows, or JSON lines.")

    @contextmanager
    def _told_if_ended(self, source: Source, progress: RowProgress) -> Iterator[None]:
        """Write what is held at the end, and where that comes early say how far the answers reach."""
        try:
            yield
        except KeyboardInterrupt:
            self._form.end()
            raise InterruptedRunError(f"Interrupted: {reached(source, progress)}") from None
        except BrokenPipeError:
            raise
        except EsteiraError:
            self._form.end()
            progress.say(reached(source, progress))
            raise
        else:
            self._form.end()
        finally:
            progress.end()


def counted(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def reached(source: Source, progress: RowProgress) -> str:
    """Return how many rows were answered, and where the last one stands."""
    if not progress.written:
        return f"no row of {source.name} was answered."
    return f"{counted(progress.written)} of {source.name} are answered, up to line {progress.line:,}."
