"""`athanor demo` as a new user runs it: a living plant within a minute, that goes on where it stopped."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from athanor.kernel.telemetry import Quality

from .running import all_gone, wait_for

READY_WITHIN_S = 60
STOP_WITHIN_S = 15
STEADY = [  # numbers that nothing makes jump
    "smelter.smelting.bath.furnace.bath_temperature",
    "commons.environment.weather.mast.temperature",
]


class Demo:
    """The demo's process and its pages."""

    def __init__(self, folder: Path, log_file: Path) -> None:
        self.folder = folder
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._family: list[psutil.Process] = []
        self.url = ""

    def start(self, *options: str) -> str:
        """Run it until it is ready; returns what it said."""
        self._log_file.write_bytes(b"")
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "athanor", "demo", "--data", str(self.folder), "--days", "1",
                 "--port", "0", *options],
                stdout=log, stderr=log, cwd=self.folder.parent,
            )  # fmt: skip
        wait_for(self._is_ready, "the demo is ready", READY_WITHIN_S)
        self._family = [*psutil.Process(self._process.pid).children(recursive=True)]
        return self.said()

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the demo ended: {self.said()}"
        said = self.said()
        if "Ctrl-C" not in said:
            return False
        (self.url,) = re.findall(r"Open +(\S+)$", said, re.MULTILINE)
        return httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200

    def said(self) -> str:
        return self._log_file.read_text(encoding="utf-8")

    def interrupt(self) -> int:
        """Ctrl-C; returns the exit status once all of it is gone."""
        assert self._process is not None
        self._family += psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(signal.SIGINT)
        status = self._process.wait(STOP_WITHIN_S)
        assert all_gone(self._family), "the demo left processes behind"
        return status

    def end(self) -> None:
        """However the test ended, leave nothing running."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = Demo(tmp_path / "demo", tmp_path / "demo.log")
    yield running
    running.end()


def signed_in(demo: Demo, password: str) -> httpx.Client:
    """A browser that has signed in by the form."""
    form = {"login": "admin", "password": password}
    answer = httpx.post(f"{demo.url}/sign-in", data=form, headers={"Origin": demo.url}, trust_env=False)
    assert "athanor_session" in answer.cookies
    return httpx.Client(base_url=demo.url, cookies=answer.cookies, timeout=30, trust_env=False)


def password_in(said: str) -> str:
    found = re.findall(r"Sign in +admin +(\S+)$", said, re.MULTILINE)
    assert len(found) == 1, said
    return str(found[0])


class Reader:
    """What a program of the user's asks."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def current(self, tags: list[str]) -> dict[str, dict[str, Any]]:
        answer = self._client.get("/api/v1/current", params={"tag": tags}).raise_for_status()
        return {one["tag"]: one for one in answer.json()}

    def series(self, tag: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        params = {"tag": tag, "from": start.isoformat(), "to": end.isoformat()}
        return list(self._client.get("/api/v1/series", params=params).raise_for_status().json())


def some_of_each_source(edge_file: Path) -> dict[str, list[str]]:
    """The first tags of every source that the edge reads."""
    edge = yaml.safe_load(edge_file.read_text(encoding="utf-8"))
    return {source["id"]: list(source["tags"])[:20] for source in edge["sources"]}


def largest_step(rows: list[dict[str, Any]]) -> float:
    values = [row["value"] for row in rows if row["quality"] == Quality.GOOD]
    return max((abs(later - earlier) for earlier, later in pairwise(values)), default=0.0)


def lake_files(folder: Path) -> dict[Path, int]:
    """Sealed files, and when each was written."""
    return {file: file.stat().st_mtime_ns for file in (folder / "lake" / "samples").rglob("*.parquet")}


def is_alive(reader: Reader, tags: list[str], before: dict[str, dict[str, Any]]) -> bool:
    """Whether one of the tags has another value, newer and good."""
    return any(
        one["time"] > before[tag]["time"] and one["value"] != before[tag]["value"] and one["quality"] == "good"
        for tag, one in reader.current(tags).items()
    )


@pytest.mark.slow
def test_a_new_user_sees_a_living_plant_that_goes_on_where_it_stopped(demo: Demo) -> None:
    password = password_in(demo.start())
    with signed_in(demo, password) as client:
        reader = Reader(client)
        sources = some_of_each_source(demo.folder / "edge.yaml")
        assert len(sources) >= 5  # OPC UA, Modbus twice, Sparkplug B, JSON over MQTT
        before = {source: reader.current(tags) for source, tags in sources.items()}
        for source, tags in sources.items():
            wait_for(partial(is_alive, reader, tags, before[source]), f"values of {source} change")
        assert "athanor_samples_quarantined_total{" not in client.get("/metrics").text
        now = datetime.now(UTC)
        for tag in STEADY:
            past = reader.series(tag, now - timedelta(days=1), now - timedelta(hours=1))
            join = reader.series(tag, now - timedelta(hours=1), now + timedelta(minutes=1))
            assert len(past) > 100
            assert largest_step(join) <= 1.5 * largest_step(past), f"{tag} has a step where live follows history"
        day = now - timedelta(days=1), now - timedelta(seconds=10)  # later ones may still be on their way
        past = reader.series(STEADY[0], *day)
    assert demo.interrupt() == 0
    assert demo.said().count(password) == 1

    sealed = lake_files(demo.folder)
    said = demo.start()
    assert "with the password that the first start showed" in said
    with signed_in(demo, password) as client:
        assert Reader(client).series(STEADY[0], *day) == past
    assert demo.interrupt() == 0
    assert sealed.items() <= lake_files(demo.folder).items(), "the history was written again"

    assert password_in(demo.start("--reset")) != password
    assert demo.interrupt() == 0


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("the only copy", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "athanor", "demo", "--data", str(tmp_path), "--port", "0", "--reset"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "[demo.not-a-demo]" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
