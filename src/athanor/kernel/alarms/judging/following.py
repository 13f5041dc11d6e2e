"""Which rows look at which tag, and in what order several samples of one tag reach them."""

from collections.abc import Iterator

import numpy as np


class Following:
    """Rows by tag, so that a batch finds its rows without a loop.

    Parameters
    ----------
    tag
        Place of the tag that each row looks at, -1 for none. [R]
    tags
        How many tags there are.
    """

    def __init__(self, tag: np.ndarray, tags: int) -> None:
        order = np.argsort(tag, kind="stable")
        self._row = order[np.searchsorted(tag[order], 0) :]
        self._begin = np.zeros(tags + 1, np.int64)
        np.cumsum(np.bincount(tag[tag >= 0], minlength=tags), out=self._begin[1:])

    def of(self, tag: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of a sample and a row that looks at its tag, in the samples' order.

        Parameters
        ----------
        tag
            Place of each sample's tag. [N]

        Returns
        -------
        tuple
            Which sample, and which row. [P]
        """
        begin = self._begin[tag]
        count = self._begin[tag + 1] - begin
        if not len(count) or count.max() <= 1:
            sample = np.flatnonzero(count)
            return sample, self._row[begin[sample]]
        sample = np.repeat(np.arange(len(tag)), count)
        within = np.arange(len(sample)) - np.repeat(np.cumsum(count) - count, count)
        return sample, self._row[begin[sample] + within]


def rounds(rank: np.ndarray) -> Iterator[np.ndarray]:
    """Places of all pairs of rank 0, then of rank 1, and so on: in each a row is at most once."""
    if not len(rank):
        return
    highest = int(rank.max())
    if highest == 0:
        yield np.arange(len(rank))
        return
    order = np.argsort(rank, kind="stable")
    ends = np.cumsum(np.bincount(rank, minlength=highest + 1))
    begin = 0
    for end in ends.tolist():
        if end > begin:
            yield order[begin:end]
        begin = end
