"""How far samples are judged, kept in a file: what a restart goes on from.

The file is a hint, not the truth: findings are in the database before it is written, so whatever it misses is found
again from the historian and known there as told.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np

from athanor.kernel.durable import replace
from athanor.kernel.errors import AthanorError

_MAGIC = b"athanor alarms 1\n"  # another number for another layout: an older file is then one that cannot be read
_SUM = sha256().digest_size
_JUDGE, _EDGES, _AT = "judge.", "edges", "at_us"


class DamagedCheckpointError(AthanorError):
    """The file that says how far samples are judged cannot be used."""

    code = "alarms.damaged-checkpoint"

    def __init__(self, place: Path, reason: object) -> None:
        super().__init__(
            f"{place} does not say how far samples are judged ({reason}). Nothing needs doing: alarms stand as the "
            "database knows them, and are judged from the current values on. What was raised and cleared while the "
            "server was away is not found."
        )


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was so when it was written.

    Parameters
    ----------
    judge
        `Judge.state()`.
    at_us
        The time up to which delays had been followed. [µs since 1970 UTC]
    edges
        Which edges delivered: after a restart they are waited for.
    """

    judge: Mapping[str, np.ndarray]
    at_us: int
    edges: tuple[str, ...] = field(default=())


def write(place: Path, checkpoint: Checkpoint) -> None:
    """Keep it in the place of the one before, whole or not at all. Raises OSError."""
    packed = io.BytesIO()
    columns = {f"{_JUDGE}{name}": column for name, column in checkpoint.judge.items()}
    columns |= {_EDGES: np.array(checkpoint.edges, np.str_), _AT: np.array(checkpoint.at_us, np.int64)}
    np.savez(packed, allow_pickle=False, **columns)
    content = packed.getvalue()
    replace(place, _MAGIC + sha256(content).digest() + content)


def read(place: Path) -> Checkpoint | None:
    """The last one; None where there was none. Raises DamagedCheckpointError."""
    try:
        found = place.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DamagedCheckpointError(place, error.strerror) from error
    if not found.startswith(_MAGIC):
        raise DamagedCheckpointError(place, "it is of another kind, or of another version")
    digest, content = found[len(_MAGIC) : len(_MAGIC) + _SUM], found[len(_MAGIC) + _SUM :]
    if sha256(content).digest() != digest:
        raise DamagedCheckpointError(place, "it is cut short or overwritten")
    with np.load(io.BytesIO(content), allow_pickle=False) as columns:
        return Checkpoint(
            {name.removeprefix(_JUDGE): columns[name] for name in columns.files if name.startswith(_JUDGE)},
            int(columns[_AT]),
            tuple(columns[_EDGES].tolist()),
        )
