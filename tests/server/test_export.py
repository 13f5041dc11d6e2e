"""`athanor export` beside a running server: its own, and one that only looks like it."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pyarrow.parquet as pq
import pytest
from rich.console import Console
from sqlalchemy import func, select

from athanor.cli.export import BadExportError, Wanted, export_to
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import HistorianUnopenableError
from athanor.kernel.identity.instance import Instance
from athanor.kernel.identity.tables import SessionRow
from athanor.kernel.settings import Settings
from athanor.kernel.telemetry import Sample

from .running import RunningServer

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
POWER = "smelter.power"


def settings_of(server: RunningServer, port: int | None = None) -> Settings:
    return server.settings.model_copy(
        update={"server": server.settings.server.model_copy(update={"port": port or server.port})}
    )


async def export(server: RunningServer, file: Path, port: int | None = None, step: str | None = None) -> int:
    wanted = Wanted.of(["smelter.p*"], HOUR.isoformat(), (HOUR + timedelta(minutes=2)).isoformat(), step)
    return await export_to(file, wanted, settings_of(server, port), Console(file=io.StringIO()))


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def sessions_open(server: RunningServer) -> int:
    database = Database(server.settings.database_url)
    try:
        async with database.reading() as session:
            return await session.scalar(select(func.count()).select_from(SessionRow)) or 0
    finally:
        await database.close()


@pytest.fixture(scope="module", autouse=True)
def _two_minutes_of_power(server: RunningServer) -> None:
    samples = [Sample(POWER, HOUR + timedelta(seconds=second), float(second)) for second in range(120)]
    assert server.send(samples).json() == {"stored": 120, "quarantined": 0}


async def test_a_running_server_is_asked_and_its_session_is_signed_out(server: RunningServer, tmp_path: Path) -> None:
    before = await sessions_open(server)
    assert await export(server, tmp_path / "out.parquet") == 120
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["value"].to_pylist() == [float(n) for n in range(120)]
    assert set(table["name"].to_pylist()) == {"Power"}
    assert await export(server, tmp_path / "steps.csv", step="1m") == 2
    assert await sessions_open(server) == before


async def test_what_the_server_refuses_is_told_and_leaves_no_session(server: RunningServer, tmp_path: Path) -> None:
    before = await sessions_open(server)
    wanted = Wanted.of(["smelter.lot"], "8h", step="1h", how="integral")
    with pytest.raises(BadExportError, match=r"\[historian\.gap-policy-needed\]"):
        await export_to(tmp_path / "out.csv", wanted, settings_of(server), Console(file=io.StringIO()))
    assert await sessions_open(server) == before
    assert files_in(tmp_path) == []


class Impostor(BaseHTTPRequestHandler):
    """Says that it is well, as a server would, and remembers what it was handed."""

    handed: list[str] = []  # noqa: RUF012 one list for all requests

    def do_GET(self) -> None:
        """Answer anything."""
        self.handed.append(self.headers.get("Cookie", ""))
        body = json.dumps({"status": "ok", "version": "0.1.0", "proof": "0" * 64}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def impostor() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Impostor) as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        yield listening.server_port
        listening.shutdown()
        thread.join()


async def test_whoever_else_answers_on_the_port_is_handed_no_session(
    server: RunningServer, tmp_path: Path, impostor: int
) -> None:
    before = await sessions_open(server)
    with pytest.raises(HistorianUnopenableError):  # so it turns to the data itself, which the server holds
        await export(server, tmp_path / "out.csv", impostor)
    assert Impostor.handed == [""]
    assert await sessions_open(server) == before


def test_a_server_proves_to_own_its_data_without_telling_its_secret(server: RunningServer, tmp_path: Path) -> None:
    instance = Instance.known(server.settings.data_dir)
    assert instance is not None
    with server.client(None) as client:
        proof = client.get("/healthz", params={"challenge": "new each time"}).json()["proof"]
        assert "proof" not in client.get("/healthz").json()
    assert instance.is_proof("new each time", proof)
    assert not instance.is_proof("another", proof)
    assert Instance.known(tmp_path) is None
    other = Instance.at(tmp_path / "data")
    assert not other.is_proof("new each time", proof)
    assert Instance.at(tmp_path / "data").proof("x") == other.proof("x")
    assert (tmp_path / "data" / "instance.key").stat().st_mode & 0o777 == 0o600
