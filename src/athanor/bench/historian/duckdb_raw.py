"""DuckDB alone: a table as samples came in, and a Parquet file sorted as a historian's questions want it."""

import importlib
from pathlib import Path
from typing import Any

import pyarrow as pa

from athanor.bench.historian.contender import AbsentError
from athanor.bench.historian.generator import Rows
from athanor.bench.historian.questions import Kind, Question, by_tag_and_time
from athanor.kernel.telemetry import numpy_column

_TABLE = "CREATE TABLE IF NOT EXISTS samples (tag INTEGER NOT NULL, time TIMESTAMP NOT NULL, value DOUBLE)"
_ROW_GROUP = 20_480  # a tag of 20 M samples or so: what is read for one tag is then little more than its own


class DuckDBTable:
    """Implements `Contender`."""

    name = "DuckDB table"
    is_fed = True
    acknowledgement = "flushed to the disk (each batch a transaction)"
    settled = "CHECKPOINT"
    quiet_s = 0.0

    def __init__(self, folder: Path) -> None:
        """Raises AbsentError."""
        try:
            self._duckdb = importlib.import_module("duckdb")
        except ImportError:
            raise AbsentError("duckdb is not installed (pip install duckdb)") from None
        self._file = folder / "samples.duckdb"
        self._open()

    def payload(self, rows: Rows) -> pa.Table:
        time = pa.array(rows.time_us, pa.int64()).cast(pa.timestamp("us"))
        return pa.table({"tag": pa.array(rows.tag), "time": time, "value": pa.array(rows.value)})

    def write(self, payload: pa.Table) -> None:
        with self._database.cursor() as connection:
            connection.register("batch", payload)
            connection.execute("INSERT INTO samples SELECT * FROM batch")
            connection.unregister("batch")

    def settle(self) -> None:
        self._database.execute("CHECKPOINT")

    def size_bytes(self) -> int:
        return self._file.stat().st_size

    def ask(self, question: Question) -> pa.Table:
        with self._database.cursor() as connection:
            return connection.sql(_statement(question, self._source())).to_arrow_table()

    def read(self, _question: Question, answer: pa.Table) -> Rows:
        return by_tag_and_time(*(numpy_column(answer, name) for name in ("tag", "time", "value")))

    def reopen(self) -> None:
        self._database.close()
        self._open()

    def close(self) -> None:
        self._database.close()

    def _source(self) -> str:
        return "samples"

    def _open(self) -> None:
        self._database: Any = self._duckdb.connect(str(self._file))
        self._database.execute("SET checkpoint_threshold = '256MB'")
        self._database.execute(_TABLE)


class DuckDBParquet(DuckDBTable):
    """Implements `Contender`: settles into one Parquet file."""

    name = "DuckDB Parquet"
    is_fed = False
    acknowledgement = ""
    settled = "COPY … ORDER BY tag, time TO Parquet, ZSTD"
    quiet_s = 0.0

    def settle(self) -> None:
        options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}"
        self._database.execute(f"COPY (SELECT * FROM samples ORDER BY tag, time) TO '{self._parquet()}' ({options})")
        self._database.execute("TRUNCATE samples")

    def size_bytes(self) -> int:
        return self._parquet().stat().st_size

    def _source(self) -> str:
        return f"read_parquet('{self._parquet()}')"

    def _parquet(self) -> Path:
        return self._file.with_suffix(".parquet")


def _statement(question: Question, source: str) -> str:
    if question.kind is Kind.LATEST:
        return f"SELECT tag, max(time) AS time, arg_max(value, time) AS value FROM {source} GROUP BY tag"
    times = f"time >= make_timestamp({question.start_us}) AND time < make_timestamp({question.end_us})"
    within = f"FROM {source} WHERE {_chosen(question.tags)} AND {times}"
    if question.kind is Kind.RAW:
        return f"SELECT tag, time, value {within} ORDER BY time"
    step = f"(epoch_us(time) - {question.start_us}) // {question.step_us}"
    return (
        f"SELECT tag, make_timestamp({question.start_us} + step * {question.step_us}) AS time, value "
        f"FROM (SELECT tag, {step} AS step, avg(value) AS value {within} GROUP BY 1, 2)"
    )


def _chosen(tags: tuple[int, ...]) -> str:
    if len(tags) == 1:
        return f"tag = {tags[0]}"
    if len(tags) >= 1_000:  # all there are
        return "true"
    return f"tag IN ({', '.join(map(str, tags))})"
