"""What every table for people obeys: a text that a spreadsheet would run as a formula is written as text."""

import pyarrow as pa
import pyarrow.compute as pc

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_FORMULA = r"^([=+\-@\t\r])"


def plain_cell(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def plain_column(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The same for a column of texts."""
    return pc.replace_substring_regex(texts, _FORMULA, r"'\1")
