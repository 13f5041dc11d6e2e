"""What a table's log notes of each file: its rows, and the least and greatest values of some columns."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.historian.port import moment


class Bounds:
    """Row count, least and greatest values of a file while it is written."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._rows = 0
        self._nulls = dict.fromkeys(columns, 0)
        self._least: dict[str, object] = {}
        self._greatest: dict[str, object] = {}
        self._types: dict[str, pa.DataType] = {}

    def take_in(self, table: pa.Table) -> None:
        """Count the rows of a table in."""
        self._rows += table.num_rows
        for column in self._nulls:
            self._nulls[column] += table[column].null_count
            both = pc.min_max(_comparable(table[column])).as_py()
            if both["min"] is not None:
                self._least[column] = min(both["min"], self._least.get(column, both["min"]))
                self._greatest[column] = max(both["max"], self._greatest.get(column, both["max"]))
        self._types = {column: table.schema.field(column).type for column in self._nulls}

    def statistics(self) -> str:
        """Delta's per-file statistics (JSON)."""
        return json.dumps(
            {
                "numRecords": self._rows,
                "minValues": self._shown(self._least),
                "maxValues": self._shown(self._greatest),
                "nullCount": self._nulls,
            }
        )

    def _shown(self, values: Mapping[str, object]) -> Mapping[str, object]:
        return {column: _shown(value, self._types[column]) for column, value in values.items()}


def _comparable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times as whole microseconds, which no float rounds."""
    return column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column


def _shown(value: object, kind: pa.DataType) -> object:
    if pa.types.is_timestamp(kind):
        return moment(int(value)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # type: ignore[call-overload]
    return value.isoformat() if isinstance(value, date | datetime) else value
