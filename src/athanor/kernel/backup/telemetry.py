"""The historian in a backup: the log of the hot tail as it is at one moment, and the lake's tables at a version each.

Order is what makes that whole. The log is taken before the versions: a generation that is sealed in between is then
in both, and known by its order to count once. The versions of the tables are those of one moment, since a version
that was the same before and after the others were asked was the same in between.
"""

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from athanor.kernel.historian.hotlog import LogFile
from athanor.kernel.historian.lake import SEALED_BY
from athanor.kernel.historian.store import Store

SAMPLES = "samples"
TABLES = (SAMPLES, "rollups", "kept", "tags")
_LOG = "_delta_log"
_ASIDE = "_set_aside"


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A file of a table, as the table's log tells."""

    name: str  # below the lake
    size: int  # [B]
    rows: int
    newest_at: datetime | None


@dataclass(frozen=True, slots=True)
class HistorianNow:
    """The historian at one moment. Close it."""

    log: Sequence[LogFile]
    versions: Mapping[str, int]  # by table; of those that there are

    def close(self) -> None:
        """Let go of the log's files."""
        for file in self.log:
            file.close()


def log_at_rest(hot: Path) -> list[LogFile]:
    """The files of a hot tail that nobody writes, open."""
    paths = sorted(hot.glob("*.log")) + [path for path in (hot / "latest.arrow",) if path.exists()]
    return [LogFile(path.name, os.open(path, os.O_RDONLY | os.O_CLOEXEC), path.stat().st_size) for path in paths]


def versions_of(lake: Store) -> Mapping[str, int]:
    """The version of each of the lake's tables at one moment. Raises OSError.

    The pointer to a table's last checkpoint is no part of it: it may be newer, and readers do without it.
    """
    before = {name: _version(lake, name) for name in TABLES}
    while (now := {name: _version(lake, name) for name in TABLES}) != before:
        before = now
    return {name: version for name, version in now.items() if version is not None}


def table_of(lake: Store, table: str, version: int | None = None) -> DeltaTable:
    """A table at a version, or at its newest. Raises OSError, DeltaError."""
    part = lake.within(table)
    return DeltaTable(part.url, version=version, storage_options=dict(part.options))


def data_files(delta: DeltaTable, table: str) -> list[LakeFile]:
    """The Parquet files of a table."""
    actions = pa.table(delta.get_add_actions(flatten=True)).to_pylist()
    return [
        LakeFile(f"{table}/{one['path']}", int(one["size_bytes"]), int(one["num_records"] or 0), one.get("max.time"))
        for one in actions
    ]


def log_entries(lake: Store, table: str, version: int) -> list[str]:
    """What a table's log is made of up to a version. Raises OSError."""
    return [name for name in lake.names(f"{table}/{_LOG}") if _is_up_to(name, version)]


def set_aside(lake: Store, table: str) -> list[str]:
    """The notes of files that are set aside, and those files, where they are there. Raises OSError."""
    notes = lake.names(f"{table}/{_ASIDE}")
    files = [note.replace(f"/{_ASIDE}/", "/", 1).removesuffix(".json") for note in notes]
    return [*notes, *(name for name in files if lake.exists(name))]


def sealed_order(samples: DeltaTable) -> int:
    """The order of the last generation that is in the table of samples; -1 before the first."""
    found = samples.transaction_version(SEALED_BY)
    return -1 if found is None else int(found)


def newest(times: Iterable[datetime | None]) -> datetime | None:
    """The latest of some, aware; None where there is none."""
    return max((_aware(time) for time in times if time is not None), default=None)


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _version(lake: Store, table: str) -> int | None:
    entries = [name.rpartition("/")[2] for name in lake.names(f"{table}/{_LOG}") if name.endswith(".json")]
    return max((int(entry.removesuffix(".json")) for entry in entries if entry[:1].isdigit()), default=None)


def _is_up_to(name: str, version: int) -> bool:
    entry = name.rpartition("/")[2]
    number = entry.partition(".")[0]
    return number.isdigit() and int(number) <= version


class LogReader(io.RawIOBase):
    """A file of the log from its beginning to where it ended at the moment."""

    def __init__(self, file: LogFile) -> None:
        super().__init__()
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> Any:
        """So many bytes. Raises OSError."""
        left = self._file.size - self._at
        piece = os.pread(self._file.handle, left if size is None or size < 0 else min(size, left), self._at)
        self._at += len(piece)
        return piece
