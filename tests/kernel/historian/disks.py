"""A small disk of a test's own, which can be filled up."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..disks import small_disk

DISK_MB = 48


class Disk:
    """A small disk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def leave(self, megabytes: float) -> None:
        """Fill the disk until so much room is left."""
        self.free_up()
        statistics = os.statvfs(self.folder)
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, statistics.f_bavail * statistics.f_frsize - int(megabytes * 1024**2))

    def free_up(self) -> None:
        self._ballast.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small disk of its own."""
    with small_disk(tmp_path / "disk", DISK_MB) as folder:
        yield Disk(folder)
