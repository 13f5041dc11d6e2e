"""A source's health, and the reports that carry it."""

from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from athanor.edge.buffer import Backlog
from athanor.edge.report import Reporter
from athanor.edge.source import SourceState, SourceStatus
from athanor.kernel.ingest.sources import EdgeReport

NOTHING = Backlog(0, 0, 0, None, 0, 0)


@pytest.fixture
def status() -> SourceStatus:
    return SourceStatus("meters", "modbus", "plc:502", 3)


def test_trouble_is_said_once_and_its_end_once(status: SourceStatus) -> None:
    with structlog.testing.capture_logs() as logs:
        for _ in range(5):
            status.trouble("a.tag", "no such register")
        status.well("a.tag")
        status.well("a.tag")
    assert [entry["event"] for entry in logs] == ["source.trouble", "source.recovered"]
    assert status.error is None


def test_a_lost_connection_is_graver_than_its_parts_and_ends_their_troubles(status: SourceStatus) -> None:
    status.connected()
    status.trouble("a.one", "no such register")
    status.trouble("a.two", "no number")
    assert status.error == "no such register (and 1 more)"
    status.failed("no answer")
    assert (status.state, status.error) == (SourceState.FAILED, "no answer")
    since = status.since
    status.failed("still no answer")
    assert (status.error, status.since) == ("still no answer", since)
    status.connected()
    assert status.error is None


def test_a_rate_is_taken_over_the_last_minute(status: SourceStatus) -> None:
    now_s = 0.0
    reporter = Reporter("edge-1", [status], lambda: now_s)

    def rate() -> Any:
        sources: Any = reporter.report(NOTHING, 0)["sources"]
        return sources[0]["samples_per_s"]

    assert rate() == 0.0
    rates = []
    for tick in range(1, 40):  # ten samples every ten seconds, a report every five
        now_s = tick * 5.0
        status.counters.samples += 10 if tick % 2 == 0 else 0
        rates.append(rate())
    assert rates[-10:] == pytest.approx([1.0] * 10, abs=0.1)


def test_the_server_understands_a_report(status: SourceStatus) -> None:
    status.failed("no answer")
    backlog = Backlog(2, 20, 2000, datetime(2026, 6, 1, tzinfo=UTC), 1, 5)
    understood = EdgeReport.model_validate(Reporter("edge-1", [status]).report(backlog, 7))
    (source,) = understood.sources
    assert (understood.edge, understood.backlog.rows, understood.backlog.poisoned) == ("edge-1", 20, 1)
    assert (understood.backlog.dropped_rows, understood.backlog.refused_rows) == (5, 7)
    assert (source.id, source.state, source.error, source.tags) == ("meters", "failed", "no answer", 3)
