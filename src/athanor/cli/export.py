"""`athanor export`: tags over a range to a file, part by part, from the running server or from its data at rest."""

import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol, Self

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import track

from athanor.api.forms import ARROW
from athanor.cli.accounts import ACTOR
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.historian.calendar import Step, parse_step
from athanor.kernel.historian.port import Historian, Span
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.settings import Settings
from athanor.kernel.telemetry import TIME
from athanor.kernel.transfer.series import Series, schema_of, tables_of
from athanor.main import open_identity, open_platform

_PART_TAGS = 100
_PART, _PART_OF_LONG_STEPS = timedelta(days=1), timedelta(days=400)
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_ADMINISTRATOR = "admin"

EXPORTED = pa.schema(
    [("tag", pa.string()), ("time", TIME), ("value", pa.float64()), ("text", pa.string()), ("quality", pa.uint8())]
)


class BadExportError(AthanorError):
    """What was asked for cannot be exported."""

    code = "export.bad"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing was exported: {reason}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export."""

    patterns: Sequence[str]
    span: Span
    step: Step | None

    @classmethod
    def of(cls, patterns: Sequence[str], start: str, end: str | None, step: str | None) -> Self:
        """From the words of the command line. Raises BadExportError."""
        until = datetime.now(UTC) if end is None else _moment(end)
        length = _length(start)
        since = _moment(start) if length is None else until - length
        if since >= until:
            raise BadExportError(f"the start ({since.isoformat()}) is not before the end ({until.isoformat()}).")
        return cls(patterns, Span(since, until), None if step is None else parse_step(step))

    def tags_among(self, paths: Sequence[str]) -> list[str]:
        """The paths that the patterns match, each once. Raises NotFoundError for a pattern that matches none."""
        chosen: dict[str, None] = {}
        for pattern in self.patterns:
            found = [path for path in paths if fnmatchcase(path, pattern)]
            if not found:
                raise NotFoundError("tag", pattern)
            chosen.update(dict.fromkeys(found))
        return list(chosen)


class Source(Protocol):
    """Where series come from."""

    async def paths(self) -> list[str]:
        """Of every tag, sorted."""

    async def series(self, tags: Sequence[str], span: Span, step: Step | None) -> pa.Table:
        """Samples, or means over steps (schema EXPORTED), by tag, then time."""


async def export_to(file: Path, wanted: Wanted, settings: Settings, console: Console) -> int:
    """Write the file; returns how many rows. What was there before is replaced only by a whole file.

    Raises BadExportError, NotFoundError.
    """
    if file.suffix not in _WRITERS:
        raise BadExportError(f"{file.name} should end in one of {', '.join(_WRITERS)}; the ending chooses the format.")
    fresh = file.with_name(f".{file.name}.part")
    try:
        async with _source(settings) as source:
            tags = wanted.tags_among(await source.paths())
            rows = 0
            with _WRITERS[file.suffix](fresh) as writer:
                for group, span in track(list(_parts(tags, wanted)), "Exporting", console=console, transient=True):
                    table = await _part(source, group, span, wanted)
                    writer.write(table)
                    rows += table.num_rows
        fresh.replace(file)
    except OSError as error:
        raise BadExportError(f"{file} cannot be written ({error.strerror}).") from error
    finally:
        fresh.unlink(missing_ok=True)
    return rows


def _parts(tags: Sequence[str], wanted: Wanted) -> Iterator[tuple[Sequence[str], Span]]:
    """Some tags over about a day each, over more where a step is that long or longer."""
    is_long = wanted.step is not None and wanted.step.length is None
    length = _PART_OF_LONG_STEPS if is_long else _PART
    for first in range(0, len(tags), _PART_TAGS):
        start = wanted.span.start
        while start < wanted.span.end:
            end = min(start + length, wanted.span.end)
            yield tags[first : first + _PART_TAGS], Span(start, end)
            start = end


async def _part(source: Source, tags: Sequence[str], span: Span, wanted: Wanted) -> pa.Table:
    """A part's rows; a step that two parts share is the earlier one's."""
    table = await source.series(tags, span, wanted.step)
    if wanted.step is None or span.start == wanted.span.start:
        return table
    return table.filter(pa.compute.greater_equal(table["time"], pa.scalar(span.start, TIME)))


@asynccontextmanager
async def _source(settings: Settings) -> AsyncIterator[Source]:
    """The running server where one answers, else the data itself."""
    async with httpx.AsyncClient(base_url=_url(settings), trust_env=False, timeout=120) as client:
        if await _answers(client):
            async with open_identity(settings) as identity:
                session = await identity.open_session(_ADMINISTRATOR, actor=ACTOR)
            client.cookies.set("athanor_session", session)
            yield _Server(client)
            return
    async with open_platform(settings.model_copy(update={"plant_file": None})) as platform:
        yield _Data(platform.plant, platform.historian)


def _url(settings: Settings) -> str:
    host = settings.server.host
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    return f"http://{shown}:{settings.server.port}"


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz", timeout=2)).is_success
    except httpx.HTTPError:
        return False


class _Server:
    """A running server, asked over its REST routes."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def paths(self) -> list[str]:
        """See `Source`."""
        paths: list[str] = []
        after: str | None = ""
        while after is not None:
            page = (await self._get("/api/v1/tags", {"after": after, "limit": 1000})).json()
            paths += [tag["path"] for tag in page["tags"]]
            after = page["next"]
        return paths

    async def series(self, tags: Sequence[str], span: Span, step: Step | None) -> pa.Table:
        """See `Source`."""
        asked: dict[str, Any] = {"tag": list(tags), "from": span.start.isoformat(), "to": span.end.isoformat()}
        if step is not None:
            asked["step"] = str(step)
        with pa.ipc.open_stream((await self._get("/api/v1/series", asked)).content) as reader:
            return _exported(reader.read_all())

    async def _get(self, address: str, parameters: dict[str, Any]) -> httpx.Response:
        answer = await self._client.get(address, params=parameters, headers={"Accept": f"{ARROW}, application/json"})
        if answer.is_error:
            raise BadExportError(f"the server answered {answer.status_code}: {answer.text:.300}")
        return answer


