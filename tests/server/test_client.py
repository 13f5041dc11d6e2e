"""`athanor.client` against a running server, and against one that falters."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import polars as pl
import pyarrow as pa
import pytest

from athanor.client import (
    Answer,
    ApiError,
    AsyncClient,
    Client,
    IncompleteAnswerError,
    MissingPackageError,
    Sample,
    ServerUnreachableError,
    SignInFailedError,
    questions,
    sync,
)
from athanor.client.values import SAMPLES as CLIENT_SAMPLES
from athanor.client.values import table_of
from athanor.kernel.telemetry import SAMPLES

from .running import PASSWORD, RunningServer

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
POWER, ENERGY, LOT, TEMPERATURE = "smelter.power", "smelter.energy", "smelter.lot", "smelter.temperature"
MANUAL = Path(__file__).parents[2] / "docs" / "client.md"


def within(url: str, **options: object) -> Client:
    return Client(url, **{"login": "anna", "password": PASSWORD, "trust_env": False} | options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[Client]:
    with within(server.url, token=server.token, edge="test") as client:
        samples = [Sample(POWER, HOUR + timedelta(seconds=n), float(n)) for n in range(120)]
        samples += [Sample(ENERGY, HOUR + timedelta(minutes=n), 100.0 + 2 * n) for n in range(5)]
        samples += [Sample(LOT, HOUR, "A-1"), Sample(TEMPERATURE, HOUR, 1500.0, unit="K")]
        receipt = client.write(samples)
        assert (receipt.stored, receipt.quarantined) == (127, 0)
        yield client


def test_it_is_imported_without_any_part_of_the_server() -> None:
    program = (
        "import sys, athanor.client; print(sorted({name.split('.')[1] for name in sys.modules if name.startswith("
        "'athanor.')} | {'nicegui', 'fastapi', 'deltalake', 'sqlalchemy', 'numpy.random'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "['client']\n"


def test_tags_are_found_over_all_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_PAGE", 2)
    paths = [tag.path for tag in client.tags()]
    assert paths == ["kilns.power", ENERGY, LOT, POWER, TEMPERATURE]
    (found,) = client.tags("功率 smelter")
    assert (found.path, found.unit, found.kind, found.period_s, found.states) == (POWER, "kW", "analog", 1.0, {})


def test_current_values_and_past_ones(client: Client) -> None:
    power, lot, nothing = client.current([POWER, LOT, "kilns.power"])
    assert (power.value, power.unit, power.quality) == (119.0, "kW", "good")
    assert power.time == HOUR + timedelta(seconds=119)
    assert (lot.value, nothing.time, nothing.value) == ("A-1", None, None)
    then = client.at([LOT, POWER, TEMPERATURE], HOUR + timedelta(seconds=10.5)).pylist()
    assert [(row["value"], row["text"]) for row in then] == [(None, "A-1"), (10.5, None), (None, None)]
    assert client.at([TEMPERATURE], HOUR, gaps="none").pylist()[0]["value"] == pytest.approx(1226.85)


def test_series_come_as_arrow_polars_and_pandas(client: Client) -> None:
    answer = client.series([TEMPERATURE, POWER], HOUR, HOUR + timedelta(minutes=1))
    assert answer.arrow.schema == SAMPLES
    assert answer.units == {POWER: "kW", TEMPERATURE: "degC"}
    assert len(answer) == 61
    assert [str(one) for one in answer.polars()["tag"]] == [POWER] * 60 + [TEMPERATURE]
    assert answer.pandas()["value"].tolist()[:3] == [0.0, 1.0, 2.0]
    assert pl.DataFrame(answer).equals(answer.polars())
    assert repr(answer) == "<Answer of 61 rows: tag, time, value, text, quality, unit>"


def test_steps_points_consumption_and_grids(client: Client) -> None:
    end = HOUR + timedelta(minutes=2)
    steps = client.series([POWER], HOUR, end, step="1m", how="max", gaps="none")
    assert steps.arrow["value"].to_pylist() == [59.0, 119.0]
    assert steps.about["how"] == "max"
    assert 3 <= len(client.series([POWER], HOUR, end, points=10)) <= 12
    assert client.delta([ENERGY], HOUR, HOUR + timedelta(minutes=4), step="1m").arrow["value"].to_pylist() == [2.0] * 4
    assert client.delta([ENERGY], HOUR, HOUR + timedelta(minutes=4)).arrow["value"].to_pylist() == [8.0]
    grid = client.grid([ENERGY, POWER], HOUR, end, step="30s")
    assert grid.arrow.column_names == ["time", ENERGY, POWER]
    assert grid.arrow[ENERGY].to_pylist() == [100.0, 101.0, 102.0, 103.0]


def test_more_tags_than_fit_into_one_address_are_asked_in_parts(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"start": HOUR, "end": HOUR + timedelta(minutes=2)}
    tags = [TEMPERATURE, POWER, ENERGY]
    whole, wide = client.series(tags, **asked), client.grid(tags, **asked, step="30s")
    monkeypatch.setattr(questions, "_LONGEST_QUERY", 30)
    assert questions.in_parts(tags) == [[TEMPERATURE], [POWER], [ENERGY]]
    assert client.series(tags, **asked).pylist() == whole.pylist()
    assert client.grid(tags, **asked, step="30s").pylist() == wide.pylist()
    assert client.grid(tags, **asked, step="30s").units == wide.units
    assert sum(batch.num_rows for batch in client.batches(tags, **asked)) == len(whole)


def test_batches_are_all_rows(client: Client) -> None:
    batches = list(client.batches([POWER, ENERGY], HOUR, HOUR + timedelta(minutes=2)))
    assert pa.Table.from_batches(batches).num_rows == 122
    assert client.series([POWER], HOUR, HOUR).arrow.num_rows == 0


def test_what_the_server_refuses_has_its_code(client: Client) -> None:
    with pytest.raises(ApiError, match=r"\[kernel\.not-found\] There is no tag 'no\.such'") as caught:
        client.series(["no.such"], HOUR)
    assert (caught.value.status, caught.value.code) == (404, "kernel.not-found")
    with pytest.raises(ApiError, match=r"historian\.unknown-step"):
        client.series([POWER], HOUR, step="fortnight")
    with pytest.raises(ApiError, match=r"\[api\.bad-parameters\] how: "):
        client.series([POWER], HOUR, step="1m", how="median")
    with pytest.raises(ValueError, match="has no time zone"):
        client.series([POWER], datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ApiError, match="is no counter"):
        list(client.batches([POWER], HOUR, how="delta"))


def test_who_is_not_known_is_told_so(server: RunningServer) -> None:
    with within(server.url, password="wrong") as client, pytest.raises(SignInFailedError, match="'anna' with this"):
        client.tags()
    with within(server.url, login=None, session="made up") as client, pytest.raises(SignInFailedError):
        client.tags()
    with within(server.url, token="made up") as client, pytest.raises(SignInFailedError):
        client.write([Sample(POWER, HOUR, 1.0)])
    with within(server.url) as client, pytest.raises(SignInFailedError):
        client.write([Sample(POWER, HOUR, 1.0)])


def test_a_viewer_sees_their_own_enterprise_only(server: RunningServer) -> None:
    with within(server.url, login="chen") as chen:
        assert {tag.tenant for tag in chen.tags()} == {"copper"}


def test_a_session_that_is_over_is_opened_again(server: RunningServer) -> None:
    with within(server.url) as client:
        client.tags()
        client._http.post("/sign-out")
        client._http.cookies.set(questions.COOKIE, "over")
        assert client.tags()


def test_it_signs_out_when_it_is_closed(server: RunningServer) -> None:
    client = within(server.url)
    client.tags()
    session = client._http.cookies[questions.COOKIE]
    client.close()
    with within(server.url, login=None, session=session) as late, pytest.raises(SignInFailedError):
        late.tags()
    opened = server.sessions["anna"]  # one that somebody else opened stays
    with within(server.url, login=None, session=opened) as guest:
        guest.tags()
    with within(server.url, login=None, session=opened) as guest:
        guest.tags()


def test_arrow_tables_are_written_too(client: Client, server: RunningServer) -> None:
    assert CLIENT_SAMPLES == SAMPLES
    times = [HOUR - timedelta(minutes=n) for n in range(1, 4)]
    frame = pl.DataFrame({"tag": [POWER] * 3, "time": times, "value": [1.0, 2.0, 3.0]})
    assert client.write(frame.to_arrow()).stored == 3
    assert client.write(client.series([POWER], HOUR - timedelta(hours=1), HOUR).arrow).stored == 3
    with pytest.raises(ValueError, match=r"missing: \['time'\], unknown: \['when'\]"):
        client.write(pa.table({"tag": ["a"], "when": [HOUR]}))
    with pytest.raises(ValueError, match="has no time zone"):
        table_of([Sample(POWER, datetime(2026, 1, 1), 1.0)])  # noqa: DTZ001
    assert client.write([Sample("no.such", HOUR, 1.0)]).quarantined == 1


async def test_many_questions_wait_at_once(server: RunningServer, client: Client) -> None:
    async with AsyncClient(server.url, login="anna", password=PASSWORD, trust_env=False) as asynchronous:
        end = HOUR + timedelta(minutes=2)
        series, at, found, current, grid, delta = await asyncio.gather(
            asynchronous.series([POWER], HOUR, end),
            asynchronous.at([POWER], HOUR),
            asynchronous.tags("kilns"),
            asynchronous.current([LOT]),
            asynchronous.grid([POWER], HOUR, end, step="1m"),
            asynchronous.delta([ENERGY], HOUR, end),
        )
        assert [len(one) for one in (series, at, found, current, grid, delta)] == [120, 1, 1, 1, 2, 1]
        batches = [batch async for batch in asynchronous.batches([POWER], HOUR, end)]
        assert sum(batch.num_rows for batch in batches) == 120
        with pytest.raises(SignInFailedError):
            await asynchronous.write([])


class Faltering(HTTPServer):
    """Answers with what is on its list, then with an empty page of tags."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Turn)
        self.turns: list[str] = []
        self.asked = 0


