"""The past of the reference plant as the historian stores it: day by day, from the same model that runs live."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from athanor.demo.clock import DAY_US
from athanor.demo.model import Block, LivingPlant
from athanor.kernel.historian.port import STORED
from athanor.kernel.telemetry import TIME

Progress = Callable[[int, int], None]  # days written, days in all


def write_history(
    living: LivingPlant, until_us: int, ids: Mapping[str, int], progress: Progress | None = None
) -> Iterator[pa.Table]:
    """What the plant did from its last instant to `until_us`, and leave it there: a table (STORED) a day.

    One sample a minute and the last hour at each tag's own period; slow tags only at theirs. `ids` gives every tag's
    id by its path; tags without an id are left out. Rows are sorted by tag, then time. Serves the first start and every
    later one, where it fills the gap since the demo was stopped.
    """
    days = max(1, -(-(until_us - living.at_us) // DAY_US))
    first_us = living.at_us
    for block in living.advance_all(until_us):
        yield stored(block, ids)
        if progress is not None:
            progress(min(days, (living.at_us - first_us) // DAY_US), days)
    if progress is not None:
        progress(days, days)


def stored(block: Block, ids: Mapping[str, int]) -> pa.Table:
    """The block's due samples (STORED), by tag, then time."""
    columns = sorted(
        (column for column, path in enumerate(block.paths) if path in ids), key=lambda c: ids[block.paths[c]]
    )
    due = block.due[:, columns].T  # [P, T], so that rows come tag by tag
    rows = due.sum(axis=1)
    values = block.values[:, columns].T[due]
    return pa.table(
        [
            pa.array(np.repeat(np.array([ids[block.paths[column]] for column in columns], np.int32), rows)),
            pa.array(np.broadcast_to(block.time_us, due.shape)[due]).cast(TIME),
            pa.array(values, mask=np.isnan(values)),
            _texts(block, columns, due, rows),
            pa.array(block.quality[:, columns].T[due]),
        ],
        schema=STORED,
    )


def _texts(block: Block, columns: list[int], due: np.ndarray, rows: np.ndarray) -> pa.Array:
    """The text column: nulls but for text tags."""
    pieces: list[pa.Array] = []
    nulls = 0
    for column, asked, count in zip(columns, due, rows.tolist(), strict=True):
        texts = block.texts.get(block.paths[column])
        if texts is None:
            nulls += count
            continue
        pieces += [pa.nulls(nulls, pa.string()), pa.array(texts, pa.string()).filter(pa.array(asked))]
        nulls = 0
    return pa.concat_arrays([*pieces, pa.nulls(nulls, pa.string())])
