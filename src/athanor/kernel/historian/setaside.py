"""Files that were taken out of a table because they are damaged: each has a note beside the table, and stays itself."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from athanor.kernel.historian.store import Store

_FOLDER = "_set_aside"  # by its first letter no part of the table, to whoever reads Delta
_ENDING = ".json"


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that is set aside, and what is missing with it."""

    name: str
    at: str  # UTC, ISO 8601
    reason: str
    rows: int
    least: Mapping[str, str]  # by column, as in the table's log
    greatest: Mapping[str, str]


class SetAsideNotes:
    """The notes of one table."""

    def __init__(self, store: Store) -> None:
        """Raises OSError."""
        self._store = store
        self.names = frozenset(
            name.removeprefix(f"{_FOLDER}/").removesuffix(_ENDING)
            for name in store.names(_FOLDER)
            if name.endswith(_ENDING)
        )

    def read(self, name: str) -> SetAside:
        """Raises OSError, ValueError."""
        with self._store.open(_note(name)) as file:
            return SetAside(**json.loads(bytes(file.read())))

    def add(
        self, name: str, reason: str, *, rows: int, least: Mapping[str, object], greatest: Mapping[str, object]
    ) -> None:
        """Raises OSError."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        note = SetAside(name, at, reason, rows, _shown(least), _shown(greatest))
        self.remove(name)  # of an earlier time
        with self._store.create(_note(name)) as file:
            file.write(json.dumps(asdict(note), ensure_ascii=False, indent=2).encode())
        self.names |= {name}

    def remove(self, name: str) -> None:
        """Raises OSError."""
        self._store.remove([_note(name)])
        self.names -= {name}


def _note(name: str) -> str:
    return f"{_FOLDER}/{name}{_ENDING}"


def _shown(values: Mapping[str, object]) -> Mapping[str, str]:
    return {
        column: value.isoformat() if isinstance(value, datetime) else str(value) for column, value in values.items()
    }
