"""PostgreSQL (Debian: postgresql), by binary COPY in and asyncpg's binary protocol out."""

import asyncio
import importlib
import os
import shlex
import subprocess
from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil

from athanor.bench.historian.contender import AbsentError, PerThread, account, program
from athanor.bench.historian.generator import Rows
from athanor.bench.historian.questions import Kind, Question, by_tag_and_time
from athanor.kernel.historian.layout import sort_order
from athanor.kernel.historian.port import microseconds, moment

_T = TypeVar("_T")

# As an expert sets up a machine of its own for time series. fsync, full_page_writes and synchronous_commit are on.
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": f"{psutil.virtual_memory().total // 4 >> 20}MB",
    "effective_cache_size": f"{psutil.virtual_memory().total // 2 >> 20}MB",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "lz4",
    "wal_buffers": "64MB",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "200",
    "jit": "off",  # costs more than it saves here
}
# The B-tree finds tags; BRIN a range of time, at next to no cost. A unique index, or one that holds the value too, was
# slower to write by a quarter and no faster to ask.
_TABLE = """
CREATE TABLE samples (tag int NOT NULL, time timestamptz NOT NULL, value float8);
CREATE INDEX ON samples (tag, time);
CREATE INDEX ON samples USING brin (time);
"""
_EPOCH_US = microseconds(datetime.fromisoformat("2000-01-01T00:00:00Z"))  # PostgreSQL's own
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("tag_bytes", ">i4"),
        ("tag", ">i4"),
        ("time_bytes", ">i4"),
        ("time", ">i8"),
        ("value_bytes", ">i4"),
        ("value", ">f8"),
    ]
)
_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


class PostgreSQL:
    """Implements `Contender`."""

    name = "PostgreSQL 15"
    is_fed = True
    acknowledgement = "flushed to the disk (synchronous_commit on)"
    settled = "VACUUM ANALYZE, CHECKPOINT"
    quiet_s = 0.0

    def __init__(self, folder: Path) -> None:
        """Raises AbsentError."""
        try:
            self._asyncpg = importlib.import_module("asyncpg")
        except ImportError:
            raise AbsentError("asyncpg is not installed (pip install 'athanor[postgresql]')") from None
        self._programs, self._account, self._folder = program(self.name, "initdb").resolve().parent, account(), folder
        os.chown(folder, self._account.get("user", -1), self._account.get("group", -1))
        self._sessions = PerThread(self._connected, _Session.close)
        self._run("initdb", "--no-sync", "--auth=trust", "--username=bench", "--encoding=UTF8", "--locale=C")
        self._start()
        session = self._sessions.get()
        session.do(session.connection.execute(_TABLE))

    def payload(self, rows: Rows) -> bytes:
        """Binary COPY, sorted as the index is: neighbours then go into one page of it."""
        order = sort_order(rows.tag, rows.time_us)
        packed = np.empty(len(rows), _ROW)
        packed["fields"], packed["tag_bytes"], packed["time_bytes"], packed["value_bytes"] = 3, 4, 8, 8
        packed["tag"], packed["time"] = rows.tag[order], rows.time_us[order] - _EPOCH_US
        packed["value"] = rows.value[order]
        return _HEADER + packed.tobytes() + _TRAILER

    def write(self, payload: bytes) -> None:
        async def source() -> Any:
            for begin in range(0, len(payload), 1 << 19):
                yield payload[begin : begin + (1 << 19)]

        session = self._sessions.get()
        session.do(session.connection.copy_to_table("samples", source=source(), format="binary"))

    def settle(self) -> None:
        session = self._sessions.get()
        for statement in ("VACUUM (ANALYZE) samples", "CHECKPOINT"):
            session.do(session.connection.execute(statement, timeout=600))

    def size_bytes(self) -> int:
        session = self._sessions.get()
        size: int = session.do(session.connection.fetchval("SELECT pg_total_relation_size('samples')"))
        return size

    def ask(self, question: Question) -> list[Any]:
        statement, *arguments = _statement(question)
        session = self._sessions.get()
        answer: list[Any] = session.do(session.connection.fetch(statement, *arguments, timeout=600))
        return answer

    def read(self, _question: Question, answer: list[Any]) -> Rows:
        tag = np.array([row["tag"] for row in answer], np.int32)
        time_us = np.array([microseconds(row["time"]) for row in answer], np.int64)
        return by_tag_and_time(tag, time_us, np.array([row["value"] for row in answer], np.float64))

    def reopen(self) -> None:
        self._stop()
        self._start()

    def close(self) -> None:
        self._stop()

    def _start(self) -> None:
        settings = _SETTINGS | {"unix_socket_directories": str(self._folder)}
        options = shlex.join(f"--{key}={value}" for key, value in settings.items())
        self._run("pg_ctl", "start", "--wait", "--options", options)

    def _stop(self) -> None:
        self._sessions.close()
        self._run("pg_ctl", "stop", "--wait", "--mode", "fast")

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(self._programs / name), "--pgdata", str(self._folder / "data"), *arguments]
        with (self._folder / "log").open("a+", encoding="utf-8") as log:  # the server goes on writing into it
            ended = subprocess.run(  # noqa: S603 a program that `program` found
                command, cwd=self._folder, stdout=log, stderr=log, check=False, **self._account
            )
            if ended.returncode:
                log.seek(0)
                raise RuntimeError(f"{shlex.join(command)} failed: {log.read()[-2000:]}")

    def _connected(self) -> "_Session":
        return _Session(self._asyncpg.connect(host=str(self._folder), user="bench", database="postgres"))


class _Session:
    """A connection and the loop that it lives on."""

    def __init__(self, connecting: Coroutine[Any, Any, Any]) -> None:
        self._loop = asyncio.new_event_loop()
        self.connection = self.do(connecting)

    def do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self._loop.run_until_complete(work)

    def close(self) -> None:
        self.do(self.connection.close())
        self._loop.close()


def _statement(question: Question) -> tuple[Any, ...]:
    tags, start, end = list(question.tags), moment(question.start_us), moment(question.end_us)
    if question.kind is Kind.LATEST:
        return (
            """SELECT tag, time, value FROM unnest($1::int[]) AS wanted, LATERAL (
               SELECT tag, time, value FROM samples WHERE tag = wanted ORDER BY time DESC LIMIT 1) AS newest""",
            tags,
        )
    if question.kind is Kind.RAW:
        return (
            "SELECT tag, time, value FROM samples WHERE tag = $1 AND time >= $2 AND time < $3 ORDER BY time",
            tags[0],
            start,
            end,
        )
    return (
        """SELECT tag, date_bin($4, time, $2) AS time, avg(value) AS value FROM samples
           WHERE tag = ANY($1::int[]) AND time >= $2 AND time < $3 GROUP BY 1, 2""",
        tags,
        start,
        end,
        timedelta(microseconds=question.step_us),
    )
