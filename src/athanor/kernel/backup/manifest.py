"""What a backup says of itself: its files with their checksums, what is in it, and which version made it.

It is written last, with a checksum of its own. Without it, or where that does not agree, a backup is none.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson

FORMAT = 1  # raised where an older version could not read what a newer one writes


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a backup."""

    path: str  # what it is: lake/samples/day=2026-11-21/….parquet
    stored_as: str  # the object that holds it; of an earlier backup, where it has not changed since
    size: int  # [B]
    sha256: str
    stamp: str = ""  # by which it is known not to have changed; empty for what is always copied


@dataclass(frozen=True, slots=True)
class Contents:
    """How much is in a backup."""

    samples: int = 0
    newest_sample_at: datetime | None = None
    rows: Mapping[str, int] = field(default_factory=dict)  # of each table of the database
    files: int = 0  # waveforms, pictures, documents
    revision: str = ""  # of the database's tables


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup."""

    name: str  # also when it was begun: 20261121T184926.120Z
    version: str  # of Athanor
    began_at: datetime  # aware
    ended_at: datetime
    as_of: datetime  # what was acknowledged before is in it
    database: str  # sqlite or postgresql
    contents: Contents
    entries: Sequence[Entry]
    copied_bytes: int  # what this backup added to the destination
    format: int = FORMAT

    @property
    def size(self) -> int:
        """What would be restored. [B]"""
        return sum(entry.size for entry in self.entries)

    def summary(self) -> dict[str, Any]:
        """Without the files one by one, as JSON."""
        newest = self.contents.newest_sample_at
        return {
            "name": self.name,
            "version": self.version,
            "as_of": self.as_of.isoformat(),
            "seconds": round((self.ended_at - self.began_at).total_seconds(), 2),
            "samples": self.contents.samples,
            "newest_sample_at": None if newest is None else newest.isoformat(),
            "newest_sample_age_s": None if newest is None else round((self.as_of - newest).total_seconds(), 1),
            "rows": sum(self.contents.rows.values()),
            "files": self.contents.files,
            "bytes": self.size,
            "copied_bytes": self.copied_bytes,
        }


def to_bytes(manifest: Manifest) -> bytes:
    """A manifest as it lies beside its files."""
    content = orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2)
    return orjson.dumps({"sha256": hashlib.sha256(content).hexdigest()}) + b"\n" + content


def from_bytes(body: bytes) -> Manifest:
    """Raises ValueError for what is none, or is not whole. Of a newer format only what all have is read."""
    head, _line, content = body.partition(b"\n")
    try:
        if orjson.loads(head)["sha256"] != hashlib.sha256(content).hexdigest():
            raise ValueError("the manifest is not what was written")
        said = orjson.loads(content)
        if said["format"] > FORMAT:
            said = {key: said[key] for key in Manifest.__dataclass_fields__ if key in said}
        times: dict[str, Any] = {
            key: datetime.fromisoformat(said.pop(key)) for key in ("began_at", "ended_at", "as_of")
        }
        entries = tuple(Entry(**entry) for entry in said.pop("entries"))
        contents = said.pop("contents")
        newest = contents.pop("newest_sample_at")
        newest_at = None if newest is None else datetime.fromisoformat(newest)
        return Manifest(**said, **times, entries=entries, contents=Contents(**contents, newest_sample_at=newest_at))
    except (KeyError, TypeError, orjson.JSONDecodeError) as error:
        raise ValueError(f"the manifest cannot be read ({error})") from error
