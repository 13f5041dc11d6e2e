"""A server whose tables are in PostgreSQL."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from athanor.kernel.database.database import Database
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.store import running_plant
from athanor.kernel.plant.yaml_file import load_plant

from .running import PASSWORD, PLANT, RunningServer


@pytest.fixture
def server_on_postgresql(tmp_path: Path, postgresql_url: str) -> Iterator[RunningServer]:
    """Prepared, not yet started."""
    running = RunningServer(tmp_path, database_url=postgresql_url)
    running.prepare()
    yield running
    running.end()


async def stored_plant(url: str) -> RunningPlant | None:
    database = Database(url)
    async with database.reading() as session:
        plant = await running_plant(session)
    await database.close()
    return plant


def test_a_server_keeps_its_people_and_its_plant_in_postgresql(server_on_postgresql: RunningServer) -> None:
    server = server_on_postgresql
    for _ in ("first start", "restart"):
        server.start()
        with server.client(None) as client:
            assert client.get("/api/v1/tags").status_code == 401
            answer = client.post("/sign-in", data={"login": "anna", "password": PASSWORD})
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            tags = client.get("/api/v1/tags").json()["tags"]
        assert server.stop() == 0
    assert "Traceback" not in server.log()

    plant = asyncio.run(stored_plant(server.settings.database_url))
    assert plant is not None
    assert (plant.model, plant.version) == (load_plant(PLANT), 1)
    assert {tag["path"] for tag in tags} == set(plant.ids)
    assert not list(server.settings.data_dir.glob("athanor.db*"))
