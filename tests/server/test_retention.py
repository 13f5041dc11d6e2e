"""What has come of age goes: by itself, when an administrator says so, and from the command line."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import pyarrow as pa
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from athanor.cli.commands import app
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import STORED, microseconds
from athanor.kernel.identity.tables import AuditRow
from athanor.kernel.telemetry import TIME
from athanor.platform import open_platform

from .running import RunningServer, wait_for

DAYS = 5  # of samples, the last of which is of yesterday


@pytest.fixture
def filled(own_server: RunningServer) -> RunningServer:
    """A server, not started, whose samples are kept for three days, and are older; and its settings in a file."""
    settings = own_server.settings

    async def fill() -> None:
        async with open_platform(settings) as platform:
            tag = platform.plant.ids["smelter.power"]
            first = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
            time_us = microseconds(first) + np.arange(DAYS * 1440) * 60_000_000
            await platform.historian.import_history(
                pa.table(
                    [
                        pa.array(np.full(len(time_us), tag, np.int32)),
                        pa.array(time_us).cast(TIME),
                        pa.array(np.full(len(time_us), 40.0)),
                        pa.nulls(len(time_us), pa.string()),
                        pa.array(np.zeros(len(time_us), np.uint8)),
                    ],
                    schema=STORED,
                )
            )

    asyncio.run(fill())
    own_server.environment["ATHANOR_RETENTION__RAW_DAYS"] = '{"standard": 3}'
    lines = [f'data_dir = "{settings.data_dir}"', f'plant_file = "{settings.plant_file}"', "[server]"]
    lines += [f"port = {own_server.port}", "[retention]", "raw_days = {standard = 3}"]
    (own_server.folder / "athanor.toml").write_text("\n".join(lines), encoding="utf-8")
    return own_server


def called(server: RunningServer, *arguments: str) -> str:
    """What the command answers."""
    config = server.folder / "athanor.toml"
    result = CliRunner().invoke(app, ["historian", "retention", *arguments, "--config", str(config)])
    assert result.exit_code == 0, result.output
    return result.stdout


def audited(server: RunningServer) -> Sequence[AuditRow]:
    """What stands in the audit trail of retention, oldest first."""

    async def rows() -> Sequence[AuditRow]:
        database = Database(server.settings.database_url)
        try:
            async with database.reading() as session:
                query = select(AuditRow).where(AuditRow.action.like("historian.%")).order_by(AuditRow.id)
                return (await session.scalars(query)).all()
        finally:
            await database.close()

    return asyncio.run(rows())


def counted(server: RunningServer, **asked: str) -> float:
    """Samples of the range, or steps of it, over the API."""
    first = datetime.now(UTC) - timedelta(days=DAYS + 1)
    parameters = {"tag": "smelter.power", "from": first.isoformat(), "to": datetime.now(UTC).isoformat()} | asked
    with server.client() as client:
        answer = client.get("/api/v1/series", params=parameters, headers={"Accept": "text/csv"})
    return len(answer.text.splitlines()) - 1


def test_the_command_says_what_would_go_and_lets_it_go(filled: RunningServer) -> None:
    due = orjson.loads(called(filled, "--json"))
    (standard,) = due["classes"]
    assert (standard["raw"]["days"], standard["raw"]["rows"]) == (2, 2 * 1440)
    assert due["stays"]["rows"] == (DAYS - 2) * 1440
    assert "  samples   kept for 3 days: 2,880 go (0.0 MB), of 2 days, " in called(filled)
    assert audited(filled) == []
    assert called(filled, "--apply").startswith("2,880 samples of 2 days and 0 waveforms went")
    assert [(row.actor, row.action) for row in audited(filled)] == [
        ("command line", "historian.retention-ordered"),
        ("historian", "historian.samples-expired"),
    ]
    assert audited(filled)[1].detail["classes"]["standard"]["samples"] == 2880
    assert orjson.loads(called(filled, "--json"))["classes"][0]["raw"]["rows"] == 0


def test_what_has_come_of_age_goes_by_itself_and_an_administrator_may_say_when(filled: RunningServer) -> None:
    filled.start()
    with filled.client("chen") as client:
        assert client.get("/api/v1/historian/retention").status_code == 403
        assert client.post("/api/v1/historian/retention").status_code == 403
    with filled.client() as client:
        client.get("/api/v1/historian/retention").raise_for_status()
        job = client.post("/api/v1/historian/retention").raise_for_status().json()
        job = wait_for(lambda: _over(client.get(f"/api/v1/jobs/{job['id']}").json()), "the job is over")
    assert job["state"] == "succeeded", job
    assert counted(filled) == (DAYS - 2) * 1440
    assert counted(filled, step="1h", how="count") == DAYS * 24
    assert "2,880" not in called(filled)
    actions = [row.action for row in audited(filled)]
    assert actions.count("historian.samples-expired") == 1


def _over(job: dict[str, object]) -> dict[str, object] | None:
    return job if job["state"] in ("succeeded", "failed", "cancelled") else None
