import os
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from athanor.kernel.database.migrating import newest_revision, upgrade
from athanor.kernel.doctor import (
    Finding,
    Verdict,
    check_clock,
    check_database,
    check_edge,
    check_folder,
    check_memory,
    check_plant,
    check_port,
    check_versions,
    examine,
    folders_of,
    read_configuration,
    room_in,
)
from athanor.kernel.settings import Settings

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", server={"port": 0})  # type: ignore[arg-type]


@pytest.fixture
async def database_file(settings: Settings) -> Path:
    """A database as a start leaves it."""
    await upgrade(settings.database_url)
    return settings.data_dir / "athanor.db"


async def test_a_fresh_installation_is_well(settings: Settings) -> None:
    findings = await examine(settings)
    assert [finding.check for finding in findings] == [
        "port",
        "disk",
        "disk",
        "disk",
        "clock",
        "database",
        "plant",
        "edge",
        "versions",
        "memory",
    ]
    assert [finding for finding in findings if finding.verdict is Verdict.FAIL] == []
    assert not settings.data_dir.exists()  # nothing is changed by looking


def test_a_taken_port_is_named_with_who_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        finding = check_port("127.0.0.1", port)
    assert finding.verdict is Verdict.FAIL
    assert f"(process {os.getpid()}) has it" in finding.what
    assert check_port("127.0.0.1", port).verdict is Verdict.OK


@pytest.mark.parametrize("host", ["192.0.2.1", "not a host name"])  # 192.0.2.0/24: for documentation only
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    finding = check_port(host, 0)
    assert (finding.verdict, finding.cure) == (
        Verdict.FAIL,
        "Set server.host to an address of this machine, or to 127.0.0.1.",
    )


def test_each_folder_is_examined_once(settings: Settings) -> None:
    data = settings.data_dir
    assert folders_of(settings) == [data, data / "lake", data / "files"]


def test_a_file_in_the_place_of_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    finding = check_folder(tmp_path / "data" / "lake")
    assert finding.verdict is Verdict.FAIL
    assert finding.what == f"{tmp_path}/data/lake cannot be written to: {tmp_path}/data: Not a directory."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; run the tests as another user")
def test_a_folder_without_the_right_to_write_is_found(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert check_folder(tmp_path).verdict is Verdict.FAIL


@pytest.mark.parametrize(("free_gb", "verdict"), [(0.9, Verdict.FAIL), (9.9, Verdict.WARN), (10, Verdict.OK)])
def test_a_disk_that_fills_is_told_in_time(free_gb: float, verdict: Verdict) -> None:
    assert room_in(Path("data"), free_gb).verdict is verdict


def test_a_clock_before_athanor_was_written_is_wrong() -> None:
    assert check_clock(datetime(1970, 1, 1, tzinfo=UTC), []).verdict is Verdict.FAIL


def test_a_clock_behind_its_own_files_is_suspect(tmp_path: Path) -> None:
    file = tmp_path / "athanor.db"
    file.write_bytes(b"")
    assert check_clock(NOON, [tmp_path / "nowhere"]).verdict is Verdict.OK
    for ahead, verdict in ((timedelta(0), Verdict.OK), (timedelta(hours=1), Verdict.WARN)):
        os.utime(file, times=((NOON + ahead).timestamp(),) * 2)
        assert check_clock(NOON, [file]).verdict is verdict


@pytest.mark.usefixtures("database_file")
async def test_a_database_as_the_code_wants_it_is_well(settings: Settings) -> None:
    assert await check_database(settings) == Finding(
        "database", Verdict.OK, f"The database opens and is at revision {newest_revision()}."
    )


async def test_an_empty_database_will_be_upgraded(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "athanor.db").touch()
    finding = await check_database(settings)
    assert finding.verdict is Verdict.OK
    assert "the next start brings it from revision None to" in finding.what


async def test_garbage_is_no_database(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "athanor.db").write_bytes(b"garbage" * 1000)
    finding = await check_database(settings)
    assert finding.verdict is Verdict.FAIL
    assert "file is not a database" in finding.what


def damage(file: Path) -> None:
    """Overwrite the head of most pages."""
    content = bytearray(file.read_bytes())
    page = 4096
    for start in range(page * 4, len(content), page):
        content[start : start + 64] = b"\xff" * 64
    file.write_bytes(content)


async def test_a_damaged_database_is_found(settings: Settings, database_file: Path) -> None:
    damage(database_file)
    finding = await check_database(settings)
    assert finding.verdict is Verdict.FAIL
    assert finding.cure != ""


async def test_a_database_of_a_later_version_is_found(settings: Settings, database_file: Path) -> None:
    connection = sqlite3.connect(database_file)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    finding = await check_database(settings)
    assert finding.verdict is Verdict.FAIL
    assert "revision 9999" in finding.what


def test_a_bad_plant_file_is_found_with_its_faults(tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text("park: {}\n")
    finding = check_plant(file)
    assert finding.verdict is Verdict.FAIL
    assert f"{file}:1: " in finding.what
    assert check_plant(tmp_path / "nowhere.yaml").verdict is Verdict.FAIL


def test_a_missing_file_of_the_edge_is_found(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    assert check_edge(file).verdict is Verdict.FAIL
    file.touch()
    assert check_edge(file).verdict is Verdict.OK


def test_versions_are_shown() -> None:
    finding = check_versions()
    assert finding.verdict is Verdict.OK
    assert f"SQLite {sqlite3.sqlite_version}" in finding.what


def test_too_little_memory_is_told() -> None:
    assert check_memory(2_000_000, available_mb=500).verdict is Verdict.WARN
    assert check_memory(2_000_000, available_mb=2000).verdict is Verdict.OK


def test_bad_settings_are_findings_too(tmp_path: Path) -> None:
    file = tmp_path / "athanor.toml"
    file.write_text("[server]\nprot = 1\n")
    settings, findings = read_configuration(file)
    assert settings is None
    assert [(finding.check, finding.verdict) for finding in findings] == [("configuration", Verdict.FAIL)]
    file.write_text("[server]\nport = 1\n")
    settings, findings = read_configuration(file)
    assert settings is not None
    assert [finding.verdict for finding in findings] == [Verdict.OK]
