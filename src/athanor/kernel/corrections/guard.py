"""Which samples of a batch fall into what a person has corrected: quick for the usual batch, which has none."""

from collections import defaultdict
from collections.abc import Iterator
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from athanor.kernel.historian.port import Span
from athanor.kernel.plant.model import TagId

_NEVER = np.iinfo(np.int64).min


class Verdict(IntEnum):
    """What is to become of a sample that comes in."""

    PASS = 0
    CORRECTED = 1  # a person has said otherwise of its tag and time: it is set aside
    KNOWN = 2  # and it is the very sample that was corrected, sent again: kept already


class Guard:
    """The spans of corrections that are in force, by tag, in memory. Used from the event loop's thread only."""

    def __init__(self) -> None:
        self._spans: dict[TagId, dict[int, Span]] = defaultdict(dict)
        self._until_us = np.empty(0, np.int64)  # by tag: no correction of it reaches beyond

    def add(self, tag: TagId, correction: int, span: Span) -> None:
        """Watch this span."""
        self._spans[tag][correction] = span
        self._renew(tag)

    def remove(self, tag: TagId, correction: int) -> None:
        """Watch it no more; one that was not watched is no error."""
        if self._spans.get(tag, {}).pop(correction, None) is not None:
            self._renew(tag)

    def rows_in(self, tag: npt.NDArray[np.int32], time_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Rows of columns [N] that lie within a watched span of their tag."""
        if not len(self._until_us) or not len(tag):
            return np.empty(0, np.int64)
        known = np.minimum(tag, len(self._until_us) - 1)
        rows = np.flatnonzero((time_us < self._until_us[known]) & (tag < len(self._until_us)))
        if not len(rows):
            return rows
        inside = np.zeros(len(rows), bool)
        for one in np.unique(tag[rows]).tolist():
            for span in self._spans[TagId(one)].values():
                inside |= (tag[rows] == one) & (time_us[rows] >= span.start_us) & (time_us[rows] < span.end_us)
        return rows[inside]

    def corrections_over(self, tag: TagId, span: Span) -> Iterator[int]:
        """Corrections of a tag whose spans share time with this one, in the order they were made."""
        for correction, other in sorted(self._spans.get(tag, {}).items()):
            if other.start < span.end and span.start < other.end:
                yield correction

    def _renew(self, tag: TagId) -> None:
        if tag >= len(self._until_us):
            missing = max(tag + 1 - len(self._until_us), len(self._until_us) // 2)
            self._until_us = np.append(self._until_us, np.full(missing, _NEVER))
        self._until_us[tag] = max((span.end_us for span in self._spans[tag].values()), default=_NEVER)
