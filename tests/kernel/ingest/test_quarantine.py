"""Refused samples: kept whole up to a bound, counted for ever, and harmless whatever they hold."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from athanor.kernel.ingest.quarantine import Quarantine, QuarantineEntry
from athanor.kernel.telemetry import Sample, batch_of, samples_of

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
HOSTILE = ["'); DROP TABLE entry; --", "<script>alert(1)</script>", "\x00\x1b[31m", "=cmd|' /C calc'!A0", "炉温" * 1000]


@pytest.fixture
def quarantine(tmp_path: Path) -> Iterator[Quarantine]:
    opened = Quarantine(tmp_path / "quarantine.sqlite")
    yield opened
    opened.close()


def test_samples_are_counted_by_reason_tag_and_edge_with_the_last_as_example(quarantine: Quarantine) -> None:
    first = batch_of([Sample("a.b", NOW, 1.0), Sample("a.b", NOW, 2.5, unit="kW"), Sample("a.c", NOW, "text")])
    assert quarantine.keep(first, reason="unknown-tag", edge="edge-1", at=NOW) == 2
    later = NOW + timedelta(hours=1)
    assert quarantine.keep(batch_of([Sample("a.b", NOW, None)]), reason="unknown-tag", edge="edge-1", at=later) == 0
    assert quarantine.keep(batch_of([Sample("a.b", NOW, 3.0)]), reason="impossible-time", edge="edge-2", at=NOW) == 1
    stamp = "2026-11-21T08:00:00+00:00"
    assert quarantine.summary() == [
        QuarantineEntry("unknown-tag", "a.b", "edge-1", 3, NOW, later, f"None @ {stamp}"),
        QuarantineEntry("impossible-time", "a.b", "edge-2", 1, NOW, NOW, f"3.0 @ {stamp}"),
        QuarantineEntry("unknown-tag", "a.c", "edge-1", 1, NOW, NOW, f"text @ {stamp}"),
    ]


def test_samples_are_kept_as_they_came(quarantine: Quarantine) -> None:
    wrong_unit = [Sample("a.b", NOW, 1.0, unit="horses"), Sample("a.b", NOW, 2.0, unit="horses")]
    wrong_tag = [Sample("a.c", NOW, "text")]
    quarantine.keep(batch_of(wrong_unit), reason="unknown-unit", edge="edge-1", at=NOW)
    quarantine.keep(batch_of(wrong_tag), reason="unknown-tag", edge="edge-1", at=NOW)
    assert [samples_of(batch) for batch in quarantine.samples()] == [wrong_unit, wrong_tag]
    assert [samples_of(batch) for batch in quarantine.samples("unknown-tag")] == [wrong_tag]


def test_beyond_the_bound_the_oldest_go_and_are_counted_while_all_counts_stay(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "quarantine.sqlite", max_bytes=20_000)
    for number in range(50):
        quarantine.keep(batch_of([Sample("a.b", NOW, float(number))]), reason="unknown-tag", edge="e", at=NOW)
    kept = [samples_of(batch)[0].value for batch in quarantine.samples()]
    assert 0 < len(kept) < 50
    assert kept == [float(number) for number in range(50 - len(kept), 50)]
    assert quarantine.dropped() == 50 - len(kept)
    assert quarantine.summary()[0].count == 50
    quarantine.close()


def test_all_of_it_survives_reopening(tmp_path: Path) -> None:
    first = Quarantine(tmp_path / "quarantine.sqlite", max_bytes=5_000)
    for number in range(20):
        first.keep(batch_of([Sample("a.b", NOW, float(number))]), reason="unknown-tag", edge="e", at=NOW)
    seen = first.summary(), first.dropped(), [samples_of(batch) for batch in first.samples()]
    first.close()
    second = Quarantine(tmp_path / "quarantine.sqlite", max_bytes=5_000)
    assert (second.summary(), second.dropped(), [samples_of(batch) for batch in second.samples()]) == seen
    second.keep(batch_of([Sample("a.b", NOW, 20.0)]), reason="unknown-tag", edge="e", at=NOW)
    assert second.dropped() == seen[1] + 1
    second.close()


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_text_that_means_harm_is_kept_as_text(quarantine: Quarantine, text: str) -> None:
    quarantine.keep(batch_of([Sample(text, NOW, text, unit=text)]), reason="unknown-tag", edge=text, at=NOW)
    (entry,) = quarantine.summary()
    assert (entry.tag, entry.edge, entry.count) == (text, text, 1)
    assert entry.example.startswith(text[:100])
    assert samples_of(quarantine.samples()[0]) == [Sample(text, NOW, text, unit=text)]


def test_refusals_of_the_last_hours_are_counted_and_old_hours_forgotten(quarantine: Quarantine) -> None:
    for hours, path in ((0, "a.b"), (30, "a.b"), (30, "a.c"), (31, "a.b")):
        sample = Sample(path, NOW, 1.0, unit="horses")
        quarantine.keep(
            batch_of([sample, sample]), reason="unknown-unit", edge="edge-1", at=NOW + timedelta(hours=hours)
        )
    assert quarantine.refused_since(NOW + timedelta(hours=30)) == {
        ("a.b", "unknown-unit"): 4,
        ("a.c", "unknown-unit"): 2,
    }
    quarantine.keep(batch_of([Sample("a.d", NOW, 1.0)]), reason="unknown-tag", edge="e", at=NOW + timedelta(days=41))
    assert quarantine.refused_since(NOW) == {
        ("a.b", "unknown-unit"): 4,
        ("a.c", "unknown-unit"): 2,
        ("a.d", "unknown-tag"): 1,
    }
    assert quarantine.size().samples == 9
    assert quarantine.size().batches == 5
