"""The fields of one JSON message, each of which has to be taken by name."""

from typing import Any, Iterable, List, Mapping, Set

from esteira.errors import JobError

REQUIRED = object()


class Fields:
    """A JSON object at a known place. `close` raises JobError if a field was left unread."""

    def __init__(self, values: Any, place: str) -> None:
        if not isinstance(values, Mapping):
            raise JobError(f"{place}: is {values!r}; expected an object. Compile the job again: .venv/bin/inv compile")
        self.values: Mapping[str, Any] = values
        self.place = place
        self._read: Set[str] = set()

    def keys(self) -> Iterable[str]:
        return self.values.keys()

    def has(self, key: str) -> bool:
        return key in self.values

    def raw(self, key: str, default: Any = REQUIRED) -> Any:
        self._read.add(key)
        if key in self.values:
            return self.values[key]
        if default is REQUIRED:
            found = ", ".join(sorted(self.values)) or "nothing"
            raise JobError(
                f"{self.place}.{key}: is missing, or stands in a form that this runner does not support; "
                f"found: {found}.\nChange the pipeline, or run the job in a cloud environment."
            )
        return default

    def message(self, key: str, default: Any = REQUIRED) -> "Fields":
        return Fields(self.raw(key, default), f"{self.place}.{key}")

    def text(self, key: str, default: Any = REQUIRED) -> Any:
        value = self.raw(key, default)
        if value is not default and not isinstance(value, str):
            raise JobError(
                f"{self.place}.{key}: is {value!r}; expected text. Compile the job again: .venv/bin/inv compile"
            )
        return value

    def texts(self, key: str) -> List[str]:
        values = self.raw(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise JobError(
                f"{self.place}.{key}: is {values!r}; expected a list of texts. Compile it again: .venv/bin/inv compile"
            )
        return values

    def flag(self, key: str) -> bool:
        value = self.raw(key, False)
        if not isinstance(value, bool):
            raise JobError(
                f"{self.place}.{key}: is {value!r}; expected true or false. Compile it again: .venv/bin/inv compile"
            )
        return value

    def skip(self, *keys: str) -> None:
        """Take fields that change nothing in how the job is run."""
        self._read.update(keys)

    def close(self) -> None:
        left = sorted(set(self.values) - self._read)
        if left:
            raise self.unsupported(left[0], "is not supported by the runner of this machine")

    def unsupported(self, key: str, reason: str) -> JobError:
        return JobError(
            f"{self.place}.{key}: {reason}.\n"
            "Nothing was run. Change the pipeline, or run the job in a cloud environment."
        )
