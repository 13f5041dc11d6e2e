"""What programs read, and who may."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from athanor.kernel.telemetry import Quality, Sample

from .running import RunningServer

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
POWER = "smelter.power"


@pytest.fixture(scope="module", autouse=True)
def _a_minute_of_power(server: RunningServer) -> None:
    samples = [Sample(POWER, HOUR + timedelta(seconds=second), float(second)) for second in range(60)]
    samples.append(Sample(POWER, HOUR + timedelta(seconds=60), None, Quality.BAD))
    samples.append(Sample("kilns.power", HOUR, 5.0))
    assert server.send(samples).json() == {"stored": 62, "quarantined": 0}


@pytest.fixture
def anna(server: RunningServer) -> Iterator[httpx.Client]:
    with server.client("anna") as client:
        yield client


@pytest.fixture
def chen(server: RunningServer) -> Iterator[httpx.Client]:
    """A viewer of the copper works."""
    with server.client("chen") as client:
        yield client


def asked(**more: object) -> dict[str, object]:
    return {"tag": POWER, "from": HOUR.isoformat(), "to": (HOUR + timedelta(minutes=2)).isoformat(), **more}


def test_tags_come_by_path_a_page_at_a_time(anna: httpx.Client) -> None:
    first = anna.get("/api/v1/tags", params={"limit": 3}).json()
    rest = anna.get("/api/v1/tags", params={"limit": 3, "after": first["next"]}).json()
    assert [tag["path"] for tag in first["tags"] + rest["tags"]] == [
        "kilns.power", "smelter.energy", "smelter.lot", POWER, "smelter.temperature",
    ]  # fmt: skip
    assert rest["next"] is None
    assert rest["tags"][0] == {
        "path": POWER, "name": {"en": "Power", "zh_CN": "功率"}, "unit": "kW", "kind": "analog", "tenant": "copper",
        "low": 0.0, "high": 5000.0, "decimals": 2, "period_s": 1.0, "states": {},
    }  # fmt: skip


@pytest.mark.parametrize("words", ["POWER smelter", "功率 smelter"])
def test_tags_are_found_by_words_of_path_and_name(anna: httpx.Client, words: str) -> None:
    assert [tag["path"] for tag in anna.get("/api/v1/tags", params={"search": words}).json()["tags"]] == [POWER]


def test_a_viewer_of_one_enterprise_does_not_see_anothers_tags(chen: httpx.Client) -> None:
    assert {tag["tenant"] for tag in chen.get("/api/v1/tags").json()["tags"]} == {"copper"}
    for address in ("current", "series"):
        answer = chen.get(f"/api/v1/{address}", params=asked(tag="kilns.power"))
        assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "kernel.not-found")
        mixed = chen.get(f"/api/v1/{address}", params=asked(tag=[POWER, "kilns.power"]))
        assert mixed.status_code == 404
    assert len(chen.get("/api/v1/series", params=asked()).json()) == 61


@pytest.mark.parametrize("address", ["tags", "current", "series"])
def test_a_stranger_is_asked_to_sign_in(server: RunningServer, address: str) -> None:
    for cookie in ({}, {"athanor_session": "made up"}):
        answer = httpx.get(f"{server.url}/api/v1/{address}", params=asked(), cookies=cookie, trust_env=False)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (401, "web.sign-in-first")


def test_an_edges_token_reads_nothing(server: RunningServer) -> None:
    headers = {"Authorization": f"Bearer {server.token}"}
    assert httpx.get(f"{server.url}/api/v1/tags", headers=headers, trust_env=False).status_code == 401


def test_current_values_come_in_the_order_asked(anna: httpx.Client) -> None:
    found = anna.get("/api/v1/current", params={"tag": ["smelter.temperature", POWER, "kilns.power"]}).json()
    assert [one["tag"] for one in found] == ["smelter.temperature", POWER, "kilns.power"]
    assert [(one["value"], one["quality"], one["unit"]) for one in found] == [
        (None, None, "degC"), (None, "bad", "kW"), (5.0, "good", "kW"),
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["smelter.nothing", "", "';DROP TABLE samples_2;--", "功率", "x" * 5000])
def test_a_tag_that_is_not_there_is_not_found(anna: httpx.Client, path: str) -> None:
    for address in ("current", "series"):
        assert anna.get(f"/api/v1/{address}", params=asked(tag=path)).status_code == 404
