"""Conditions over several tags: what all of them say together at one time, and not what half of them have said yet.

The samples of a scan come one after the other, and before the last of them is in, a pressure of this second stands
beside a flow of the one before. So what is known of a time is judged once every tag of the row has a sample of that
time or of a later one, or once one of them speaks of a later time, or when `tick` says that nothing more comes.
"""

from collections.abc import Sequence

import numpy as np

from athanor.kernel.alarms.judging.delays import NEVER, Delays, Verdict
from athanor.kernel.alarms.judging.following import Following, rounds
from athanor.kernel.alarms.judging.formula import Formula
from athanor.kernel.alarms.judging.kind import column
from athanor.kernel.alarms.judging.tags import Batch, Tags, ranks
from athanor.kernel.alarms.rule import Condition, Side


class Several:
    """Rows that look at the same number of tags each.

    Parameters
    ----------
    place
        Where each is among all rows. [R]
    tag
        Places of its tags in `Tags`. [R, K]
    open_us
        Of all rows: of which time something is known that is not judged yet; NEVER where nothing is.
    """

    def __init__(self, place: np.ndarray, tag: np.ndarray, tags: Tags, open_us: np.ndarray) -> None:
        self.place, self.tag = place, tag
        self._tags, self._open_us = tags, open_us
        self._following = Following(tag.ravel(), len(tags.ids))
        self.has_failed = np.zeros(len(place), bool)  # all tags are known and it comes to nothing

    def verdict(self, row: np.ndarray, value: np.ndarray) -> Verdict:
        """What values show. [n, K], NaN where not known."""
        raise NotImplementedError

    def judge(self, batch: Batch, delays: Delays) -> None:
        """Judge a batch's samples in order of time."""
        sample, flat = self._following.of(batch.tag)
        if not len(sample):
            return
        row, slot = np.divmod(flat, self.tag.shape[1])
        row, of = np.unique(row, return_inverse=True)
        order = np.lexsort((batch.time_us[sample], of))
        self._judge(_Scans(row, of[order], slot[order], sample[order]), batch, delays)

    def _judge(self, scans: "_Scans", batch: Batch, delays: Delays) -> None:
        tag = self.tag[scans.row]
        value, seen_us = self._tags.value[tag], self._tags.seen_us[tag]
        # Another source may be behind: its sample counts from when the row was judged last.
        time_us = np.maximum(batch.time_us[scans.sample], seen_us.max(axis=1)[scans.of])
        is_new = np.append(True, (scans.of[1:] != scans.of[:-1]) | (time_us[1:] != time_us[:-1]))
        scan = np.cumsum(is_new) - 1
        for part in rounds(ranks(scans.of[is_new])[scan]):
            of, slot = scans.of[part], scans.slot[part]
            now, first = np.unique(of, return_index=True)
            at_us = time_us[part][first]
            self._settle(scans.row[now], value[now], at_us, delays)
            value[of, slot] = batch.value[scans.sample[part]]
            seen_us[of, slot] = batch.time_us[scans.sample[part]]
            self._open_us[self.place[scans.row[now]]] = at_us
            whole = np.flatnonzero(seen_us[now].min(axis=1) >= at_us)
            self._close(scans.row[now[whole]], value[now[whole]], delays)

    def _settle(self, row: np.ndarray, value: np.ndarray, before_us: np.ndarray, delays: Delays) -> None:
        """Judge what is open of an earlier time. [n]"""
        late = np.flatnonzero(self._open_us[self.place[row]] < before_us)
        if len(late):
            self._close(row[late], value[late], delays)

    def _close(self, row: np.ndarray, value: np.ndarray, delays: Delays) -> None:
        if len(row):
            place = self.place[row]
            verdict = self.verdict(row, value)
            self.has_failed[row] = verdict.holds & ~np.isnan(value).any(axis=1)
            delays.step(place, self._open_us[place], verdict)
            self._open_us[place] = NEVER

    def settle_until(self, until_us: int, delays: Delays, waits: np.ndarray) -> None:
        """Judge what is open of a time or of an earlier one: nothing more comes, but for rows (of all) that wait."""
        row = np.flatnonzero((self._open_us[self.place] <= until_us) & ~waits[self.place])
        self._close(row, self._tags.value[self.tag[row]], delays)


class _Scans:
    """Samples by row and time: which of the rows, which of its tags, which sample. [P]"""

    def __init__(self, row: np.ndarray, of: np.ndarray, slot: np.ndarray, sample: np.ndarray) -> None:
        self.row, self.of, self.slot, self.sample = row, of, slot, sample


class Deviations(Several):
    """Further from another tag than allowed; what is shown is the difference."""

    def __init__(
        self, place: np.ndarray, tag: np.ndarray, tags: Tags, open_us: np.ndarray, conditions: Sequence[Condition]
    ) -> None:
        super().__init__(place, tag, tags, open_us)
        self._at = column(conditions, "at")
        self._off_at = self._at - column(conditions, "deadband")
        self._is_either = np.array([getattr(one, "side", None) == "either" for one in conditions])
        self._sign = np.array([-1.0 if getattr(one, "side", None) == Side.LOW else 1.0 for one in conditions])

    def verdict(self, row: np.ndarray, value: np.ndarray) -> Verdict:
        """What values show."""
        difference = value[:, 0] - value[:, 1]
        is_either, sign = self._is_either[row], self._sign[row]
        away = np.where(is_either, np.abs(difference), sign * difference)
        limit = self._at[row] * np.where(is_either, np.where(difference < 0, -1.0, 1.0), sign)
        return Verdict(away > self._at[row], away < self._off_at[row], np.isnan(away), difference, limit)


class Formulas(Several):
    """Formulas of one shape.

    Parameters
    ----------
    numbers
        Of each row. [R, numbers]
    """

    def __init__(
        self,
        place: np.ndarray,
        tag: np.ndarray,
        tags: Tags,
        open_us: np.ndarray,
        formula: Formula,
        numbers: np.ndarray,
    ) -> None:
        super().__init__(place, tag, tags, open_us)
        self._formula, self._numbers = formula, numbers

    def verdict(self, row: np.ndarray, value: np.ndarray) -> Verdict:
        """What values show."""
        truth, one, other = self._formula.judge(value, self._numbers[row])
        return Verdict(truth == 1, truth == 0, np.isnan(truth), one, other)
