"""What is asked of every store, and what the answer must be. Pure."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from athanor.bench.historian.generator import US, History, Rows

HOUR_US = 3600 * US
_STEPS_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200)
TOLERANCE = 1e-6  # of a mean: sums are added up in different orders


class Kind(StrEnum):
    """What becomes of the samples asked for."""

    LATEST = "latest"  # the newest of each tag
    RAW = "raw"  # all
    MEANS = "means"  # the plain mean of each step that has any


@dataclass(frozen=True, slots=True)
class Question:
    """Some tags over [start, end), whole steps of it where there are steps. [us]"""

    kind: Kind
    tags: tuple[int, ...]
    start_us: int
    end_us: int
    step_us: int = 0

    @property
    def steps(self) -> int:
        return (self.end_us - self.start_us) // self.step_us

    @property
    def edges(self) -> np.ndarray:
        """Boundaries of the steps. [us] [steps + 1]"""
        return self.start_us + self.step_us * np.arange(self.steps + 1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of the table: the same question of other tags and times again and again."""

    name: str
    target_ms: float  # [ms] warm
    questions: tuple[Question, ...]


def questions_of(history: History, repeats: int, seed: int = 5) -> list[Asked]:
    """The five lines, each with so many questions."""
    random = np.random.default_rng(seed)
    every = tuple(range(history.tags))
    start, end = history.start_us, history.end_us

    def one_tag() -> tuple[int, ...]:
        return (int(random.integers(history.tags)),)

    def some_tags() -> tuple[int, ...]:
        return tuple(sorted(random.choice(history.tags, history.tags // 10, replace=False).tolist()))

    return [
        Asked(f"latest of all {history.tags:,} tags", 2, (Question(Kind.LATEST, every, start, end),) * repeats),
        Asked("one tag, one hour raw", 4, tuple(an_hour(one_tag(), random, start, end) for _ in range(repeats))),
        Asked(
            "one tag, whole range in 1,000 buckets",
            5,
            tuple(in_steps(one_tag(), start, end, a_thousandth(start, end)) for _ in range(repeats)),
        ),
        Asked(
            f"{history.tags // 10} tags at 5 min",
            15,
            tuple(in_steps(some_tags(), start, end, 300 * US) for _ in range(repeats)),
        ),
        Asked("all tags hourly", 30, (in_steps(every, start, end, HOUR_US),) * repeats),
    ]


def an_hour(tags: tuple[int, ...], random: np.random.Generator, start_us: int, end_us: int) -> Question:
    """All samples of an hour that begins at some second of the range."""
    begin = start_us + int(random.integers((end_us - start_us - HOUR_US) // US + 1)) * US
    return Question(Kind.RAW, tags, begin, begin + HOUR_US)


def in_steps(tags: tuple[int, ...], start_us: int, end_us: int, step_us: int) -> Question:
    """Means of a range; the last step may reach beyond its end."""
    steps = -(-(end_us - start_us) // step_us)
    return Question(Kind.MEANS, tags, start_us, start_us + steps * step_us, step_us)


def a_thousandth(start_us: int, end_us: int) -> int:
    """The longest step as a person chooses them that gives 1,000 buckets or more. [us]"""
    return max((step_s * US for step_s in _STEPS_S if step_s * US * 1_000 <= end_us - start_us), default=US)


def truth(question: Question, history: History) -> Rows:
    """The answer, straight from what was generated: by tag, then time."""
    tags = np.asarray(question.tags)
    if question.kind is Kind.LATEST:
        return _rows(tags, np.array([history.end_us - US]), history.values[-1:, tags])
    begin, end = ((us // US) - history.first_s for us in (question.start_us, question.end_us))
    values = history.values[begin:end, tags]
    if question.kind is Kind.RAW:
        return _rows(tags, question.start_us + US * np.arange(len(values)), values)
    step_us = question.start_us + question.step_us * np.arange(-(-len(values) * US // question.step_us))
    first = -((question.start_us - step_us) // US)  # the first second in each
    step_us, first = step_us[first < len(values)], first[first < len(values)]
    count = np.diff(first, append=len(values))
    return _rows(tags, step_us, np.add.reduceat(values, first) / count[:, None])


def disagreement(answer: Rows, right: Rows) -> str:
    """What is wrong with an answer; empty where it is right."""
    if len(answer) != len(right):
        return f"{len(answer):,} rows instead of {len(right):,}"
    if not np.array_equal(answer.tag, right.tag) or not np.array_equal(answer.time_us, right.time_us):
        return "other tags or times"
    worst = float(np.max(np.abs(answer.value - right.value), initial=0.0))
    return f"a value is off by {worst:g}" if not worst <= TOLERANCE else ""  # NaN is wrong too


def by_tag_and_time(tag: np.ndarray, time_us: np.ndarray, value: np.ndarray) -> Rows:
    """Rows in the order in which answers are compared."""
    order = np.lexsort((time_us, tag))
    return Rows(tag[order].astype(np.int32), time_us[order].astype(np.int64), value[order].astype(np.float64))


def _rows(tags: np.ndarray, times_us: np.ndarray, values: np.ndarray) -> Rows:
    return Rows(
        np.repeat(tags.astype(np.int32), len(times_us)), np.tile(times_us.astype(np.int64), len(tags)), values.T.ravel()
    )
