"""Starting, reloading, stopping, and being killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import pytest
import yaml

from athanor.kernel.telemetry import Sample

from .running import EDGE, PLANT, RunningServer, all_gone, free_port, wait_for

STOP_WITHIN_S = 10


def edge_file(folder: Path, server_port: int) -> Path:
    """An edge with one source that will never answer: it is there, and that is all."""
    file = folder / "edge.yaml"
    source = {
        "id": "nobody",
        "protocol": "opcua",
        "url": f"opc.tcp://127.0.0.1:{free_port()}",
        "tags": {"smelter.power": {"node": "ns=2;s=power"}},
    }
    config = {
        "edge": EDGE,
        "uplink": {"url": f"http://127.0.0.1:{server_port}"},
        "buffer": {"path": str(folder / "buffer.sqlite")},
        "sources": [source],
    }
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    return file


@pytest.fixture
def server_with_edge(own_server: RunningServer, tmp_path: Path) -> RunningServer:
    """Running, with an edge as its child that has reported."""
    own_server.environment["ATHANOR_EDGE__CONFIG"] = str(edge_file(tmp_path, own_server.port))
    own_server.start()
    with own_server.client() as client:
        wait_for(lambda: "athanor_edge_backlog_rows{" in client.get("/metrics").text, "the edge reports")
    return own_server


def test_the_first_start_prints_the_administrators_password_once_and_not_into_the_log(tmp_path: Path) -> None:
    server = RunningServer(tmp_path)
    for printed in (1, 1):
        server.start()
        assert server.stop() == 0
        assert server.log().count("Sign in as admin with the password") == printed
    assert "server.ready" in server.log()
    assert "server.stopped" in server.log()


def test_a_port_that_is_taken_is_named_with_its_cure(own_server: RunningServer) -> None:
    with socket.create_server(("127.0.0.1", own_server.port)):
        ended = subprocess.run(
            [sys.executable, "-m", "athanor", "serve"],
            cwd=own_server.folder, env=own_server.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ended.returncode == 2
    said = " ".join(ended.stderr.split())
    assert f"[server.port-taken] Cannot listen on 127.0.0.1:{own_server.port}" in said
    assert "or set server.port to another one" in said
    assert "Traceback" not in said


def test_a_second_server_on_the_same_data_is_refused_with_its_cure(own_server: RunningServer) -> None:
    own_server.start()
    ended = subprocess.run(
        [sys.executable, "-m", "athanor", "serve", "--port", "0"],
        cwd=own_server.folder, env=own_server.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    said = " ".join(ended.stderr.split())
    assert "[historian.cannot-open]" in said
    assert "Stop the other server that uses it" in said
    assert "Traceback" not in said


def test_a_new_plant_file_takes_effect_and_a_bad_one_is_refused_while_the_plant_runs_on(
    own_server: RunningServer,
) -> None:
    own_server.start()
    plant = yaml.safe_load(PLANT.read_text(encoding="utf-8"))

    def reload(content: str) -> None:
        own_server.plant_file.write_text(content, encoding="utf-8")
        own_server.process.send_signal(signal.SIGHUP)

    with own_server.client() as client:

        def paths() -> list[str]:
            return [tag["path"] for tag in client.get("/api/v1/tags").json()["tags"]]

        assert own_server.send([Sample("smelter.speed", datetime.now(UTC), 1.0)]).json()["quarantined"] == 1
        plant["sites"][0]["tags"].append({"id": "speed", "name": {"en": "Speed", "zh_CN": "速度"}, "unit": "rpm"})
        reload(yaml.safe_dump(plant, allow_unicode=True))
        wait_for(lambda: "smelter.speed" in paths(), "the new tag is there")
        assert own_server.send([Sample("smelter.speed", datetime.now(UTC), 1.0)]).json()["stored"] == 1

        plant["sites"][0]["tags"].append({"id": "speed", "name": {"en": "Again"}, "unit": "parsec"})
        for number, bad in enumerate((yaml.safe_dump(plant), "", "park: {"), start=1):
            reload(bad)
            wait_for(lambda number=number: own_server.log().count("plant.refused") >= number, "the refusal is logged")
        own_server.plant_file.unlink()
        own_server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: own_server.log().count("plant.refused") >= 4, "so is that of no file")
        assert "smelter.speed" in paths()
        assert own_server.send([Sample("smelter.speed", datetime.now(UTC), 2.0)]).json()["stored"] == 1
        shutil.copy(PLANT, own_server.plant_file)
        own_server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "smelter.speed" not in paths(), "the old plant is back")
    assert "Traceback" not in own_server.log()


def test_a_refused_plant_file_at_a_restart_leaves_the_stored_plant_running(own_server: RunningServer) -> None:
    own_server.start()
    own_server.stop()
    own_server.plant_file.write_text("park: nothing", encoding="utf-8")
    own_server.start()
    assert "plant.refused" in own_server.log()
    assert own_server.send([Sample("smelter.power", datetime.now(UTC), 1.0)]).json()["stored"] == 1


def test_a_table_of_tags_that_cannot_be_written_stops_no_server(own_server: RunningServer) -> None:
    lake = own_server.settings.data_dir / "lake"
    lake.mkdir(parents=True)
    (lake / "tags").write_text("this is no folder", encoding="utf-8")
    own_server.start()
    assert "lake.tags-not-written" in own_server.log()
    assert own_server.send([Sample("smelter.power", datetime.now(UTC), 1.0)]).json()["stored"] == 1


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_all_in_time_and_leaves_no_child(server_with_edge: RunningServer, sign: signal.Signals) -> None:
    family = server_with_edge.family()
    assert len(family) == 2
    with httpx.Client(base_url=server_with_edge.url, trust_env=False) as client:
        client.get("/healthz")  # a connection that stays open
        began = time.monotonic()
        server_with_edge.process.send_signal(sign)
        assert server_with_edge.process.wait(STOP_WITHIN_S) == 0
        assert time.monotonic() - began < STOP_WITHIN_S
    assert all_gone(family)
    assert "Traceback" not in server_with_edge.log()


def test_an_edge_does_not_outlive_a_server_that_is_killed(server_with_edge: RunningServer) -> None:
    (_, edge) = server_with_edge.family()
    assert "athanor.edge" in edge.cmdline()
    server_with_edge.kill()
    wait_for(lambda: all_gone([edge]), "the edge ends", STOP_WITHIN_S)


def test_an_edge_that_is_killed_is_started_again(server_with_edge: RunningServer) -> None:
    (_, edge) = server_with_edge.family()
    edge.kill()

    def successor() -> psutil.Process | None:
        children = [one for one in server_with_edge.family()[1:] if one.pid != edge.pid]
        return next((one for one in children if "athanor.edge" in one.cmdline()), None)

    assert wait_for(successor, "a new edge runs").pid != edge.pid


def test_secrets_stay_out_of_the_log(server_with_edge: RunningServer) -> None:
    environment = psutil.Process(server_with_edge.family()[1].pid).environ()
    token = environment["ATHANOR_EDGE_TOKEN"]
    assert token not in server_with_edge.log()
    assert token not in " ".join(server_with_edge.family()[1].cmdline())
    assert os.environ.get("ATHANOR_EDGE_TOKEN") != token
