"""Files that a power cut finds whole."""

from pathlib import Path

import pytest

from athanor.kernel.durable import replace


def test_a_replaced_file_holds_the_last_content_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "state"
    replace(place, b"first")
    replace(place, b"second, and longer")
    assert place.read_bytes() == b"second, and longer"
    assert [one.name for one in place.parent.iterdir()] == ["state"]


def test_what_a_write_left_half_done_is_in_nobodys_way(tmp_path: Path) -> None:
    place = tmp_path / "state"
    (tmp_path / ".state.new").write_bytes(b"cut sho")
    replace(place, b"whole")
    assert place.read_bytes() == b"whole"


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "state"
    replace(place, b"before")
    (tmp_path / ".state.new").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace(place, b"after")
    assert place.read_bytes() == b"before"
