"""What judging knows of each tag: what it was last, when, and which samples of a batch are new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from athanor.kernel.telemetry import Quality


@dataclass(slots=True)
class Batch:
    """Samples that are new, by tag and then time.

    Parameters
    ----------
    tag
        Place of the tag in `Tags.ids`. [N]
    value
        NaN where there is no number, and of every bad sample. [N]
    is_bad
        The source says that the value cannot be used. [N]
    text
        Text of each, None where there is none; None where no sample has any. [N]
    rank
        Which sample of its tag it is in this batch, from 0. [N]
    """

    tag: np.ndarray
    time_us: np.ndarray
    value: np.ndarray
    is_bad: np.ndarray
    text: np.ndarray | None
    rank: np.ndarray

    def __len__(self) -> int:
        return len(self.tag)


class Tags:
    """The tags that some row looks at.

    Parameters
    ----------
    ids
        Tag ids, ascending. [T]
    """

    def __init__(self, ids: np.ndarray) -> None:
        self.ids = ids
        self.seen_us = np.zeros(len(ids), np.int64)  # last judged time; 0: none
        self.value = np.full(len(ids), np.nan)  # last number; NaN after a bad sample
        self.is_text = np.zeros(len(ids), bool)  # the last sample was good, and no number
        self._place = np.full(int(ids[-1]) + 2 if len(ids) else 1, -1, np.int32)  # by id; the last is for all others
        self._place[ids] = np.arange(len(ids), dtype=np.int32)

    def place(self, tag: np.ndarray) -> np.ndarray:
        """Place of each tag in `ids`, -1 where no row looks at it. [N]"""
        return self._place[np.where((tag < 0) | (tag >= len(self._place)), -1, tag)]

    def new(
        self,
        tag: np.ndarray,
        time_us: np.ndarray,
        value: np.ndarray,
        quality: np.ndarray,
        text: Sequence[str | None] | np.ndarray | None,
    ) -> Batch:
        """The samples that are later than all before them of their tag, and that some row looks at."""
        place = self.place(tag)
        keep = np.flatnonzero((place >= 0) & (time_us > self.seen_us[place])) if len(self.ids) else np.empty(0, np.intp)
        place, time_us = place[keep], time_us[keep]
        if len(keep) and np.bincount(place).max() > 1:
            order = np.lexsort((time_us, place))  # stable: of equal times the first comes first
            place, time_us, keep = place[order], time_us[order], keep[order]
            again = np.append(False, (place[1:] == place[:-1]) & (time_us[1:] == time_us[:-1]))
            place, time_us, keep = place[~again], time_us[~again], keep[~again]
            rank = ranks(place)
        else:
            rank = np.zeros(len(keep), np.int64)
        is_bad = quality[keep] >= Quality.BAD
        return Batch(place, time_us, np.where(is_bad, np.nan, value[keep]), is_bad, _texts(text, keep, is_bad), rank)

    def take(self, batch: Batch) -> None:
        """Keep the last of each tag, after everything was judged."""
        last = np.append(batch.tag[1:] != batch.tag[:-1], True) if len(batch) else np.empty(0, bool)
        tag = batch.tag[last]
        self.seen_us[tag] = batch.time_us[last]
        self.value[tag] = batch.value[last]
        self.is_text[tag] = np.isnan(batch.value[last]) & ~batch.is_bad[last]

    def state(self) -> Mapping[str, np.ndarray]:
        """By name, a value for each tag. [T]"""
        return {"seen_us": self.seen_us, "value": self.value, "is_text": self.is_text}


def ranks(key: np.ndarray) -> np.ndarray:
    """How many of the same key come before each, of keys that lie together. [N]"""
    begins = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    counts = np.diff(np.append(begins, len(key)))
    rank: np.ndarray = np.arange(len(key)) - np.repeat(begins, counts)
    return rank


def _texts(text: Sequence[str | None] | np.ndarray | None, keep: np.ndarray, is_bad: np.ndarray) -> np.ndarray | None:
    if text is None:
        return None
    kept = np.asarray(text, dtype=object)[keep]
    kept[is_bad] = None
    return kept if any(one is not None for one in kept) else None
