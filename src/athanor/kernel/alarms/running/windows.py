"""In which pieces the historian is read when many samples of many tags are to be judged in the order of time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_ROWS = 500_000  # that one piece is to bring
_FIRST_US, _SHORTEST_US, _LONGEST_US = 10_000_000, 100_000, 86_400_000_000
_TWICE_US = 1_000_000 * 1_000_000  # times of tags, added up, that one piece may read again: a million seconds


@dataclass(frozen=True, slots=True)
class Window:
    """Samples of `tags` from `start_us`, not of `end_us`."""

    tags: np.ndarray
    start_us: int
    end_us: int


class Windows:
    """Pieces that follow one another, so that what several tags say together is judged as it happened.

    Parameters
    ----------
    tag
        Ids. [N]
    from_us
        The first time of each that is wanted. [N]
    newest_us
        The last time of each at which there is something. [N]
    """

    def __init__(self, tag: np.ndarray, from_us: np.ndarray, newest_us: np.ndarray) -> None:
        order = np.argsort(from_us, kind="stable")
        self._tag, self._from_us, self._newest_us = tag[order], from_us[order], newest_us[order]
        self._length_us = _FIRST_US

    def __iter__(self) -> Iterator[Window]:
        """Tell of each what it brought before the next is asked for."""
        end_us = 0
        while (is_open := self._newest_us >= np.maximum(self._from_us, end_us)).any():
            first_us = int(self._from_us[is_open].min())
            start_us = max(end_us, first_us)
            end_us = self._end_us(start_us)
            is_wanted = is_open & (self._from_us < end_us)
            yield Window(self._tag[is_wanted], start_us, end_us)

    def brought(self, rows: int) -> None:
        """How many samples the last piece held: the next is longer, or shorter."""
        factor = float(np.clip(_ROWS / max(rows, 1), 0.25, 4.0))
        self._length_us = int(np.clip(self._length_us * factor, _SHORTEST_US, _LONGEST_US))

    def _end_us(self, start_us: int) -> int:
        """Not so late that tags which are wanted from later on would be read for long before that."""
        end_us = min(start_us + self._length_us, int(self._newest_us.max()) + 1)
        later = self._from_us[(self._from_us > start_us) & (self._from_us < end_us)]
        too_much = np.flatnonzero(np.cumsum(later - start_us) > _TWICE_US)
        return int(later[too_much[0]]) if len(too_much) else end_us
