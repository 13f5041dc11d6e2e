"""Series as programs read them: forms, steps, consumption, grids, past moments; and that long ones are streamed."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pyarrow as pa
import pytest

from athanor.kernel.telemetry import SAMPLES, Quality, Sample

from .running import RunningServer

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
POWER, ENERGY, LOT = "smelter.power", "smelter.energy", "smelter.lot"
ARROW = {"Accept": "application/vnd.apache.arrow.stream"}


@pytest.fixture(scope="module", autouse=True)
def _a_minute_of_power(server: RunningServer) -> None:
    samples = [Sample(POWER, HOUR + timedelta(seconds=second), float(second)) for second in range(60)]
    samples.append(Sample(POWER, HOUR + timedelta(seconds=60), None, Quality.BAD))
    samples += [Sample(ENERGY, HOUR + timedelta(minutes=n - 1), (999_999.0 + n) % 1e6) for n in range(4)]
    samples += [Sample(LOT, HOUR + timedelta(seconds=10), "A-7")]
    assert server.send(samples).json() == {"stored": 66, "quarantined": 0}


@pytest.fixture
def anna(server: RunningServer) -> Iterator[httpx.Client]:
    with server.client("anna") as client:
        yield client


def asked(**more: object) -> dict[str, object]:
    return {"tag": POWER, "from": HOUR.isoformat(), "to": (HOUR + timedelta(minutes=2)).isoformat(), **more}


def table_of(answer: httpx.Response) -> pa.Table:
    assert answer.status_code == 200, answer.text
    with pa.ipc.open_stream(answer.content) as reader:
        return reader.read_all()


def test_series_come_as_json_csv_and_arrow_with_the_same_rows(anna: httpx.Client) -> None:
    as_json = anna.get("/api/v1/series", params=asked()).json()
    as_csv = anna.get("/api/v1/series", params=asked(), headers={"Accept": "text/csv"})
    as_arrow = anna.get("/api/v1/series", params=asked(), headers={"Accept": "application/vnd.apache.arrow.stream"})
    with pa.ipc.open_stream(as_arrow.content) as reader:
        rows = reader.read_all().to_pylist()
    assert [row | {"time": row["time"].isoformat()} for row in rows] == as_json
    assert reader.schema == SAMPLES
    about = json.loads(reader.schema.metadata[b"athanor"])
    assert about["tags"] == {POWER: {"name": {"en": "Power", "zh_CN": "功率"}, "unit": "kW", "kind": "analog"}}
    assert len(rows) == 61
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [(line["tag"], float(line["value"] or "nan")) for line in lines[:60]] == [
        (row["tag"], row["value"]) for row in as_json[:60]
    ]
    assert (lines[60]["value"], lines[60]["quality"], lines[60]["unit"]) == ("", "2", "kW")


def test_series_come_in_steps_and_as_the_points_of_a_chart(anna: httpx.Client) -> None:
    steps = anna.get("/api/v1/series", params=asked(step="30s", how="last", gaps="none")).json()
    assert [(row["time"], row["value"], row["covered"]) for row in steps] == [
        (HOUR.isoformat(), 29.0, None), ((HOUR + timedelta(seconds=30)).isoformat(), 59.0, None),
    ]  # fmt: skip
    points = anna.get("/api/v1/series", params=asked(points=10)).json()
    assert 3 <= len(points) <= 10
    assert [points[0]["value"], points[-1]["value"]] == [0.0, 59.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "2026-01-01T00:00:00"},
        {"from": "yesterday"},
        {"to": (HOUR - timedelta(days=1)).isoformat()},
        {"step": "0s"},
        {"step": "1e-9s"},
        {"step": "7m"},
        {"step": "fortnight"},
        {"step": "1m", "gaps": "hold"},
        {"step": "1m", "gaps": "hold 0s"},
        {"step": "1m", "how": "integral", "gaps": "none"},
        {"step": "1s", "from": "2020-01-01T00:00:00Z"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"from": "1900-01-01T00:00:00Z"},
        {"points": 10, "step": "1m"},
        {"points": 10, "shape": "wide"},
        {"how": "at"},
        {"how": "delta"},
        {"shape": "square"},
        {"points": 2},
        {"how": "median"},
        {"tag": []},
    ],
    ids=str,
)
def test_what_cannot_be_answered_is_refused_and_never_an_internal_fault(
    anna: httpx.Client, wrong: dict[str, object]
) -> None:
    assert anna.get("/api/v1/series", params=asked(**wrong)).status_code == 422


def test_consumption_is_read_through_a_rollover(anna: httpx.Client) -> None:
    steps = anna.get("/api/v1/series", params=asked(tag=ENERGY, step="1m", how="delta")).json()
    assert [(row["value"], row["covered"], row["unit"]) for row in steps] == [(1.0, 1.0, "kWh")] * 2
    whole = anna.get("/api/v1/series", params=asked(tag=ENERGY, how="delta", split="pro_rata")).json()
    assert [(row["time"], row["value"]) for row in whole] == [(HOUR.isoformat(), 2.0)]


def test_an_integral_comes_in_a_unit_of_its_own(anna: httpx.Client) -> None:
    (row,) = anna.get("/api/v1/series", params=asked(step="1h", how="integral")).json()
    assert (row["value"], row["unit"]) == (pytest.approx(sum(n + 0.5 for n in range(59)) / 3600), "kWh")


def test_a_grid_has_a_column_for_each_tag_with_its_unit(anna: httpx.Client) -> None:
    grid = asked(tag=[POWER, ENERGY], step="30s", how="at", shape="wide")
    table = table_of(anna.get("/api/v1/series", params=grid, headers=ARROW))
    assert table.column_names == ["time", POWER, ENERGY]
    assert table.schema.field(POWER).metadata[b"unit"] == b"kW"
    assert table[POWER].to_pylist() == [0.0, 30.0, None, None]
    assert table[ENERGY].to_pylist() == [0.0, 0.5, 1.0, 1.5]
    assert table["time"].to_pylist() == [HOUR + n * timedelta(seconds=30) for n in range(4)]
    lines = anna.get("/api/v1/series", params=grid, headers={"Accept": "text/csv"}).text.splitlines()
    assert lines[0] == '"time","smelter.power [kW]","smelter.energy [kWh]"'
    long = anna.get("/api/v1/series", params=grid | {"shape": "long"}).json()
    assert {(row["tag"], row["value"]) for row in long} == {
        (POWER, 0.0), (POWER, 30.0), (ENERGY, 0.0), (ENERGY, 0.5), (ENERGY, 1.0), (ENERGY, 1.5),
    }  # fmt: skip


def test_all_samples_of_several_tags_side_by_side(anna: httpx.Client) -> None:
    table = table_of(anna.get("/api/v1/series", params=asked(tag=[LOT, POWER, ENERGY], shape="wide"), headers=ARROW))
    rows = {row["time"]: row for row in table.to_pylist()}
    assert len(rows) == 61
    ten, minute = HOUR + timedelta(seconds=10), HOUR + timedelta(seconds=60)
    assert rows[ten] == {"time": ten, LOT: "A-7", POWER: 10.0, ENERGY: None}
    assert rows[minute] == {"time": minute, LOT: None, POWER: None, ENERGY: 1.0}


def test_texts_are_refused_by_name_where_only_numbers_go(anna: httpx.Client) -> None:
    answer = anna.get("/api/v1/series", params=asked(tag=[POWER, LOT], step="30s", how="at"))
    assert (answer.status_code, answer.json()["detail"]["code"]) == (422, "historian.not-a-number-tag")
    answer = anna.get("/api/v1/series", params=asked(step="30s", how="delta"))
    assert (answer.status_code, answer.json()["detail"]["code"]) == (422, "historian.not-a-counter")


def test_what_a_tag_was_at_a_past_moment(anna: httpx.Client) -> None:
    moment = {"tag": [LOT, POWER, "smelter.temperature"], "time": (HOUR + timedelta(seconds=30.5)).isoformat()}
    rows = anna.get("/api/v1/at", params=moment).json()
    assert [(row["tag"], row["value"], row["text"], row["quality"], row["unit"]) for row in rows] == [
        (LOT, None, "A-7", 0, "1"), (POWER, 30.5, None, 0, "kW"), ("smelter.temperature", None, None, None, "degC"),
    ]  # fmt: skip
    assert rows[1]["sampled_at"] == (HOUR + timedelta(seconds=30)).isoformat()
    assert table_of(anna.get("/api/v1/at", params=moment, headers=ARROW))["value"].to_pylist() == [None, 30.5, None]
    held = anna.get("/api/v1/at", params=moment | {"gaps": "hold 1m"}).json()
    assert held[1]["value"] == 30.0
    assert anna.get("/api/v1/at", params=moment | {"time": "noon"}).status_code == 422
    assert anna.get("/api/v1/at", params=moment | {"tag": "no.such"}).status_code == 404


def test_a_thousand_tags_fit_into_one_question(anna: httpx.Client) -> None:
    paths = [f"smelter.{'x' * 40}_{number}" for number in range(1000)]
    assert anna.get("/api/v1/series", params=asked(tag=paths)).status_code == 404


def test_the_manual_of_the_api_says_what_series_are(anna: httpx.Client) -> None:
    schema = anna.get("/api/v1/openapi.json").json()["paths"]
    for address in ("/api/v1/series", "/api/v1/at"):
        about = schema[address]["get"]
        assert set(about["responses"]["200"]["content"]) >= {ARROW["Accept"], "text/csv", "application/json"}
        assert all(one.get("description") for one in about["parameters"])
