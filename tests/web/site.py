"""A whole server for the browser: the real platform in a thread of its own, fed through its uplink."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import pyarrow as pa
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Page

from athanor.kernel.apps.registry import load_apps
from athanor.kernel.historian.port import STORED
from athanor.kernel.identity.accounts import LoginTakenError, Profile
from athanor.kernel.sections import ServerSettings
from athanor.kernel.settings import Settings
from athanor.kernel.telemetry import TIME, Sample, batch_of, encode
from athanor.main import address_of, create_server, listen
from athanor.platform import Platform, open_platform
from athanor.web.sessions import COOKIE

PLANT = Path(__file__).with_name("plant.yaml")
PASSWORD = "correct horse battery"
PEOPLE = {"anna": ("administrator", None), "chen": ("viewer", "copper")}  # login to role and tenant
START_WITHIN_S = 60

Answer = TypeVar("Answer")


class Site:
    """The server under test and what a test does to it."""

    def __init__(self, folder: Path) -> None:
        self._settings = Settings(
            data_dir=folder, plant_file=PLANT, server=ServerSettings(host="127.0.0.1", port=0, language="en")
        )
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="site")
        self._sequence = 0
        self._sessions: dict[str, str] = {}
        self.url = ""
        self.platform: Platform
        self.app: FastAPI

    def start(self) -> None:
        self._thread.start()
        self._ready.result(START_WITHIN_S)

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(START_WITHIN_S)

    def wait_for(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Do this in the server's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_WITHIN_S)

    def admit(self, login: str, role: str, tenant: str | None = None) -> str:
        """A session of somebody with this role, who is made where nobody has the login. Files share the site's people.

        Raises AssertionError for somebody of another role or tenant.
        """
        return self.wait_for(self._admit(login, role, tenant))

    def send(self, values: Mapping[str, float | str | None], *, at: datetime | None = None) -> None:
        """Deliver samples as an edge does; on return they are stored and current."""
        self.deliver([Sample(path, at or datetime.now(UTC), value) for path, value in values.items()])

    def deliver(self, samples: Sequence[Sample]) -> None:
        """Deliver these samples as an edge does."""
        self._sequence += 1
        answer = httpx.post(
            f"{self.url}/api/v1/ingest/samples",
            content=encode(batch_of(samples)),
            headers={
                "Authorization": f"Bearer {self._edge_token}",
                "Content-Type": "application/vnd.apache.arrow.stream",
                "X-Athanor-Edge": "edge-1",
                "X-Athanor-Sequence": str(self._sequence),
            },
        )
        answer.raise_for_status()

    def report(
        self, *, state: str = "connected", error: str | None = None, tag_paths: Sequence[str] = (), **backlog: int
    ) -> None:
        """Report one source as an edge does; `backlog` is what else the edge says of its buffer."""
        now = datetime.now(UTC).isoformat()
        source = {"id": "dcs", "protocol": "opcua", "address": "opc.tcp://plc:4840", "state": state, "since": now}
        answer = httpx.post(
            f"{self.url}/api/v1/ingest/status",
            json={
                "edge": "edge-1",
                "version": "0",
                "at": now,
                "backlog": {"rows": 7} | backlog,
                "sources": [
                    source
                    | {
                        "error": error,
                        "tag_paths": list(tag_paths),
                        "tags": 6,
                        "samples_per_s": 5.5,
                        "counters": {"bad": 2, "clock_skew": 3},
                    }
                ],
            },
            headers={"Authorization": f"Bearer {self._edge_token}"},
        )
        answer.raise_for_status()

    def sign_in(self, page: Page, login: str = "anna") -> None:
        """Give the browser a session as the sign-in form does; quicker than filling it in for every test."""
        if login not in self._sessions:
            self._sessions[login] = self.wait_for(self.platform.identity.sessions.sign_in(login, PASSWORD))
        page.context.add_cookies([{"name": COOKIE, "value": self._sessions[login], "url": self.url}])

    def open(self, page: Page, path: str, login: str = "anna") -> None:
        """Open a page as somebody who has signed in."""
        self.sign_in(page, login)
        page.goto(f"{self.url}{path}")

    async def _admit(self, login: str, role: str, tenant: str | None) -> str:
        identity = self.platform.identity
        with suppress(LoginTakenError):
            await identity.accounts.create(login, Profile(login.title(), (role,), tenant), PASSWORD, actor="test")
        session = await identity.sessions.open(login, actor="test")
        user = await identity.sessions.user_of(session)
        assert (user.role, user.tenant) == (role, tenant), f"{login} is another one already: {user}"
        return session

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with open_platform(self._settings) as self.platform:
            for login, (role, tenant) in PEOPLE.items():
                await self._admit(login, role, tenant)
            self._edge_token = await self.platform.identity.edges.make("edge-1")
            await self.platform.historian.import_history(_history(self.platform))
            self.platform.current.update(await self.platform.historian.latest())
            self.app = app = create_server(self.platform, load_apps())
            listening = listen(self._settings)
            self.url = address_of(listening)
            self._server = _Server(uvicorn.Config(app, log_level="warning", access_log=False), self._ready)
            await self._server.serve([listening])


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Future[None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set_result(None)


def _history(platform: Platform) -> pa.Table:
    """Two days of a minute's step for every tag that is a number; a hole of two hours a day ago."""
    end = datetime.now(UTC) - timedelta(minutes=1)
    ages_min = np.arange(2 * 24 * 60, 0, -1)
    ages_min = ages_min[(ages_min < 24 * 60) | (ages_min > 26 * 60)]
    time_us = int(end.timestamp() * 1e6) - ages_min * 60_000_000
    levels = {"temperature": 1200.0, "power": 26_000.0, "output": 20.0, "setpoint": 4000.0, "mode": 1.0, "hostile": 2.0}
    parts = []
    for path, tag_id in platform.plant.ids.items():
        level = levels[path.rpartition(".")[2]]
        swing = 0.0 if level in (1.0, 4000.0) else 0.01 * level
        value = level + swing * np.sin(ages_min / 60)
        rows = len(ages_min)
        parts.append(
            pa.table(
                [
                    pa.array(np.full(rows, tag_id), pa.int32()),
                    pa.array(time_us).cast(TIME),
                    pa.array(value),
                    pa.nulls(rows, pa.string()),
                    pa.array(np.zeros(rows), pa.uint8()),
                ],
                schema=STORED,
            )
        )
    return pa.concat_tables(parts)
