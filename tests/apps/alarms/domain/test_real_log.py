"""A real log of CERN accelerator equipment: what comes out is what plain counting gives.

The file is the first part of the log, of which INDEX.md says in all 34,202 raises, 510 ten-minute windows with ten
or more and at most 200 in one: the part may not have more. The counting here takes the file line by line and shares
nothing with the code under test.
"""

import csv
import gzip
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from athanor.apps.alarms.domain.floods import find_floods, peak
from athanor.apps.alarms.domain.kpis import Figure, measured
from athanor.apps.alarms.domain.log import DAY_US, NEVER, Log, log_of
from athanor.apps.alarms.domain.nuisance import chattering, fleeting, stale
from athanor.apps.alarms.domain.ranking import most_frequent
from athanor.apps.alarms.domain.rates import per_step, steps

_PLACE = Path("data") / "cern_alarms" / "alarms_dev.csv.gz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEN_MINUTES_US = 600 * 1_000_000


@dataclass
class Counted:
    """The file as one reads it."""

    raises: list[tuple[datetime, tuple[str, ...]]] = field(default_factory=list)
    spans: list[tuple[tuple[str, ...], datetime, datetime | None]] = field(default_factory=list)
    ids: dict[tuple[str, ...], int] = field(default_factory=dict)


def _file() -> Path:
    folders = (folder / name for folder in Path(__file__).parents for name in ("", "shared"))
    found = next((path for one in folders if (path := one / _PLACE).is_file()), None)
    if found is None:
        pytest.skip(f"{_PLACE} is not beside the checkout; docs/alarm-performance.md says what it is.")
    return found


def _lines(path: Path) -> Iterator[tuple[datetime, tuple[str, ...], bool]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["SYSTEM_TS"]).replace(tzinfo=UTC)
            yield at, (row["FAULT_FAMILY"], row["FAULT_MEMBER"], row["FAULT_CODE"]), row["ACTIVE"] == "Y"


@pytest.fixture(scope="module")
def counted() -> Counted:
    result, standing = Counted(), {}
    for at, which, is_raise in sorted(_lines(_file()), key=lambda line: line[0]):
        if is_raise:
            if which in standing:
                result.spans.append((which, standing[which], None))  # never cleared, but raised again
            result.raises.append((at, which))
            standing[which] = at
            result.ids.setdefault(which, len(result.ids))
        elif which in standing:
            result.spans.append((which, standing.pop(which), at))
    result.spans += [(which, at, None) for which, at in standing.items()]
    return result


@pytest.fixture(scope="module")
def log(counted: Counted) -> Log:
    return log_of(
        np.array([counted.ids[which] for which, _from, _to in counted.spans]),
        np.array([_us(begin) for _which, begin, _to in counted.spans]),
        cleared_us=np.array([NEVER if end is None else _us(end) for _which, _from, end in counted.spans]),
    )


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def test_every_raise_of_the_file_is_in_the_log(log: Log, counted: Counted) -> None:
    assert len(log) == len(counted.raises)
    assert 20_000 < len(log) <= 34_202


def test_the_mean_rates_are_raises_over_days(log: Log, counted: Counted) -> None:
    start, end = counted.raises[0][0], counted.raises[-1][0]
    days = (end - start) / timedelta(days=1)
    values = measured(log, _us(start), _us(end) + 1)
    assert values[Figure.PER_DAY] == pytest.approx(len(counted.raises) / days, rel=1e-9)
    assert values[Figure.PER_TEN_MINUTES] == pytest.approx(len(counted.raises) / days / 144, rel=1e-9)


def test_ten_minute_windows_hold_what_a_tally_by_the_clock_gives(log: Log, counted: Counted) -> None:
    tally = Counter((at.date(), at.hour, at.minute // 10) for at, _which in counted.raises)
    busy, most = sum(count >= 10 for count in tally.values()), max(tally.values())
    assert 0 < busy <= 510
    assert 100 < most <= 200
    counts = per_step(log.raised_us, steps(int(log.raised_us[0]), int(log.raised_us[-1]) + 1, _TEN_MINUTES_US))
    assert (int((counts >= 10).sum()), int(counts.max()), int(counts.sum())) == (busy, most, len(counted.raises))
    assert sorted(counts[counts > 0].tolist()) == sorted(tally.values())


def test_floods_are_those_that_a_queue_of_the_last_ten_minutes_finds(log: Log, counted: Counted) -> None:
    begins, ends, most = _floods_by_a_queue([at for at, _which in counted.raises])
    found = find_floods(log)
    assert len(found) > 100
    assert found.begin_us.tolist() == [_us(at) for at in begins]
    assert found.end_us.tolist() == [_us(at) for at in ends]
    assert peak(log.raised_us) == int(found.peak.max()) == most


def test_chattering_rows_are_those_that_three_in_a_row_within_a_minute_make(log: Log, counted: Counted) -> None:
    by_alarm: dict[int, list[datetime]] = {}
    for at, which in counted.raises:
        by_alarm.setdefault(counted.ids[which], []).append(at)
    expected: Counter[int] = Counter()
    for alarm, times in by_alarm.items():
        rows = set()
        for place in range(len(times) - 2):
            if (times[place + 2] - times[place]).total_seconds() <= 60:
                rows |= {place, place + 1, place + 2}
        expected[alarm] = len(rows)
    found = Counter(log.alarm[chattering(log)].tolist())
    assert found == +expected
    assert found.total() > 1000


def test_the_most_frequent_are_those_of_a_tally(log: Log, counted: Counted) -> None:
    tally = Counter(counted.ids[which] for _at, which in counted.raises)
    found = most_frequent(log)
    assert found.count.tolist() == [count for _alarm, count in tally.most_common(10)]
    assert all(tally[int(alarm)] == count for alarm, count in zip(found.alarm, found.count, strict=True))
    assert found.part == pytest.approx(sum(found.count.tolist()) / len(counted.raises))


def test_fleeting_and_stale_ones_are_those_whose_span_says_so(log: Log, counted: Counted) -> None:
    end = counted.raises[-1][0]
    short = sum(1 for _which, a, b in counted.spans if b is not None and b - a < timedelta(seconds=15))
    long = sum(1 for _which, a, b in counted.spans if (end if b is None else min(b, end)) - a > timedelta(days=1))
    assert int(fleeting(log).sum()) == short > 0
    assert int(stale(log, _us(end)).sum()) == long > 0
    assert DAY_US == 86_400 * 1_000_000


def _floods_by_a_queue(times: list[datetime]) -> tuple[list[datetime], list[datetime], int]:
    """Walk through arrivals and departures one by one, with a queue of what came in the last ten minutes."""
    window, waiting = timedelta(minutes=10), deque(times)
    queue: deque[datetime] = deque()
    begins, ends, is_on, most = [], [], False, 0
    while waiting or queue:
        leaves = queue[0] + window if queue else datetime.max.replace(tzinfo=UTC)
        now = min(leaves, waiting[0] if waiting else leaves)
        while queue and queue[0] + window <= now:
            queue.popleft()
        while waiting and waiting[0] == now:
            queue.append(waiting.popleft())
        most = max(most, len(queue))
        if not is_on and len(queue) > 10:
            begins.append(now)
            is_on = True
        elif is_on and len(queue) < 5:
            ends.append(now)
            is_on = False
    return begins, ends, most