class Turn(BaseHTTPRequestHandler):
    """One request."""

    server: Faltering

    def do_GET(self) -> None:
        """Do as the list says."""
        self.server.asked += 1
        turn = self.server.turns.pop(0) if self.server.turns else "good"
        if turn == "hang up":
            self.connection.close()
            return
        if turn == "broken off":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, CLIENT_SAMPLES) as writer:
                writer.write_table(CLIENT_SAMPLES.empty_table())
            body = sink.getvalue().to_pybytes()[:-8]
            self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
            self.close_connection = True
            return
        body = b'{"tags": [], "next": null}' if turn == "good" else b"not now"
        self.send_response(200 if turn == "good" else int(turn))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def faltering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faltering]:
    monkeypatch.setattr(sync, "PAUSES_S", (0.0,))
    with Faltering() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def asking(server: Faltering) -> Client:
    return Client(f"http://127.0.0.1:{server.server_port}", session="any", trust_env=False, attempts=3)


def test_a_server_that_cannot_answer_now_is_asked_again(faltering: Faltering) -> None:
    faltering.turns = ["503", "hang up"]
    with asking(faltering) as client:
        assert client.tags() == []
    assert faltering.asked == 3


def test_one_that_never_answers_is_given_up(faltering: Faltering) -> None:
    faltering.turns = ["503", "hang up", "429"]
    with asking(faltering) as client, pytest.raises(ServerUnreachableError, match=r"not now"):
        client.tags()
    assert faltering.asked == 3


