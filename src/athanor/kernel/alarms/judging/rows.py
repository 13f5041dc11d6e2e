"""From alarms to rows: each kind of condition together, formulas of one shape together, what cannot be judged apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging.delays import NEVER, Delays
from athanor.kernel.alarms.judging.faults import Unjudged
from athanor.kernel.alarms.judging.following import Following, rounds
from athanor.kernel.alarms.judging.formula import BadAlarmFormulaError, Formula
from athanor.kernel.alarms.judging.kind import Given, Kind
from athanor.kernel.alarms.judging.limits import Limits
from athanor.kernel.alarms.judging.several import Deviations, Formulas, Several
from athanor.kernel.alarms.judging.signals import Freezes, Jumps, Qualities, Silences, States
from athanor.kernel.alarms.judging.statistical import Cusums, Ewmas
from athanor.kernel.alarms.judging.tags import Batch, Tags
from athanor.kernel.alarms.judging.windows import Ramps, Rates
from athanor.kernel.alarms.rule import Deviation, Expression

_KINDS: Final[tuple[type[Kind], ...]] = (
    Limits,
    Rates,
    States,
    Silences,
    Qualities,
    Freezes,
    Jumps,
    Ewmas,
    Cusums,
    Ramps,
)


class Single:
    """The rows of one kind of condition on one tag, which tags they look at, and where they are among all rows."""

    def __init__(self, place: np.ndarray, tag: np.ndarray, kind: Kind, tags: Tags) -> None:
        self.place, self.kind = place, kind
        self.tag = tag
        self._following = Following(tag, len(tags.ids))

    @property
    def name(self) -> str:
        """What its state is called."""
        return type(self.kind).__name__.lower()

    def judge(self, batch: Batch, delays: Delays) -> None:
        """Judge a batch's samples in the order of each tag."""
        sample, row = self._following.of(batch.tag)
        given = Given(batch.time_us, batch.value, batch.is_bad, batch.text)
        for part in rounds(batch.rank[sample]):
            self._judge(row[part], given.of(sample[part]), delays)

    def _judge(self, row: np.ndarray, given: Given, delays: Delays) -> None:
        turning = self.kind.edges_before(row, given.time_us)
        if len(turning):
            self._turn(row[turning], delays)
        delays.step(self.place[row], given.time_us, self.kind.judge(row, given))

    def turn_until(self, until_us: int, delays: Delays, waits: np.ndarray) -> None:
        """Turn what turns by itself, at a time or before it, but for rows (of all) that wait."""
        if self.kind.edge_us is not None:
            row = np.flatnonzero((self.kind.edge_us <= until_us) & ~waits[self.place])
            if len(row):
                self._turn(row, delays)

    def _turn(self, row: np.ndarray, delays: Delays) -> None:
        if self.kind.edge_us is not None:
            at_us = self.kind.edge_us[row]
            verdict = self.kind.turn(row)
            self.kind.clear_edges(row)
            delays.step(self.place[row], at_us, verdict)


@dataclass
class Rows:
    """All rows: first the alarms, then the formulas that suppress some of them.

    Parameters
    ----------
    owner
        Row of the alarm that each formula is of. [F]
    open_us
        Of all rows; see `Several`.
    faults
        What can never be judged, by row.
    """

    owner: np.ndarray
    open_us: np.ndarray
    singles: list[Single] = field(default_factory=list)
    several: list[Several] = field(default_factory=list)
    faults: dict[int, Unjudged] = field(default_factory=dict)


def waiting(rows: Rows, is_late: np.ndarray) -> np.ndarray:
    """Of all rows, which look at a tag that is late. `is_late` is by place of the tag. [R]"""
    waits = np.zeros(len(rows.open_us), bool)
    for single in rows.singles:
        waits[single.place] = is_late[single.tag]
    for several in rows.several:
        waits[several.place] = is_late[several.tag].any(axis=1)
    return waits


def order_of(instances: Sequence[Instance]) -> list[Instance]:
    """By kind, and of one kind by tag: what is judged together lies together."""
    kinds = {kind.CONDITION: number for number, kind in enumerate(_KINDS)}
    last = len(kinds)
    return sorted(instances, key=lambda one: (kinds.get(type(one.condition), last), one.tag or 0))


