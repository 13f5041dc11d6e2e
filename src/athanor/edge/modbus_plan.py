"""Which reads fetch all tags of a Modbus device: few and large, within the protocol's limits. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from athanor.edge.config import ModbusTag
from athanor.edge.modbus_decode import NumberType, WordOrder, bit_of, decode

MAX_REGISTERS = 125  # of one answer; Modbus Application Protocol 1.1b3, 6.3
MAX_BITS = 2000  # 6.1


@dataclass(frozen=True)
class Read:
    """One request: `count` registers (or bits) from `start`, and the tags whose values lie in them, by address."""

    unit_id: int
    table: str
    start: int
    count: int
    tags: tuple[tuple[str, ModbusTag], ...]

    def halves(self) -> tuple["Read", ...]:
        """Two reads for the same tags; itself alone when there is but one tag."""
        middle = len(self.tags) // 2
        if middle == 0:
            return (self,)
        return _read(self.tags[:middle]), _read(self.tags[middle:])

    def values(self, words: np.ndarray) -> np.ndarray:
        """Each tag's value in this read's answer, NaN where the device says not-a-number. float64 [tags]

        Parameters
        ----------
        words
            The answer: registers as uint16, or bits as 0 and 1. [count]
        """
        values = np.empty(len(self.tags))
        for (kind, order, bit), places in self._layouts().items():
            offsets = np.array([self.tags[place][1].first - self.start for place in places])
            values[places] = _decoded(words, offsets, kind, order, bit)
        scale = np.array([tag.scale for _, tag in self.tags])
        offset = np.array([tag.offset for _, tag in self.tags])
        return np.asarray(values * scale + offset)

    def _layouts(self) -> dict[tuple[NumberType, WordOrder, int | None], list[int]]:
        """Places of the tags that are decoded alike."""
        layouts: dict[tuple[NumberType, WordOrder, int | None], list[int]] = {}
        for place, (_, tag) in enumerate(self.tags):
            layouts.setdefault((tag.type, tag.word_order, tag.bit), []).append(place)
        return layouts


def plan_reads(tags: Mapping[str, ModbusTag], max_gap: int) -> list[Read]:
    """The reads that fetch all tags, by device, table and address.

    Parameters
    ----------
    max_gap
        Registers (or bits) that nobody asked for and that a read may yet span.
    """
    by_place = sorted(tags.items(), key=lambda item: (*_table_of(item), item[1].first, item[1].width))
    return [read for _, group in groupby(by_place, key=_table_of) for read in _joined(list(group), max_gap)]


def _table_of(item: tuple[str, ModbusTag]) -> tuple[int, str]:
    return item[1].unit_id, item[1].table


def _joined(tags: Sequence[tuple[str, ModbusTag]], max_gap: int) -> list[Read]:
    """Reads for tags of one table, which come by address."""
    limit = MAX_BITS if tags[0][1].is_bit_table else MAX_REGISTERS
    reads: list[list[tuple[str, ModbusTag]]] = []
    start = end = 0
    for item in tags:
        first, behind = item[1].first, item[1].first + item[1].width
        if reads and first <= end + max_gap and max(end, behind) - start <= limit:
            reads[-1].append(item)
            end = max(end, behind)
        else:
            reads.append([item])
            start, end = first, behind
    return [_read(read) for read in reads]


def _read(tags: Sequence[tuple[str, ModbusTag]]) -> Read:
    lowest = tags[0][1]
    end = max(tag.first + tag.width for _, tag in tags)
    return Read(lowest.unit_id, lowest.table, lowest.first, end - lowest.first, tuple(tags))


def _decoded(words: np.ndarray, offsets: np.ndarray, kind: NumberType, order: WordOrder, bit: int | None) -> np.ndarray:
    if bit is not None:
        return bit_of(words[offsets], bit)
    if kind is NumberType.BOOL:
        return np.asarray(words[offsets], np.float64)
    return decode(words[offsets[:, None] + np.arange(kind.words)], kind, order)
