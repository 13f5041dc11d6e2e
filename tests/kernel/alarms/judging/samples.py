"""Short ways to write rules, samples and what is found of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from athanor.kernel.alarms.finding import Findings, What
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging import Judge
from athanor.kernel.alarms.rule import Condition, Priority
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import Quality

SECOND = 1_000_000
START = 1_767_225_600 * SECOND  # 2026-01-01 00:00 UTC, a Thursday

Row = tuple[int, float, float | str | None, Quality]  # tag, seconds from START, value, quality


def alarm(
    condition: Condition,
    number: int = 1,
    *,
    tag: int | None = 7,
    on_s: float = 0,
    off_s: float = 0,
    names: Mapping[str, int] | None = None,
    **rest: Any,
) -> Instance:
    return Instance(
        alarm=number,
        path=f"works.{tag}",
        tag=None if tag is None else TagId(tag),
        condition=condition,
        priority=Priority.MEDIUM,
        on_delay_us=round(on_s * SECOND),
        off_delay_us=round(off_s * SECOND),
        names={name: TagId(one) for name, one in (names or {}).items()},
        **rest,
    )


def one_a_second(values: Iterable[float | str | None], tag: int = 7, begin_s: float = 0) -> list[Row]:
    return [(tag, begin_s + second, value, Quality.GOOD) for second, value in enumerate(values)]


def take(judge: Judge, rows: Sequence[Row]) -> Findings:
    return judge.take(
        np.array([tag for tag, *_ in rows], np.int32),
        np.array([at(second) for _, second, *_ in rows], np.int64),
        np.array([value if isinstance(value, int | float) else np.nan for _, _, value, _ in rows], float),
        np.array([quality for *_, quality in rows], np.uint8),
        [value if isinstance(value, str) else None for _, _, value, _ in rows],
    )


def at(second: float) -> int:
    return START + round(second * SECOND)


def found(findings: Findings) -> list[tuple[int, What, float]]:
    """Alarm, what, and seconds from START."""
    return [
        (int(one), What(what), (int(at_us) - START) / SECOND)
        for one, what, at_us in zip(findings.alarm, findings.what, findings.at_us, strict=True)
    ]
