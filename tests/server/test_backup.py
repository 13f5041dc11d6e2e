"""Backups of a server that runs, by the commands that an operator types, and bringing one back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner

from athanor.cli.commands import app
from athanor.kernel.backup.archive import Archive
from athanor.kernel.historian.store import FolderStore
from athanor.kernel.telemetry import Sample

from .running import RunningServer, wait_for

TAG = "smelter.power"
PASSPHRASE = "pour the slag off first"
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def athanor(server: RunningServer, *arguments: str) -> str:
    """Type a command; what it said."""
    environment = server.environment | {"ATHANOR_BACKUP_PASSPHRASE": PASSPHRASE}
    ended = CliRunner().invoke(app, arguments, env=environment)
    assert ended.exit_code == 0, (ended.output, ended.exception)
    return ended.output


@contextmanager
def sending(server: RunningServer) -> Iterator[list[int]]:
    """Numbered samples, one after the other; the list has those that were acknowledged."""
    acknowledged: list[int] = []
    stop = threading.Event()

    def send() -> None:
        number = 0
        while not stop.is_set():
            server.send([Sample(TAG, START + timedelta(milliseconds=number), float(number))]).raise_for_status()
            acknowledged.append(number)
            number += 1

    thread = threading.Thread(target=send)
    thread.start()
    wait_for(lambda: len(acknowledged) > 10, "samples are acknowledged")
    try:
        yield acknowledged
    finally:
        stop.set()
        thread.join()


def values_in(server: RunningServer) -> list[float]:
    span = {"from": START.isoformat(), "to": (START + timedelta(hours=2)).isoformat()}
    with server.client() as client:
        answer = client.get("/api/v1/series", params={"tag": TAG, **span})
    answer.raise_for_status()
    return [row["value"] for row in answer.json()]


def test_a_server_at_work_is_backed_up_and_another_goes_on_from_there(
    own_server: RunningServer, tmp_path: Path
) -> None:
    own_server.start()
    backups = tmp_path / "backups"
    with sending(own_server) as acknowledged:
        before = len(acknowledged)
        said = athanor(own_server, "backup", "create", str(backups))
        assert "It took" in said
        assert "Its newest sample is of" in said
    assert "is whole" in athanor(own_server, "backup", "verify", str(backups))
    (manifest,) = Archive(FolderStore(backups)).manifests()
    assert manifest.name in athanor(own_server, "backup", "list", str(backups))
    own_server.stop()

    new = tmp_path / "new"
    assert "start the server" in athanor(own_server, "backup", "restore", str(backups), "--data-dir", str(new))
    left = athanor(own_server, "backup", "create", str(backups))  # of what the server that was stopped left
    assert f" {len(acknowledged):,} samples" in left
    own_server.environment["ATHANOR_DATA_DIR"] = str(new)
    own_server.start()
    values = values_in(own_server)
    assert values == [float(number) for number in range(len(values))]
    assert before <= len(values) <= len(acknowledged)
    assert manifest.contents.samples == len(values)


def test_only_who_owns_the_files_names_a_place(own_server: RunningServer, tmp_path: Path) -> None:
    own_server.environment |= {
        "ATHANOR_BACKUP__DESTINATION": str(tmp_path / "backups"),
        "ATHANOR_BACKUP__KEEP": "2",
        "ATHANOR_BACKUP_PASSPHRASE": PASSPHRASE,
    }
    own_server.start()
    with own_server.client() as client:
        refused = client.post("/api/v1/backups", json={"place": str(tmp_path / "elsewhere"), "proof": "no"})
        assert refused.status_code == 422
        assert refused.json()["detail"]["code"] == "backup.destination"
        started = client.post("/api/v1/backups", json={})
        assert started.status_code == 202
        wait_for(lambda: _state(client, started.json()["id"]) == "succeeded", "the backup is made")
        assert len(client.get("/api/v1/backups").json()) == 1
    with own_server.client("chen") as client:
        assert client.post("/api/v1/backups", json={}).status_code == 403
        assert client.get("/api/v1/backups").status_code == 403
    assert not (tmp_path / "elsewhere").exists()


def _state(client: httpx.Client, job: str) -> str:
    return str(client.get(f"/api/v1/jobs/{job}").json()["state"])


def test_a_server_that_is_killed_meanwhile_leaves_no_half_backup(own_server: RunningServer, tmp_path: Path) -> None:
    files = own_server.settings.data_dir / "files" / "documents"
    files.mkdir(parents=True)
    for number in range(40):
        (files / f"{number}.bin").write_bytes(b"%d" % number * 200_000)
    backups = tmp_path / "backups"
    own_server.environment |= {
        "ATHANOR_BACKUP__DESTINATION": str(backups),
        "ATHANOR_BACKUP_PASSPHRASE": PASSPHRASE,
    }
    own_server.start()
    with own_server.client() as client:
        client.post("/api/v1/backups", json={}).raise_for_status()
    wait_for(lambda: len(list(backups.rglob("*.bin"))) > 3, "the backup is under way")
    own_server.kill()
    archive = Archive(FolderStore(backups))
    assert archive.manifests() == []
    athanor(own_server, "backup", "create", str(backups))
    left = {entry.stored_as for entry in archive.manifest().entries}
    assert set(archive.store.names("data")) == left
    assert archive.manifest().contents.files == 40


def test_a_scheduled_trial_says_how_long_it_took_and_a_damaged_backup_makes_it_fail(
    own_server: RunningServer, tmp_path: Path
) -> None:
    own_server.environment |= {
        "ATHANOR_BACKUP__DESTINATION": str(tmp_path / "backups"),
        "ATHANOR_BACKUP_PASSPHRASE": PASSPHRASE,
    }
    own_server.start()
    with sending(own_server):
        assert job(own_server, "operations.create-backup")["state"] == "succeeded"
    tried = job(own_server, "operations.try-backup")
    assert (tried["state"], tried["summary"]["faults"]) == ("succeeded", [])
    assert tried["summary"]["samples"] > 10
    assert tried["summary"]["restored_in_s"] > 0
    largest = max((tmp_path / "backups").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    largest.chmod(0o600)
    largest.write_bytes(largest.read_bytes()[:-10])
    failed = job(own_server, "operations.try-backup")
    assert failed["state"] == "failed"
    assert largest.name[:8] in failed["error"] or "damaged" in failed["error"]


def job(server: RunningServer, kind: str) -> dict[str, Any]:
    """A job of this kind, once it is over."""
    with server.client() as client:
        number = client.post("/api/v1/jobs", json={"kind": kind}).raise_for_status().json()["id"]

        def over() -> dict[str, Any] | None:
            found = client.get(f"/api/v1/jobs/{number}").raise_for_status().json()
            return found if found["state"] in ("succeeded", "failed", "cancelled") else None

        return wait_for(over, f"{kind} is over")
