"""What every store is filled with: 1,000 tags at 1 Hz, a slow sine with noise, seeded, so that every run has the same.

Pure: no clock and no disk.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

TAGS = 1_000
SIGMA = 0.5
DECIMALS = 2
START_S = 1_767_571_200  # 2026-01-05 00:00 UTC; long past, so that no store takes it for the future
US = 1_000_000
_SEED = 20_260_105


@dataclass(frozen=True, slots=True)
class Rows:
    """Some samples. Columns of one length. [N]"""

    tag: np.ndarray  # int32
    time_us: np.ndarray  # int64
    value: np.ndarray  # float64

    def __len__(self) -> int:
        return len(self.tag)


@dataclass(frozen=True, slots=True)
class History:
    """Every tag of a plant at each second of a range."""

    first_s: int  # since 1970 UTC
    values: np.ndarray  # [seconds, tags]

    @property
    def seconds(self) -> int:
        return len(self.values)

    @property
    def tags(self) -> int:
        return int(self.values.shape[1])

    @property
    def start_us(self) -> int:
        return self.first_s * US

    @property
    def end_us(self) -> int:
        return (self.first_s + self.seconds) * US

    def rows(self, begin: int, end: int) -> Rows:
        """The samples of the seconds [begin, end) as they come in: second by second, and within one tag by tag."""
        times = (self.first_s + np.arange(begin, end, dtype=np.int64)) * US
        tags = np.arange(self.tags, dtype=np.int32)
        return Rows(np.tile(tags, end - begin), np.repeat(times, self.tags), self.values[begin:end].ravel())

    def batches(self, seconds: int) -> Iterator[Rows]:
        """All samples, so many seconds at a time."""
        for begin in range(0, self.seconds, seconds):
            yield self.rows(begin, min(begin + seconds, self.seconds))


def signal(first_s: int, seconds: int, first_tag: int = 0, tags: int = TAGS) -> np.ndarray:
    """Values as a field device gives them. The same arguments give the same values. [seconds, tags]

    Parameters
    ----------
    first_s
        The first second, since 1970 UTC.
    seconds
        How many follow each other.
    first_tag, tags
        Which tags: neighbours. Each has a level, a period of about an hour and a phase of its own.
    """
    tag = np.arange(first_tag, first_tag + tags)
    time_s = first_s + np.arange(seconds)
    turns = time_s[:, None] / (3600.0 + tag) + tag / TAGS
    noise = np.random.default_rng((_SEED, first_s, first_tag)).standard_normal((seconds, tags)) * SIGMA
    values: np.ndarray = np.round(100 + tag % 50 + 10 * np.sin(2 * np.pi * turns) + noise, DECIMALS)
    return values


def history(seconds: int, *, first_s: int = START_S, tags: int = TAGS) -> History:
    """So many seconds of every tag."""
    return History(first_s, signal(first_s, seconds, tags=tags))
