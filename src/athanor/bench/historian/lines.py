"""The table's lines: what is measured, in which unit, and what must hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from athanor.bench.figures import Figure
from athanor.bench.historian.measuring import DRAWN, LIVE, WEIGHTED, WRONG
from athanor.bench.historian.questions import Asked, Kind


@dataclass(frozen=True, slots=True)
class Line:
    """One line. More is better where `is_most`."""

    name: str
    unit: str
    target: float | None = None
    is_most: bool = False
    is_race: bool = True  # whether being ahead of others means anything


def compared(asked: Sequence[Asked]) -> list[Line]:
    """The lines that every store has."""
    lines = [
        Line("ingest, batches of 100,000", "rows/s", 4e6, is_most=True),
        Line("ingest, 1 s batches of 1,000", "rows/s", 2e5, is_most=True),
        Line("merge and flush", "s"),
        Line("size on disk", "B/sample"),  # the target is for whole days: `large_lake`
    ]
    for one in asked:
        lines += [
            Line(f"{one.name}, median", "ms", one.target_ms),
            Line(f"{one.name}, p99", "ms"),
            Line(f"{one.name}, cold", "ms"),
        ]
    means = [one for one in asked if one.questions[0].kind is Kind.MEANS]
    return [
        *lines,
        *(Line(f"{one.name}, {WEIGHTED}", "ms", is_race=False) for one in means),
        Line(DRAWN, "ms", is_race=False),
        Line(f"{LIVE}, median", "ms"),
        Line(f"{LIVE}, p99", "ms", 50),
        Line("samples taken in meanwhile", "rows/s", is_race=False),
        Line(WRONG, f"of {len(asked) + 1}", 0, is_race=False),
    ]


def figure(line: Line, values: Mapping[str, Mapping[str, float]], ours: str) -> Figure:
    """What each store came to on one line, and whether ours is ahead."""
    peers = {name: of[line.name] for name, of in values.items() if name != ours and line.name in of}
    value = values.get(ours, {}).get(line.name)
    if value is None:
        return Figure(line.name, None, line.unit, line.target, peers=peers)
    holds = None if line.target is None else value >= line.target if line.is_most else value <= line.target
    said = ""
    if line.is_race and peers:
        better = [name for name, other in peers.items() if (other > value if line.is_most else other < value)]
        said = f"behind {', '.join(better)}" if better else "ahead of all"
    return Figure(line.name, value, line.unit, line.target, holds, said, peers)
