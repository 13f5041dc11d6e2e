"""One store after the other through the same stages: ingest, merge and flush, questions warm and cold, live."""

import gc
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from athanor.bench.historian.contender import Contender
from athanor.bench.historian.extent import Extent
from athanor.bench.historian.generator import History
from athanor.bench.historian.live import Live
from athanor.bench.historian.ours import Athanor
from athanor.bench.historian.questions import Asked, Kind, Question, disagreement, truth
from athanor.bench.historian.timing import Times, repeated, timed, without_page_cache

BATCH_S = 100  # of 1,000 tags: 100,000 rows
WRITERS = 2
WRONG = "answers that are wrong"
WEIGHTED, DRAWN = "weighted by time", "one tag, whole range as a chart of 1,000 points"
LIVE = "one hour raw, 100,000 rows/s coming in"


@dataclass
class Measured:
    """What one store came to, by the name of the line; and what must be known about it."""

    values: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def take(self, name: str, times: Times) -> None:
        self.values[f"{name}, median"] = times.median_ms
        self.values[f"{name}, p99"] = times.p99_ms


def measure(
    contender: Contender, extent: Extent, history: History, asked: Sequence[Asked], live: Live | None
) -> Measured:
    """All stages but the large lake. What an answer has wrong is told, never corrected."""
    measured = Measured()
    tell(f"{contender.name}: ingest")
    _ingest(contender, extent, history, measured)
    for one in asked:
        tell(f"{contender.name}: {one.name}")
        _check(contender, one.name, one.questions[0], history, measured)
        measured.take(one.name, repeated(contender.ask, one.questions, extent.patience_s))
    if isinstance(contender, Athanor):
        _ask_own(contender, extent, asked, measured)
    tell(f"{contender.name}: cold")
    _ask_cold(contender, extent, asked, measured)
    if contender.is_fed and live is not None:
        tell(f"{contender.name}: {live.history.tags:,} samples/s and questions")
        _run_live(contender, live, measured)
    return measured


def tell(what: str) -> None:
    """Say how far it is."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {what}\n")
    sys.stderr.flush()


def _ingest(contender: Contender, extent: Extent, history: History, measured: Measured) -> None:
    stream = [contender.payload(history.rows(second, second + 1)) for second in range(extent.stream_s)]
    large = [
        contender.payload(history.rows(begin, begin + BATCH_S))
        for begin in range(extent.stream_s, history.seconds, BATCH_S)
    ]
    gc.collect()
    one_by_one_s, _ = timed(lambda: _write_one_by_one(contender, stream))
    together_s, _ = timed(lambda: _write_together(contender, large))
    settling_s, _ = timed(contender.settle)
    if contender.is_fed:
        measured.values["ingest, 1 s batches of 1,000"] = extent.stream_s * history.tags / one_by_one_s
        measured.values["ingest, batches of 100,000"] = (history.seconds - extent.stream_s) * history.tags / together_s
        measured.values["merge and flush"] = settling_s - contender.quiet_s
    measured.values["size on disk"] = contender.size_bytes() / history.values.size


def _write_one_by_one(contender: Contender, payloads: Sequence[Any]) -> None:
    for payload in payloads:
        contender.write(payload)


def _write_together(contender: Contender, payloads: Sequence[Any]) -> None:
    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(contender.write, payloads))


def _check(contender: Contender, name: str, question: Question, history: History, measured: Measured) -> None:
    answer = contender.read(question, contender.ask(question))
    if wrong := disagreement(answer, truth(question, history)):
        measured.wrong.append(f"{name}: {wrong}")
    measured.values[WRONG] = len(measured.wrong)


def _ask_own(athanor: Athanor, extent: Extent, asked: Sequence[Asked], measured: Measured) -> None:
    """What no other store here has: means weighted by time, and charts that keep the extremes."""
    for one in asked:
        if one.questions[0].kind is not Kind.MEANS:
            continue
        tell(f"{athanor.name}: {one.name}, weighted")
        times = repeated(athanor.ask_weighted, one.questions, extent.patience_s)
        measured.values[f"{one.name}, {WEIGHTED}"] = times.median_ms
        if len(one.questions[0].tags) == 1:
            measured.values[DRAWN] = repeated(athanor.draw, one.questions, extent.patience_s).median_ms


def _ask_cold(contender: Contender, extent: Extent, asked: Sequence[Asked], measured: Measured) -> None:
    for one in asked:
        taken = []
        for question in one.questions[: extent.cold]:
            contender.reopen()
            if not without_page_cache():
                return
            taken.append(timed(partial(contender.ask, question))[0])
        if taken:
            measured.values[f"{one.name}, cold"] = float(np.median(taken)) * 1e3


def _run_live(contender: Contender, live: Live, measured: Measured) -> None:
    times = live.run(contender)
    measured.take(LIVE, times)
    measured.values["samples taken in meanwhile"] = live.rate
    contender.settle()
    _check(contender, "live", live.questions[-1], live.whole, measured)
