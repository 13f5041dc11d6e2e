"""`athanor bench alarms`: 100,000 rules at 100,000 samples a second, from a sample's source time to the raised alarm.

First the judging alone, on one core and at the pace of the clock; then the whole way: samples into ingest, judged,
kept in SQLite, told on the bus.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from athanor.bench import alarms_path
from athanor.bench.figures import Figure, Report, at_least, at_most
from athanor.kernel.alarms.finding import Findings, What
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging import Judge
from athanor.kernel.alarms.rule import (
    BadQuality,
    Condition,
    Deviation,
    Ewma,
    Expression,
    Frozen,
    InState,
    Jump,
    Limit,
    Priority,
    Ramp,
    Rate,
    Side,
    Stale,
)
from athanor.kernel.plant.model import TagId

PARTS = ("engine", "path")
RULES = 100_000
SLICES = 10  # of a second; each brings a tenth of the tags
FULL_S, QUICK_S = 60, 4
LIMIT_MS = 200.0
_SCAN = 100  # tags of one machine, which have one source time
_HOT_PART = 0.002  # of the tags leave their limits each second, for five seconds
_HOT_S = 5
_US = 1_000_000

# Of twenty rules ten are limits, of which half wait for two seconds; one of each other kind.
_HIGH, _LOW = Limit(side=Side.HIGH, at=110, deadband=1), Limit(side=Side.LOW, at=90, deadband=1)
_OTHERS: Sequence[Condition] = (
    Rate(at=30, window_s=30, deadband=5),
    Deviation(reference=".reference", at=15, deadband=1),
    InState(states=(120,)),
    Stale(after_s=10),
    BadQuality(),
    Frozen(for_s=600),
    Jump(by=10, calm_s=30),
    Ewma(mean=100, sigma=1),
    Ramp(side=Side.HIGH, at=150, window_s=60, horizon_s=60),
    Expression(formula="{.one} > 110 and {.other} > 90"),
)


def run(quick: bool, only: Sequence[str]) -> Report:  # noqa: FBT001 every benchmark's own
    """A minute of each part, or some seconds when quick; nothing is left behind."""
    parts = only or PARTS
    figures: list[Figure] = []
    notes: list[str] = []
    if "engine" in parts:
        with _one_core():
            figures += _engine(QUICK_S if quick else FULL_S)
        notes.append(
            "The engine: batches of 10,000 samples ten times a second, each a tenth of a second old at its oldest. "
            "Half of the rules are limits, the others of ten other kinds; a quarter wait for two seconds."
        )
    if "path" in parts:
        figures += alarms_path.measured(quick=quick)
        notes.append(alarms_path.NOTE)
    return Report(figures, notes)


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep this process on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass
class _Seen:
    """What was measured along the way."""

    latency_ms: list[np.ndarray] = field(default_factory=list)
    batch_ms: list[float] = field(default_factory=list)
    late_s: float = 0.0
    busy_s: float = 0.0
    samples: int = 0

    def judged(self, judge: Callable[[], Findings]) -> None:
        """Have something judged, and note how long ago what it raised was."""
        began, busy = time.perf_counter(), time.thread_time()
        findings = judge()
        self.busy_s += time.thread_time() - busy
        self.batch_ms.append((time.perf_counter() - began) * 1e3)
        raised = findings.what == What.RAISED
        if raised.any():
            self.latency_ms.append((time.time() * _US - findings.at_us[raised]) / 1e3)

    @property
    def latencies_ms(self) -> np.ndarray:
        """Of every raise."""
        return np.concatenate(self.latency_ms) if self.latency_ms else np.array([np.inf])


def _engine(seconds: int) -> list[Figure]:
    instances = _mixed()
    began = time.perf_counter()
    judge = Judge(instances)
    made_s = time.perf_counter() - began
    seen, flood = _Seen(), _Seen()
    feed = _Feed()
    feed.run(judge, 1, _Seen())
    took_s = feed.run(judge, seconds, seen)
    began = time.perf_counter()
    state = judge.state()
    kept_ms = (time.perf_counter() - began) * 1e3
    Judge(instances).restore(state)
    _flood(flood)
    latencies = seen.latencies_ms
    return [
        at_least("engine: samples judged", seen.samples / took_s, "1/s", 0.99 * RULES),
        at_most("engine: raise latency p50", float(np.percentile(latencies, 50)), "ms", LIMIT_MS),
        at_most("engine: raise latency p99", float(np.percentile(latencies, 99)), "ms", LIMIT_MS, _count(latencies)),
        Figure("engine: batch of 10,000, p50", float(np.percentile(seen.batch_ms, 50)), "ms"),
        Figure("engine: batch of 10,000, p99", float(np.percentile(seen.batch_ms, 99)), "ms"),
        at_most("engine: share of a core", seen.busy_s / took_s, "cores", 1.0),
        Figure("engine: generator behind the clock", seen.late_s, "s"),
        at_least("engine: raises of the flood", float(len(flood.latencies_ms)), "", RULES, "within one second"),
        at_most("engine: flood, raise latency p99", float(np.percentile(flood.latencies_ms, 99)), "ms", LIMIT_MS),
        Figure("engine: flood, share of a core", flood.busy_s, "cores"),
        Figure("engine: judge of 100,000 rules made", made_s, "s"),
        at_most("engine: state for a checkpoint", kept_ms, "ms", 100.0, f"{_megabytes(state.values()):.0f} MB"),
        Figure("engine: backlog, an hour of 1,000 tags", _backlog(seconds), "1/s"),
    ]


class _Feed:
    """Samples at the pace of the clock: every tag once a second, those of a machine at the same time."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(11)
        self._hot_until = np.zeros(RULES, np.int64)
        machine = np.arange(RULES) // _SCAN
        per_slice = RULES // _SCAN // SLICES
        self._offset_us = (machine % per_slice) * (_US // SLICES) // per_slice

    def run(self, judge: Judge, seconds: int, seen: _Seen) -> float:
        """Have so many seconds judged; returns how long that took. [s]"""
        began_us = int(time.time() * _US)
        for number in range(seconds * SLICES):
            due_us = began_us + (number + 1) * _US // SLICES  # when the slice is complete
            time.sleep(max(0.0, due_us / _US - time.time()))
            seen.late_s = max(seen.late_s, time.time() - due_us / _US)
            self._slice(judge, number, due_us - _US // SLICES, seen)
            if number % SLICES == SLICES - 1:
                seen.judged(lambda: judge.tick(int(time.time() * _US)))
        return (time.time() * _US - began_us) / _US

    def _slice(self, judge: Judge, number: int, begin_us: int, seen: _Seen) -> None:
        size = RULES // SLICES
        tag = np.arange(number % SLICES * size, (number % SLICES + 1) * size, dtype=np.int32)
        leaves = self._random.random(size) < _HOT_PART
        self._hot_until[tag[leaves]] = begin_us + _HOT_S * _US
        value = 100 + self._random.normal(0, 0.5, size)
        value[self._hot_until[tag] > begin_us] = 120
        time_us = begin_us + self._offset_us[tag]
        quality = np.zeros(size, np.uint8)
        seen.samples += size
        seen.judged(lambda: judge.take(tag, time_us, value, quality))


def _flood(seen: _Seen) -> None:
    """All alarms there are raised within one second."""
    judge = Judge([_instance(number, _HIGH, waits=False) for number in range(RULES)])
    size = RULES // SLICES
    quality = np.zeros(size, np.uint8)
    began_us = int(time.time() * _US)
    for number in range(SLICES):
        due_us = began_us + (number + 1) * _US // SLICES
        time.sleep(max(0.0, due_us / _US - time.time()))
        tag = np.arange(number * size, (number + 1) * size, dtype=np.int32)
        at_us = due_us - _US // SLICES + np.arange(size) * (_US // SLICES) // size
        seen.judged(lambda tag=tag, at_us=at_us: judge.take(tag, at_us, np.full(size, 120.0), quality))  # type: ignore[misc]


def _backlog(seconds: int) -> float:
    """Samples a second of what an edge kept while it was cut off: an hour, or a part of it when quick."""
    judge = Judge([one for one in _mixed()[:1000] if not one.names])
    length = 3600 if seconds == FULL_S else 600
    tag = np.tile(np.arange(1000, dtype=np.int32), length)
    at_us = np.repeat(np.arange(length, dtype=np.int64) * _US + 1_767_225_600 * _US, 1000)
    value = 100 + np.random.default_rng(3).normal(0, 2, len(tag))
    quality = np.zeros(len(tag), np.uint8)
    began = time.perf_counter()
    piece = 500_000
    for start in range(0, len(tag), piece):
        some = slice(start, start + piece)
        judge.take(tag[some], at_us[some], value[some], quality[some])
    return len(tag) / (time.perf_counter() - began)


def _mixed() -> list[Instance]:
    return [_instance(number, _condition(number % 20), waits=number % 20 < 5) for number in range(RULES)]


def _condition(kind: int) -> Condition:
    if kind >= 10:
        return _OTHERS[kind - 10]
    return _HIGH if kind % 2 else _LOW


def _instance(number: int, condition: Condition, *, waits: bool) -> Instance:
    sister = TagId(number - 1 if number % _SCAN else number + 1)  # of the same machine
    names = {".reference": sister} if isinstance(condition, Deviation) else {}
    if isinstance(condition, Expression):
        names = {".one": TagId(number), ".other": sister}
    return Instance(
        alarm=number + 1,
        path=f"works.m{number // _SCAN:04}.t{number % _SCAN:02}",
        tag=None if isinstance(condition, Expression) else TagId(number),
        condition=condition,
        priority=Priority.MEDIUM,
        on_delay_us=2 * _US if waits else 0,
        off_delay_us=2 * _US if waits else 0,
        names=names,
    )


def _count(latencies: np.ndarray) -> str:
    return f"{len(latencies):,} raises, source time to finding"


def _megabytes(arrays: object) -> float:
    return sum(one.nbytes for one in arrays) / 1e6  # type: ignore[attr-defined]
