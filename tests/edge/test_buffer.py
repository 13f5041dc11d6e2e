import asyncio
import random
import resource
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from athanor.edge.buffer import Buffer, BufferUnwritableError

WRITER = """
import asyncio, sys
from pathlib import Path
from athanor.edge.buffer import Buffer

async def write_for_ever() -> None:
    buffer = await Buffer.open(Path(sys.argv[1]), 100_000_000)
    while True:
        await buffer.append(b"x" * 20_000, 7)
        print("kept", flush=True)

asyncio.run(write_for_ever())
"""


async def bodies(buffer: Buffer) -> list[bytes]:
    return [batch.body for batch in await buffer.read(0, 10**9, 10**9)]


def set_aside_files(folder: Path) -> list[Path]:
    """Damaged databases, without their journals."""
    return [path for path in folder.glob("b.sqlite.damaged-*") if not path.name.endswith(("-wal", "-shm"))]


async def test_batches_come_back_in_the_order_they_came(buffer: Buffer) -> None:
    for body in (b"one", b"two", b"three"):
        await buffer.append(body, 1)
    assert await bodies(buffer) == [b"one", b"two", b"three"]


async def test_a_read_holds_what_fits_and_at_least_one(buffer: Buffer) -> None:
    first = await buffer.append(b"one", 10)
    for body in (b"two", b"three"):
        await buffer.append(body, 10)
    assert [batch.body for batch in await buffer.read(0, 20, 100)] == [b"one", b"two"]
    assert [batch.body for batch in await buffer.read(0, 1, 1)] == [b"one"]
    assert [batch.body for batch in await buffer.read(first, 100, 6)] == [b"two"]


async def test_the_backlog_tells_what_waits_also_after_a_restart(tmp_path: Path) -> None:
    buffer = await Buffer.open(tmp_path / "b.sqlite", 10_000_000)
    sequences = [await buffer.append(b"12345", rows) for rows in (1, 2, 3)]
    await buffer.remove(sequences[:1])
    before = await buffer.backlog()
    await buffer.close()
    again = await Buffer.open(tmp_path / "b.sqlite", 10_000_000)
    assert (before.batches, before.rows, before.bytes) == (2, 5, 10)
    assert await again.backlog() == before
    await again.close()


async def test_when_full_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    buffer = await Buffer.open(tmp_path / "b.sqlite", 1_000_000)
    for number in range(12):
        await buffer.append(bytes([number]) * 100_000, 5)
    assert [body[0] for body in await bodies(buffer)] == list(range(2, 12))
    backlog = await buffer.backlog()
    assert (backlog.rows, backlog.bytes, backlog.dropped_rows) == (50, 1_000_000, 10)
    await buffer.close()


async def test_a_batch_set_aside_no_longer_stands_in_the_way(buffer: Buffer) -> None:
    sequence = await buffer.append(b"rubbish", 3)
    await buffer.append(b"good", 1)
    await buffer.set_aside(sequence, "malformed")
    assert await bodies(buffer) == [b"good"]
    backlog = await buffer.backlog()
    assert (backlog.batches, backlog.rows, backlog.poisoned) == (1, 1, 1)


async def test_a_full_disk_keeps_what_is_there_and_takes_nothing_in(tmp_path: Path) -> None:
    buffer = await Buffer.open(tmp_path / "b.sqlite", 100_000_000)
    await buffer.append(b"kept", 1)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, unlimited[1]))
    try:
        with pytest.raises(BufferUnwritableError):
            await buffer.append(b"x" * 1_000_000, 1)
        assert await bodies(buffer) == [b"kept"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    await buffer.append(b"more", 1)
    assert await bodies(buffer) == [b"kept", b"more"]
    assert (await buffer.backlog()).rows == 2
    await buffer.close()


async def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "b.sqlite"
    path.write_bytes(b"this was never a database " * 1000)
    buffer = await Buffer.open(path, 10_000_000)
    await buffer.append(b"new", 1)
    assert await bodies(buffer) == [b"new"]
    (aside,) = set_aside_files(tmp_path)
    assert aside.read_bytes().startswith(b"this was never a database")
    await buffer.close()


async def test_damage_inside_is_found_at_start_and_sequences_go_on(tmp_path: Path) -> None:
    path = tmp_path / "b.sqlite"
    buffer = await Buffer.open(path, 10_000_000)
    sequences = [await buffer.append(random.randbytes(50_000), 1) for _ in range(20)]
    await buffer.close()
    content = bytearray(path.read_bytes())
    content[16_384:32_768] = b"\x55" * 16_384
    path.write_bytes(content)
    again = await Buffer.open(path, 10_000_000)
    assert await again.append(b"new", 1) > sequences[-1]
    assert await bodies(again) == [b"new"]
    assert len(set_aside_files(tmp_path)) == 1
    await again.close()


async def test_a_file_in_use_by_another_edge_is_refused(buffer: Buffer, tmp_path: Path) -> None:
    with pytest.raises(BufferUnwritableError, match="stop the other edge"):
        await Buffer.open(tmp_path / "buffer.sqlite", 10_000_000, wait_s=0.1)


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BufferUnwritableError):
        await Buffer.open(tmp_path / "file" / "b.sqlite", 10_000_000)


@pytest.mark.parametrize("kept_first", [1, 20, 60])
async def test_what_was_acknowledged_survives_a_killed_process(tmp_path: Path, kept_first: int) -> None:
    path = tmp_path / "b.sqlite"
    writer = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, str(path), stdout=PIPE)
    assert writer.stdout is not None
    for _ in range(kept_first):
        await writer.stdout.readline()
    writer.kill()
    acknowledged = kept_first + (await writer.stdout.read()).count(b"kept")
    await writer.wait()
    buffer = await Buffer.open(path, 100_000_000)
    backlog = await buffer.backlog()
    assert backlog.batches in (acknowledged, acknowledged + 1)  # the last may be kept and not yet acknowledged
    assert set(await bodies(buffer)) == {b"x" * 20_000}
    assert set_aside_files(tmp_path) == []
    await buffer.close()
