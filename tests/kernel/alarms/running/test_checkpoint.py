"""What a restart goes on from: written whole, read whole, and a damaged one is said."""

from pathlib import Path

import numpy as np
import pytest

from athanor.kernel.alarms.running.checkpoint import Checkpoint, DamagedCheckpointError, read, write

JUDGE = {"alarm": np.array([3, 7]), "is_active": np.array([True, False]), "text": np.array(["RUN", ""])}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    place = tmp_path / "alarms" / "judged"
    write(place, Checkpoint(JUDGE, 1_700_000_000_000_000, ("edge-1", "edge-2")))
    found = read(place)
    assert found is not None
    assert (found.at_us, found.edges) == (1_700_000_000_000_000, ("edge-1", "edge-2"))
    assert {name: column.tolist() for name, column in found.judge.items()} == {
        name: column.tolist() for name, column in JUDGE.items()
    }


def test_where_none_was_written_there_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "judged") is None


@pytest.mark.parametrize("damage", ["cut", "overwritten", "another kind", "empty"])
def test_a_damaged_one_is_refused_and_says_that_nothing_needs_doing(tmp_path: Path, damage: str) -> None:
    place = tmp_path / "judged"
    write(place, Checkpoint(JUDGE, 1))
    whole = place.read_bytes()
    place.write_bytes(
        {
            "cut": whole[:-20],
            "overwritten": whole[:-20] + b"x" * 20,
            "another kind": b"PK" + whole,
            "empty": b"",
        }[damage]
    )
    with pytest.raises(DamagedCheckpointError, match="Nothing needs doing"):
        read(place)
