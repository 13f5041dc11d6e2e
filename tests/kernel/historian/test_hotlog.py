"""The log of the hot tail, after what disks and crashes do to files."""

from pathlib import Path

import pytest

from athanor.kernel.historian.hotlog import HotLog
from athanor.kernel.historian.port import HistorianUnopenableError

from .samples import numbered, numbers_of

WRITTEN = list(range(20))


def reopened(folder: Path) -> list[int]:
    """The numbers that a new process finds; what it appends is found by the next one too."""
    log = HotLog(folder, next_order=1, reserve_mb=0)
    found = numbers_of(log.generations[0].read(), 0)
    log.append([numbered(99, tags=3)])
    log.close()
    again = HotLog(folder, next_order=1, reserve_mb=0)
    assert numbers_of(again.generations[0].read(), 0) == [*found, 99]
    assert numbers_of(again.latest(), 0) == [99]
    again.close()
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A log with twenty batches of one length, closed."""
    log = HotLog(tmp_path, next_order=1, reserve_mb=0)
    for number in WRITTEN:
        log.append([numbered(number, tags=3)])
    log.close()
    (file,) = tmp_path.glob("*.log")
    return file


@pytest.mark.parametrize("missing", [1, 5, 11, 12, 13, 100])
def test_what_a_crash_cut_short_ends_the_log(file: Path, missing: int) -> None:
    file.write_bytes(file.read_bytes()[:-missing])
    assert reopened(file.parent) == WRITTEN[:-1]


@pytest.mark.parametrize("rest", [b"\0" * 10_000, b"ATHL", b"ATHL\xff\xff\xff\xff\0\0\0\0", b"rubbish" * 100], ids=repr)
def test_what_lies_behind_the_last_whole_frame_is_no_sample(file: Path, rest: bytes) -> None:
    file.write_bytes(file.read_bytes() + rest)
    assert reopened(file.parent) == WRITTEN


@pytest.mark.parametrize("place", [0, 2, 5, 9, 20, 300], ids=lambda place: f"byte {place} of a frame")
def test_a_damaged_frame_takes_no_other_with_it(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    frame = len(content) // len(WRITTEN)
    content[7 * frame + place] ^= 0xFF
    file.write_bytes(content)
    assert reopened(file.parent) == [number for number in WRITTEN if number != 7]


def test_a_damaged_file_of_newest_samples_is_set_aside(file: Path) -> None:
    log = HotLog(file.parent, next_order=1, reserve_mb=0)
    log.roll()
    log.forget(log.generations[0])
    log.close()
    latest = file.parent / "latest.arrow"
    for damage in (b"", b"rubbish", latest.read_bytes()[:-100]):
        latest.write_bytes(damage)
        log = HotLog(file.parent, next_order=1, reserve_mb=0)
        assert log.latest().num_rows == 0
        log.close()
        assert latest.with_suffix(".damaged").read_bytes() == damage


def test_a_log_has_one_owner(file: Path) -> None:
    log = HotLog(file.parent, next_order=1)
    with pytest.raises(HistorianUnopenableError, match="Stop the other server"):
        HotLog(file.parent, next_order=1)
    log.close()
