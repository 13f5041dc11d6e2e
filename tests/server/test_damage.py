"""A damaged file of samples, looked after from the command line: beside the running server, and without it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from athanor.cli.commands import app
from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.port import NotDamagedError
from athanor.kernel.telemetry import Sample

from .running import RunningServer, wait_for

POWER = "smelter.power"
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def historian(server: RunningServer, *arguments: str) -> Result:
    """What `athanor historian` does and says."""
    config = server.folder / "athanor.toml"
    config.write_text(f'data_dir = "{server.settings.data_dir}"\n[server]\nport = {server.port}\n', encoding="utf-8")
    return CliRunner().invoke(app, ["historian", *arguments, "--config", str(config)])


def ask(server: RunningServer) -> httpx.Response:
    with server.client() as client:
        asked = {"tag": POWER, "from": NOW.isoformat(), "to": (NOW + timedelta(minutes=5)).isoformat()}
        return client.get("/api/v1/series", params=asked, headers={"Accept": "application/json"})


@pytest.fixture
def damaged(own_server: RunningServer) -> Path:
    """A running server, and the damaged file of its only samples."""
    own_server.environment["ATHANOR_HISTORIAN__SEAL_AFTER_S"] = "0.5"
    own_server.start()
    own_server.send([Sample(POWER, NOW + timedelta(seconds=n), float(n)) for n in range(10)]).raise_for_status()
    lake = own_server.settings.data_dir / "lake" / "samples"
    (file,) = wait_for(lambda: list(lake.glob("day=*/*.parquet")), "the samples are sealed")
    wait_for(lambda: "historian.sealed" in own_server.log(), "the sealing is done")
    return Path(file)


def test_it_is_named_set_aside_and_put_back_while_the_server_runs(own_server: RunningServer, damaged: Path) -> None:
    whole = damaged.read_bytes()
    assert historian(own_server, "check").output == "Every file of samples can be read, and none is set aside.\n"
    refused = historian(own_server, "set-aside", damaged.name)
    assert refused.exit_code == 1
    assert "can be read from its beginning to its end" in str(refused.exception)
    damaged.write_bytes(bytes(len(whole)))
    answer = ask(own_server)
    assert answer.status_code == 500
    assert answer.json()["detail"]["code"] == "historian.damaged-file"
    named = historian(own_server, "check")
    assert (named.exit_code, named.output.startswith(f"damaged    {damaged}: ")) == (1, True)
    assert historian(own_server, "set-aside", damaged.name).output.endswith(f"{damaged.name} is set aside.\n")
    assert (ask(own_server).status_code, historian(own_server, "check").exit_code) == (200, 0)
    assert f"{damaged.name} (" in historian(own_server, "check").output
    damaged.write_bytes(whole)
    assert historian(own_server, "put-back", str(damaged)).output.endswith(f"{damaged.name} is read again.\n")
    assert "set aside" not in historian(own_server, "check").output.replace("none is set aside", "")
    assert len(ask(own_server).json()) == 10


def test_it_is_set_aside_and_put_back_while_no_server_runs(own_server: RunningServer, damaged: Path) -> None:
    own_server.stop()
    whole = damaged.read_bytes()
    assert isinstance(historian(own_server, "set-aside", damaged.name).exception, NotDamagedError)
    damaged.write_bytes(whole[: len(whole) // 2])
    assert historian(own_server, "check").exit_code == 1
    assert historian(own_server, "set-aside", damaged.name).exit_code == 0
    assert "10 samples from" in historian(own_server, "check").output
    damaged.write_bytes(whole)
    assert historian(own_server, "put-back", damaged.name).exit_code == 0
    assert isinstance(historian(own_server, "put-back", damaged.name).exception, NotFoundError)


def test_only_administrators_of_the_park_look_after_files(server: RunningServer) -> None:
    for login, status in ((None, 401), ("chen", 403), ("anna", 200)):
        with server.client(login) as client:
            assert client.get("/api/v1/historian/set-aside").status_code == status
