"""A disk that is full, a folder that is not ours, a process that is killed."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.files.port import BadFileNameError, FilesFullError, FilesUnreachableError

from ..disks import small_disk

DISK_MB = 16


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    with small_disk(tmp_path / "disk", DISK_MB) as folder:
        yield folder


def all_files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("reserve_mb", [0, 4])
async def test_a_full_disk_takes_nothing_keeps_what_is_there_and_goes_on_when_there_is_room(
    disk: Path, reserve_mb: int
) -> None:
    files = FolderFiles(disk / "files", reserve_mb=reserve_mb)
    await files.put("a", b"the earlier")
    before = all_files(disk)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(DISK_MB + 1):
            yield bytes(1024**2)

    for content in (bytes((DISK_MB + 1) * 1024**2), pieces()):
        with pytest.raises(FilesFullError, match="take no more"):
            await files.put("a", content)
    assert all_files(disk) == before
    assert await files.get("a") == b"the earlier"
    await files.put("b", bytes(1024**2))
    assert await files.size("b") == 1024**2
    await files.close()


async def test_a_reserve_is_left_to_others(disk: Path) -> None:
    files = FolderFiles(disk, reserve_mb=8)
    await files.put("a", bytes(7 * 1024**2))
    with pytest.raises(FilesFullError, match="of which 8 are kept free"):
        await files.put("b", bytes(2 * 1024**2))
    await files.close()


async def test_a_killed_process_leaves_no_half_file_and_what_it_left_is_removed_in_time(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from athanor.kernel.files.folder import FolderFiles\n"
        "async def pieces():\n"
        "    yield bytes(1000)\n"
        "    print('half', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        f"asyncio.run(FolderFiles(Path({str(tmp_path)!r})).put('a/b', pieces()))\n"
    )
    with subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.kill()
    (left,) = all_files(tmp_path)
    files = FolderFiles(tmp_path)
    assert [entry async for entry in files.list_files()] == []
    assert left.exists(), "it may be another process' that is at work"
    await files.close()
    long_ago = time.time() - 2 * 86_400
    os.utime(left, (long_ago, long_ago))
    await FolderFiles(tmp_path).close()
    assert all_files(tmp_path) == set()


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(FilesUnreachableError, match="taken"):
        FolderFiles(tmp_path / "taken" / "files")


async def test_a_folder_that_goes_away_is_said_and_its_files_are_not_called_missing_for_ever(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path / "files")
    (tmp_path / "files").rename(tmp_path / "elsewhere")
    for asked in (files.check(), files.put("a", b"1")):
        with pytest.raises(FilesUnreachableError, match="No such file or directory"):
            await asked
    (tmp_path / "elsewhere").rename(tmp_path / "files")
    await files.put("a", b"1")
    assert await files.get("a") == b"1"
    await files.close()


async def test_a_name_is_a_files_or_a_folders(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path)
    await files.put("a", b"1")
    await files.put("b/c", b"2")
    for name in ("a/x", "b"):
        with pytest.raises(BadFileNameError, match="a file has the name of its folder"):
            await files.put(name, b"3")
    assert sorted([entry.name async for entry in files.list_files()]) == ["a", "b/c"]
    await files.close()