def test_what_is_refused_is_not_asked_again(faltering: Faltering) -> None:
    faltering.turns = ["500"]
    with asking(faltering) as client, pytest.raises(ApiError, match=r"\[api\.unexpected\] Internal Server Error"):
        client.tags()
    assert faltering.asked == 1


def test_an_answer_that_breaks_off_is_not_taken_for_the_whole(faltering: Faltering) -> None:
    faltering.turns = ["broken off"]
    with asking(faltering) as client, pytest.raises(IncompleteAnswerError):
        list(client.batches([POWER], HOUR))


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("polars", "pandas"):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingPackageError, match=f"needs {package}"):
            getattr(Answer(pa.table({"a": [1]})), package)()


@pytest.mark.parametrize("number", range(3))
def test_the_programs_in_the_manual_run(server: RunningServer, client: Client, tmp_path: Path, number: int) -> None:
    program = re.findall(r"```python\n(.+?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)[number]
    known = {"SERVER": server.url, "LOGIN": "anna", "PASSWORD": PASSWORD, "EDGE_TOKEN": server.token}
    environment = os.environ | known | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    if number == 0:
        assert "smelter.power Power kW analog" in answer.stdout
    if number == 1:
        assert (tmp_path / "month.parquet").stat().st_size > 0
    if number == 2:
        assert answer.stdout == "Receipt(stored=2, quarantined=0)\n"
