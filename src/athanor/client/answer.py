"""A table that a server answered: Arrow, and on demand Polars or pandas."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from athanor.client.errors import MissingPackageError

if TYPE_CHECKING:
    import pandas
    import polars


class Answer:
    """Rows of an answer. What takes Arrow takes it as it is: `polars.DataFrame(answer)`, `pyarrow.table(answer)`."""

    def __init__(self, table: pa.Table) -> None:
        self.arrow: pa.Table = table

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __repr__(self) -> str:
        return f"<Answer of {len(self):,} rows: {', '.join(self.arrow.column_names)}>"

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The Arrow PyCapsule interface."""
        return self.arrow.__arrow_c_stream__(requested_schema)

    @property
    def about(self) -> Mapping[str, Any]:
        """What was asked, and of each tag its name, unit and kind, as far as the server says."""
        metadata = self.arrow.schema.metadata or {}
        about: Mapping[str, Any] = json.loads(metadata.get(b"athanor", b"{}"))
        return about

    @property
    def units(self) -> Mapping[str, str]:
        """The unit that each tag's values are in."""
        return {path: tag["unit"] for path, tag in self.about.get("tags", {}).items()}

    def pylist(self) -> list[dict[str, Any]]:
        """The rows as dictionaries."""
        rows: list[dict[str, Any]] = self.arrow.to_pylist()
        return rows

    def polars(self) -> "polars.DataFrame":
        """As a Polars data frame. Raises MissingPackageError."""
        try:
            import polars  # noqa: PLC0415 an optional package
        except ImportError as error:
            raise MissingPackageError("polars") from error
        frame = polars.from_arrow(self.arrow)
        if isinstance(frame, polars.Series):  # of a table it makes none
            raise TypeError("Polars made a series of a table.")
        return frame

    def pandas(self) -> "pandas.DataFrame":
        """As a pandas data frame; tags and units are categories. Raises MissingPackageError."""
        try:
            import pandas  # noqa: PLC0415 an optional package, which Arrow uses
        except ImportError as error:
            raise MissingPackageError("pandas") from error
        frame: pandas.DataFrame = self.arrow.to_pandas()
        return frame