class _Data:
    """The data of a server that does not run."""

    def __init__(self, plant: RunningPlant, historian: Historian) -> None:
        self._plant = plant
        self._historian = historian

    async def paths(self) -> list[str]:
        """See `Source`."""
        return sorted(self._plant.ids)

    async def series(self, tags: Sequence[str], span: Span, step: Step | None) -> pa.Table:
        """See `Source`."""
        asked = Series(tuple(self._plant.model.tag(path) for path in tags), span, step)
        tables = [table async for table in tables_of(asked, self._historian, self._plant)]
        return _exported(pa.concat_tables([schema_of(asked, self._plant).empty_table(), *tables]))


def _exported(table: pa.Table) -> pa.Table:
    """In the columns of EXPORTED; steps have no text, and are good by definition."""
    if "text" not in table.schema.names:
        table = table.append_column("text", pa.nulls(table.num_rows, pa.string()))
        table = table.append_column("quality", pa.array(np.zeros(table.num_rows, np.uint8)))
    return table.select(EXPORTED.names).cast(EXPORTED)


_WRITERS: dict[str, Callable[[Path], Any]] = {
    ".parquet": lambda file: pq.ParquetWriter(file, EXPORTED, compression="zstd"),
    ".csv": lambda file: pa_csv.CSVWriter(file, EXPORTED),
    ".arrow": lambda file: pa.ipc.new_file(str(file), EXPORTED),
}


def _length(text: str) -> timedelta | None:
    match = _LENGTH.fullmatch(text)
    return None if match is None else timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadExportError(
            f"{text!r} is no time; write it like 2026-03-01T06:00+08:00, or a length like 8h."
        ) from None
    if moment.tzinfo is None:
        raise BadExportError(f"{text!r} has no time zone; write it like 2026-03-01T06:00+08:00.")
    return moment
