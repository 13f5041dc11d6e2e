"""`athanor serve` as a process of its own, on a free port, for a benchmark that comes in over HTTP."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil

from athanor.kernel.sections import ServerSettings
from athanor.kernel.settings import Settings

_READY_WITHIN_S = 60.0


def settings_in(folder: Path) -> Settings:
    """A server with all it keeps in a folder, and `plant.yaml` there as its plant."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    return Settings(
        data_dir=folder / "data", plant_file=folder / "plant.yaml", server=ServerSettings(host="127.0.0.1", port=port)
    )


@asynccontextmanager
async def serving(folder: Path, settings: Settings) -> AsyncIterator[tuple[str, psutil.Process]]:
    """The address and the process of a server that is ready; it ends with the block."""
    environment = {
        **os.environ,
        "ATHANOR_DATA_DIR": str(settings.data_dir),
        "ATHANOR_PLANT_FILE": str(settings.plant_file),
        "ATHANOR_SERVER__PORT": str(settings.server.port),
        "ATHANOR_LOG__LEVEL": "warning",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "athanor", "serve", cwd=folder, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{settings.server.port}"
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client, asyncio.timeout(_READY_WITHIN_S):
            while not await _is_ready(client):
                await asyncio.sleep(0.2)
        yield url, psutil.Process(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def cpu_s(process: psutil.Process) -> float:
    """Seconds that a process has had a core."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).is_success
    except httpx.HTTPError:
        return False
