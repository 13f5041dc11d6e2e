"""Waveforms over HTTP: who may deliver and read them, in which forms, and what a wrong one is answered."""

import io
import json
import os
import re
import subprocess
import sys
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from .running import RunningServer

START = datetime.now(UTC).replace(microsecond=250_000) - timedelta(hours=1)
POINTS = (1000 * np.sin(np.arange(4800) / 5)).astype(np.int16)
NPY, WAV, RAW = "application/x-npy", "audio/wav", "application/octet-stream"


def npy(numbers: np.ndarray) -> bytes:
    sink = io.BytesIO()
    np.save(sink, numbers)
    return sink.getvalue()


def wav(rows: np.ndarray, rate_hz: int = 48_000, width: int = 2) -> bytes:
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(len(rows))
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(np.ascontiguousarray(rows.T).tobytes())
    return sink.getvalue()


def asked(**more: Any) -> dict[str, Any]:
    given = {
        "asset": "smelter", "channel": "de_x", "start": START.isoformat(), "rate_hz": 48_000,
        "quantity": "acceleration", "unit": "m/s2", "scale": 0.001, **more,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def deliver(
    server: RunningServer, body: bytes, kind: str = NPY, *, token: str | None = None, **more: Any
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {server.token if token is None else token}", "Content-Type": kind}
    with server.client(None) as client:
        return client.post("/api/v1/waveforms", content=body, headers=headers, params=asked(**more))


def read(
    server: RunningServer, waveform_id: int, accept: str = NPY, login: str = "anna", **more: Any
) -> httpx.Response:
    with server.client(login) as client:
        return client.get(f"/api/v1/waveforms/{waveform_id}", headers={"Accept": accept}, params=more)


def stored(answer: httpx.Response) -> int:
    assert answer.status_code == 201, answer.text
    (waveform_id,) = answer.json()["ids"]
    return int(waveform_id)


def test_what_an_edge_delivers_is_read_bit_for_bit_and_says_what_it_is(server: RunningServer) -> None:
    waveform_id = stored(deliver(server, npy(POINTS), trigger="event", quality="uncertain"))
    raw = read(server, waveform_id, raw=True)
    assert raw.headers["content-type"] == NPY
    assert np.array_equal(np.load(io.BytesIO(raw.content)), POINTS)
    assert json.loads(raw.headers["athanor-waveform"]) == {
        "id": waveform_id, "asset": "smelter", "channel": "de_x", "start": START.isoformat().replace("+00:00", "Z"),
        "rate_hz": 48_000.0, "points": 4800, "duration_s": 0.1, "quantity": "acceleration", "unit": "m/s2",
        "scale": 0.001, "offset": 0.0, "dtype": "int16", "quality": "uncertain", "trigger": "event",
        "stored_bytes": json.loads(raw.headers["athanor-waveform"])["stored_bytes"],
    }  # fmt: skip


def test_each_form_holds_the_same_points(server: RunningServer) -> None:
    waveform_id = stored(deliver(server, npy(POINTS), start=(START + timedelta(seconds=1)).isoformat()))
    values = POINTS * 0.001
    assert np.array_equal(np.load(io.BytesIO(read(server, waveform_id).content)), values)
    as_json = read(server, waveform_id, "*/*").json()
    assert (as_json["unit"], as_json["values"]) == ("m/s2", values.tolist())
    header, *lines = read(server, waveform_id, "text/csv").text.splitlines()
    assert header == '"t [s]","acceleration [m/s2]"'
    table = np.array([line.split(",") for line in lines], np.float64)
    assert np.array_equal(table, np.column_stack([np.arange(4800) / 48_000, values]))
    with wave.open(io.BytesIO(read(server, waveform_id, WAV).content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48_000)
        assert np.array_equal(np.frombuffer(file.readframes(4800), np.int16), POINTS)


@pytest.mark.parametrize(
    ("body", "kind", "more"),
    [
        (npy(POINTS.astype(">i2")), NPY, {}),
        (npy(POINTS[None, :]), "application/x-npy; charset=binary", {}),
        (wav(POINTS[None, :]), WAV, {}),
        (wav(POINTS[None, :]), "audio/x-wav", {"rate_hz": None}),
        (POINTS.astype("<i2").tobytes(), RAW, {"dtype": "int16"}),
        (POINTS.astype("<f4").tobytes(), RAW, {"dtype": "float32"}),
        (npy(POINTS.astype(np.float32)), NPY, {}),
    ],
    ids=["big-endian", "one row", "WAV", "WAV says its rate", "plain int16", "plain float32", "float32"],
)
def test_each_form_is_taken_in(server: RunningServer, body: bytes, kind: str, more: dict[str, Any]) -> None:
    waveform_id = stored(deliver(server, body, kind, start=(START + timedelta(seconds=2)).isoformat(), **more))
    assert np.array_equal(np.load(io.BytesIO(read(server, waveform_id, raw=True).content)), POINTS)


@pytest.mark.parametrize(
    ("body", "kind", "more"),
    [
        (npy(np.stack([POINTS, -POINTS])), NPY, {}),
        (npy(np.asfortranarray(np.stack([POINTS, -POINTS]))), NPY, {}),
        (wav(np.stack([POINTS, -POINTS])), WAV, {}),
        (np.stack([POINTS, -POINTS]).tobytes(), RAW, {"dtype": "int16"}),
    ],
    ids=["npy", "npy in Fortran's order", "WAV", "plain"],
)
def test_channels_that_were_measured_together_come_in_one_request(
    server: RunningServer, body: bytes, kind: str, more: dict[str, Any]
) -> None:
    answer = deliver(server, body, kind, channel=["ch_1", "ch_2"], **more)
    first, second = answer.json()["ids"]
    assert np.array_equal(np.load(io.BytesIO(read(server, first, raw=True).content)), POINTS)
    assert np.array_equal(np.load(io.BytesIO(read(server, second, raw=True).content)), -POINTS)


def test_a_later_delivery_of_the_same_replaces_the_earlier(server: RunningServer) -> None:
    given = {"start": (START + timedelta(seconds=3)).isoformat()}
    first, again = (stored(deliver(server, npy(numbers), **given)) for numbers in (POINTS, POINTS // 2))
    assert first == again
    assert np.array_equal(np.load(io.BytesIO(read(server, first, raw=True).content)), POINTS // 2)


def test_waveforms_are_listed_a_page_at_a_time(server: RunningServer) -> None:
    first = START - timedelta(minutes=10)
    for second in range(5):
        deliver(server, npy(POINTS), channel="listed", start=(first + timedelta(seconds=second)).isoformat())
    asked_for = {
        "asset": "smelter",
        "channel": "listed",
        "from": (first + timedelta(seconds=1)).isoformat(),
        "limit": 3,
    }
    with server.client() as client:
        page = client.get("/api/v1/waveforms", params=asked_for).json()
        rest = client.get("/api/v1/waveforms", params={**asked_for, "after": page["next"]}).json()
        newest = client.get("/api/v1/waveforms/latest", params={"asset": "smelter", "channel": "listed"}).json()
        channels = client.get("/api/v1/waveforms/channels").json()
        until = {"to": (first + timedelta(seconds=2)).isoformat()}
        bounded = client.get("/api/v1/waveforms", params={**asked_for, **until}).json()
    starts = [datetime.fromisoformat(one["start"]) - first for one in page["waveforms"] + rest["waveforms"]]
    assert [start.total_seconds() for start in starts] == [1, 2, 3, 4]
    assert rest["next"] is None
    assert newest == rest["waveforms"][-1:]
    assert bounded["waveforms"] == page["waveforms"][:1]
    assert {"asset": "smelter", "channel": "listed"} in channels


@pytest.mark.parametrize(
    ("body", "more", "code"),
    [
        (npy(POINTS), {"asset": "smelter.nothing"}, "kernel.not-found"),
        (npy(POINTS), {"asset": "../kilns"}, "kernel.not-found"),
        (npy(POINTS), {"channel": "DE x"}, "waveforms.bad"),
        (npy(POINTS), {"channel": ["a", "b"]}, "waveforms.bad"),
        (npy(POINTS), {"channel": ["a"] * 65}, None),
        (npy(POINTS), {"rate_hz": 0}, None),
        (npy(POINTS), {"rate_hz": "inf"}, "waveforms.bad"),
        (npy(POINTS), {"rate_hz": None}, "waveforms.bad"),
        (npy(POINTS), {"scale": 0}, "waveforms.bad"),
        (npy(POINTS), {"scale": "nan"}, "waveforms.bad"),
        (npy(POINTS), {"quantity": "loudness"}, "waveforms.bad"),
        (npy(POINTS), {"unit": "mm/s"}, "waveforms.bad"),
        (npy(POINTS), {"unit": "frobs"}, "units.unknown"),
        (npy(POINTS), {"quality": "splendid"}, "waveforms.bad"),
        (npy(POINTS), {"trigger": "whim"}, None),
        (npy(POINTS), {"start": "2026-01-01T00:00:00"}, None),
        (npy(POINTS), {"start": "2199-01-01T00:00:00+00:00"}, "waveforms.bad"),
        (npy(POINTS), {"start": "1980-01-01T00:00:00Z"}, "waveforms.bad"),
        (npy(POINTS.astype(np.float64)), {}, "waveforms.bad"),
        (npy(POINTS.astype(np.int32)), {}, "waveforms.bad"),
        (npy(POINTS[None, None, :]), {}, "waveforms.bad"),
        (npy(POINTS[:0]), {}, "waveforms.bad"),
        (npy(np.array(["a"], object)), {}, "waveforms.bad"),
        (npy(POINTS)[:-7], {}, "waveforms.bad"),
        (npy(POINTS).replace(b"(4800,)", b"(9999,)"), {}, "waveforms.bad"),
        (npy(POINTS).replace(b"(4800,)", b"(-100,)"), {}, "waveforms.bad"),
        (npy(POINTS).replace(b"(4800,)", b"(10**9)"), {}, "waveforms.bad"),
        (b"\x93NUMPY\x09\x00rubbish", {}, "waveforms.bad"),
        (b"rubbish", {}, "waveforms.bad"),
        (b"", {}, "waveforms.bad"),
        (b"RIFF\x00\x00", {"kind": WAV}, "waveforms.bad"),
        (wav(POINTS[None, :])[:-100], {"kind": WAV}, "waveforms.bad"),
        (wav(POINTS[None, :].astype(np.int32), width=4), {"kind": WAV}, "waveforms.bad"),
        (wav(POINTS[None, :]), {"kind": WAV, "rate_hz": 44_100}, "waveforms.bad"),
        (POINTS.tobytes()[:-1], {"kind": RAW, "dtype": "int16"}, "waveforms.bad"),
        (POINTS.tobytes(), {"kind": RAW}, "waveforms.unknown-form"),
        (POINTS.tobytes(), {"kind": RAW, "dtype": "int8"}, "waveforms.unknown-form"),
        (npy(POINTS), {"kind": "audio/mpeg"}, "waveforms.unknown-form"),
    ],
    ids=lambda given: str(given)[:40],
)
def test_what_is_no_waveform_is_refused_with_its_reason_and_never_an_internal_fault(
    server: RunningServer, body: bytes, more: dict[str, Any], code: str | None
) -> None:
    answer = deliver(server, body, **more)
    assert answer.status_code in (404, 415, 422), answer.text
    if code is not None:
        assert answer.json()["detail"]["code"] == code
    else:
        assert answer.status_code == 422


def test_too_large_a_delivery_is_refused_and_the_server_goes_on(server: RunningServer) -> None:
    answer = deliver(server, bytes(65 * 1024 * 1024), RAW, dtype="int16")
    assert (answer.status_code, answer.json()["detail"]["code"]) == (413, "waveforms.too-large")
    stored(deliver(server, npy(POINTS)))


def test_a_stranger_neither_delivers_nor_reads(server: RunningServer) -> None:
    for token in ("x", "wrong", server.sessions["anna"]):
        answer = deliver(server, npy(POINTS), token=token)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (401, "ingest.unknown-edge")
    with server.client(None) as client:
        assert client.post("/api/v1/waveforms", content=npy(POINTS), params=asked()).status_code == 401
        for address in ("", "/1", "/latest", "/channels"):
            assert client.get(f"/api/v1/waveforms{address}", params={"asset": "smelter"}).status_code == 401
        token = {"Authorization": f"Bearer {server.token}"}
        assert client.get("/api/v1/waveforms/1", headers=token).status_code == 401


def test_people_deliver_where_their_role_says_so(server: RunningServer) -> None:
    def post(login: str, **more: Any) -> httpx.Response:
        with server.client(login) as client:
            return client.post(
                "/api/v1/waveforms", content=npy(POINTS), headers={"Content-Type": NPY}, params=asked(**more)
            )

    assert post("anna", channel="by_hand", trigger="manual").status_code == 201
    refused = post("chen")
    assert (refused.status_code, refused.json()["detail"]["code"]) == (403, "web.forbidden")


def test_a_viewer_of_one_enterprise_does_not_see_anothers_waveforms(server: RunningServer) -> None:
    theirs = stored(deliver(server, npy(POINTS), asset="kilns", channel="theirs"))
    ours = stored(deliver(server, npy(POINTS), channel="ours"))
    assert read(server, theirs).status_code == 200
    assert read(server, ours, login="chen").status_code == 200
    hidden, missing = read(server, theirs, login="chen"), read(server, 10**9, login="chen")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text.replace(str(theirs), "1000000000") == missing.text
    with server.client("chen") as client:
        for address in ("", "/latest"):
            assert client.get(f"/api/v1/waveforms{address}", params={"asset": "kilns"}).status_code == 404
        assert {one["asset"] for one in client.get("/api/v1/waveforms/channels").json()} == {"smelter"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"asset": "nothing"}, {"asset": ""}, {"limit": 0}, {"limit": 1001}, {"from": "yesterday"}, {"after": "rubbish"},
        {"after": "9" * 40 + ".x"}, {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_listed_is_refused_and_never_an_internal_fault(
    server: RunningServer, wrong: dict[str, Any]
) -> None:
    with server.client() as client:
        answer = client.get("/api/v1/waveforms", params={"asset": "smelter", **wrong})
    assert answer.status_code in (404, 422)


@pytest.mark.parametrize("waveform_id", ["0", "-1", "x", str(2**63), "9" * 30])
def test_what_is_no_number_of_a_waveform_is_refused(server: RunningServer, waveform_id: str) -> None:
    with server.client() as client:
        assert client.get(f"/api/v1/waveforms/{waveform_id}").status_code == 422


def test_numbers_that_are_none_come_back_in_npy_and_as_null_in_json(server: RunningServer) -> None:
    numbers = np.array([1.5, np.nan, np.inf, -0.0], np.float32)
    given = {"start": (START + timedelta(seconds=4)).isoformat(), "scale": 1.0}
    waveform_id = stored(deliver(server, npy(numbers), **given))
    assert np.load(io.BytesIO(read(server, waveform_id).content)).tobytes() == numbers.tobytes()
    assert read(server, waveform_id, "application/json").json()["values"] == [1.5, None, None, 0.0]
    with wave.open(io.BytesIO(read(server, waveform_id, WAV).content)) as file:
        assert np.frombuffer(file.readframes(4), np.int16).tolist() == [32767, 0, 0, 0]


def test_what_was_delivered_is_counted(server: RunningServer) -> None:
    stored(deliver(server, npy(POINTS)))
    with server.client() as client:
        assert 'athanor_waveforms_stored_total{sender="edge-1"}' in client.get("/metrics").text


def test_the_program_in_the_manual_delivers(server: RunningServer) -> None:
    page = (Path(__file__).parents[2] / "docs" / "waveforms.md").read_text(encoding="utf-8")
    program = next(
        code for code in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL) if "post" in code
    )
    environment = os.environ | {"SERVER": server.url, "EDGE_TOKEN": server.token, "ASSET": "smelter"}
    environment |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert told.stdout == "2 stored\n", told.stderr
    with server.client() as client:
        newest = client.get("/api/v1/waveforms/latest", params={"asset": "smelter", "channel": "de_y"}).json()
    assert [(one["points"], one["unit"]) for one in newest] == [(48_000, "m/s2")]


def test_while_the_files_cannot_be_reached_a_sender_is_told_to_come_again(server: RunningServer) -> None:
    files = server.settings.data_dir / "files"
    given = {"channel": "patient", "start": (START + timedelta(seconds=5)).isoformat()}
    files.rename(files.with_name("elsewhere"))
    try:
        answer = deliver(server, npy(POINTS), **given)
    finally:
        files.with_name("elsewhere").rename(files)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (503, "files.unreachable")
    assert answer.headers["retry-after"] == "5"
    with server.client() as client:
        asked_for = {"asset": "smelter", "channel": "patient"}
        assert client.get("/api/v1/waveforms", params=asked_for).json()["waveforms"] == []
    stored(deliver(server, npy(POINTS), **given))


def test_a_damaged_waveform_is_the_servers_fault_and_named(server: RunningServer) -> None:
    waveform_id = stored(deliver(server, npy(POINTS), asset="kilns", channel="damaged"))
    folder = server.settings.data_dir / "files" / "waveforms" / "kilns"
    newest = max(folder.glob("*.awf"), key=lambda file: file.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes()[:-1] + b"\0")
    answer = read(server, waveform_id)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (500, "waveforms.damaged")
    assert newest.name in answer.json()["detail"]["message"]
