"""What edges say of themselves, as the server keeps it."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from athanor.kernel.ingest.sources import EdgeReport, SourceStates

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def report(edge: str, **more: object) -> EdgeReport:
    return EdgeReport.model_validate({"edge": edge, "at": NOW.isoformat(), **more})


def test_the_last_report_of_each_edge_is_known_by_name() -> None:
    states = SourceStates()
    states.take(report("b"), edge="b", at=NOW)
    states.take(report("a", backlog={"rows": 1}), edge="a", at=NOW)
    states.take(report("a", backlog={"rows": 2}), edge="a", at=NOW + timedelta(seconds=5))
    assert [(edge.edge, edge.backlog.rows) for edge in states.edges()] == [("a", 2), ("b", 0)]
    assert states.edges()[0].received_at == NOW + timedelta(seconds=5)


def test_an_edge_is_who_it_proved_to_be() -> None:
    states = SourceStates()
    states.take(report("somebody else"), edge="edge-1", at=NOW)
    assert [edge.edge for edge in states.edges()] == ["edge-1"]


def test_a_source_is_told_whole() -> None:
    source = {"id": "dcs", "protocol": "opcua", "state": "failed", "since": NOW.isoformat(), "error": "no answer",
              "counters": {"samples": 3, "bad": 1}, "unheard_of": 1}  # fmt: skip
    states = SourceStates()
    states.take(report("edge-1", sources=[source]), edge="edge-1", at=NOW)
    states.take(report("edge-1", sources=[source | {"tag_paths": ["a.b"]}]), edge="edge-1", at=NOW)
    states.take(report("edge-1", sources=[source]), edge="edge-1", at=NOW)
    (told,) = states.edges()[0].sources
    assert (told.state, told.error, told.counters) == ("failed", "no answer", {"samples": 3, "bad": 1})
    assert told.tag_paths == ("a.b",)  # kept from the last report that said them


@pytest.mark.parametrize(
    "wrong",
    [
        {"edge": ""},
        {"edge": "x" * 201},
        {"at": "2026-11-21T08:00:00"},
        {"sources": [{"id": "dcs"}]},
        {"backlog": "much"},
    ],
    ids=str,
)
def test_a_report_that_says_nothing_sensible_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EdgeReport.model_validate({"edge": "edge-1", "at": NOW.isoformat(), **wrong})