def tags_of(instances: Sequence[Instance]) -> np.ndarray:
    """Ids of all tags that some alarm looks at, ascending."""
    ids = {one.tag for one in instances if one.tag is not None}
    ids.update(tag for one in instances for tag in one.names.values())
    return np.array(sorted(ids), np.int64)


def rows_of(ordered: Sequence[Instance], tags: Tags) -> Rows:
    """The rows of alarms, in the order of `order_of`."""
    suppressible = [row for row, one in enumerate(ordered) if one.suppressed_while]
    total = len(ordered) + len(suppressible)
    rows = Rows(np.array(suppressible, np.int64), np.full(total, NEVER, np.int64))
    by_kind: dict[type, list[int]] = {}
    for place, one in enumerate(ordered):
        by_kind.setdefault(type(one.condition), []).append(place)
    for kind in _KINDS:
        _add_single(rows, kind, by_kind.get(kind.CONDITION, []), ordered, tags)
    _add_deviations(rows, by_kind.get(Deviation, []), ordered, tags)
    formulas = [(row, row, _text_of(ordered[row])) for row in by_kind.get(Expression, [])]
    formulas += [(len(ordered) + n, row, ordered[row].suppressed_while or "") for n, row in enumerate(suppressible)]
    _add_formulas(rows, formulas, ordered, tags)
    return rows


def _text_of(instance: Instance) -> str:
    return instance.condition.formula if isinstance(instance.condition, Expression) else ""


def _add_single(rows: Rows, kind: type[Kind], place: Sequence[int], ordered: Sequence[Instance], tags: Tags) -> None:
    rows.faults.update((row, Unjudged.NAME) for row in place if ordered[row].tag is None)
    place = [row for row in place if ordered[row].tag is not None]
    if place:
        some = [ordered[row] for row in place]
        ids = np.array([one.tag for one in some], np.int64)
        rows.singles.append(Single(np.array(place), tags.place(ids), kind(some), tags))


def _add_deviations(rows: Rows, place: Sequence[int], ordered: Sequence[Instance], tags: Tags) -> None:
    pairs: dict[int, tuple[int, int]] = {}
    for row in place:
        one = ordered[row]
        other = one.names.get(one.condition.reference) if isinstance(one.condition, Deviation) else None
        if one.tag is None or other is None:
            rows.faults[row] = Unjudged.NAME
        else:
            pairs[row] = (one.tag, other)
    if pairs:
        tag = tags.place(np.array(list(pairs.values()), np.int64))
        conditions = [ordered[row].condition for row in pairs]
        rows.several.append(Deviations(np.array(list(pairs)), tag, tags, rows.open_us, conditions))


def _add_formulas(
    rows: Rows, formulas: Sequence[tuple[int, int, str]], ordered: Sequence[Instance], tags: Tags
) -> None:
    """Formulas as place among all rows, row of the alarm, text."""
    read: dict[str, Formula | None] = {}
    by_shape: dict[tuple[str, int], list[tuple[int, Formula, list[int]]]] = {}
    for place, row, text in formulas:
        if text not in read:
            read[text] = _read(text)
        formula, names = read[text], ordered[row].names
        if formula is None:
            rows.faults[row] = Unjudged.FORMULA
        elif any(name not in names for name in formula.names):
            rows.faults[row] = Unjudged.NAME
        else:
            looked_at: list[int] = [names[name] for name in formula.names]
            by_shape.setdefault((formula.shape, len(looked_at)), []).append((place, formula, looked_at))
    for some in by_shape.values():
        rows.several.append(
            Formulas(
                np.array([place for place, _, _ in some]),
                tags.place(np.array([looked_at for _, _, looked_at in some], np.int64)),
                tags,
                rows.open_us,
                some[0][1],
                np.array([formula.numbers for _, formula, _ in some], float).reshape(len(some), -1),
            )
        )


def _read(text: str) -> Formula | None:
    try:
        return Formula(text)
    except BadAlarmFormulaError:
        return None  # `Rows.faults` says so of every alarm that has it
