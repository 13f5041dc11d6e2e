"""Text formats of samples, made column by column."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def joined(parts: Sequence[str | np.ndarray]) -> bytes:
    """One text of all rows: of each the parts one after the other, numbers in their shortest form."""
    columns = [pa.scalar(part) if isinstance(part, str) else pa.array(part).cast(pa.string()) for part in parts]
    _, offsets, text = pc.binary_join_element_wise(*columns, "").buffers()
    whole: bytes = text[: np.frombuffer(offsets, np.int32)[-1]].to_pybytes()
    return whole
