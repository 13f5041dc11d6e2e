"""What every table for people obeys: a text that a spreadsheet would run as a formula is written as text."""

import pyarrow as pa
import pyarrow.compute as pc

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_FORMULA = r"^([=+\-@\t\r])"


def plain_cell(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def plain_column(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The same for a column of texts, or of a dictionary of them: as texts."""
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    if isinstance(column, pa.ChunkedArray):  # of no chunk at all
        return pa.array([], pa.string())
    if pa.types.is_dictionary(column.type):
        return plain_column(column.dictionary).take(column.indices)
    if column.null_count == len(column):
        return column.cast(pa.string())
    return pc.replace_substring_regex(column, _FORMULA, r"'\1")
