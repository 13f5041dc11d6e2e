"""A small disk of a test's own, which can be filled up."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root in a container that may mount can make a small disk; run the tests as root")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
