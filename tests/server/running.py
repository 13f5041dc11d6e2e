"""`athanor serve` as a process of its own, on a free loopback port, with people and an edge that it knows."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil

from athanor.kernel.identity.accounts import Profile
from athanor.kernel.settings import Settings
from athanor.kernel.telemetry import Sample, batch_of, encode
from athanor.platform import open_identity

PLANT = Path(__file__).with_name("plant.yaml")
EDGE = "edge-1"
PASSWORD = "correct horse battery"
READY_WITHIN_S = 60
PEOPLE = {  # login to role and tenant
    "anna": ("administrator", None),
    "chen": ("viewer", "copper"),
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(claim: Callable[[], Any], what: str, within_s: float = 30) -> Any:
    """What `claim` gives once it is true; fails when that takes too long."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if found := claim():
                return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {within_s} s")


class RunningServer:
    """The server under test and what a test does to it."""

    def __init__(self, folder: Path, *, edge_file: Path | None = None, database_url: str | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.plant_file = folder / "plant.yaml"
        shutil.copy(PLANT, self.plant_file)
        database: dict[str, Any] = {} if database_url is None else {"database_url": database_url}
        self.settings = Settings(data_dir=folder / "data", plant_file=self.plant_file, **database)
        self.environment = {
            **os.environ,
            "ATHANOR_DATA_DIR": str(self.settings.data_dir),
            "ATHANOR_PLANT_FILE": str(self.plant_file),
            "ATHANOR_SERVER__PORT": str(self.port),
        }
        if database_url is not None:
            self.environment["ATHANOR_DATABASE_URL"] = database_url
        if edge_file is not None:
            self.environment["ATHANOR_EDGE__CONFIG"] = str(edge_file)
        self.log_file = folder / "server.log"
        self.token = ""
        self.sessions: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "start it first"
        return self._process

    def prepare(self) -> None:
        """Accounts, sessions and the edge's token, before the first start."""
        asyncio.run(self._prepare())

    async def _prepare(self) -> None:
        async with open_identity(self.settings) as identity:
            for login, (role, tenant) in PEOPLE.items():
                await identity.accounts.create(login, Profile(login.title(), (role,), tenant), PASSWORD, actor="test")
                self.sessions[login] = await identity.sessions.open(login, actor="test")
            self.token = await identity.edges.make(EDGE)

    def start(self) -> None:
        """Returns when the server is ready."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "athanor", "serve"],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        wait_for(self._is_ready, f"the server is ready; its log: {self.log_file}", READY_WITHIN_S)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, f"the server ended: {self.log()}"
        return httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8")

    def family(self) -> list[psutil.Process]:
        """The server's process and all below it."""
        server = psutil.Process(self.process.pid)
        return [server, *server.children(recursive=True)]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, within_s: float = 30) -> int:
        """Ask it to end; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    def end(self) -> None:
        """However the test ended, leave nothing running."""
        if self._process is not None and self._process.poll() is None:
            self.stop()

    def client(self, login: str | None = "anna") -> httpx.Client:
        """Who calls; None for a stranger."""
        cookies = {} if login is None else {"athanor_session": self.sessions[login]}
        return httpx.Client(base_url=self.url, cookies=cookies, timeout=30, trust_env=False)

    def post(self, body: bytes, *, token: str | None = None, to: str = "samples") -> httpx.Response:
        """Deliver bytes as an edge does."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        with self.client(None) as client:
            return client.post(f"/api/v1/ingest/{to}", content=body, headers=headers)

    def send(self, samples: Sequence[Sample]) -> httpx.Response:
        return self.post(encode(batch_of(samples)))


def all_gone(processes: Sequence[psutil.Process]) -> bool:
    """Whether none of them runs any more; a zombie that nobody has asked for counts as gone."""

    def is_gone(process: psutil.Process) -> bool:
        try:
            return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return all(is_gone(process) for process in processes)
