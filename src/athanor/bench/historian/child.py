"""A process of its own that opens a historian, asks it about single tags, and says how long it took and what memory.

Run by `large.ask_elsewhere`; its one argument and its answer are JSON.
"""

import json
import re
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from athanor.bench.historian.generator import START_S, US
from athanor.bench.historian.large import DRAWN, HOUR, ODD, WHOLE, Place, history_of
from athanor.bench.historian.measuring import WRONG
from athanor.bench.historian.ours import Athanor
from athanor.bench.historian.questions import Question, a_thousandth, an_hour, disagreement, in_steps, truth
from athanor.bench.historian.timing import repeated, timed, without_page_cache
from athanor.kernel.log import configure_logging


def main() -> None:
    """Open, ask, tell."""
    configure_logging("warning")
    wanted = json.loads(sys.argv[1])
    place = Place(Path(wanted["folder"]), wanted["tags"], wanted["seconds"], is_by_day=wanted["is_by_day"])
    questions = _questions(place, wanted["repeats"])
    athanor = Athanor(place.folder)

    values: dict[str, float] = {}
    try:
        for name, ask in ((HOUR, athanor.ask), (WHOLE, athanor.ask), (ODD, athanor.ask), (DRAWN, athanor.draw)):
            *warm, last = questions[WHOLE if name == DRAWN else name]
            athanor.reopen()
            if wanted["is_asked_cold"] and without_page_cache():
                values[f"{name}, cold"] = timed(partial(ask, last))[0] * 1e3
            times = repeated(ask, warm, wanted["patience_s"])
            values[f"{name}, median"], values[f"{name}, p99"] = times.median_ms, times.p99_ms
        values["peak memory"] = _peak_bytes() / 1e9
        values[WRONG] = sum(bool(_wrong(athanor, place, questions[name][0])) for name in (HOUR, WHOLE, ODD))
    finally:
        athanor.close()
    json.dump(values, sys.stdout)


def _questions(place: Place, repeats: int) -> dict[str, list[Question]]:
    random = np.random.default_rng(13)
    start, end = START_S * US, (START_S + place.seconds) * US

    def tag() -> tuple[int, ...]:
        return (int(random.integers(place.tags)),)

    return {
        HOUR: [an_hour(tag(), random, start, end) for _ in range(repeats)],
        WHOLE: [in_steps(tag(), start, end, a_thousandth(start, end)) for _ in range(repeats)],
        ODD: [in_steps(tag(), start, end, (end - start) // 1_003) for _ in range(repeats)],
    }


def _wrong(athanor: Athanor, place: Place, question: Question) -> str:
    answer = athanor.read(question, athanor.ask(question))
    right = truth(replace(question, tags=(0,)), history_of(place, question.tags[0]))
    return disagreement(replace(answer, tag=np.zeros_like(answer.tag)), right)


def _peak_bytes() -> int:
    """The largest resident set of this process; what it was started from does not count."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]


if __name__ == "__main__":
    main()
