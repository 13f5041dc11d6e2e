"""Heavy work runs beside the server, and whatever it does, the next one runs, too."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from athanor.kernel.compute.port import ComputeDiedError, ComputeMemoryError, ComputeTimeoutError
from athanor.kernel.compute.processes import Processes

from . import calculations as work

TREE = Path(__file__).parents[3]


@pytest.fixture
async def compute(children_find_tests: None) -> AsyncIterator[Processes]:
    running = Processes(workers=1)
    yield running
    await running.close()


async def ended(pid: int) -> None:
    async with asyncio.timeout(10):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def pid_in(file: Path) -> int:
    def text() -> str:
        return file.read_text(encoding="ascii") if file.exists() else ""

    async with asyncio.timeout(20):
        while not text():  # noqa: ASYNC110 a process elsewhere writes it
            await asyncio.sleep(0.02)
    return int(text())


async def test_a_calculation_answers_raises_hangs_fills_memory_and_dies_and_the_next_one_answers(
    compute: Processes, tmp_path: Path
) -> None:
    assert await compute.run(work.power, 2, 10) == 1024
    assert await compute.run(work.process_id) != psutil.Process().pid
    with pytest.raises(ValueError, match="0 pots"):
        await compute.run(work.fails)
    with pytest.raises(ComputeMemoryError, match=r"fills_memory was ended since it wanted more than 64 MB"):
        await compute.run(work.fills_memory, memory_mb=64)
    assert await compute.run(work.power, 2, 11) == 2048
    with pytest.raises(ComputeTimeoutError, match=r"longer than 0\.3 s"):
        await compute.run(work.hangs, str(tmp_path / "pid"), timeout_s=0.3)
    await ended(await pid_in(tmp_path / "pid"))
    with pytest.raises(ComputeDiedError, match="exit code -9"):
        await compute.run(work.is_killed)
    assert await compute.run(work.power, 2, 12) == 4096


async def test_cancelling_kills_the_process(compute: Processes, tmp_path: Path) -> None:
    running = asyncio.ensure_future(compute.run(work.hangs, str(tmp_path / "pid")))
    pid = await pid_in(tmp_path / "pid")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await ended(pid)
    assert await compute.run(work.power, 3, 3) == 27


_SERVER = """
import asyncio, sys
from athanor.kernel.compute.processes import Processes
from tests.kernel.compute import calculations

async def main():
    await Processes(1).run(calculations.hangs, sys.argv[1])

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_processes_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(_SERVER, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "server.py"), str(tmp_path / "pid")]
    server = subprocess.Popen(command, env={"PYTHONPATH": str(TREE)})  # noqa: ASYNC220 our own program
    try:
        pid = await pid_in(tmp_path / "pid")
    finally:
        server.kill()
        server.wait()
    began = time.monotonic()
    await ended(pid)
    assert time.monotonic() - began < 5
