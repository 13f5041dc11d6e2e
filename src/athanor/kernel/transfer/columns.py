"""Columns of a file, whatever type its cells have. Pure."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# What other systems write where they have no value. Such a cell makes no sample.
BLANKS = pa.array(["", "-", "--", "---", "–", "—", "null", "none", "nil", "na", "n/a", "#n/a", "nan", "#nan", "\\n"])


def is_text(column: pa.Array) -> bool:
    """Whether a column's cells are texts."""
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def as_text(column: pa.Array) -> pa.Array:
    """A column's cells as texts, null for those without."""
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())


def trimmed(column: pa.Array) -> pa.Array:
    """Cells as texts without the white space around them, the empty text for null."""
    return pc.utf8_trim_whitespace(pc.fill_null(as_text(column), ""))


def blanks(column: pa.Array) -> np.ndarray:
    """Which cells have no value. [N]"""
    if is_text(column):
        return mask_of(pc.is_in(pc.utf8_lower(trimmed(column)), BLANKS))
    if pa.types.is_floating(column.type):
        return mask_of(pc.fill_null(pc.is_nan(column), fill_value=True))
    return mask_of(pc.is_null(column))


def some(column: pa.Array, place: np.ndarray) -> pa.Array:
    """The cells at these places, which ascend."""
    return column if len(place) == len(column) else column.take(pa.array(place))


def as_written(column: pa.Array, place: np.ndarray) -> pa.Array:
    """The cells at these places as they stand in the file, the empty text for null."""
    return pc.fill_null(as_text(some(column, place)), "")


def only_where(keep: np.ndarray, texts: pa.Array) -> pa.Array:
    """Texts where `keep`, null elsewhere."""
    return pc.if_else(pa.array(keep), texts, pa.scalar(None, pa.string()))


def encoded(column: pa.Array) -> tuple[list[str], np.ndarray]:
    """The distinct trimmed texts of a column, and which of them each cell is. [N]"""
    found = pc.dictionary_encode(trimmed(column))
    return found.dictionary.to_pylist(), integers(found.indices)


def mask_of(column: pa.Array) -> np.ndarray:
    """A column of truths without null. [N]"""
    return np.asarray(column.to_numpy(zero_copy_only=False), bool)


def integers(column: pa.Array, otherwise: int = -1) -> np.ndarray:
    """A column of whole numbers. [N]"""
    return np.asarray(pc.fill_null(column, otherwise).to_numpy(zero_copy_only=False), np.int64)
