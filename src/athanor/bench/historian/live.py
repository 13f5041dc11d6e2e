"""Questions while samples come in at the pace of the clock: many tags at 1 Hz, a batch a second."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from athanor.bench.historian.contender import Contender
from athanor.bench.historian.generator import US, History, signal
from athanor.bench.historian.questions import HOUR_US, Kind, Question
from athanor.bench.historian.timing import Times

_WARM_UP_S = 3  # in which a store meets the tags that it does not know yet
_ASK_EVERY_S = 0.05


class Live:
    """What goes on after a history has come in: its tags and many more, each second."""

    def __init__(self, before: History, seconds: int, tags: int) -> None:
        first_s = before.first_s + before.seconds
        self.history = History(first_s, signal(first_s, _WARM_UP_S + seconds, tags=tags))
        self.whole = History(before.first_s, np.concatenate([before.values, self.history.values[:, : before.tags]]))
        self.rate = 0.0
        random = np.random.default_rng(9)
        since_s = np.arange(0, seconds, _ASK_EVERY_S).astype(np.int64)
        newest_us = (first_s + _WARM_UP_S + 1 + since_s) * US
        self.questions = [
            Question(Kind.RAW, (int(random.integers(before.tags)),), end_us - HOUR_US, end_us)
            for end_us in newest_us.tolist()
        ]

    def run(self, contender: Contender) -> Times:
        """One hour of one tag, up to the newest sample, twenty times a second; sets `rate`, the samples/s taken in."""
        payloads = [contender.payload(self.history.rows(second, second + 1)) for second in range(self.history.seconds)]
        for payload in payloads[:_WARM_UP_S]:
            contender.write(payload)
        with ThreadPoolExecutor(1) as writer:
            feeding = writer.submit(self._feed, contender, payloads[_WARM_UP_S:])
            times = self._ask(contender, feeding.done)
            took_s = feeding.result()
        self.rate = (self.history.seconds - _WARM_UP_S) * self.history.tags / took_s
        return times

    def _feed(self, contender: Contender, payloads: Sequence[Any]) -> float:
        """Write at the pace of the clock; returns for how long. Beyond it where the store does not keep up."""
        began = time.monotonic()
        for second, payload in enumerate(payloads):
            time.sleep(max(0.0, began + second - time.monotonic()))
            contender.write(payload)
        return max(time.monotonic() - began, float(len(payloads)))

    def _ask(self, contender: Contender, is_over: Any) -> Times:
        began, taken = time.monotonic(), []
        for number, question in enumerate(self.questions):
            time.sleep(max(0.0, began + number * _ASK_EVERY_S - time.monotonic()))
            if is_over():
                break
            asked = time.perf_counter()
            contender.ask(question)
            taken.append(time.perf_counter() - asked)
        return Times(np.array(taken))
